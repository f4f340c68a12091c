"""Promise 2: a prompt is started at most once, and never by itself a second time.

Full: a scene of prompts, a reply, a failure and a cancel, in which the bot is killed before and
after every single commit of the journal. What is looked at is the same as for promise 1.
"""

from pathlib import Path

import pytest

from kills.drama import at_commit
from promises.forms import FULL, shards

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

SHARDS = 8


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@shards(SHARDS)
async def test_a_kill_at_any_commit(shard: int, after: bool, tmp_path: Path) -> None:
    """Each commit is one after which the next bot knows what was started."""
    broken: dict[int, list[str]] = {}
    step, number, died = (SHARDS, shard + 1, True) if FULL else (9, 2, True)
    while died and (FULL or number < 20):
        found, died = await at_commit(tmp_path / f"{number}", number, after=after)
        if found:
            broken[number] = found
        number += step
    assert broken == {}
