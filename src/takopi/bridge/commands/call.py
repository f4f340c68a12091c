"""A command or a press as its handler gets it, and what handlers work with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from anyio.abc import TaskGroup

from takopi.bridge.answers import Answers
from takopi.bridge.asking import Asking
from takopi.bridge.following import Follower
from takopi.bridge.letters import Destination
from takopi.bridge.outbox import Outbox
from takopi.bridge.places import Places
from takopi.bridge.ports import (
    Clock,
    CommandPlugins,
    EngineDirectory,
    ProjectFiles,
    RunHost,
    Store,
    Transport,
    Workspaces,
)
from takopi.bridge.records import AcceptedUpdate, UpdateHandled
from takopi.bridge.routing import Router
from takopi.bridge.schedule_book import ScheduleBook
from takopi.bridge.scheduler import Scheduler
from takopi.bridge.topic_desk import TopicDesk
from takopi.core.chat import ButtonPressed, MessageReceived
from takopi.core.chat_settings import ChatSettings
from takopi.core.decisions import BoundTurn, Command
from takopi.model import EngineId

__all__ = ["Buttonless", "CommandCall", "CommandHandler", "CommandPorts", "PressCall"]


@dataclass(frozen=True, slots=True)
class CommandCall:
    """Be one command that somebody sent.

    Args:
        received: The message.
        destination: Where the answer goes.
        command: What it asks for.
        bound: The turn of the message that it replies to.
        handled: The mark of the update; every handler writes it, with what the command led to.
        refused: What was sent before it and could not be written down yet, so that it has no turn;
            cancelling takes it out of this list.
        arrived_at: When it was accepted, unix seconds; the same for all of one answer of the
            service, and after a crash still.
        also: The marks of the other parts of the album that it is about, whose files are among
            those of the message, or of its text; written with `handled`.
        followed: Whether the person forwarded something behind it in the same answer of the
            service, which belongs to what it asks.
    """

    received: MessageReceived
    destination: Destination
    command: Command
    bound: BoundTurn | None
    handled: UpdateHandled
    refused: list[AcceptedUpdate] = field(default_factory=list)
    arrived_at: float = 0.0
    also: tuple[UpdateHandled, ...] = ()
    followed: bool = False

    @property
    def marks(self) -> tuple[UpdateHandled, ...]:
        """List the marks of all that it was made of."""
        return (self.handled, *self.also)


@dataclass(frozen=True, slots=True)
class PressCall:
    """Be one press on a button of a command's answer; it may be repeated, by anybody served there.

    Args:
        pressed: The press.
        destination: Where its message stands; a changed message is sent with `Outbox.correct`.
        args: What the button carries behind the command's name.
        handled: The mark of the update; every handler writes it.
        arrived_at: As of a `CommandCall`.
    """

    pressed: ButtonPressed
    destination: Destination
    args: tuple[str, ...]
    handled: UpdateHandled
    arrived_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandPorts:
    """Bind what commands work with.

    Args:
        answers: Sends answers, with their marks.
        outbox: Changes messages.
        scheduler: Knows and ends the turns.
        engines: Knows the engines.
        store: The journal.
        places: Knows what was chosen where.
        router: Knows what holds where.
        follower: Knows which sessions go on by themselves.
        settings: What the configuration says of chats.
        workspaces: Knows projects and their working trees.
        transport: The chat service.
        asking: Starts turns that no message asked for.
        schedules: What is asked at certain times.
        clock: Tells the time.
        default_engine: Of the configuration.
        version: Of takopi.
        new_id: Makes ids.
        group: What takes time runs in it, inside a `border`.
        files: The files of the projects; None where none come and go.
        host: Knows where sessions live; None where nobody does.
        plugins: The commands that packages bring; None where there are none.
        topics: Makes and finds topics; None where nobody does.
    """

    answers: Answers
    outbox: Outbox
    scheduler: Scheduler
    engines: EngineDirectory
    store: Store
    places: Places
    router: Router
    follower: Follower
    settings: ChatSettings
    workspaces: Workspaces
    transport: Transport
    asking: Asking
    schedules: ScheduleBook
    clock: Clock
    default_engine: EngineId
    version: str
    new_id: Callable[[], str]
    group: TaskGroup
    files: ProjectFiles | None = None
    host: RunHost | None = None
    plugins: CommandPlugins | None = None
    topics: TopicDesk | None = None


class CommandHandler(Protocol):
    """Answer the commands of some names, and the presses on buttons of those answers."""

    @property
    def names(self) -> tuple[str, ...]:
        """List what it answers; button data begins with the first."""
        ...

    async def answer(self, call: CommandCall) -> None:
        """Answer a command and mark it.

        What takes time is started in the group: until this returns, no other update is handled.

        Raises:
            StoreError: The journal did not take it, so nothing happened; it is called again.
        """
        ...

    async def press(self, call: PressCall) -> str:
        """Do what a button says and mark the press; return the few words that its presser sees.

        Raises:
            StoreError: As for `answer`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Buttonless:
    """Be what handlers share whose answers have no buttons: whoever presses one has forged it.

    Args:
        ports: What commands work with.
    """

    ports: CommandPorts

    async def press(self, call: PressCall) -> str:
        """Mark the press and do nothing."""
        await self.ports.answers.mark([call.handled])
        return ""
