"""A bridge without projects has one directory, and no git."""

from pathlib import Path

import pytest

from takopi.bridge.workspaces import OneDirectory
from takopi.context import RunContext
from takopi.errors import ConfigError, NotARepository

pytestmark = pytest.mark.anyio

HERE = Path("/work")


async def test_everything_runs_in_it_and_nothing_looks_into_it() -> None:
    one = OneDirectory(HERE)
    assert await one.find(RunContext()) == await one.directory(RunContext()) == HERE
    assert one.tree_of(HERE / "x") == HERE / "x"
    assert await one.context_of(HERE) == RunContext()
    assert await one.snapshot(HERE) is None
    assert not await one.has(HERE / "gone")
    with pytest.raises(ConfigError, match="takopi init"):
        await one.directory(RunContext("shop"))
    for call in (
        lambda: one.trees("shop"),
        lambda: one.remove(RunContext("shop", "dev")),
        lambda: one.look(HERE),
        lambda: one.changes_since(HERE, "x"),
        lambda: one.commit(HERE, "x"),
        lambda: one.revert(HERE),
    ):
        with pytest.raises(NotARepository, match="work in a project"):
            await call()
