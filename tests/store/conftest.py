"""Give both kinds of journal to the tests of what every journal does."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from store.examples import opened
from takopi.bridge.memory_store import MemoryStore
from takopi.store.sqlite_store import SqliteStore


@pytest.fixture(params=["memory", "sqlite"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[MemoryStore | SqliteStore]:
    """Give each kind of journal."""
    if request.param == "memory":
        yield MemoryStore()
        return
    kept = opened(tmp_path / "takopi.db", offload=None)
    yield kept
    await kept.close()
