"""Be what authors of transports see: what a chat service has to do, and how it is registered.

A transport is a package with an entry point of the group `takopi.transport_backends`; Telegram and
the terminal are registered the same way, and one contract suite checks all of them.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Protocol, runtime_checkable

import msgspec

from takopi.backends import SetupIssue
from takopi.core.chat import ChatMessage, ChatUpdate, Document, IncomingFile, Scope
from takopi.core.outbox_budget import OutboxLimits
from takopi.errors import PluginError, TopicsUnavailable, TransportError
from takopi.model import EngineId
from takopi.plugin_catalogue import PluginCatalogue, installed_plugins
from takopi.transport import MessageRef, SendOptions

__all__ = [
    "BaseTransport",
    "MenuCommand",
    "ServedTransport",
    "SetupTalk",
    "TopicService",
    "Transport",
    "TransportBackend",
    "TransportCapabilities",
    "TransportConfig",
    "find_transports",
]

ENTRY_POINT_GROUP = "takopi.transport_backends"


class MenuCommand(msgspec.Struct, frozen=True):
    """Be one line of the chat's command menu.

    Args:
        name: `[a-z0-9_]{1,32}`, without the slash.
        description: 1 to 256 characters.
    """

    name: str
    description: str


class TopicService(Protocol):
    """Make topics and give them names."""

    async def create_topic(self, scope: Scope, name: str) -> int:
        """Make a topic in the chat of a place and return its thread id.

        Args:
            scope: A place of the chat.
            name: At most 128 UTF-16 units on one line.

        Raises:
            TopicsUnavailable: The chat has none, or the bot may not make one; the text says what
                to do.
            TransportError: Another leaf; when the answer is unclear the topic may be there.
        """
        ...

    async def rename_topic(self, scope: Scope, name: str) -> None:
        """Give a topic another name; one that is called so already is no error.

        Raises:
            ThreadLost: The topic is gone.
            TopicsUnavailable: The bot may not rename it.
            TransportError: Another leaf.
        """
        ...

    def topic_link(self, scope: Scope) -> str | None:
        """Return the address that opens a topic; None where topics have none."""
        ...


class Transport(TopicService, Protocol):
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

    @property
    def newest_update(self) -> int | None:
        """Give the greatest number of the answer behind the batch that was yielded last.

        It counts all updates of that answer, those too that mean nothing to takopi; None when the
        service does not number its updates.
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

    async def fetch(self, file: IncomingFile, into: BinaryIO, max_bytes: int) -> None:
        """Write the content of a file that somebody sent.

        Raises:
            FileTooLarge: It is larger than `max_bytes`.
            TransportError: Another leaf; also when the service has no files.
        """
        ...

    async def edit(self, ref: MessageRef, message: ChatMessage) -> None:
        """Put `message` in place of an earlier one of this bot."""
        ...

    async def delete(self, ref: MessageRef) -> None:
        """Take back an earlier message of this bot."""
        ...

    async def react(self, ref: MessageRef, emoji: str | None) -> None:
        """Put this bot's one reaction on a message, or take it back with None.

        A service without reactions does nothing.
        """
        ...

    async def answer_press(self, press_id: str, text: str = "") -> None:
        """Tell the person's client that a press arrived; a press too old to answer is no error."""
        ...

    async def set_menu(self, commands: Sequence[MenuCommand]) -> None:
        """Publish the command menu when it differs from the published one."""
        ...


class ServedTransport(Transport, Protocol):
    """Be a chat service that a bot can serve: it is opened, and closed at the end."""

    @property
    def last_poll_at(self) -> float | None:
        """Give the monotonic time at which the service was heard last; None before the first.

        The service manager is told that all is well while this is younger than two minutes.
        """
        ...

    async def open(self) -> str:
        """Connect, waiting for a network that is not there yet; return the bot's name for people.

        Raises:
            Unauthorized: The service does not know the bot; takopi ends with exit status 78.
        """
        ...

    def stop(self) -> None:
        """End the iteration over `updates`; sending goes on."""
        ...

    async def aclose(self) -> None:
        """Confirm what was accepted and let go of everything; called twice it does nothing more."""
        ...


