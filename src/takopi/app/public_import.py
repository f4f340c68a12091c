"""Take over once what the public takopi knew of chats and topics; its files stay as they are."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import anyio
import msgspec
from msgspec.structs import replace

from takopi.app.home import Home
from takopi.app.projects import alias_of
from takopi.app.public_state import FILES, PublicScope, PublicState, read_public_state
from takopi.bridge.ports import Store
from takopi.bridge.records import PlacePut
from takopi.context import RunContext
from takopi.core.chat import Scope
from takopi.core.places import PlaceRecord, SessionPoint, session_key
from takopi.core.preferences import Preferences, Trigger, scope_key
from takopi.core.projects import Project, Projects
from takopi.core.texts import tr, tr_n
from takopi.logging import get_logger
from takopi.model import EngineId

__all__ = [
    "Configured",
    "PublicForecast",
    "foresee_public_state",
    "left_out",
    "places_of",
    "take_over_public_state",
]

_log = get_logger(__name__)

_MARK = "public-state-taken"
_TRIGGERS: Mapping[str, Trigger] = {"all": "all", "mentions": "mentions"}


class Configured(msgspec.Struct, frozen=True):
    """Say what the names in the files of the public takopi can mean.

    Args:
        projects: Of the configuration.
        engines: Ids that are known.
        default_project: Where prompts run that name nothing, in chats that are bound to nothing.
    """

    projects: Projects
    engines: Collection[EngineId]
    default_project: str | None = None

    def project(self, name: str | None) -> Project | None:
        """Find a project by the name it had, which `takopi config migrate` may have rewritten."""
        if name is None:
            return None
        return self.projects.find(name) or self.projects.find(alias_of(name, self.engines))


class PublicForecast(msgspec.Struct, frozen=True):
    """Say what the next start will do.

    Args:
        places: How many chats and topics are taken over.
        left: What is not, a line each.
        directory: Where sessions work that belong to no project; None where it is not known.
    """

    places: int = 0
    left: tuple[str, ...] = ()
    directory: str | None = None


def foresee_public_state(folder: Path, configured: Configured) -> PublicForecast:
    """Say what the next start takes over; nothing when it was done, or there is nothing."""
    if (folder / _MARK).exists():
        return PublicForecast()
    state = read_public_state(folder)
    places = places_of(state.scopes, configured, 0)
    left = (*state.unread, *left_out(state.scopes, configured))
    directory = next((scope.directory for scope in state.scopes if scope.directory), None)
    return PublicForecast(len(places), left, directory)


async def take_over_public_state(
    home: Home, store: Store, configured: Configured, now: float
) -> str:
    """Write what the public takopi knew into the journal, the first time that it is found.

    Args:
        home: takopi's folder, in which both keep their files.
        store: The journal; what it knows of a place already stays.
        configured: What the names in the files can mean.
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
    known = {place.key for place in (await store.load()).places}
    places = [place for place in places_of(state.scopes, configured, now) if place.key not in known]
    await store.commit([PlacePut(place) for place in places])
    await mark.touch(mode=0o600)
    return _told(len(places), state, left_out(state.scopes, configured))


def _told(count: int, state: PublicState, left: tuple[str, ...]) -> str:
    for line in (*state.unread, *left):
        _log.warning("public_state.left", what=line)
    words = [
        tr_n(
            "Taken over from the public takopi: what held in {count} chat or topic.",
            "Taken over from the public takopi: what held in {count} chats or topics.",
            count,
        )
    ]
    if left:
        words.append(tr("Left in its files: {what}.", what="; ".join(left)[:1000]))
    if state.unread:
        what = "; ".join(state.unread)[:1000]
        words.append(tr("Not understood, and left in its files: {what}", what=what))
    return " ".join(words)


