"""Tidying up: what one part of it fails at keeps no other part from being done."""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from takopi.app.home import Home
from takopi.app.upkeep import Upkeep
from takopi.bridge.clock import SystemClock
from takopi.core.run_keeping import Keeping
from takopi.process.host import LocalRunHost
from takopi.store.opening import JournalOptions, open_journal

pytestmark = pytest.mark.anyio


def old_run(runs: Path) -> Path:
    """Make the directory of a run that is long over."""
    run = runs / "old"
    run.mkdir(mode=0o700)
    for name, content in (("run.json", "{}"), ("claim", ""), ("exit.json", '{"code": 0}')):
        (run / name).write_text(content)
    then = time.time() - 30 * 86_400
    for path in (*run.iterdir(), run):
        os.utime(path, (then, then))
    return run


@pytest.mark.parametrize("forgets", [True, False])
async def test_old_runs_go_also_while_the_journal_can_forget_nothing(
    tmp_path: Path, forgets: bool
) -> None:
    """On a full disk it cannot, and the runs are what fills the disk."""
    home = Home(tmp_path)
    host = LocalRunHost(home.runs, "home")
    run = old_run(home.runs)
    options = JournalOptions(busy_s=0.01, reserve_bytes=4096)
    store = open_journal(home.journal, rebuild=tuple, now=time.time(), options=options)
    upkeep = Upkeep(home, store, host, SystemClock(), Keeping())
    with closing(sqlite3.connect(home.journal, isolation_level=None)) as other:
        if not forgets:
            other.execute("BEGIN IMMEDIATE")
        await upkeep.tidy()
    await store.close()
    assert not run.exists()
