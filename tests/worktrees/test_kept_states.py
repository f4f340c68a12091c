"""States that were kept are forgotten in time, and nothing else is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from takopi.app.home import Home
from takopi.app.upkeep import Upkeep
from takopi.bridge.clock import SystemClock
from takopi.core.run_keeping import Keeping
from takopi.errors import NotARepository
from takopi.process.host import LocalRunHost
from takopi.store.opening import open_journal
from takopi.worktrees.changes import revert
from takopi.worktrees.kept_states import KEEP_STATES, forget_kept_states

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def refs(repo) -> list[str]:
    """List the names of takopi's."""
    return repo.git("for-each-ref", "--format=%(refname)", "refs/takopi").splitlines()


def keep(repo, *moments: datetime) -> list[str]:
    """Keep states at some moments."""
    head = repo.git("rev-parse", "HEAD")
    names = [f"refs/takopi/kept/{at:%Y%m%dT%H%M%S.%fZ}" for at in moments]
    repo.git("update-ref", "--stdin", stdin="".join(f"create {name} {head}\n" for name in names))
    return names


async def test_what_is_older_than_a_month_goes(repo) -> None:
    """And a name that a person gave stays."""
    repo.git("update-ref", "refs/takopi/kept/mine", "HEAD")
    old, fresh = keep(repo, NOW - timedelta(days=31), NOW - timedelta(days=29))
    assert await forget_kept_states(repo.path, NOW.timestamp()) == 1
    assert sorted(refs(repo)) == sorted([fresh, "refs/takopi/kept/mine"])
    assert old not in refs(repo)
    assert await forget_kept_states(repo.path, NOW.timestamp()) == 0


async def test_the_newest_hundred_stay(repo) -> None:
    names = keep(repo, *(NOW - timedelta(minutes=n) for n in range(KEEP_STATES + 20)))
    assert await forget_kept_states(repo.path, NOW.timestamp()) == 20
    assert sorted(refs(repo)) == sorted(names[:KEEP_STATES])


async def test_a_state_that_was_just_kept_stays(repo) -> None:
    repo.write("a.txt", "two\n")
    kept = (await revert(repo.path)).kept
    assert await forget_kept_states(repo.path, datetime.now(UTC).timestamp()) == 0
    assert refs(repo) == [kept]


async def test_where_there_is_no_repository_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotARepository):
        await forget_kept_states(tmp_path, NOW.timestamp())


async def test_the_bot_forgets_them_beside_its_work(repo, tmp_path: Path) -> None:
    """Whatever becomes of the other directories."""
    keep(repo, NOW - timedelta(days=1000))
    (tmp_path / "plain").mkdir()
    home = Home(tmp_path / "home")
    home.runs.mkdir(parents=True)
    store = open_journal(home.journal, rebuild=tuple, now=NOW.timestamp())
    directories = (tmp_path / "gone", tmp_path / "plain", repo.path)
    host = LocalRunHost(home.runs, "home")
    await Upkeep(home, store, host, SystemClock(), Keeping(), directories).tidy()
    await store.close()
    assert refs(repo) == []
