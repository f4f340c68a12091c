"""What a message asks for: a command, a prompt for an engine and session, or neither.

The order in which things decide (`docs/reference/commands.md` has it as a table):

1. Forwarded text is content: no command, directive or resume line in it counts.
2. A first word that is another bot's command is not ours.
3. A first word `/word` is a command, an engine or a project; nobody's word is answered, never sent
   on. `//word` is the text `/word`; a slash inside the first word makes it a path, which is text.
   Where there are projects, a first word `@branch` names a branch. Engine, project and branch come
   in any order, on the first line, before any other word.
4. The session: the replied-to message's, else the last resume line of the person's own text, else
   that of the replied-to message when this bot wrote it, else a new one.
5. The engine: the session's, else the directive's, else the default. A directive that names
   another engine than the session's is answered, because a session cannot change its engine.
6. Project and branch: those of the turn that is replied to, and so on by `contexts.PRECEDENCE`. A
   session stays where it lives: a directive that names another place is noted and does not count.
"""

from collections.abc import Sequence

from takopi.context import RunContext
from takopi.core.chat import MessageReceived
from takopi.core.contexts import HeldContext, first_context, read_context
from takopi.core.decisions import (
    BadBranch,
    BoundTurn,
    ContextExplained,
    EngineConflict,
    EngineExplained,
    Ignored,
    NothingSaid,
    Prompt,
    ResumeCodec,
    Route,
    RouteTable,
)
from takopi.core.directives import Opening, read_opening
from takopi.model import EngineId, ResumeToken

__all__ = ["CONTINUE", "last_resume", "route", "without_resume"]

CONTINUE = "continue"
"""What an engine is told when a person names a session and says nothing else."""


def route(message: MessageReceived, table: RouteTable, bound: BoundTurn | None = None) -> Route:
    """Decide what a message asks for.

    Args:
        message: What a person who is served wrote.
        table: What is known here.
        bound: What the replied-to message belongs to, when that is known by its id.
    """
    text = message.text.strip()
    if message.forwarded:
        if not text:
            return NothingSaid()
        return Prompt(text=text, engine=table.engine_of(table.here.context), where=table.here)
    if message.addressed_to_other:
        return Ignored()
    if not text:
        return NothingSaid()
    opening = read_opening(text, table)
    if not isinstance(opening, Opening):
        return opening
    where = _where(opening, message, table, bound)
    if isinstance(where, BadBranch):
        return where
    session = _session(opening.rest, message, table.codecs, bound)
    engine = session.engine if session else bound.engine if bound else None
    if engine and opening.engine and opening.engine != engine:
        return EngineConflict(wanted=opening.engine, held=engine)
    rest = without_resume(opening.rest, session, table.codecs) if session else opening.rest
    chosen = engine or opening.engine or table.engine_of(where.context)
    if not rest and engine is None:
        return _explained(opening, where, chosen)
    return Prompt(
        text=rest or CONTINUE,
        engine=chosen,
        resume=session,
        follows=bound if bound and session == bound.session else None,
        where=where,
        elsewhere=_elsewhere(opening, where),
    )


def _explained(
    opening: Opening, where: HeldContext, engine: EngineId
) -> EngineExplained | ContextExplained:
    if opening.project or opening.branch:
        return ContextExplained(where.context)
    return EngineExplained(engine)


def _where(
    opening: Opening, message: MessageReceived, table: RouteTable, bound: BoundTurn | None
) -> HeldContext | BadBranch:
    """Find the context of a prompt; see `contexts.PRECEDENCE`."""
    if bound is not None:
        return HeldContext(bound.context, "reply" if bound.context.project else "none")
    reply = message.reply
    line = None
    if reply is not None and reply.from_this_bot:
        line = read_context(reply.text, table.projects)
    project: str | None = opening.project
    if line is None and project is None and opening.branch is not None:
        project = table.here.context.project
        if project is None:
            return BadBranch(opening.branch)
    directive = RunContext(project, opening.branch) if project else None
    found = first_context((("line", line), ("directive", directive)))
    return found if found.context.project else table.here


def _elsewhere(opening: Opening, where: HeldContext) -> RunContext | None:
    """Return what the directives name, when that is not where the prompt runs."""
    project = opening.project or (where.context.project if opening.branch else None)
    named = RunContext(project, opening.branch)
    if where.source == "directive" or named == RunContext() or named == where.context:
        return None
    same_project = named.project == where.context.project
    return None if same_project and named.branch is None else named


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
