"""The journal's work is done one piece at a time, in order, to its end."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from store.examples import opened, received, turn
from takopi.bridge.records import TurnPut
from takopi.errors import StoreError
from takopi.store.sqlite_store import SqliteStore
from takopi.store.worker import OneWorker

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """Give a journal with a thread."""
    kept = opened(tmp_path / "takopi.db", offload=None)
    yield kept
    await kept.close()


async def test_what_is_asked_for_first_is_done_first(store: SqliteStore) -> None:
    """Also when some of those who asked were cancelled meanwhile."""
    asked: list[str] = []

    async def put(name: str, scope: anyio.CancelScope) -> None:
        with scope:
            asked.append(name)
            await store.commit([TurnPut(turn(name)), TurnPut(turn(f"{name}+"))])

    scopes = [anyio.CancelScope() for _ in range(30)]
    async with anyio.create_task_group() as group:
        for number, scope in enumerate(scopes):
            group.start_soon(put, f"t{number}", scope)
        while len(asked) < len(scopes):
            await anyio.lowlevel.checkpoint()
        for scope in scopes[::2]:
            scope.cancel()
    expected = [name for first in asked for name in (first, f"{first}+")]
    assert [found.turn_id for found in (await store.load()).turns] == expected


async def test_a_caller_that_is_cancelled_already_still_writes(store: SqliteStore) -> None:
    """What is written while takopi is being stopped counts."""
    with anyio.CancelScope() as scope:
        scope.cancel()
        await store.commit([TurnPut(turn())])
        await store.accept([received(1)], 1, 0.0)
    assert await store.turn("t1") == turn(seq=1)
    assert len((await store.load()).updates) == 1


class Announcing:
    """Do the work as usual, and say when a piece of it begins."""

    def __init__(self) -> None:
        self.began = threading.Semaphore(0)
        self.worker = OneWorker()

    async def __call__(self, work: Callable[[], Any], /) -> Any:
        def announced() -> Any:
            self.began.release()
            return work()

        return await self.worker(announced)


async def test_work_that_nobody_waits_for_any_more_is_not_mixed_with_the_next(
    tmp_path: Path,
) -> None:
    """What was under way when asyncio cancelled its task is ended before the next begins."""
    announcing = Announcing()
    path = tmp_path / "takopi.db"
    store = opened(path, offload=announcing, busy_s=20)
    with closing(sqlite3.connect(path, isolation_level=None)) as another:
        another.execute("BEGIN IMMEDIATE")
        left = asyncio.create_task(store.commit([TurnPut(turn("a")), TurnPut(turn("b"))]))
        await anyio.to_thread.run_sync(announcing.began.acquire)
        left.cancel()
        with pytest.raises(asyncio.CancelledError):
            await left
        following = asyncio.create_task(store.commit([TurnPut(turn("c"))]))
        await anyio.to_thread.run_sync(announcing.began.acquire)
        another.execute("COMMIT")
        await following
    assert [found.turn_id for found in (await store.load()).turns] == ["a", "b", "c"]
    await store.close()


async def test_the_loop_goes_on_meanwhile() -> None:
    """A disk that hangs holds up nobody but those who wait for the journal."""
    hanging = threading.Event()
    one = OneWorker()
    async with anyio.create_task_group() as group:
        group.start_soon(partial(one, hanging.wait))
        await anyio.lowlevel.checkpoint()
        hanging.set()
    assert hanging.is_set()


async def test_a_closed_journal_says_so(tmp_path: Path) -> None:
    """A second closing is nothing; everything else is told apart from damage."""
    store = opened(tmp_path / "takopi.db", offload=None)
    await store.commit([TurnPut(turn())])
    await store.close()
    await store.close()
    with pytest.raises(StoreError, match="was closed; start takopi again"):
        await store.turn("t1")
