"""Promise 1: an accepted prompt is never lost: it is in the journal before it is confirmed.

Full: 1,000 SIGKILLs at random instants of a bot that is busy, over the real journal, run host,
holders and engine processes. Afterwards every prompt has its end, was started at most once, and
every run that ended has its final, once, or marked as repeated; no process is left.
"""

from pathlib import Path

import pytest

from kills.drama import killed_again_and_again
from promises.forms import shards, share

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]


@shards(20)
async def test_nothing_is_lost_however_often_the_bot_is_killed(shard: int, tmp_path: Path) -> None:
    """Whatever it was doing when it died, the next one goes on with it."""
    kills = share(1000, 20, short=5)
    assert await killed_again_and_again(tmp_path / "home", shard, kills) == []


@pytest.mark.long
@shards(5)
async def test_no_place_gets_a_second_session_by_a_kill(shard: int, tmp_path: Path) -> None:
    """Where prompts go on by themselves, they do so over the deaths of the bot, too."""
    kills = share(250, 5, short=7)
    assert await killed_again_and_again(tmp_path / "home", shard, kills, mode="chat") == []
