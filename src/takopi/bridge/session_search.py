"""Find sessions: by the turns that ran in them, where they ran, and what engines' stores say."""

from functools import partial

import anyio

from takopi.bridge.border import border
from takopi.bridge.commands.call import CommandPorts
from takopi.bridge.ports import TurnFilter
from takopi.bridge.records import TurnRecord
from takopi.bridge.taking_up import Found
from takopi.bridge.waiting import wait_until
from takopi.context import RunContext
from takopi.core.chat import Scope
from takopi.desktop_sessions import desktop_directory
from takopi.model import EngineId, ResumeToken

__all__ = ["MOST_TURNS", "context_of_session", "first_words", "named_session"]

MOST_TURNS = 400
"""So many turns are looked through; older ones are found by their resume lines."""

_LEAST_OF_AN_ID = 6
_LOOKED_FOR_S = 2.0


async def named_session(
    ports: CommandPorts, scope: Scope, engine: EngineId | None, value: str
) -> Found | None:
    """Find a session of a chat by its id, or by the beginning of it when only one begins so.

    Args:
        ports: What commands work with.
        scope: A place of the chat.
        engine: Its engine; None for any.
        value: The id, as a person wrote it.

    Raises:
        StoreError: The journal did not answer.
    """
    turns = await _turns(ports, scope, engine)
    sessions = {turn.session for turn in turns if turn.session is not None}
    meant = [session for session in sessions if session.value == value]
    if not meant and len(value) >= _LEAST_OF_AN_ID:
        meant = [session for session in sessions if session.value.startswith(value)]
    return _found(turns, meant[0]) if len(meant) == 1 else None


async def context_of_session(ports: CommandPorts, scope: Scope, session: ResumeToken) -> Found:
    """Say where a session lives: by the journal, by where it ran, else where it is asked for.

    Args:
        ports: What commands work with.
        scope: Where it is asked for.
        session: The session.

    Raises:
        StoreError: The journal did not answer.
    """
    known = _found(await _turns(ports, scope, session.engine), session)
    if known is not None:
        return known
    context = None
    with border("looking where a session lives"):
        context = await _context_where_it_ran(ports, session)
    return Found(session, context or ports.router.context_here(scope).context)


async def first_words(ports: CommandPorts, scope: Scope, session: ResumeToken) -> str:
    """Return the first prompt of a session, as far as the chat knows; empty when it does not.

    Raises:
        StoreError: The journal did not answer.
    """
    known = _found(await _turns(ports, scope, session.engine), session)
    return "" if known is None else known.first


async def _turns(
    ports: CommandPorts, scope: Scope, engine: EngineId | None
) -> tuple[TurnRecord, ...]:
    wanted = TurnFilter(chat_id=scope.chat_id, engine=engine, with_session=True)
    found = await ports.store.newest_turns(wanted, MOST_TURNS)
    return tuple(turn for turn in found if turn.scope.transport == scope.transport)


def _found(turns: tuple[TurnRecord, ...], session: ResumeToken) -> Found | None:
    """Say of a session what its turns tell, the newest first."""
    mine = [turn for turn in turns if turn.session == session]
    return Found(session, mine[0].context, mine[-1].prompt) if mine else None


async def _context_where_it_ran(ports: CommandPorts, session: ResumeToken) -> RunContext | None:
    """Look into the run directories; there may be many, and nobody waits long for them."""
    host = ports.host
    if host is None:
        return None
    found: list[RunContext] = []

    async def look() -> None:
        read = partial(host.session_cwd, session)
        cwd = await anyio.to_thread.run_sync(read, abandon_on_cancel=True)
        if cwd is None:  # takopi never ran it
            cwd = await desktop_directory(ports.engines.runner(session.engine), session)
        if cwd is not None:
            found.append(await ports.workspaces.context_of(cwd))

    await wait_until(look, ports.clock, ports.clock.now() + _LOOKED_FOR_S)
    return found[0] if found else None
