"""Which turn may start: one at a time in a session, first in, first out, and so many at once.

A *lane* is what must not overlap. It is known by names: the conversation in which its first turn
was asked for, and the session once an engine has reported it. Prompts that share a name share the
lane, so a reply to a conversation whose session is not known yet queues behind it. When two lanes
turn out to be one session they are joined and keep the order of arrival.

A turn that waits may be *held*, and is then not started:

- `gathering`: more of its prompt may come, or somebody is changing it. That takes a moment, so it
  keeps its place, and what stands behind it in its lane waits with it: order is kept.
- `person`: a person has to say whether it is wanted at all. That may take days or never happen, so
  turns that came later pass it by; let go, it has its old place among those that still wait.

A held turn needs no room among the turns that run at once.

The order of arrival is changed by `promote` alone, which says what *rank* each turn gets: the least
rank is first, and turns of one rank keep the order of arrival. Ranks are numbers that can be
written down, so an order outlives this process.
"""

import heapq
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import msgspec

from takopi.model import ResumeToken

__all__ = ["Hold", "QueuePlace", "TurnQueue"]

Hold: TypeAlias = Literal["gathering", "person"]

_Name: TypeAlias = str | ResumeToken
_Entry: TypeAlias = tuple[int, int, str]  # rank, order of arrival, turn


class QueuePlace(msgspec.Struct, frozen=True):
    """Say why a turn waits.

    Args:
        why: `session` for the turns before it, `limit` when too many others run, else its hold.
        ahead: Turns that come first; for `limit` those that wait for the same reason.
        waiting: Those of them that wait, too, so that it could come before them.
    """

    why: Literal["session", "limit"] | Hold
    ahead: int
    waiting: int = 0


@dataclass(slots=True, eq=False)
class _Lane:
    session: ResumeToken | None = None
    names: set[_Name] = field(default_factory=set)
    waiting: list[_Entry] = field(default_factory=list)
    running: set[str] = field(default_factory=set)


