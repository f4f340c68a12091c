"""What takopi says about sessions: those that are gone, begun anew, and taken up."""

from collections.abc import Sequence

from takopi.context import RunContext
from takopi.core.chat import ChatMessage
from takopi.core.chat_settings import SessionMode
from takopi.core.contexts import format_context
from takopi.core.replies import Styled, code, message
from takopi.core.shorten import one_line
from takopi.core.texts import tr
from takopi.model import EngineId

__all__ = [
    "bad_session_reply",
    "names_session_reply",
    "new_reply",
    "new_usage_reply",
    "no_session_yet_reply",
    "resume_usage_reply",
    "sessions_usage_reply",
    "taken_up_reply",
    "unknown_engine_reply",
    "unknown_session_words",
    "where_words",
]

_SESSION_UNITS = 80
_WHY_UNITS = 400
_FIRST_UNITS = 120
_LINE_UNITS = 512


def unknown_session_words(engine: EngineId, session: str, why: str) -> str:
    """Say in a final that a session is gone, and what the person can do.

    Args:
        engine: Who does not know it.
        session: Its id.
        why: What the engine said.
    """
    return tr(
        "{engine} does not know the session {session} any more, so nothing was done ({why}). Start "
        "anew sends the same prompt to a new session.",
        engine=engine,
        session=one_line(session, _SESSION_UNITS),
        why=one_line(_telling(why, session), _WHY_UNITS),
    )


def _telling(why: str, session: str) -> str:
    """Return the line that names the session: others say how the program ended, and what to do."""
    lines = [line for line in why.splitlines() if line.strip()]
    named = (line for line in lines if session and session in line)
    return next(named, lines[0] if lines else "").strip()


def where_words(context: RunContext) -> str:
    """Name a context inside a sentence."""
    return format_context(context).removeprefix("ctx: ") or tr("no project")


# /new


def new_reply(mode: SessionMode, engine: EngineId, context: RunContext) -> ChatMessage:
    """Say what begins anew.

    Args:
        mode: Whether prompts go on by themselves here.
        engine: Whose session.
        context: Where.
    """
    if mode == "stateless":
        text = tr(
            "Every prompt here begins a new session, unless it replies to a message or has a "
            "resume line of its own, so there is nothing to leave behind. What stands behind /new "
            "is asked at once: {example}",
            example="/new fix the failing test",
        )
    else:
        text = tr(
            "The next prompt for {engine} in {where} begins a new session. A reply to an earlier "
            "message still goes on with the old one.",
            engine=engine,
            where=where_words(context),
        )
    return message(text)


def new_usage_reply() -> ChatMessage:
    """Say how `/new` is used, to somebody who put a command behind it."""
    return message(
        tr("/new takes nothing, or the prompt that begins the new session:"),
        "\n",
        code("/new"),
        "\n",
        code("/new fix the failing test"),
        "\n",
        code("/new /claude explain this repository"),
    )


def names_session_reply() -> ChatMessage:
    """Say that a prompt cannot both begin a session and go on with one."""
    return message(
        tr(
            "/new begins a session, and this names one that is there already. Nothing was "
            "started: send it without the resume line, or with /resume in place of /new."
        )
    )


# /resume


def resume_usage_reply(engines: Sequence[EngineId]) -> ChatMessage:
    """Say how a session is named.

    Args:
        engines: Those that are known here.
    """
    engine = engines[0] if engines else "codex"
    return message(
        tr("Name a session by its id or its resume line; a prompt may follow:"),
        "\n",
        code("/resume 0199c8a2-5b1e-7c30-9d5e-3f6a8e1b2c4d"),
        "\n",
        code(f"/resume {engine} 0199c8a2-5b1e-7c30-9d5e-3f6a8e1b2c4d run the tests"),
        "\n",
        tr(
            "As a reply to a message of a turn, /resume alone takes up its session. /sessions "
            "lists those there are."
        ),
    )


def unknown_engine_reply(word: str, engines: Sequence[EngineId]) -> ChatMessage:
    """Say that a session was named of an engine that nobody knows."""
    known = ", ".join(engines)
    return message(
        tr(
            "There is no engine {word} here; there are {known}. An example: ",
            word=one_line(word, _SESSION_UNITS),
            known=known,
        ),
        code(f"/resume {engines[0] if engines else 'codex'} 0199c8a2-5b1e-7c30-9d5e-3f6a8e1b2c4d"),
    )


def bad_session_reply(engine: EngineId, value: str) -> ChatMessage:
    """Say that a word is no id of a session."""
    return message(
        tr(
            "{value} cannot be a session of {engine}. Copy the id from a resume line, or pick one "
            "with /sessions. An example: ",
            value=one_line(value, _SESSION_UNITS) or "–",
            engine=engine,
        ),
        code(f"/resume {engine} 0199c8a2-5b1e-7c30-9d5e-3f6a8e1b2c4d"),
    )


def no_session_yet_reply() -> ChatMessage:
    """Say that a turn that was replied to has no session."""
    return message(
        tr(
            "That turn has no session that could be taken up. Reply to it with a prompt: it waits "
            "for the session, or begins one."
        )
    )


def sessions_usage_reply() -> ChatMessage:
    """Say how `/sessions` is used, to somebody who put a prompt behind it."""
    return message(
        tr("/sessions lists sessions; behind it goes whose, if not those of this place:"),
        "\n",
        code("/sessions"),
        "\n",
        code("/sessions /claude"),
        "\n",
        code("/sessions /project @branch"),
    )


def taken_up_reply(
    line: str, context: RunContext, first: str, how: Sequence[str] | None
) -> ChatMessage:
    """Be the message to reply to for whoever goes on with a session.

    Its last lines are read when somebody does, so they stand alone, each on a line of its own.

    Args:
        line: The resume line.
        context: Where the session lives.
        first: Its first words; empty when nobody knows them.
        how: The directives of prompts that go on with it by themselves from now on, none where
            every prompt does; None when none does.
    """
    if how is None:
        text = tr("Reply to this message to go on with this session.")
    elif how:
        text = tr(
            "Prompts here that begin with {words} go on with this session now, and so does a reply "
            "to this message.",
            words=" ".join(how),
        )
    else:
        text = tr("The next prompt here goes on with this session, and so does a reply to this.")
    pieces: list[str | Styled] = [text, "\n"]
    if first:
        pieces += [f"“{one_line(first, _FIRST_UNITS)}”\n"]
    pieces.append("\n")
    where = format_context(context)
    if where:
        pieces += [code(where), "\n"]
    return message(*pieces, code(one_line(line.strip("`"), _LINE_UNITS)))
