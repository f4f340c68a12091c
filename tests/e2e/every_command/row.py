"""A row of the table: a command or directive, one good use and one misuse of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from e2e.every_command.kinds import Kind
from e2e.every_command.talk import Talk

__all__ = ["Row", "Scene"]

Scene = Callable[[Talk], Awaitable[None]]


@dataclass(frozen=True)
class Row:
    """Be one command or directive.

    Args:
        name: Of the command, or what the row is about.
        use: What a person would write; `{project}` in it is the project's alias.
        scene: Uses it, and presses its buttons.
        misuse: What a person might write by mistake; empty where nothing is one.
        wrong: Words of the answer to that; they may hang on the kind of chat.
    """

    name: str
    use: str
    scene: Scene
    misuse: str = ""
    wrong: str | Callable[[Kind], str] = ""

    async def play(self, talk: Talk) -> None:
        """Use it well, then badly."""
        await self.scene(talk)
        if self.misuse:
            words = self.wrong if isinstance(self.wrong, str) else self.wrong(talk.kind)
            await talk.ask(self.misuse, words)
