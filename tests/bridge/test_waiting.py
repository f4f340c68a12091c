"""Waiting on a clock, and the border around what may fail."""

import anyio
import pytest

from fakes.clock import VirtualClock, settle
from takopi.bridge.border import border
from takopi.bridge.clock import SystemClock
from takopi.bridge.waiting import give_up_at, plain_errors, wait_until
from takopi.errors import TakopiError, Unauthorized, UsageError

pytestmark = pytest.mark.anyio


async def test_waiting_ends_with_whichever_comes_first() -> None:
    """True for the event, False for the moment."""
    clock, event = VirtualClock(), anyio.Event()
    results: list[bool] = []

    async def wait(deadline: float | None) -> None:
        results.append(await wait_until(event.wait, clock, deadline))

    async with anyio.create_task_group() as group:
        group.start_soon(wait, clock.now() + 1)
        group.start_soon(wait, clock.now() + 9)
        group.start_soon(wait, None)
        await clock.advance(2)
        assert results == [False]
        event.set()
        await settle()
    assert results == [False, True, True]


async def test_an_error_of_the_block_comes_out_as_it_is() -> None:
    """Nobody has to know how it was waited for."""
    clock = VirtualClock()
    with pytest.raises(LookupError, match="boom"):
        async with give_up_at(clock, clock.now() + 1):
            raise LookupError("boom")


def test_of_many_errors_a_lost_token_is_the_telling_one() -> None:
    """Others that nobody can choose between stay together."""
    inner = ExceptionGroup("x", [Unauthorized("a"), Unauthorized("b")])
    with pytest.raises(Unauthorized), plain_errors():
        raise ExceptionGroup("y", [ValueError("c"), inner])
    with pytest.raises(ExceptionGroup, match="z"), plain_errors():
        raise ExceptionGroup("z", [ValueError("c"), LookupError("d")])


def test_a_border_keeps_errors_in_and_tells_them() -> None:
    """Texts for a person pass as they are, others are named without their content."""
    with border("testing") as found:
        raise UsageError("say it like this")
    assert found.error == "say it like this"
    with border("testing", turn="t1") as found:
        raise ValueError("secret")
    assert found.error == "takopi failed while testing (ValueError); its log says where"
    with border("testing") as found:
        pass
    assert found.error is None


def test_a_border_lets_through_what_ends_the_bot() -> None:
    """A lost token, and whatever is no error."""
    with pytest.raises(Unauthorized), border("testing"):
        raise Unauthorized("revoked")
    with pytest.raises(KeyboardInterrupt), border("testing"):
        raise KeyboardInterrupt
    assert issubclass(Unauthorized, TakopiError)


async def test_the_system_clock_moves_with_time() -> None:
    """Sleeping until the past returns at once, until soon a little later."""
    clock = SystemClock()
    begun = clock.now()
    await clock.sleep_until(begun - 1)
    await clock.sleep_until(begun + 0.01)
    assert clock.now() >= begun + 0.01
