"""Make the list of the sessions of a context: those of the journal, and those of the desktop."""

from dataclasses import dataclass
from pathlib import Path

import anyio
from msgspec.structs import replace

from takopi.bridge.border import border
from takopi.bridge.commands.call import CommandPorts
from takopi.bridge.following import Where
from takopi.bridge.ports import TurnFilter
from takopi.bridge.records import TurnRecord
from takopi.bridge.session_search import MOST_TURNS
from takopi.bridge.waiting import wait_until
from takopi.context import RunContext
from takopi.core.chat import Scope
from takopi.core.decisions import BoundTurn
from takopi.core.session_list import SessionEntry, SessionState, view_key
from takopi.desktop_sessions import DesktopSession, list_desktop_sessions
from takopi.model import EngineId, ResumeToken

__all__ = ["Listed", "list_sessions", "listed_by_key", "turn_of_chat"]

MOST_SESSIONS = 40
_LISTED_WITHIN_S = 5.0
_DESKTOP_SESSIONS = 20


@dataclass(frozen=True, slots=True)
class Listed:
    """Say which sessions are listed.

    Args:
        scope: Where somebody asks.
        context: Their project and branch; those of no other project are ever among them.
        engine: Their engine; None for any.
    """

    scope: Scope
    context: RunContext
    engine: EngineId | None = None


async def list_sessions(ports: CommandPorts, wanted: Listed) -> tuple[SessionEntry, ...]:
    """List sessions, those used last first.

    Args:
        ports: What commands work with.
        wanted: Which.

    Raises:
        StoreError: The journal did not answer.
    """
    known = await _of_journal(ports, wanted)
    elsewhere = await _of_any_chat(ports, wanted)
    for session in await _of_desktop(ports, wanted):
        if session.token not in known and session.token not in elsewhere:
            known[session.token] = SessionEntry(
                session=session.token,
                first=session.title,
                used_at=session.started_at,
                state="desktop",
            )
    newest = sorted(known.values(), key=lambda entry: entry.used_at, reverse=True)[:MOST_SESSIONS]
    current = await _current(ports, wanted, {entry.session.engine for entry in newest})
    return tuple(replace(entry, goes_on=entry.session in current) for entry in newest)


async def turn_of_chat(ports: CommandPorts, scope: Scope, turn_id: str) -> TurnRecord | None:
    """Return a turn of a chat, with its session; None when the chat has none by that id.

    Args:
        ports: What commands work with.
        scope: A place of the chat: a button's data can be forged.
        turn_id: The turn.

    Raises:
        StoreError: The journal did not answer.
    """
    turn = await ports.store.turn(turn_id)
    if turn is None or turn.scope.chat_id not in _chats(ports, scope):
        return None
    if turn.scope.transport != scope.transport:
        return None
    if turn.session is not None:
        return turn
    for other in await _turns(ports, Listed(scope, turn.context, turn.engine)):
        if other.turn_id == turn_id:
            return other
    return None


async def listed_by_key(ports: CommandPorts, scope: Scope, key: str) -> Listed | None:
    """Find what a button lists: the context that holds here, a project's, or one of the chat's.

    Args:
        ports: What commands work with.
        scope: Where it was pressed.
        key: By `view_key`.

    Raises:
        StoreError: The journal did not answer.
    """
    engines = (None, *ports.engines.ids())
    projects = (RunContext(project.alias) for project in ports.settings.projects.all)
    near = [ports.router.context_here(scope).context, RunContext(), *projects]
    turns = await ports.store.newest_turns(TurnFilter(chat_id=scope.chat_id), MOST_TURNS)
    for context in dict.fromkeys((*near, *(turn.context for turn in turns))):
        for engine in engines:
            if view_key(context, engine) == key:
                return Listed(scope, context, engine)
    return None


