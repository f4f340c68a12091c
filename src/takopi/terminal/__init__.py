"""The terminal as a transport, and single turns on it."""
