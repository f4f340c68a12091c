"""A journal to damage, and what it is rebuilt from."""

from pathlib import Path

from store.examples import NOW, a_day, now_done, opened, received, turn

REBUILT = (
    turn("t1", state="running", run_id="r1", messages=(1, 3), progress_id=2),
    turn("t0", state="interrupted", run_id="r0", ended_at=NOW),
)
ASIDE = "takopi.db.damaged-20231114T221320Z"


def written(path: Path) -> None:
    """Leave a journal."""
    store = opened(path)
    for changes in a_day():
        now_done(store.commit(changes))
    now_done(store.accept([received(1)], 1, NOW))
    now_done(store.close())