async def _turns(ports: CommandPorts, wanted: Listed) -> tuple[TurnRecord, ...]:
    found: list[TurnRecord] = []
    for chat_id in _chats(ports, wanted.scope):
        found += await ports.store.newest_turns(
            TurnFilter(
                chat_id=chat_id,
                engine=wanted.engine,
                context=wanted.context,
                with_session=True,
            ),
            MOST_TURNS,
        )
    return tuple(turn for turn in found if turn.scope.transport == wanted.scope.transport)


def _chats(ports: CommandPorts, scope: Scope) -> tuple[int, ...]:
    """List the ids that the chat of a place has, and had before it moved."""
    guises = ports.places.guises(replace(scope, thread_id=None))
    return tuple(guise.chat_id for guise in guises)


async def _of_journal(ports: CommandPorts, wanted: Listed) -> dict[ResumeToken, SessionEntry]:
    known: dict[ResumeToken, SessionEntry] = {}
    gone: set[ResumeToken] = set()
    for turn in await _turns(ports, wanted):
        session = turn.session
        if session is None or session in gone or turn.silent:
            continue
        if session in known:
            known[session] = replace(known[session], first=turn.prompt)
        elif turn.session_unknown:
            gone.add(session)
        else:
            known[session] = SessionEntry(
                session=session,
                first=turn.prompt,
                used_at=turn.ended_at or turn.accepted_at,
                state=_state(turn),
                turn_id=turn.turn_id,
            )
    # The waiting ones first: a session in which one runs and others wait is one that runs.
    for live in sorted(ports.scheduler.turns(), key=lambda live: live.started_at is not None):
        entry = None if live.known_session is None else known.get(live.known_session)
        if entry is not None:
            state: SessionState = "waiting" if live.started_at is None else "running"
            known[entry.session] = replace(entry, state=state, used_at=ports.clock.wall())
    return known


def _state(turn: TurnRecord) -> SessionState:
    if turn.outcome is not None:
        return turn.outcome
    return "waiting" if turn.started_at is None else "running"


async def _current(
    ports: CommandPorts, wanted: Listed, engines: set[EngineId]
) -> set[ResumeToken | None]:
    """Say with which sessions the next prompts go on."""
    current: set[ResumeToken | None] = set()
    for engine in engines:
        goes_on = await ports.follower.session_here(Where(wanted.scope, wanted.context, engine))
        current.add(goes_on.session if isinstance(goes_on, BoundTurn) else goes_on)
    return current


async def _of_any_chat(ports: CommandPorts, wanted: Listed) -> set[ResumeToken | None]:
    """Return the sessions that prompts of any chat ran in.

    The engines list them beside those of the desktop; what other chats said is none of this one's
    business, even where both work in one directory.
    """
    everywhere = TurnFilter(engine=wanted.engine, with_session=True)
    return {turn.session for turn in await ports.store.newest_turns(everywhere, MOST_TURNS)}


async def _of_desktop(ports: CommandPorts, wanted: Listed) -> list[DesktopSession]:
    """Ask the engines for the sessions of their own stores, for as long as that may take."""
    found: list[DesktopSession] = []

    async def ask(engine: EngineId, cwd: Path) -> None:
        with border("listing the sessions of an engine", engine=engine):
            runner = ports.engines.runner(engine)
            listed = await list_desktop_sessions(runner, cwd, _DESKTOP_SESSIONS)
            found.extend(session for session in listed if session.token.engine == engine)

    async def ask_all() -> None:
        cwd = await ports.workspaces.find(wanted.context)
        if cwd is None:
            return
        async with anyio.create_task_group() as group:
            for engine in ports.engines.ids():
                if wanted.engine in (None, engine):
                    group.start_soon(ask, engine, cwd)

    with border("listing the sessions of the desktop"):
        await wait_until(ask_all, ports.clock, ports.clock.now() + _LISTED_WITHIN_S)
    return sorted(found, key=lambda session: session.started_at, reverse=True)
