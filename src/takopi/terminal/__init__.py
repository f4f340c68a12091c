"""The terminal: as the chat of `takopi chat`, and for single turns."""
