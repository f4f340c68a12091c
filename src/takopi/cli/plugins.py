"""`takopi plugins`: engines and plug-ins, where they come from, and which cannot be used."""

from typing import Annotated

import typer

__all__ = ["plugins"]


def plugins(
    *,
    load: Annotated[  # noqa: ARG001 - the public takopi loads only when it is asked to
        bool, typer.Option("--load/--no-load", hidden=True)
    ] = True,
) -> None:
    """List engines, commands and transports with their places, and what cannot be used."""
    from takopi.app.plugin_list import list_plugins

    for line in list_plugins():
        print(line)
