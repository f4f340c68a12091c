"""`takopi plugins`: engines and plug-ins, where they come from, and which cannot be used."""

__all__ = ["plugins"]


def plugins() -> None:
    """List engines, commands and transports with their places, and what cannot be used."""
    from takopi.app.plugin_list import list_plugins

    for line in list_plugins():
        print(line)
