"""Telegram: poll loop, client and translation of its updates."""