class TurnQueue:
    """Hold the turns that run or wait; see the head of this module.

    Args:
        max_runs: At most so many run at once; at least 1.
    """

    def __init__(self, max_runs: int) -> None:
        self._max_runs = max(1, max_runs)
        self._lanes: dict[_Name, _Lane] = {}
        self._lane_of: dict[str, _Lane] = {}
        self._held: dict[str, Hold] = {}
        self._lost: set[ResumeToken] = set()
        self._running = 0
        self._arrived = 0

    def add(self, turn: str, conversation: str, session: ResumeToken | None, rank: int = 0) -> None:
        """Let a turn wait in the lane of its session, or of its conversation."""
        lane = self._enter(turn, conversation, session)
        self._arrived += 1
        heapq.heappush(lane.waiting, (rank, self._arrived, turn))

    def adopt(self, turn: str, conversation: str, session: ResumeToken | None) -> None:
        """Take a turn that runs already; also when more run then than may be started."""
        lane = self._enter(turn, conversation, session)
        lane.running.add(turn)
        self._running += 1

    def hold(self, turn: str, why: Hold | None) -> None:
        """Keep a turn from starting, or let it go again.

        Args:
            turn: A turn that waits; others are left alone.
            why: Decides what those behind it do; None lets it go.
        """
        lane = self._lane_of.get(turn)
        if lane is None or turn in lane.running:
            return
        if why is None:
            self._held.pop(turn, None)
        else:
            self._held[turn] = why

    def next(self) -> str | None:
        """Return the turn that may start now, the first in order; None when none may."""
        startable = self._startable()
        if not startable or self._running >= self._max_runs:
            return None
        head, _ = min(startable, key=lambda found: found[0])
        return head[-1]

    def start(self, turn: str) -> None:
        """Let a turn run that `next` has just returned."""
        lane = self._lane_of[turn]
        lane.waiting = [entry for entry in lane.waiting if entry[-1] != turn]
        heapq.heapify(lane.waiting)
        lane.running.add(turn)
        self._running += 1

    def waiting(self) -> list[str]:
        """List the turns that wait, the first in order first."""
        return [entry[-1] for entry in self._order()]

    def promote(self, turn: str, before: str | None = None) -> dict[str, int]:
        """Say which ranks let a turn come before others; `rank` sets them.

        Args:
            turn: A turn that waits.
            before: The waiting turn before which it comes; None for all.

        Returns:
            The turns whose ranks change; none when it stands there, or does not wait.
        """
        ranks = {entry[-1]: entry[0] for entry in self._order()}
        order = list(ranks)
        if turn not in ranks or turn == before or (before is not None and before not in ranks):
            return {}
        wanted = [other for other in order if other != turn]
        wanted.insert(0 if before is None else wanted.index(before), turn)
        if wanted == order:
            return {}
        # Who arrives later has rank 0, so all that is put in order stands below.
        moved = [n for n, pair in enumerate(zip(order, wanted, strict=True)) if pair[0] != pair[1]]
        below = [n for n, other in enumerate(wanted) if ranks[other] < 0]
        last = max(*moved, *below)
        fresh = {other: n - last - 1 for n, other in enumerate(wanted[: last + 1])}
        return {other: rank for other, rank in fresh.items() if rank != ranks[other]}

    def rank(self, turn: str, rank: int) -> None:
        """Give a turn that waits the rank that `promote` said; others are left alone."""
        lane = self._lane_of.get(turn)
        if lane is not None:
            lane.waiting = [
                (rank, *entry[1:]) if entry[-1] == turn else entry for entry in lane.waiting
            ]
            heapq.heapify(lane.waiting)

    def report(self, turn: str, session: ResumeToken) -> None:
        """Note which session a running turn has; later turns of its lane continue it."""
        lane = self._lane_of.get(turn)
        self._lost.discard(session)
        if lane:
            self._bind(lane, session)

    def session_of(self, turn: str) -> ResumeToken | None:
        """Return the session of the turn's lane, when an engine or a person named one."""
        lane = self._lane_of.get(turn)
        return lane.session if lane else None

    def session_for(
        self, turn: str, asked: ResumeToken | None, *, by_itself: bool
    ) -> ResumeToken | None:
        """Return the session that a turn goes on with; None when it begins one.

        Args:
            turn: The turn.
            asked: The session that its prompt named.
            by_itself: Whether nobody named it, so that one that is lost is no loss.
        """
        held = self.session_of(turn)
        session = asked or held
        if by_itself and session in self._lost:
            return None if held in self._lost else held
        return session

    def lose(self, session: ResumeToken) -> None:
        """Note that an engine does not know a session; what its lane begins next is another one."""
        self._lost.add(session)
        lane = self._lanes.get(session)
        if lane is not None and lane.session == session:
            lane.session = None

    def end(self, turn: str) -> None:
        """Forget a turn that ended, or that was cancelled while it waited; twice is once."""
        lane = self._lane_of.pop(turn, None)
        self._held.pop(turn, None)
        if lane is None:
            return
        if turn in lane.running:
            lane.running.remove(turn)
            self._running -= 1
        else:
            lane.waiting = [entry for entry in lane.waiting if entry[-1] != turn]
            heapq.heapify(lane.waiting)
        if not lane.running and not lane.waiting:
            for name in lane.names:
                del self._lanes[name]

    def place(self, turn: str) -> QueuePlace | None:
        """Say why a turn waits and behind how many; None when it runs or is not known."""
        lane = self._lane_of.get(turn)
        if lane is None or turn in lane.running:
            return None
        if turn in self._held:
            return QueuePlace(self._held[turn], 0)
        queue = [entry for entry in sorted(lane.waiting) if self._held.get(entry[-1]) != "person"]
        place = [entry[-1] for entry in queue].index(turn)
        ahead = len(lane.running) + place
        if ahead:
            return QueuePlace("session", ahead, place)
        before = sum(head < queue[0] for head, _ in self._startable())
        return QueuePlace("limit", before, before)

    def active(self, conversation: str) -> bool:
        """Tell whether a turn of a conversation runs or waits."""
        return conversation in self._lanes

    def _enter(self, turn: str, conversation: str, session: ResumeToken | None) -> _Lane:
        lane = self._lanes.get(session) if session else None
        # A session that moved on under another conversation is found by the session alone.
        lane = lane or self._lanes.get(conversation) or _Lane()
        self._lane_of[turn] = lane
        self._name(lane, conversation)
        if session:
            self._bind(lane, session)
        return lane

    def _order(self) -> list[_Entry]:
        return sorted(entry for lane in set(self._lanes.values()) for entry in lane.waiting)

    def _startable(self) -> list[tuple[_Entry, _Lane]]:
        """List what could start if the limit allowed."""
        free = (lane for lane in set(self._lanes.values()) if lane.waiting and not lane.running)
        heads = ((self._head(lane), lane) for lane in free)
        return [(head, lane) for head, lane in heads if head and head[-1] not in self._held]

    def _head(self, lane: _Lane) -> _Entry | None:
        """Return whose turn it is in a lane."""
        if lane.waiting[0][-1] not in self._held:
            return lane.waiting[0]
        asked = (entry for entry in lane.waiting if self._held.get(entry[-1]) != "person")
        return min(asked, default=None)

    def _name(self, lane: _Lane, name: _Name) -> None:
        known = self._lanes.get(name)
        if known is not None and known is not lane:
            self._join(lane, known)
        self._lanes[name] = lane
        lane.names.add(name)

    def _bind(self, lane: _Lane, session: ResumeToken) -> None:
        self._name(lane, session)
        lane.session = session

    def _join(self, lane: _Lane, other: _Lane) -> None:
        for *_, turn in other.waiting:
            self._lane_of[turn] = lane
        for turn in other.running:
            self._lane_of[turn] = lane
        lane.waiting = list(heapq.merge(sorted(lane.waiting), sorted(other.waiting)))
        lane.running |= other.running
        lane.session = lane.session or other.session
        for name in other.names:
            self._lanes[name] = lane
            lane.names.add(name)
