"""What becomes of a letter that the service did not take: when it is tried again, and how.

Two troubles look the same from one call. In an *outage* nothing gets through, and every letter
waits in its order. A *sick* letter fails while the service takes other calls (its text trips
something there); waiting in its place it would hold up all later ones of its chat for a day.
They are told apart by what else was taken: a try is *lonely* when another call was accepted since
the try before it. A letter is sick when it has failed for ten minutes and six tries of its present
form were lonely. It is then made simpler; each further form gets six lonely tries, about a minute.
After the last form it steps aside: later ones pass it, and it is tried every half an hour.

A letter is given up a day after it was posted (a command's answer: an hour). The age is that of
the wall clock, because it has to survive restarts; as that clock may jump, a letter has two hours
(an answer: one) in every life of takopi, whatever its age: longer than an outage that the promises
count on.
"""

from math import inf
from typing import Literal, TypeAlias

import msgspec

from takopi.core.outbox_chat import Priority

__all__ = ["ASIDE_PAUSE_S", "Failure", "Trouble", "Verdict", "after_failure", "aside", "pause_s"]

_PATIENCE_S = {
    Priority.FINAL: 24 * 3600.0,
    Priority.ASK: 24 * 3600.0,
    Priority.ANSWER: 3600.0,
    Priority.TIDY: 3600.0,
}
_LONGEST_PAUSE_S = 60.0
_SICK_AFTER_S = 600.0
_SICK_TRIES = 6
_LIFE_S = 7200.0

ASIDE_PAUSE_S = 1800.0
"""Seconds between the tries of a letter that stepped aside."""

Step: TypeAlias = Literal["again", "simpler", "give up"]


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Remember how a letter has fared since it failed first in this life of takopi.

    Args:
        since: Moment of the first failure.
        tried_at: Moment of the last one.
        failures: Failures of its present form.
        lonely: How many of these came while the service took other calls.
        plainer: How often it was made simpler because of that.
        aside: Whether later ones pass it.
    """

    since: float
    tried_at: float
    failures: int = 0
    lonely: int = 0
    plainer: int = 0
    aside: bool = False


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Describe a try that failed, by unavailability or flood.

    Args:
        now: Present moment.
        taken_at: When the service took a call last; minus infinity for never.
        age_s: Seconds since the letter was posted, by the wall clock.
        priority: Of the letter.
        flood: The service wants silence: nobody's fault, and it says for how long.
    """

    now: float
    age_s: float
    priority: Priority
    taken_at: float = -inf
    flood: bool = False


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Say what becomes of the letter.

    Args:
        step: Try it again, in a simpler form if there is one, or never.
        trouble: To be remembered with it.
        pause_s: Seconds until the next try.
        held_up: It has failed for long, and only other calls can tell why.
    """

    step: Step
    trouble: Trouble
    pause_s: float = 0.0
    held_up: bool = False


def after_failure(before: Trouble | None, failure: Failure) -> Verdict:
    """Decide what becomes of a letter after a try that the service did not take."""
    now = failure.now
    known = before or Trouble(since=now, tried_at=now)
    failing_s = now - known.since
    patience_s = _PATIENCE_S[failure.priority]
    if failure.age_s >= patience_s and failing_s >= min(patience_s, _LIFE_S):
        return Verdict(step="give up", trouble=known)
    if failure.flood:
        return Verdict(step="again", trouble=msgspec.structs.replace(known, tried_at=now))
    lonely = before is not None and failure.taken_at >= before.tried_at
    trouble = msgspec.structs.replace(
        known,
        tried_at=now,
        failures=known.failures + 1,
        lonely=known.lonely + lonely,
    )
    if trouble.aside:
        return Verdict(step="again", trouble=trouble, pause_s=ASIDE_PAUSE_S)
    long = failing_s >= _SICK_AFTER_S or trouble.plainer > 0
    if long and trouble.lonely >= _SICK_TRIES:
        fresh = msgspec.structs.replace(trouble, failures=0, lonely=0, plainer=trouble.plainer + 1)
        return Verdict(step="simpler", trouble=fresh)
    return Verdict(
        step="again",
        trouble=trouble,
        pause_s=pause_s(trouble.failures),
        held_up=long,
    )


def aside(trouble: Trouble | None, now: float) -> Trouble:
    """Let others pass a letter from now on."""
    known = trouble or Trouble(since=now, tried_at=now)
    return msgspec.structs.replace(known, aside=True)


def pause_s(failures: int) -> float:
    """Say how long to wait after so many failures in a row."""
    return min(_LONGEST_PAUSE_S, 2.0 ** (min(failures, 8) - 1))
