"""What messages can ask for, and what has to be known to tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import msgspec

from takopi.context import RunContext
from takopi.core.chat import Scope
from takopi.core.contexts import NOWHERE, HeldContext
from takopi.model import EngineId, ResumeToken

__all__ = [
    "BadBranch",
    "BoundTurn",
    "Command",
    "ContextExplained",
    "ContextTwice",
    "EngineConflict",
    "EngineExplained",
    "Ignored",
    "NothingSaid",
    "Prompt",
    "ResumeCodec",
    "Route",
    "RouteTable",
    "UnknownCommand",
]


class ResumeCodec(Protocol):
    """Read an engine's resume lines; every runner does."""

    @property
    def engine(self) -> EngineId:
        """Give the engine's id."""
        ...

    def is_resume_line(self, line: str) -> bool:
        """Tell whether a line is this engine's resume line and nothing else."""
        ...

    def extract_resume(self, text: str | None) -> ResumeToken | None:
        """Return the session that the last resume line in a text names."""
        ...


@dataclass(frozen=True, slots=True)
class RouteTable:
    """Say what is known in this chat.

    Args:
        default_engine: Runs a prompt that names no engine and no session.
        engines: Ids that count as directives.
        commands: Names that count as commands.
        codecs: Readers of resume lines, one an engine.
        projects: Names of projects that count as directives.
        here: The context that holds here without any directive.
        engine_here: The engine that was chosen for this topic or chat.
        project_engines: The engine that was chosen for a project, by its name.
    """

    default_engine: EngineId
    engines: tuple[EngineId, ...] = ()
    commands: tuple[str, ...] = ()
    codecs: tuple[ResumeCodec, ...] = ()
    projects: tuple[str, ...] = ()
    here: HeldContext = NOWHERE
    engine_here: EngineId | None = None
    project_engines: Mapping[str, EngineId] = field(default_factory=dict)

    def engine_of(self, context: RunContext) -> EngineId:
        """Say which engine runs a prompt that names none."""
        own = self.project_engines.get(context.project) if context.project else None
        return self.engine_here or own or self.default_engine


class BoundTurn(msgspec.Struct, frozen=True, kw_only=True):
    """Say what the replied-to message belongs to.

    Args:
        turn_id: The turn.
        conversation: What its turns and their followers share while no session is known.
        engine: The engine it runs on.
        session: The session, once known.
        context: Where it works.
        topic: The topic that it got, when it was asked for elsewhere.
    """

    turn_id: str
    conversation: str
    engine: EngineId
    session: ResumeToken | None = None
    context: RunContext = RunContext()
    topic: Scope | None = None


class Ignored(msgspec.Struct, frozen=True):
    """Mean another bot: no answer at all."""


class NothingSaid(msgspec.Struct, frozen=True):
    """Carry no text to work with; answered with a hint."""


class Command(msgspec.Struct, frozen=True):
    """Ask takopi itself.

    Args:
        name: A name of `RouteTable.commands`.
        args: The rest of the text.
    """

    name: str
    args: str = ""


class UnknownCommand(msgspec.Struct, frozen=True):
    """Name a command that nobody knows.

    Args:
        word: As typed, without the slash.
        nearest: Known names it may have meant.
    """

    word: str
    nearest: tuple[str, ...] = ()


class EngineExplained(msgspec.Struct, frozen=True):
    """Name an engine and nothing to do."""

    engine: EngineId


class EngineConflict(msgspec.Struct, frozen=True):
    """Name two engines at once.

    Args:
        wanted: What the directive names.
        held: What the session, or an earlier directive, is bound to.
        in_session: Whether `held` is a session's engine.
    """

    wanted: EngineId
    held: EngineId
    in_session: bool = True


class ContextExplained(msgspec.Struct, frozen=True):
    """Name a project or branch and nothing to do."""

    context: RunContext


class ContextTwice(msgspec.Struct, frozen=True):
    """Name two projects, or two branches, at once."""

    first: str
    second: str


class BadBranch(msgspec.Struct, frozen=True):
    """Name a branch that cannot be one, or one of no project.

    Args:
        branch: As typed.
        why: Why not, for the person; empty when there is no project that it could belong to.
    """

    branch: str
    why: str = ""


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """Ask an engine.

    Args:
        text: What the engine is told; never empty.
        engine: Who is told.
        resume: The session to continue; None starts one, or joins `follows`.
        follows: The turn whose message was replied to.
        where: The context it runs in.
        elsewhere: The context that its directives name and that does not count.
    """

    text: str
    engine: EngineId
    resume: ResumeToken | None = None
    follows: BoundTurn | None = None
    where: HeldContext = NOWHERE
    elsewhere: RunContext | None = None


Route: TypeAlias = (
    Ignored
    | NothingSaid
    | Command
    | UnknownCommand
    | EngineExplained
    | EngineConflict
    | ContextExplained
    | ContextTwice
    | BadBranch
    | Prompt
)
