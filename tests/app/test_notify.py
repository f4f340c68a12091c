"""systemd is told when the bot is ready, that it lives, and when it leaves."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from fakes.bot_process import BotProcess, write_config
from fakes.clock import VirtualClock, settle
from fakes.telegram_api import TOKEN, TelegramApi
from fakes.toy_engine import install_toy_engine
from takopi.app.notify import POLL_FRESH_S, ServiceNotifier, keep_alive, watchdog_period_s
from takopi.telegram.transport import TelegramConfig, TelegramTransport

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(90), pytest.mark.long]


class Manager:
    """Be the socket of a service manager.

    Args:
        address: A path, or a zero byte and a name.
    """

    def __init__(self, address: str) -> None:
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.bind(address)
        self._sock.settimeout(0)
        self.name = "@" + address[1:] if address.startswith("\0") else address
        self.heard: list[str] = []
        self._expected = 0

    def close(self) -> None:
        """Listen no more."""
        self._sock.close()

    def collect(self) -> list[str]:
        """Return what was said since the last call."""
        said: list[str] = []
        while True:
            try:
                said += self._sock.recv(4096).decode().split("\n")
            except BlockingIOError:
                self.heard += said
                return said

    async def expect(self, state: str, limit_s: float = 30) -> None:
        """Wait until something is said after what was expected before."""
        with anyio.fail_after(limit_s):
            while state not in self.heard[self._expected :]:
                await anyio.wait_readable(self._sock)
                self.collect()
        self._expected = self.heard.index(state, self._expected) + 1


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path) -> Iterator[Manager]:
    address = str(tmp_path / "notify") if request.param == "path" else f"\0takopi-{tmp_path}"
    manager = Manager(address)
    yield manager
    manager.close()


class Polls:
    """Be polls whose last success a test decides."""

    def __init__(self) -> None:
        self.last_poll_at: float | None = None


async def test_states_reach_the_manager(manager) -> None:
    """Over a socket in the file system and an abstract one; a status is told when it changes."""
    notifier = ServiceNotifier({"NOTIFY_SOCKET": manager.name})
    assert notifier.wanted
    notifier.send("READY=1", "STATUS=here")
    assert manager.collect() == ["READY=1", "STATUS=here"]
    for text in ("one", "one", "two"):
        notifier.status(text)
    assert manager.collect() == ["STATUS=one", "STATUS=two"]


@pytest.mark.parametrize("name", [None, "", "vsock:2:1234"])
async def test_without_a_manager_nothing_happens(name) -> None:
    """Neither without one nor with one of another kind."""
    notifier = ServiceNotifier({} if name is None else {"NOTIFY_SOCKET": name})
    assert not notifier.wanted
    notifier.send("READY=1")


async def test_a_manager_that_is_gone_costs_a_log_line(tmp_path, capsys) -> None:
    """The bot does not end because nobody listens."""
    ServiceNotifier({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).send("READY=1")
    assert "service.not_notified (error=[Errno 2]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environment", "period_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
async def test_the_period_is_what_the_manager_wants_of_this_process(environment, period_s) -> None:
    """A period that is meant for another process, or is no number, counts for nothing."""
    assert watchdog_period_s(environment, 7) == period_s


async def test_a_bot_that_does_not_hear_telegram_gives_no_sign(tmp_path) -> None:
    """It lives for the manager while polls are answered, and again once they are."""
    manager = Manager(str(tmp_path / "notify"))
    notifier = ServiceNotifier({"NOTIFY_SOCKET": manager.name})
    polls, clock = Polls(), VirtualClock()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keep_alive, notifier, polls, clock, 60.0, lambda: "serves @bot")
        await settle()
        assert manager.collect() == ["WATCHDOG=1", "STATUS=serves @bot"]
        await clock.advance(30)  # half the period
        assert manager.collect() == ["WATCHDOG=1"]
        polls.last_poll_at = clock.now()
        await clock.advance(POLL_FRESH_S)
        assert manager.collect() == ["WATCHDOG=1"] * 4
        await clock.advance(60)
        assert manager.collect() == [
            "STATUS=no answer of Telegram was taken for 2 min",
            "STATUS=no answer of Telegram was taken for 3 min",
        ]
        polls.last_poll_at = clock.now()
        await clock.advance(30)
        assert manager.collect() == ["WATCHDOG=1", "STATUS=serves @bot"]
        tasks.cancel_scope.cancel()
    manager.close()


async def test_without_a_watchdog_the_status_is_shown_all_the_same(tmp_path) -> None:
    """`systemctl status` says what the bot does, whatever the unit wants."""
    manager = Manager(str(tmp_path / "notify"))
    notifier = ServiceNotifier({"NOTIFY_SOCKET": manager.name})
    clock = VirtualClock()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keep_alive, notifier, Polls(), clock, None, lambda: "serves @bot")
        await clock.advance(POLL_FRESH_S + 60)
        assert manager.collect() == [
            "STATUS=serves @bot",
            "STATUS=no answer of Telegram was taken for 3 min",
        ]
        tasks.cancel_scope.cancel()
    manager.close()


async def test_polls_that_fail_are_no_sign_of_life(tmp_path) -> None:
    """The real poll loop against a Telegram that answers every poll with an error."""
    manager = Manager(str(tmp_path / "notify"))
    notifier = ServiceNotifier({"NOTIFY_SOCKET": manager.name})
    clock = VirtualClock()
    async with TelegramApi() as api:
        transport = TelegramTransport(
            TelegramConfig(TOKEN, api.base_url), clock=clock, jitter=lambda: 0.0
        )
        await transport.connect()

        async def poll() -> None:
            async for _ in transport.updates():
                pass

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(poll)
            await api.wait_call("getUpdates", timeout_s=30)
            api.owner.say("hello")  # ends the first poll
            await api.wait_call("getUpdates", count=2, timeout_s=30)
            assert transport.last_poll_at == clock.now()
            broken = api.faults.add("status", "getUpdates", times=1000)
            api.owner.say("wake up")
            await api.wait_call("getUpdates", count=3, timeout_s=30)
            tasks.start_soon(keep_alive, notifier, transport, clock, 60.0, lambda: "fine")
            await settle()
            assert manager.collect() == ["WATCHDOG=1", "STATUS=fine"]
            calls = broken.hits
            for _ in range(40):
                await clock.advance(5)
            assert broken.hits > calls
            said = manager.collect()
            assert said.count("WATCHDOG=1") == 4  # those within the 120 s
            assert said[-1].startswith("STATUS=no answer of Telegram was taken")
            tasks.cancel_scope.cancel()
        await transport.aclose()
    manager.close()


async def test_a_bot_tells_the_manager_from_its_start_to_its_end(tmp_path: Path) -> None:
    """The process itself: READY once it polls, WATCHDOG while it does, STOPPING at a signal."""
    manager = Manager(str(tmp_path / "notify"))
    home, bin_dir = tmp_path / "home", tmp_path / "bin"
    async with TelegramApi() as api:
        write_config(home, api, tmp_path, 'default_engine = "toy"')
        install_toy_engine(home, bin_dir)
        environment = {
            "PATH": f"{bin_dir}:{os.environ['PATH']}",
            "NOTIFY_SOCKET": manager.name,
            "WATCHDOG_USEC": "400000",
        }
        unavailable = api.faults.add("status", "getMe")
        async with BotProcess(home, environment, traced=True) as bot:
            await manager.expect("READY=1", 60)
            assert unavailable.hits == 1  # and that was no reason to call itself ready
            assert len(api.calls.of("getMe")) == 2
            await manager.expect("STATUS=serves @takopi_test_bot")
            await manager.expect("WATCHDOG=1")
            await manager.expect("WATCHDOG=1")
            assert len(api.calls.of("getUpdates")) == 1
            assert await bot.stop() == 0
            assert "STOPPING=1" in manager.collect()
        assert manager.heard.count("READY=1") == 1
    manager.close()
