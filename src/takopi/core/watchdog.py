"""When a silent engine is worth a word, and when it is worth an end: a fold over looks at it.

Somebody looks now and then and says how much was heard of the engine so far. Time between two
looks counts as silence unless something was heard, the agent waits for a person, or the machine
was asleep: a gap much longer than the one that was asked for, or one in which the wall clock went
on much further than the monotonic clock, which stands still in a suspended Linux.
"""

import msgspec

__all__ = ["Look", "StallLimits", "Watch", "begin_watch", "look_every_s", "watch"]

# Looks come late when the machine is busy; a nap is longer than that.
_LATE_S = 30.0

_LONGEST_PAUSE_S = 15.0
_LOOKS_A_LIMIT = 5


class StallLimits(msgspec.Struct, frozen=True):
    """Say how long an engine may be silent.

    Args:
        stall_after_s: Seconds after which the person is told; 0 tells never.
        kill_after_s: Seconds after which the turn is ended; 0 ends none.
    """

    stall_after_s: float = 300.0
    kill_after_s: float = 0.0

    def stalled(self, quiet_s: float) -> bool:
        """Tell whether a silence is worth a word."""
        return 0 < self.stall_after_s <= quiet_s

    def hopeless(self, quiet_s: float) -> bool:
        """Tell whether a silence is worth an end."""
        return 0 < self.kill_after_s <= quiet_s


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """Be one look at an engine.

    Args:
        at: Monotonic seconds.
        wall: Unix seconds.
        heard: Grows with everything that the engine says.
        excused: Whether the agent waits for a person.
    """

    at: float
    wall: float
    heard: int
    excused: bool = False


class Watch(msgspec.Struct, frozen=True):
    """Be what is known of an engine's silence.

    Args:
        last: The latest look.
        quiet_s: Seconds of silence that count.
    """

    last: Look
    quiet_s: float = 0.0


def look_every_s(limits: StallLimits) -> float | None:
    """Return the pause between two looks; None when nobody has to look."""
    set_ = [limit for limit in (limits.stall_after_s, limits.kill_after_s) if limit > 0]
    return min(_LONGEST_PAUSE_S, min(set_) / _LOOKS_A_LIMIT) if set_ else None


def begin_watch(look: Look) -> Watch:
    """Begin with a first look."""
    return Watch(look)


def watch(before: Watch, look: Look, pause_s: float) -> Watch:
    """Return what is known after one more look.

    Args:
        before: What was known.
        look: The look.
        pause_s: The pause that was asked for since the last one.
    """
    last = before.last
    if look.heard != last.heard:
        return Watch(look)
    passed_s, on_the_wall_s = look.at - last.at, look.wall - last.wall
    asleep = passed_s > pause_s + _LATE_S or on_the_wall_s > passed_s + _LATE_S
    if asleep or look.excused or last.excused:
        return Watch(look, before.quiet_s)
    return Watch(look, before.quiet_s + max(0.0, passed_s))
