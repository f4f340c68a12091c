"""What is done about a running engine from outside: name its silence, leave it when takopi goes."""

from collections.abc import Callable

from takopi.bridge.border import border
from takopi.bridge.turn import Turn
from takopi.bridge.turn_start import DriverPorts
from takopi.core.durations import format_about
from takopi.core.texts import tr, tr_later, translated
from takopi.core.watchdog import Look, begin_watch, look_every_s, watch
from takopi.turn import LiveTurn

__all__ = ["knows_no_session", "leave_when_asked", "output_of", "was_lost", "watch_engine"]

# An engine that is just being started has its run directory in a moment.
_DIRECTORY_WITHIN_S = 2.0
_TRIES_EVERY_S = 0.1

_CANNOT_GO_ON = tr_later("takopi is stopping, and this turn cannot go on without it")


async def watch_engine(ports: DriverPorts, turn: Turn, heard: Callable[[], int]) -> None:
    """Look at an engine until its turn ends: name its silence, and end it when that is wanted.

    Args:
        ports: What the turn needs.
        turn: The turn.
        heard: Tells how much was heard of the engine so far.
    """
    clock, limits = ports.clock, ports.options.limits
    pause_s = look_every_s(limits)
    if pause_s is None:
        return

    def look() -> Look:
        excused = turn.progress.waits_for_others
        return Look(at=clock.now(), wall=clock.wall(), heard=heard(), excused=excused)

    with border("watching the engine", turn=turn.id):
        seen = begin_watch(look())
        while not turn.cancelled.is_set():
            await clock.sleep_until(clock.now() + pause_s)
            seen = watch(seen, look(), pause_s)
            silence = format_about(seen.quiet_s)
            told = tr("no output for {silence}", silence=silence)
            words = told if limits.stalled(seen.quiet_s) else ""
            if words != turn.stalled:
                turn.stalled = words
                ports.messages.touch(turn)
            if limits.hopeless(seen.quiet_s):
                turn.hopeless = True
                turn.ask_to_end(
                    tr(
                        "it printed nothing for {silence}, so takopi ended it ({limit})",
                        silence=silence,
                        limit=f"kill_after_s = {limits.kill_after_s:g}",
                    )
                )
                await ports.journal.note(turn)


async def leave_when_asked(ports: DriverPorts, turn: Turn, live: LiveTurn) -> bool:
    """Wait until takopi goes, and leave the engine to itself; False when it has to end.

    An engine that cannot go on alone is ended, and the person is told why. So is one that was
    being ended before.
    """
    clock = ports.clock
    await turn.left.wait()
    deadline = clock.now() + _DIRECTORY_WITHIN_S
    while not turn.cancelled.is_set():
        if _detached(turn, live):
            return True
        if turn.way.state != "starting" or clock.now() >= deadline:
            turn.ask_to_end(translated(_CANNOT_GO_ON))
            await ports.journal.note(turn)
            break
        await clock.sleep_until(clock.now() + _TRIES_EVERY_S)
    return False


# A plug-in's turn may be older than what is asked of it here, or raise.


def output_of(live: LiveTurn) -> int:
    """Count what an engine printed so far."""
    return getattr(live, "output_bytes", 0)


def was_lost(live: LiveTurn) -> bool:
    """Tell whether a run ended and nobody saw how."""
    with border("looking how the run ended"):
        return bool(getattr(live, "lost", False))
    return False


def knows_no_session(live: LiveTurn) -> bool:
    """Tell whether a turn failed because its engine does not know the session asked for."""
    with border("looking whether the session is known"):
        return bool(getattr(live, "session_unknown", False))
    return False


def _detached(turn: Turn, live: LiveTurn) -> bool:
    with border("leaving the engine", turn=turn.id):
        detach: Callable[[], bool] | None = getattr(live, "detach", None)
        return detach is not None and detach()
    return False
