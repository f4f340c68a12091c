"""What the bridge needs of the world; `app` binds the real ones, tests bring scripted ones."""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from takopi.core.chat import ChatMessage, ChatUpdate, Document, Scope
from takopi.model import EngineId, ResumeToken
from takopi.run_host import Run, RunExit, RunHost, RunSpec
from takopi.transport import MessageRef, SendOptions

if TYPE_CHECKING:
    from takopi.runner import Runner

__all__ = [
    "Clock",
    "EngineDirectory",
    "MenuCommand",
    "Run",
    "RunExit",
    "RunHost",
    "RunSpec",
    "Store",
    "Transport",
    "TurnRecord",
]


class Clock(Protocol):
    """Tell time and wait; a simulation brings its own."""

    def now(self) -> float:
        """Return monotonic seconds."""
        ...

    async def sleep_until(self, deadline: float) -> None:
        """Return once `now()` is at least `deadline`."""
        ...


class EngineDirectory(Protocol):
    """Know the engines; loading one is put off until it is asked for."""

    def ids(self) -> Sequence[EngineId]:
        """List the engines a person can name, without loading one."""
        ...

    def runner(self, engine: EngineId) -> "Runner":
        """Return an engine's runner, the same one each time.

        Raises:
            PluginError: Nobody knows the engine, or its module cannot be used.
            ConfigError: Its table of the configuration is wrong.
        """
        ...

    async def version(self, engine: EngineId) -> str | None:
        """Return what the engine's CLI says about its version; None when it is not installed."""
        ...


class MenuCommand(msgspec.Struct, frozen=True):
    """Be one line of the chat's command menu.

    Args:
        name: `[a-z0-9_]{1,32}`, without the slash.
        description: 1 to 256 characters.
    """

    name: str
    description: str


class Transport(Protocol):
    """Be a chat service.

    Every call ends within a time of its own and raises a leaf of `TransportError` when it failed;
    a message that is already as wanted is no error, and deleting what is gone is none either.
    """

    @property
    def id(self) -> str:
        """Give the transport's id, as it stands in `Scope.transport`."""
        ...

    def updates(self) -> AsyncIterator[Sequence[ChatUpdate]]:
        """Yield batches of updates until the transport is told to stop.

        A batch counts as accepted when the next one is asked for.
        """
        ...

    async def send(self, scope: Scope, message: ChatMessage, options: SendOptions) -> MessageRef:
        """Send a message and return its name once the service has accepted it."""
        ...

    async def send_document(
        self, scope: Scope, document: Document, options: SendOptions
    ) -> MessageRef:
        """Send a file and return the message's name once the service has accepted it."""
        ...

    async def edit(self, ref: MessageRef, message: ChatMessage) -> None:
        """Put `message` in place of an earlier one of this bot."""
        ...

    async def delete(self, ref: MessageRef) -> None:
        """Take back an earlier message of this bot."""
        ...

    async def answer_press(self, press_id: str, text: str = "") -> None:
        """Tell the person's client that a press arrived; a press too old to answer is no error."""
        ...

    async def set_menu(self, commands: Sequence[MenuCommand]) -> None:
        """Publish the command menu when it differs from the published one."""
        ...


class TurnRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Say what a message of the chat belongs to.

    Args:
        turn_id: The turn that the message is a part of.
        scope: Where the turn was asked for.
        engine: The engine it ran on.
        session: The session, once known.
        conversation: What a turn and the replies to it share while no session is known; the id of
            the turn that began it.
    """

    turn_id: str
    scope: Scope
    engine: str
    session: ResumeToken | None = None
    conversation: str = ""


class Store(Protocol):
    """Remember what messages belong to; the journal replaces the one in memory."""

    async def bind_message(self, ref: MessageRef, turn_id: str) -> None:
        """Remember that a message (prompt, progress or part of a final) belongs to a turn."""
        ...

    async def put_turn(self, record: TurnRecord) -> None:
        """Remember a turn, or replace what was known of it."""
        ...

    async def turn_of_message(self, chat_id: int, message_id: int) -> TurnRecord | None:
        """Find the turn of a message; None for messages nobody knows.

        A turn that reported no session has that of its conversation, once another turn has one.
        """
        ...
