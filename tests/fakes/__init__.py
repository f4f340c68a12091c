"""Stand-ins for the world at its borders: chat services, model APIs, engine homes."""
