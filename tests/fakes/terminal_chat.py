"""A person and a bridge around the terminal's transport, without a terminal."""

from collections.abc import Hashable

import anyio

from takopi.core.chat import Button, ChatMessage, ChatUpdate, MessageReceived
from takopi.core.richtext import RichText, plain
from takopi.terminal.conversation import Beginnings
from takopi.terminal.transport import CHAT_ID, SCOPE, TerminalTransport
from takopi.transport import MessageRef, SendOptions

__all__ = ["Chat", "FakeScreen"]


class FakeScreen:
    """Write down what is shown, as `word text`."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.broken: OSError | None = None

    def __enter__(self) -> "FakeScreen":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def progress(self, key: Hashable, body: RichText) -> None:
        self.log.append(f"progress {body.text}")

    def clear(self, key: Hashable) -> None:
        self.log.append("clear")

    def say(self, body: RichText) -> None:
        if self.broken is not None:
            raise self.broken
        self.log.append(f"say {body.text}")

    def note(self, text: str) -> None:
        self.log.append(f"note {text}")

    def ready(self) -> None:
        self.log.append("ready")

    def typed(self) -> None:
        self.log.append("typed")

    def taken(self) -> list[str]:
        found = [line for line in self.log if line not in ("clear", "ready", "typed")]
        self.log.clear()
        return found


class Chat:
    """Be a person and a bridge around the transport."""

    def __init__(self, *, one_by_one: bool = False) -> None:
        self.screen = FakeScreen()
        self.transport = TerminalTransport(self.screen, Beginnings(["pi"]), one_by_one=one_by_one)
        self._updates = self.transport.updates()

    async def update(self) -> ChatUpdate:
        with anyio.fail_after(5):
            (found,) = await anext(self._updates)
        return found

    async def prompt(self, text: str) -> MessageReceived:
        await self.transport.feed(text)
        found = await self.update()
        assert isinstance(found, MessageReceived)
        return found

    async def none_comes(self) -> None:
        with anyio.move_on_after(0.05) as scope:
            await anext(self._updates)
        assert scope.cancelled_caught
        self._updates = self.transport.updates()

    async def send(
        self, text: str, to: MessageReceived | None = None, cancel: str = "", **options: object
    ) -> MessageRef:
        buttons = ((Button("Cancel", cancel),),) if cancel else ()
        reply_to = MessageRef(CHAT_ID, to.message_id) if to else None
        return await self.transport.send(
            SCOPE, ChatMessage(plain(text), buttons), SendOptions(reply_to=reply_to, **options)
        )

    async def edit(self, ref: MessageRef, text: str, cancel: str = "") -> None:
        buttons = ((Button("Cancel", cancel),),) if cancel else ()
        await self.transport.edit(ref, ChatMessage(plain(text), buttons))
