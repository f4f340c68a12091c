"""Promise 9: cancel ends the whole process tree, tools in sessions of their own included.

Full: 200 trees in each of the 5 ways in which a run can end: nothing is left. The short form ends
20 trees, 4 in each way; `tests/process/test_trees.py` has the hardest ones.
"""

import random
import secrets
from pathlib import Path

import anyio
import pytest

from fakes.process_trees import WAYS, Way, left_after, random_tree
from promises.forms import shards, share
from takopi.process.host import LocalRunHost

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

SHARDS = 4
# A tree with something deaf in it takes seconds of waiting, and no core.
_AT_ONCE = 8


@pytest.mark.parametrize("way", WAYS)
@shards(SHARDS)
async def test_nothing_of_a_tree_is_left(way: Way, shard: int, tmp_path: Path) -> None:
    """Whoever lost its parent, left its session, cleared its environment or is deaf ends."""
    host = LocalRunHost(tmp_path / "runs", secrets.token_hex(8))
    trees = share(200, SHARDS, short=4)
    left: dict[int, list[str]] = {}
    room = anyio.CapacityLimiter(_AT_ONCE)

    async def end(seed: int) -> None:
        async with room:
            folder = tmp_path / f"tree-{seed}"
            folder.mkdir()
            left[seed] = await left_after(way, random_tree(random.Random(seed)), host, folder)

    async with anyio.create_task_group() as tasks:
        for seed in range(shard * trees, (shard + 1) * trees):
            tasks.start_soon(end, seed)
    assert len(left) == trees
    assert {seed: found for seed, found in left.items() if found} == {}