class BaseTransport:
    """Have what a small chat service lacks: files, topics, reactions, a menu, numbered updates.

    Derive from it and write `id`, `open`, `updates`, `send`, `edit`, `delete`, `stop` and `aclose`.
    """

    newest_update: int | None = None
    last_poll_at: float | None = None

    async def send_document(
        self, scope: Scope, document: Document, options: SendOptions
    ) -> MessageRef:
        """Refuse: the caller then sends the words of the file as messages."""
        del scope, options
        raise TransportError(f"this chat takes no files, so {document.filename} was not sent")

    async def fetch(self, file: IncomingFile, into: BinaryIO, max_bytes: int) -> None:
        """Refuse: nobody sends files here."""
        del into, max_bytes
        raise TransportError(f"this chat has no files, so {file.name} cannot be fetched")

    async def react(self, ref: MessageRef, emoji: str | None) -> None:
        """Do nothing: there are no reactions."""
        del ref, emoji

    async def answer_press(self, press_id: str, text: str = "") -> None:
        """Do nothing: nobody waits for the answer to a press."""
        del press_id, text

    async def set_menu(self, commands: Sequence[MenuCommand]) -> None:
        """Do nothing: there is no menu."""
        del commands

    async def create_topic(self, scope: Scope, name: str) -> int:
        """Refuse: there are no topics."""
        del scope
        raise TopicsUnavailable(f"this chat has no topics, so {name} was not made")

    async def rename_topic(self, scope: Scope, name: str) -> None:
        """Refuse: there are no topics."""
        await self.create_topic(scope, name)

    def topic_link(self, scope: Scope) -> str | None:
        """Return nothing: there are no topics."""
        del scope
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportCapabilities:
    """Say what a chat service has; what it lacks takopi does without.

    Args:
        files: Files come and go.
        topics: Topics can be made.
        reactions: Messages take reactions.
        replies: A message can answer another; where none can, a prompt goes on as the transport
            sees fit.
        limits: How much it carries.
    """

    files: bool = False
    topics: bool = False
    reactions: bool = False
    replies: bool = True
    limits: OutboxLimits = field(default_factory=OutboxLimits)


def _names_none(_text: str) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportConfig:
    """Carry what a transport is made of.

    Args:
        table: `[transports.<id>]` as plain values.
        path: The configuration file, for the texts of errors.
        home: takopi's folder, private to this person; a folder of the transport's own id in it may
            be made and used.
        engines: Ids of the engines that a person can name.
        names_session: Tells whether a text has a line that resumes a session of one of them.
    """

    table: Mapping[str, Any]
    path: Path
    home: Path
    engines: tuple[EngineId, ...] = ()
    names_session: Callable[[str], bool] = _names_none


class SetupTalk(Protocol):
    """Talk with the person at the terminal; every question may raise `KeyboardInterrupt`."""

    def say(self, text: str) -> None:
        """Tell something."""
        ...

    def ask(self, question: str, default: str = "") -> str:
        """Ask for a line; an empty one means the default."""
        ...

    def ask_secret(self, question: str) -> str:
        """Ask for a line that is not shown."""
        ...


@runtime_checkable
class TransportBackend(Protocol):
    """Be the registration of a chat service."""

    id: str
    description: str
    capabilities: TransportCapabilities
    own_chat: int | None
    """The chat, and the person in it, that is served when the table has no `chat_id`."""

    def check_setup(self, config: TransportConfig) -> Sequence[SetupIssue]:
        """Say what is missing before it can be served, without asking the service."""
        ...

    def interactive_setup(self, config: TransportConfig, talk: SetupTalk) -> Mapping[str, Any]:
        """Ask for what is missing; return the keys of the table that are to be written."""
        ...

    def lock_token(self, config: TransportConfig) -> str | None:
        """Name what only one takopi of this person may serve at a time; None for nothing."""
        ...

    def build(self, config: TransportConfig) -> ServedTransport:
        """Make the transport; it connects later, in `open`.

        Raises:
            ConfigError: A value of the table is not accepted.
        """
        ...


class _Builtin:
    """Be a transport of takopi itself; its module is imported when it is chosen."""

    package = "takopi"

    def __init__(self, transport_id: str) -> None:
        self.id = transport_id
        self.place = f"takopi.{transport_id}.backend"

    def load(self) -> object:
        """Import the module and return its registration."""
        return import_module(self.place).BACKEND


def find_transports(
    enabled: Collection[str] | None = None,
) -> PluginCatalogue[TransportBackend]:
    """Find all transports, importing none.

    Args:
        enabled: Names of the packages that may bring some; None means all.
    """
    sources = (_Builtin("telegram"), _Builtin("terminal"), *installed_plugins(ENTRY_POINT_GROUP))
    allowed = None if enabled is None else (*enabled, _Builtin.package)
    return PluginCatalogue("transport", sources, _accept, enabled=allowed)


def _accept(backend: object, transport_id: str) -> TransportBackend:
    if not isinstance(backend, TransportBackend) or backend.id != transport_id:
        raise PluginError(f"is no TransportBackend with the id `{transport_id}`")
    capabilities: object = backend.capabilities
    if not isinstance(capabilities, TransportCapabilities):
        raise PluginError("has no TransportCapabilities as its capabilities")
    return backend
