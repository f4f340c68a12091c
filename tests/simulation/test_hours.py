"""Random hours: whatever happens in them, the laws of `simulation.laws` hold afterwards.

Full: 1,000 hours of at least 50 prompts each. A failure names its hour, which never changes.
"""

import pytest

from promises.forms import shards, share
from simulation.hours import COMMAND, hour

pytestmark = pytest.mark.timeout(600)

SHARDS = 50


@shards(SHARDS)
def test_random_hours(shard: int) -> None:
    """Nothing is lost, started twice, told twice or out of order, whatever died when."""
    hours = share(1000, SHARDS, short=2)
    for seed in range(shard * hours + 1, (shard + 1) * hours + 1):
        broken, world = hour(seed)
        assert len(world.people.said) >= 50
        if broken:
            found = "\n".join(broken)
            pytest.fail(
                f"hour {seed} broke:\n{found}\nsee it again with {COMMAND}".format(seed=seed)
            )


def test_an_hour_is_always_the_same() -> None:
    """The seed decides everything."""
    first, second = (hour(3)[1] for _ in range(2))
    for one, other in zip(first.service.posts.values(), second.service.posts.values(), strict=True):
        assert (one.at, one.text, one.gone) == (other.at, other.text, other.gone)
    assert first.ledger.commits == second.ledger.commits


def test_a_turn_whose_end_the_journal_refused_for_long_is_not_told_anew() -> None:
    """Its letters were written down as soon as that worked, and its end only some seconds later."""
    broken, _ = hour(274)
    assert broken == []
