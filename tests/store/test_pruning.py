"""Forgetting goes in pieces, and gives the room back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from store.examples import NOW, letter, now_done, opened, received, turn
from takopi.bridge.records import LetterGone, LetterPut, MessageBound, TurnPut, UpdateHandled

DAY = 86400.0


class Counted:
    """Do work inline, and count it."""

    def __init__(self) -> None:
        self.trips = 0

    async def __call__(self, work: Callable[[], Any], /) -> Any:
        self.trips += 1
        return work()


def test_much_is_forgotten_in_many_pieces(tmp_path: Path) -> None:
    """And nothing that is not old."""
    counted = Counted()
    store = opened(tmp_path / "takopi.db", offload=counted)
    updates = [received(number) for number in range(1, 1001)]
    taken = now_done(store.accept(updates, 1000, NOW))
    now_done(store.commit([UpdateHandled(item.id) for item in taken[:-1]]))
    end = {"state": "done", "ended_at": NOW, "usage": {"cost_usd": 1}}
    now_done(store.commit([TurnPut(turn(f"t{number}", **end)) for number in range(100)]))
    now_done(
        store.commit([MessageBound(7, number, f"t{number}", "final") for number in range(100)])
    )
    now_done(store.commit([TurnPut(turn("new", state="done", ended_at=NOW + 99 * DAY))]))
    counted.trips = 0
    now_done(store.prune(NOW + 100 * DAY))
    assert counted.trips >= 10
    left = {
        table: store._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for table in ("updates", "seen", "turns", "messages", "usage")
    }
    assert left == {"updates": 1, "seen": 0, "turns": 1, "messages": 0, "usage": 100}
    now_done(store.close())


@pytest.mark.anyio
async def test_commits_go_in_between(tmp_path: Path) -> None:
    """Whoever asks while much is forgotten waits for a piece, not for all."""
    store = opened(tmp_path / "takopi.db", offload=None)
    updates = [received(number) for number in range(1, 3001)]
    taken = await store.accept(updates, 3000, NOW)
    await store.commit([UpdateHandled(item.id) for item in taken])
    done: list[str] = []

    async def prune() -> None:
        await store.prune(NOW + 100 * DAY)
        done.append("pruned")

    async def write() -> None:
        for number in range(3):
            await store.commit([TurnPut(turn(f"t{number}"))])
        done.append("written")

    async with anyio.create_task_group() as group:
        group.start_soon(prune)
        group.start_soon(write)
    assert done == ["written", "pruned"]
    await store.close()


def test_a_file_that_is_mostly_empty_becomes_small(tmp_path: Path) -> None:
    """A big document that went out does not keep its room for ever."""
    path = tmp_path / "takopi.db"
    counted = Counted()
    store = opened(path, offload=counted)
    for number in range(1, 4):
        now_done(store.commit([LetterPut(letter(number, "x" * 4_000_000))]))
    now_done(store.commit([LetterGone(number) for number in (1, 2, 3)]))
    counted.trips = 0
    now_done(store.prune(NOW))
    assert 5 < counted.trips < 50, "neither all at once nor page by page"
    now_done(store.close())
    assert path.stat().st_size < 5_000_000
    store = opened(path)
    assert now_done(store.load()).next_letter_id == 4
    now_done(store.close())


def test_pruning_an_empty_journal_is_nothing(tmp_path: Path) -> None:
    """It is done each hour."""
    store = opened(tmp_path / "takopi.db")
    empty = now_done(store.load())
    now_done(store.prune(NOW))
    assert now_done(store.load()) == empty
    now_done(store.close())
