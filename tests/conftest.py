"""What every test shares: hypothesis profiles and a home of its own."""

import gc
import itertools
import os
import signal
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

# Without `explain`: it traces each line of a failing law, until the law fails for its time instead.
_PHASES = tuple(phase for phase in Phase if phase is not Phase.explain)

for name, examples in (("short", 200), ("full", 10_000)):
    settings.register_profile(
        name,
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        phases=_PHASES,
    )
settings.load_profile("full" if os.environ.get("TAKOPI_TEST_FULL") else "short")


_numbers = itertools.count()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect with the garbage collector at rest: it would walk over all imports again and again.

    What is there afterwards stays to the end, and is not looked at any more. A third of the time
    of collecting and a tenth of that of the tests went into it.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        gc.enable()


@pytest.fixture
def anyio_backend() -> str:
    """Run every async test on asyncio, the only backend that aiogram knows."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def signals_as_a_shell_leaves_them() -> None:
    """Heed what `nohup` or a shell's `&` had ignored: processes under test would inherit it."""
    for number, usual in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGHUP, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


@pytest.fixture(autouse=True)
def takopi_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test a TAKOPI_HOME of its own, so that no test sees a person's files."""
    # Not mktemp: it looks at all folders there are, for each of thousands of tests.
    home = tmp_path_factory.getbasetemp() / f"home-of-{next(_numbers)}" / ".takopi"
    home.parent.mkdir(mode=0o700)
    home.mkdir(mode=0o700)
    monkeypatch.setenv("TAKOPI_HOME", str(home))
    monkeypatch.setenv("XDG_STATE_HOME", str(home.parent / "state"))
    return home


@pytest.fixture(autouse=True)
def nothing_stays_bound() -> Iterator[None]:
    """Fail a test that leaves its run host to the tests after it, whatever their order is."""
    yield
    runtime = sys.modules.get("takopi.runner_runtime")
    assert runtime is None or not runtime._bound