def places_of(
    scopes: Sequence[PublicScope], configured: Configured, now: float
) -> tuple[PlaceRecord, ...]:
    """Say in takopi's records what the public takopi knew; `left_out` names the rest.

    What belongs to an engine that is not there is kept for the day on which it is.

    Args:
        scopes: One for each place and file.
        configured: What their names can mean.
        now: From when on the sessions count, unix seconds.
    """
    found: dict[str, PlaceRecord] = {}
    counted = [scope for scope in scopes if not _is_one_of_many(scope, scopes)]
    for scope in counted:
        key = _key(scope)
        found[key] = _with(found.get(key) or PlaceRecord(key=key), scope, configured)
    # The context of a topic may be that of its chat, so all of them have to be known first.
    for scope in counted:
        context = _context(scope, found, configured)
        found[_key(scope)] = _with_sessions(found[_key(scope)], scope, context, now)
    return tuple(place for place in found.values() if place != PlaceRecord(key=place.key))


def left_out(scopes: Sequence[PublicScope], configured: Configured) -> tuple[str, ...]:
    """Name what `places_of` leaves out, a line for each thing.

    Args:
        scopes: One for each place and file.
        configured: What their names can mean.
    """
    lines: dict[str, None] = {}
    people: dict[int, int] = {}
    for scope in scopes:
        chat = scope.place.chat_id
        if _is_one_of_many(scope, scopes):
            people[chat] = people.get(chat, 0) + 1
        if scope.project and configured.project(scope.project) is None:
            lines[tr("the project {project}, which is not there", project=scope.project)] = None
        if scope.branch and not scope.project:
            lines[tr("@{branch} of no project", branch=scope.branch)] = None
        if scope.engine and scope.engine not in configured.engines:
            lines[tr("the engine {engine}, which is not there", engine=scope.engine)] = None
    for chat, count in people.items():
        lines[tr("the sessions of {count} people in the chat {chat}", count=count, chat=chat)] = (
            None
        )
    return tuple(lines)


def _is_one_of_many(scope: PublicScope, scopes: Sequence[PublicScope]) -> bool:
    """Tell whether a session is that of one person among others who talk there.

    In groups the public takopi kept one for each person; here it is the place's.
    """
    place = scope.place
    if place.person_id is None or place.chat_id > 0 or not scope.sessions:
        return False
    talking = {
        other.place.person_id
        for other in scopes
        if other.place.chat_id == place.chat_id and other.place.person_id and other.sessions
    }
    return len(talking) > 1


def _key(scope: PublicScope) -> str:
    return scope_key(Scope("telegram", scope.place.chat_id, scope.place.thread_id))


def _with(known: PlaceRecord, scope: PublicScope, configured: Configured) -> PlaceRecord:
    chosen = known.preferences
    project = configured.project(scope.project)
    return replace(
        known,
        project=project.alias if project else known.project,
        branch=scope.branch if project else known.branch,
        topic=scope.title or known.topic,
        preferences=Preferences(
            engine=scope.engine if scope.engine in configured.engines else chosen.engine,
            models={**chosen.models, **scope.models},
            reasoning={**chosen.reasoning, **scope.reasoning},
            trigger=_TRIGGERS.get(scope.trigger or "", chosen.trigger),
        ),
    )


def _context(
    scope: PublicScope, found: Mapping[str, PlaceRecord], configured: Configured
) -> RunContext:
    """Say where prompts of a place run that name nothing: its session is looked for there."""
    chat_id = scope.place.chat_id
    for key in (_key(scope), scope_key(Scope("telegram", chat_id))):
        place = found.get(key)
        if place is not None and place.project is not None:
            return RunContext(place.project, place.branch)
    bound = configured.projects.of_chat(chat_id)
    return RunContext(bound.alias if bound else configured.default_project)


def _with_sessions(
    known: PlaceRecord, scope: PublicScope, context: RunContext, now: float
) -> PlaceRecord:
    points = {
        session_key(context.project, context.branch, token.engine): SessionPoint(now, token)
        for token in scope.sessions
    }
    return replace(known, sessions={**known.sessions, **points})
