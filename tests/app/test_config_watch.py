"""A changed configuration is noticed once, when it is whole and can be served."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from fakes.clock import VirtualClock
from takopi.app.config_watch import next_settings
from takopi.errors import ConfigError
from takopi.settings import Settings, load_settings

pytestmark = pytest.mark.anyio


def written(path: Path, text: str) -> Settings:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return load_settings(path, {})


class Watch:
    """Hold what a watch found, and what it refused."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.refused: list[str] = []
        self.found: Settings | None = None

    async def run(self, current: Settings, given_up: Any) -> None:
        """Watch until something is found."""
        refused = self.refused.append
        self.found = await next_settings(
            current, self._check, refused, self.clock, {}, given_up=given_up
        )

    def _check(self, found: Settings) -> None:
        if found.max_runs == 1:
            raise ConfigError("not with one")


@asynccontextmanager
async def watching(current: Settings, given_up: Any = None) -> AsyncIterator[Watch]:
    """Watch for the length of a test."""
    watch = Watch()
    async with anyio.create_task_group() as group:
        group.start_soon(watch.run, current, given_up)
        yield watch
        group.cancel_scope.cancel()


async def test_what_was_saved_while_the_last_change_was_taken_is_taken_next(
    tmp_path: Path,
) -> None:
    """Nobody watched the file between reading it and serving by it."""
    path = tmp_path / "takopi.toml"
    current = written(path, "max_runs = 2\n")
    written(path, "max_runs = 3\n")
    async with watching(current) as watch:
        await watch.clock.advance(3)
    assert watch.found is not None
    assert watch.found.max_runs == 3


async def test_a_file_that_is_saved_in_two_steps_is_taken_once_and_whole(tmp_path: Path) -> None:
    """Nobody is told of the half that could be read for a moment."""
    path = tmp_path / "takopi.toml"
    async with watching(written(path, "max_runs = 2\n")) as watch:
        for step in range(14):
            path.write_text("max_runs = 1\n" if step % 2 else "", encoding="utf-8")
            await watch.clock.advance(0.1)
        path.unlink()
        await watch.clock.advance(1.1)
        assert watch.found is None
        written(path, "max_runs = 5\n")
        await watch.clock.advance(3)
    assert watch.found is not None
    assert (watch.found.max_runs, watch.refused) == (5, [])


async def test_one_that_cannot_be_served_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "takopi.toml"
    async with watching(written(path, "max_runs = 2\n")) as watch:
        written(path, "max_runs = 1\n")
        await watch.clock.advance(10)
    assert (watch.found, watch.refused) == (None, ["not with one"])


async def test_what_could_not_be_served_is_not_tried_again_until_it_is_saved_again(
    tmp_path: Path,
) -> None:
    """Saving it once more is a wish: what was in the way may be gone."""
    path = tmp_path / "takopi.toml"
    current = written(path, "max_runs = 2\n")
    tried = written(path, "max_runs = 3\n")
    async with watching(current, tried.document) as watch:
        await watch.clock.advance(2.5)
        assert watch.found is None
        written(path, "max_runs = 3\n")
        os.utime(path, (1, 1))  # the disk's clock may not have moved since
        await watch.clock.advance(3)
    assert watch.found is not None
    assert (watch.found.max_runs, watch.refused) == (3, [])
