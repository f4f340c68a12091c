"""What the bridge needs of the world; `app` binds the real ones, tests bring scripted ones."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

import msgspec

from takopi.bridge.records import (
    AcceptedUpdate,
    Change,
    JournalState,
    OfferRecord,
    TurnRecord,
)
from takopi.bridge.tree_ports import Workspaces
from takopi.context import RunContext
from takopi.core.chat import ChatUpdate, Document, Scope
from takopi.core.file_rules import FileRules
from takopi.core.missing_engines import MissingEngine
from takopi.model import EngineId
from takopi.run_host import Run, RunExit, RunHost, RunSpec
from takopi.transports import MenuCommand, Transport

if TYPE_CHECKING:
    from takopi.commands import CommandBackend
    from takopi.plugin_catalogue import PluginCatalogue
    from takopi.runner import Runner

__all__ = [
    "Clock",
    "CommandPlugins",
    "EngineDirectory",
    "MenuCommand",
    "ProjectFiles",
    "Run",
    "RunExit",
    "RunHost",
    "RunSpec",
    "Store",
    "Transport",
    "TurnFilter",
    "TurnRecord",
    "UsageRow",
    "Workspaces",
]


class Clock(Protocol):
    """Tell time and wait; a simulation brings its own."""

    def now(self) -> float:
        """Return monotonic seconds."""
        ...

    def wall(self) -> float:
        """Return unix seconds; they may jump, so they only name moments and never measure."""
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
        """Return what the engine's CLI says about its version; None when it is not installed.

        `UNKNOWN_VERSION` stands for one that says nothing.
        """
        ...

    def missing(self, engine: EngineId) -> MissingEngine | None:
        """Say that an engine cannot run here, and what mends that; None when it can."""
        ...


class CommandPlugins(Protocol):
    """Know the commands that packages bring, and what they may ask of the machine."""

    @property
    def catalogue(self) -> "PluginCatalogue[CommandBackend]":
        """Give what was found."""
        ...

    @property
    def config_path(self) -> Path | None:
        """Give the configuration file; None when there is none."""
        ...

    @property
    def always_answers(self) -> bool:
        """Tell whether a command that says nothing is said to be done.

        A person at a terminal waits for an answer to every line.
        """
        ...

    def table(self, plugin_id: str) -> dict[str, Any]:
        """Return the table `[plugins.<id>]`; empty when there is none."""
        ...

    def installed(self, engine: EngineId) -> bool:
        """Tell whether an engine's CLI is there.

        Raises:
            PluginError: The engine cannot be loaded.
        """
        ...


class TurnFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Say which turns are meant; None leaves a thing open.

    Args:
        scope: Exactly this place.
        chat_id: Any place of this chat.
        engine: Their engine.
        context: Their project and branch, both as they stand there: no project is one, too.
        accepted_since: Unix seconds; later ones count only.
        with_session: Leave out those whose session is not known.
    """

    scope: Scope | None = None
    chat_id: int | None = None
    engine: EngineId | None = None
    context: RunContext | None = None
    accepted_since: float | None = None
    with_session: bool = False


class UsageRow(msgspec.Struct, frozen=True):
    """Be what one turn cost.

    Args:
        ended_at: Unix seconds.
        engine: Its engine.
        project: Its project.
        chat_id: Its chat.
        usage: As in `CompletedEvent.usage`.
    """

    ended_at: float
    engine: EngineId
    project: str | None
    chat_id: int
    usage: Mapping[str, Any]


class Store(Protocol):
    """Be the journal: what is committed here is there after a crash.

    Every method may raise a leaf of `StoreError`; a change that raised did not happen.
    """

    async def accept(
        self, updates: Sequence[ChatUpdate], newest: int | None, arrived_at: float
    ) -> tuple[AcceptedUpdate, ...]:
        """Take one answer of the service in one transaction; return what was never taken before.

        Args:
            updates: Those of people who are served, in their order.
            newest: The greatest number of all updates in the answer, strangers' included.
            arrived_at: Present moment, unix seconds.
        """
        ...

    async def commit(self, changes: Sequence[Change]) -> None:
        """Make all changes in one transaction, in their order.

        Raises:
            OfferClosed: An `OfferTaken` came too late; nothing was changed.
        """
        ...

    async def load(self) -> JournalState:
        """Return what is not over."""
        ...

    async def turn(self, turn_id: str) -> TurnRecord | None:
        """Return a turn as it was written down last."""
        ...

    async def turn_of_message(self, chat_id: int, message_id: int) -> TurnRecord | None:
        """Find the turn of a message; None for messages nobody knows.

        A turn that reported no session has that of its conversation, once another turn has one: the
        one that it asked for, else the newest. One that began anew has none of those before it.
        """
        ...

    async def offer(self, offer_id: str) -> OfferRecord | None:
        """Return an offer, open or taken."""
        ...

    async def newest_turns(self, wanted: TurnFilter, limit: int) -> tuple[TurnRecord, ...]:
        """List turns, the newest first, as they were written down last.

        A turn that reported no session has that of its conversation, as in `turn_of_message`. Files
        that wait for a reply have records like turns, and are none.
        """
        ...

    async def usage_since(self, since: float) -> tuple[UsageRow, ...]:
        """List what the engines of turns that ended since a moment said they cost.

        Args:
            since: Unix seconds.
        """
        ...

    async def damage_told(self) -> None:
        """Forget `JournalState.damage`: the chat will hear of it."""
        ...


class ProjectFiles(Protocol):
    """Be the files of the projects; nothing here blocks the event loop."""

    @property
    def rules(self) -> FileRules:
        """Give what goes between a chat and a project."""
        ...

    async def places(
        self, root: Path, names: Sequence[str], given: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """Choose an absolute path for each of some files that arrive, where nothing is or comes.

        Args:
            root: Directory of the project.
            names: As their senders call them.
            given: What was chosen before for files that come too.
        """
        ...

    async def has(self, path: str) -> bool:
        """Tell whether a file that arrived lies where it was to lie."""
        ...

    async def free(self, paths: Sequence[str]) -> tuple[str, ...]:
        """Let go of chosen paths at which no file arrived; return those at which one did."""
        ...

    async def is_folder(self, root: Path, name: str) -> bool:
        """Tell whether a name is that of a folder of the project."""
        ...

    async def write(
        self,
        root: Path,
        name: str,
        fill: Callable[[BinaryIO], Awaitable[None]],
        *,
        replace: bool = False,
    ) -> None:
        """Write a file of the project: whole, or not at all.

        Raises:
            FileRefused: The name is hostile or denied, or something stands there already.
        """
        ...

    async def put_since(
        self,
        root: Path,
        names: Sequence[str],
        fill: Callable[[BinaryIO], Awaitable[None]],
        since_s: float,
    ) -> str | None:
        """Return the name under which a file lies that was written since a moment and is the same.

        Args:
            root: Directory of the project.
            names: Relative to it; one that ends with `*` is all that begins so.
            fill: Writes the content.
            since_s: Unix seconds.
        """
        ...

    async def read(self, root: Path, name: str) -> Document:
        """Read a file of the project, or a folder as a zip file.

        Raises:
            FileRefused: It is not given out, or is not there.
        """
        ...

    async def there(self, root: Path, names: Sequence[str], limit: int) -> tuple[str, ...]:
        """Return the first of some names under which there is a file that can be sent."""
        ...

    async def sent(self, document: Document) -> None:
        """Take away what was made for sending a document."""
        ...
