"""Which turn a prompt goes on from that replies to nothing: the last one of its place, if any."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from dataclasses import replace as with_changes

from msgspec.structs import replace

from takopi.bridge.places import Places
from takopi.bridge.ports import Store, TurnFilter
from takopi.bridge.records import TurnRecord
from takopi.bridge.routing import bound_to
from takopi.context import RunContext
from takopi.core.chat import Scope
from takopi.core.chat_settings import SessionMode
from takopi.core.decisions import BoundTurn, Prompt
from takopi.core.places import SessionPoint, session_key
from takopi.model import EngineId, ResumeToken

__all__ = ["Follower", "Where"]

# Turns that nobody asked for in the chat stand between those that somebody did: a schedule may have
# run every few minutes for days.
_LOOKED_AT = (10, 200, 5000)

_SET_BACK_S = 86_400.0
# The least that numbers of that size tell apart.
_A_MOMENT_S = 1e-5


@dataclass(frozen=True, slots=True)
class Where:
    """Name what has one session that goes on by itself.

    Args:
        scope: A topic, or a chat outside of topics.
        context: Project and branch.
        engine: Who works there.
    """

    scope: Scope
    context: RunContext
    engine: EngineId

    @property
    def key(self) -> str:
        """Give its key in the record of the place."""
        return session_key(self.context.project, self.context.branch, self.engine)


class Follower:
    """Let prompts go on by themselves where the person wants that.

    Args:
        store: Knows the turns.
        places: Know where sessions begin anew.
        mode: Whether prompts go on by themselves.
    """

    def __init__(self, store: Store, places: Places, mode: SessionMode) -> None:
        self._store = store
        self._places = places
        self._mode = mode

    async def follow(self, prompt: Prompt, scope: Scope, drafts: Iterable[TurnRecord]) -> Prompt:
        """Let a prompt go on with the session of its place, project, branch and engine.

        Args:
            prompt: It may name a session already, and then keeps it.
            scope: Where it was asked.
            drafts: Turns that are not written down yet, in the order in which they were asked for.

        Raises:
            StoreError: The journal did not answer.
        """
        if prompt.resume is not None or prompt.follows is not None:
            return prompt
        goes_on = await self.session_here(Where(scope, prompt.where.context, prompt.engine), drafts)
        if isinstance(goes_on, BoundTurn):
            return replace(prompt, follows=goes_on, resume=goes_on.session)
        return replace(prompt, resume=goes_on)

    async def session_here(
        self, where: Where, drafts: Iterable[TurnRecord] = ()
    ) -> BoundTurn | ResumeToken | None:
        """Say what the next prompt goes on with that names nothing.

        Args:
            where: Where it would run, and by whom.
            drafts: As for `follow`.

        Returns:
            The turn that it goes on from, or the session that was taken up by hand; None when it
            begins anew.

        Raises:
            StoreError: The journal did not answer.
        """
        if self._mode != "chat":
            return None
        point = self._point(where)
        gone: set[ResumeToken | None] = set()
        async for turn in self._turns(where, point, drafts):
            if turn.session_unknown:
                # Its engine knew no such session. Whatever else goes on here goes on, but not that.
                gone.add(turn.asked)
                continue
            bound = bound_to(turn)
            known = bound.session is not None
            return None if known and bound.session in gone else bound
        return None if point.session in gone else point.session

    def counts(self, turn: TurnRecord) -> bool:
        """Tell whether what comes now may still belong to a turn: nothing began anew after it."""
        if self._mode != "chat":
            return True
        where = Where(turn.scope, turn.context, turn.engine)
        return _counts(self._point(where), turn, where.scope)

    async def behind_all(self, where: Where, point: SessionPoint) -> SessionPoint:
        """Return a point behind all that was asked there, also when the clock was set back since.

        Args:
            where: Where a session begins anew.
            point: From when on, as the clock says.

        Raises:
            StoreError: The journal did not answer.
        """
        since = point.since
        for scope in self._places.guises(where.scope):
            asked = TurnFilter(scope=scope, engine=where.engine, context=where.context)
            for turn in await self._store.newest_turns(asked, 1):
                if turn.accepted_at > since:
                    since = turn.accepted_at + _A_MOMENT_S
        return replace(point, since=since)

    def _point(self, where: Where) -> SessionPoint:
        return self._places.of(where.scope).sessions.get(where.key, SessionPoint(0.0))

    async def _turns(
        self, where: Where, point: SessionPoint, drafts: Iterable[TurnRecord]
    ) -> AsyncIterator[TurnRecord]:
        """Yield the turns that somebody asked for there, the newest first."""
        for draft in reversed(list(drafts)):
            same = Where(draft.scope, draft.context, draft.engine) == where
            if same and _asks(draft, point, where.scope):
                yield draft
        for scope in self._places.guises(where.scope):
            async for turn in self._written(with_changes(where, scope=scope), point, where.scope):
                yield turn

    async def _written(
        self, where: Where, point: SessionPoint, here: Scope
    ) -> AsyncIterator[TurnRecord]:
        wanted = TurnFilter(
            scope=where.scope,
            engine=where.engine,
            context=where.context,
            # What was asked later may look older, for so long a clock that was set back.
            accepted_since=point.since - (_SET_BACK_S if point.after else 0.0),
        )
        seen = 0
        for limit in _LOOKED_AT:
            found = await self._store.newest_turns(wanted, limit)
            for turn in found[seen:]:
                if _asks(turn, point, here):
                    yield turn
            if len(found) < limit:
                return
            seen = limit


def _asks(turn: TurnRecord, point: SessionPoint, here: Scope) -> bool:
    """Tell whether a prompt may go on from a turn."""
    asked = turn.origin == "prompt" and not turn.silent
    # Who took back a prompt before it began took back where it was to go, too.
    taken_back = turn.outcome == "cancelled" and turn.started_at is None
    leaves = turn.wants_topic and turn.scope.thread_id is None
    return asked and not (taken_back or leaves) and _counts(point, turn, here)


def _counts(point: SessionPoint, turn: TurnRecord, here: Scope) -> bool:
    newest = max((*turn.messages, turn.after), default=0)
    return point.counts(turn.accepted_at, newest, here=turn.scope.chat_id == here.chat_id)
