"""How the turns of an earlier takopi go on: nothing is started again by itself.

A run that was left is taken up by its run directory: its output is replayed and followed, as if
takopi had never been away. Where that cannot be, the person is told what is known, and decides.
"""

from takopi.base_runner import BaseRunner
from takopi.bridge.border import border
from takopi.bridge.ending import Ending
from takopi.bridge.records import OfferRecord
from takopi.bridge.turn import Turn
from takopi.bridge.turn_start import DriverPorts, turn_request
from takopi.core.offers import offer_buttons, offer_name
from takopi.core.texts import tr, tr_later, translated
from takopi.live_turn import SETTLE_S
from takopi.runner import Runner, adopt_turn
from takopi.turn import LiveTurn

__all__ = ["LOST", "adopt_run", "end_left_run", "interrupted"]

_NEVER_STARTED = tr_later("takopi was stopped before the engine was started: nothing was done")
LOST = tr_later(
    "the run ended without a result, and nobody saw how: the machine was started anew, or the "
    "run's processes were killed; what it did until then is done"
)


async def adopt_run(ports: DriverPorts, turn: Turn) -> LiveTurn | Ending:
    """Take up the run of a turn that an earlier takopi started, or say how the turn ends."""
    run_id = turn.record.run_id
    runner: Runner | None = None
    live: LiveTurn | None = None
    with border("taking up the turn", turn=turn.id) as found:
        runner = ports.engines.runner(turn.engine)
        if run_id is not None:
            live = adopt_turn(runner, turn_request(turn, turn.known_session), run_id)
    if live is not None:
        return live
    if turn.cancelled.is_set():
        await end_left_run(ports, turn)
        return Ending("cancelled", error=turn.record.cancel_reason or None, quiet=True)
    if found.error is not None:
        why = tr("{why}; `takopi ps` shows whether its engine still works", why=found.error)
    elif run_id is None:
        why = tr("it has no run directory")
    elif not _keeps_runs(runner):
        why = tr("this engine runs inside takopi and ended with it")
    elif turn.way.state == "starting":
        return interrupted(turn, translated(_NEVER_STARTED))
    else:
        why = tr("its run directory is gone")
    return interrupted(
        turn,
        tr(
            "takopi was stopped while this turn ran, and cannot tell how it went on: {why}", why=why
        ),
    )


def interrupted(turn: Turn, text: str) -> Ending:
    """Make the end of a turn that got lost: what is known, and what the person can do.

    Args:
        turn: The turn.
        text: What is known.
    """
    offer_id = offer_name("interrupted", turn.id)
    offer = OfferRecord(
        offer_id=offer_id, kind="interrupted", scope=turn.record.scope, turn_id=turn.id
    )
    session = turn.known_session is not None
    choices = (
        tr(
            "Continue goes on in its session, Ask again sends the prompt anew; nothing is started "
            "by itself."
        )
        if session
        else tr("Ask again sends the prompt anew; nothing is started by itself.")
    )
    return Ending(
        "interrupted",
        answer=turn.progress.partial_answer,
        error=f"{text}. {choices}",
        buttons=offer_buttons(offer_id, "interrupted", without=() if session else ("continue",)),
        offer=offer,
    )


async def end_left_run(ports: DriverPorts, turn: Turn) -> None:
    """End what is left of the run of a turn that needs it no more, as its takopi would have done.

    After a normal end an engine has its time to exit, and what it may keep is kept.
    """
    run_id = turn.record.run_id
    if run_id is None:
        return
    with border("ending what is left of the turn", turn=turn.id):
        run = ports.host.attach(run_id)
        if run is not None and turn.record.outcome == "done":
            await run.settle(SETTLE_S)
        elif run is not None:
            await run.cancel()


def _keeps_runs(runner: Runner | None) -> bool:
    """Tell whether an engine's runs have directories by which they can be taken up."""
    adopt = getattr(type(runner), "adopt", None)
    return adopt is not None and adopt is not BaseRunner.adopt
