"""Take over once what the public takopi knew of chats and topics; its files stay as they are."""

from collections.abc import Collection, Mapping, Sequence

import anyio
from msgspec.structs import replace

from takopi.app.home import Home
from takopi.app.public_state import FILES, PublicScope, read_public_state
from takopi.bridge.ports import Store
from takopi.bridge.records import PlacePut
from takopi.core.chat import Scope
from takopi.core.places import PlaceRecord, SessionPoint, session_key
from takopi.core.preferences import Preferences, Trigger, scope_key
from takopi.core.projects import Projects
from takopi.core.texts import tr, tr_n
from takopi.logging import get_logger
from takopi.model import EngineId

__all__ = ["places_of", "take_over_public_state"]

_log = get_logger(__name__)

_MARK = "public-state-taken"
_TRIGGERS: Mapping[str, Trigger] = {"all": "all", "mentions": "mentions"}


async def take_over_public_state(
    home: Home, store: Store, projects: Projects, engines: Collection[EngineId], now: float
) -> str:
    """Write what the public takopi knew into the journal, the first time that it is found.

    Args:
        home: takopi's folder, in which both keep their files.
        store: The journal; what it knows of a place already stays.
        projects: Of the configuration.
        engines: Ids that are known.
        now: Present moment, unix seconds.

    Returns:
        What was done, a line for the chat; empty when there was nothing to do.

    Raises:
        StoreError: The journal did not take it; the next start tries again.
    """
    mark = anyio.Path(home.path / _MARK)
    there = [await anyio.Path(home.path / name).exists() for name in FILES]
    if not any(there) or await mark.exists():
        return ""
    state = await anyio.to_thread.run_sync(read_public_state, home.path)
    for line in state.unread:
        _log.warning("public_state.not_understood", what=line)
    known = {place.key for place in (await store.load()).places}
    places = [
        place for place in places_of(state.scopes, projects, engines, now) if place.key not in known
    ]
    await store.commit([PlacePut(place) for place in places])
    await mark.touch(mode=0o600)
    words = tr_n(
        "Taken over from the public takopi: what held in {count} chat or topic.",
        "Taken over from the public takopi: what held in {count} chats or topics.",
        len(places),
    )
    if not state.unread:
        return words
    return (
        words
        + " "
        + tr("Not understood, and left in its files: {what}", what="; ".join(state.unread)[:1000])
    )


def places_of(
    scopes: Sequence[PublicScope], projects: Projects, engines: Collection[EngineId], now: float
) -> tuple[PlaceRecord, ...]:
    """Say in takopi's records what the public takopi knew.

    Sessions that each person of a group had alone have no counterpart: here they belong to places.

    Args:
        scopes: One for each place and file.
        projects: Of the configuration; a project that is not in it binds nothing.
        engines: Ids that are known; what was chosen for others is left out.
        now: From when on the sessions count, unix seconds.
    """
    found: dict[str, PlaceRecord] = {}
    for scope in scopes:
        place = scope.place
        if place.person_id is not None and place.chat_id < 0:
            continue
        key = scope_key(Scope("telegram", place.chat_id, place.thread_id))
        found[key] = _with(found.get(key) or PlaceRecord(key=key), scope, projects, engines)
    for scope in scopes:
        key = scope_key(Scope("telegram", scope.place.chat_id, scope.place.thread_id))
        if key in found:
            found[key] = _with_sessions(found[key], scope, engines, now)
    return tuple(found.values())


def _with(
    known: PlaceRecord, scope: PublicScope, projects: Projects, engines: Collection[EngineId]
) -> PlaceRecord:
    chosen = known.preferences
    project = projects.find(scope.project) if scope.project else None
    return replace(
        known,
        project=project.alias if project else known.project,
        branch=scope.branch if project else known.branch,
        topic=scope.title or known.topic,
        preferences=Preferences(
            engine=scope.engine if scope.engine in engines else chosen.engine,
            models={**chosen.models, **_of(scope.models, engines)},
            reasoning={**chosen.reasoning, **_of(scope.reasoning, engines)},
            trigger=_TRIGGERS.get(scope.trigger or "", chosen.trigger),
        ),
    )


def _with_sessions(
    known: PlaceRecord, scope: PublicScope, engines: Collection[EngineId], now: float
) -> PlaceRecord:
    points = {
        session_key(known.project, known.branch, token.engine): SessionPoint(now, token)
        for token in scope.sessions
        if token.engine in engines
    }
    return replace(known, sessions={**known.sessions, **points})


def _of(words: Mapping[str, str], engines: Collection[EngineId]) -> dict[EngineId, str]:
    return {engine: word for engine, word in words.items() if engine in engines}
