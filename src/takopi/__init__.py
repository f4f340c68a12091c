"""takopi: chat with coding agents from Telegram and the terminal."""

__version__ = "0.1.0"

__all__ = ["__version__"]
