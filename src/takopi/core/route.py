"""What a message asks for: a command, a prompt for an engine and session, or neither.

The order in which things decide (`docs/reference/commands.md` has it as a table):

1. Forwarded text is content: no command, directive or resume line in it counts.
2. A first word that is another bot's command is not ours.
3. A first word `/word` is a command or an engine; nobody's word is answered, never sent on.
   `//word` is the text `/word`; a slash inside the first word makes it a path, which is text.
4. The session: the replied-to message's, else the last resume line of the person's own text, else
   that of the replied-to message when this bot wrote it, else a new one.
5. The engine: the session's, else the directive's, else the default. A directive that names
   another engine than the session's is answered, because a session cannot change its engine.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import msgspec

from takopi.core.chat import MessageReceived
from takopi.core.commands import nearest_names
from takopi.model import EngineId, ResumeToken

__all__ = [
    "CONTINUE",
    "BoundTurn",
    "Command",
    "EngineConflict",
    "EngineExplained",
    "Ignored",
    "NothingSaid",
    "Prompt",
    "ResumeCodec",
    "Route",
    "RouteTable",
    "UnknownCommand",
    "last_resume",
    "route",
    "without_resume",
]

CONTINUE = "continue"
"""What an engine is told when a person names a session and says nothing else."""

_SLASH_WORD = re.compile(r"/(?P<word>\w[^\s/]*)(?:\s+|\Z)")
_ESCAPED = re.compile(r"//(?=\w)")


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
    """

    default_engine: EngineId
    engines: tuple[EngineId, ...] = ()
    commands: tuple[str, ...] = ()
    codecs: tuple[ResumeCodec, ...] = ()


class BoundTurn(msgspec.Struct, frozen=True, kw_only=True):
    """Say what the replied-to message belongs to.

    Args:
        turn_id: The turn.
        conversation: What its turns and their followers share while no session is known.
        engine: The engine it runs on.
        session: The session, once known.
    """

    turn_id: str
    conversation: str
    engine: EngineId
    session: ResumeToken | None = None


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


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """Ask an engine.

    Args:
        text: What the engine is told; never empty.
        engine: Who is told.
        resume: The session to continue; None starts one, or joins `follows`.
        follows: The turn whose message was replied to.
    """

    text: str
    engine: EngineId
    resume: ResumeToken | None = None
    follows: BoundTurn | None = None


Route: TypeAlias = (
    Ignored | NothingSaid | Command | UnknownCommand | EngineExplained | EngineConflict | Prompt
)


def route(message: MessageReceived, table: RouteTable, bound: BoundTurn | None = None) -> Route:
    """Decide what a message asks for.

    Args:
        message: What a person who is served wrote.
        table: What is known here.
        bound: What the replied-to message belongs to, when that is known by its id.
    """
    text = message.text.strip()
    if message.forwarded:
        return Prompt(text=text, engine=table.default_engine) if text else NothingSaid()
    if message.addressed_to_other:
        return Ignored()
    if not text:
        return NothingSaid()
    opening = _read_opening(text, table)
    if not isinstance(opening, _Opening):
        return opening
    session = _session(opening.rest, message, table.codecs, bound)
    engine = session.engine if session else bound.engine if bound else None
    if engine and opening.engine and opening.engine != engine:
        return EngineConflict(wanted=opening.engine, held=engine)
    rest = without_resume(opening.rest, session, table.codecs) if session else opening.rest
    if not rest and engine is None:
        return EngineExplained(opening.engine or table.default_engine)
    return Prompt(
        text=rest or CONTINUE,
        engine=engine or opening.engine or table.default_engine,
        resume=session,
        follows=bound if bound and session == bound.session else None,
    )


def last_resume(text: str, codecs: Sequence[ResumeCodec]) -> ResumeToken | None:
    """Return the session that the last resume line of any engine names."""
    for line in reversed(text.splitlines()):
        token = _line_token(line, codecs)
        if token:
            return token
    return None


def without_resume(text: str, session: ResumeToken, codecs: Sequence[ResumeCodec]) -> str:
    """Strip the resume lines of `session`; those of another are content.

    What a person wrote behind the id on the same line stays.
    """
    kept: list[str] = []
    for line in text.split("\n"):
        if _line_token(line, codecs) != session:
            kept.append(line)
        elif said := line.rpartition(session.value)[2].strip("` \t\r"):
            kept.append(said)
    return "\n".join(kept).strip()


class _Opening(msgspec.Struct, frozen=True):
    engine: EngineId | None
    rest: str


def _read_opening(
    text: str, table: RouteTable
) -> _Opening | Command | UnknownCommand | EngineConflict:
    """Read the slash words at the start: one command alone, or engines before the text."""
    engine: EngineId | None = None
    while match := _SLASH_WORD.match(text):
        word, rest = match["word"].lower(), text[match.end() :]
        if word in table.engines:
            if engine not in (None, word):
                return EngineConflict(wanted=word, held=engine or "", in_session=False)
            engine, text = word, rest
        elif word in table.commands and engine is None:
            return Command(word, rest.strip())
        else:
            # Also a command behind a directive: it stands alone or is not one.
            names = (*table.commands, *table.engines)
            return UnknownCommand(match["word"], nearest_names(word, names))
    return _Opening(engine, text[1:] if _ESCAPED.match(text) else text)


def _session(
    own_text: str,
    message: MessageReceived,
    codecs: Sequence[ResumeCodec],
    bound: BoundTurn | None,
) -> ResumeToken | None:
    if bound and bound.session:
        return bound.session
    own = last_resume(own_text, codecs)
    if own or bound or message.reply is None or not message.reply.from_this_bot:
        return own
    return last_resume(message.reply.text, codecs)


def _line_token(line: str, codecs: Sequence[ResumeCodec]) -> ResumeToken | None:
    for codec in codecs:
        if codec.is_resume_line(line):
            token = codec.extract_resume(line)
            if token and token.engine == codec.engine:
                return token
    return None
