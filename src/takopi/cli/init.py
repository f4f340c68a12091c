"""`takopi init`: make the directory one stands in a project."""

from typing import Annotated

import typer

__all__ = ["init"]


def init(
    alias: Annotated[
        str | None,
        typer.Argument(help="How prompts name it; without it the directory's name is taken."),
    ] = None,
    *,
    default: Annotated[
        bool, typer.Option("--default", help="Prompts that name no project go here.")
    ] = False,
) -> None:
    """Register this repository as a project, so that prompts can name it."""
    from takopi.app.home import current_directory, open_home
    from takopi.app.projects import register_project
    from takopi.cli.streams import tell
    from takopi.engines import find_engines

    home = open_home()
    done = register_project(
        home.config, current_directory(), alias, find_engines(home.path).ids, default=default
    )
    if not done.repository:
        tell(
            f"takopi: {done.path} is no git repository: prompts work there, branches do not; "
            "`git init` makes it one"
        )
    print(f"{done.alias}: {done.path}{'' if done.new else ' (registered already)'}")
    if default:
        print("Prompts that name no project go there.")
    print(f"In the chat: /{done.alias} what is this project about?")
