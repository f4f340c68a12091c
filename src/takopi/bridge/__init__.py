"""The engine room: async, without the name of any chat service or engine."""
