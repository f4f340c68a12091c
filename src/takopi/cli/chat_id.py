"""`takopi chat-id`: learn the id of a chat or group."""

from typing import Annotated

import typer

__all__ = ["chat_id"]


def chat_id(
    *,
    project: Annotated[
        str | None, typer.Option("--project", help="Bind the chat to this project.")
    ] = None,
) -> None:
    """Show a one-time code; the chat in which you write it is printed, or bound to a project."""
    from takopi.app.chat_id import learn_chat_id
    from takopi.app.home import open_home
    from takopi.cli.streams import tell
    from takopi.settings import load_settings

    home = open_home()
    chat = learn_chat_id(home, load_settings(home.config), project, tell)
    if project is None:
        print(chat.chat_id)
    else:
        print(f"projects.{project}.chat_id = {chat.chat_id}")
