"""The bot as a process: how it starts, refuses to start, and ends."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import pytest

from fakes.bot_process import BotProcess, appears, write_config
from fakes.outside import holds
from fakes.pty_user import ends_soon
from fakes.telegram_api import TOKEN, TelegramApi
from fakes.toy_engine import install_toy_engine
from takopi.process.run_directory import RunDirectory
from takopi.process.run_views import is_running, list_runs

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(90), pytest.mark.long]

Start = Callable[..., BotProcess]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "one" / ".takopi"
    home.mkdir(mode=0o700, parents=True)
    install_toy_engine(home, tmp_path / "bin")
    return home


@pytest.fixture
def start(home: Path, tmp_path: Path) -> Start:
    def make(
        *arguments: str, at: Path = home, traced: bool = False, **environment: str
    ) -> BotProcess:
        found = {
            "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
            "XDG_STATE_HOME": str(tmp_path / "state"),
        }
        return BotProcess(at, found | environment, *arguments, traced=traced)

    return make


async def ended(bot: BotProcess) -> int:
    with anyio.fail_after(30):
        return await bot.process.wait()


async def stopping(bot: BotProcess, number: signal.Signals, times: int = 1) -> None:
    """Send a signal and wait until the bot has heard it; bots before it are heard as well."""
    bot.process.send_signal(number)
    await holds(lambda: bot.output.count("takopi stops, and") >= times, 20)


async def working(api: TelegramApi, tmp_path: Path, trap: str = "trap '' INT TERM; ") -> Path:
    """Start a turn that ignores polite signals, and return the file with its shell's pid."""
    marker = tmp_path / "pid"
    api.owner.say(
        f"run: {trap}echo $$ > {marker}.new; mv {marker}.new {marker}; while :; do sleep 1; done"
    )
    await appears(marker)
    return marker


@pytest.mark.parametrize(
    ("number", "on_stop", "trap"),
    [(signal.SIGTERM, "cancel", "trap '' INT TERM; "), (signal.SIGINT, "detach", "")],
)
async def test_a_signal_cancels_the_runs_and_tells_the_chat(
    home, start, tmp_path, number, on_stop, trap
) -> None:
    """Within 10 s, with exit status 0, and nothing is left running."""
    async with TelegramApi() as api:
        write_config(home, api, tmp_path, f'default_engine = "toy"\non_stop = "{on_stop}"')
        async with start(traced=number == signal.SIGINT) as bot:
            await api.wait_call("getUpdates", timeout_s=60)
            marker = await working(api, tmp_path, trap)
            began = time.monotonic()
            assert await bot.stop(number) == 0
            assert time.monotonic() - began < 10
        (final,) = api.bot_messages()
        assert "■ cancelled · toy" in (final.text or "")
        assert "toy --resume toy-" in (final.text or "")
        assert ends_soon(int(marker.read_text()))
        assert "takopi serves @takopi_test_bot" in bot.output
        assert "takopi stops, and cancels what runs (again: at once)" in bot.output
        assert "Traceback" not in bot.output


async def test_engines_go_on_without_the_bot_and_the_next_one_delivers(
    home, start, tmp_path
) -> None:
    """A service manager's signal leaves them working, twice in a row as well."""
    go_on = tmp_path / "go-on"
    async with TelegramApi() as api:
        write_config(home, api, tmp_path, 'default_engine = "toy"')
        async with start(traced=True) as bot:
            await api.wait_call("getUpdates", timeout_s=60)
            api.owner.say(f"run: touch {tmp_path}/on\nwait: {go_on}\nhello")
            await appears(tmp_path / "on")
            (run,) = list_runs(home / "runs")
            assert await bot.stop(signal.SIGHUP) == 0
        assert "takopi has stopped; 1 run goes on without it: `takopi ps` shows" in bot.output
        assert run.pid is not None
        assert is_running(RunDirectory(run.directory))
        polls = len(api.calls.of("getUpdates"))
        async with start() as bot:
            await api.wait_call("getUpdates", count=polls + 1, timeout_s=60)
            hanging = api.faults.add("hang", "sendMessage", times=1000)
            api.owner.say("/status")
            await api.wait_for(lambda: hanging.hits)  # what the first signal waits for
            await stopping(bot, signal.SIGTERM, times=2)
            go_on.touch()  # what is said meanwhile must not be lost by an impatient manager
            assert await bot.stop(signal.SIGTERM, limit_s=5) == 143
            api.faults.clear()
        async with start() as bot:
            await api.wait_message(lambda m: "toy heard: hello" in (m.text or ""), timeout_s=60)
            assert await bot.stop() == 0
        (_final,) = [m for m in api.bot_messages() if "toy heard: hello" in (m.text or "")]
        assert "Traceback" not in bot.output
        assert "error: " not in bot.output


async def test_ctrl_c_after_another_signal_ends_engines_at_once(home, start, tmp_path) -> None:
    """Those that an earlier bot started as well, although they were to be left."""
    async with TelegramApi() as api:
        write_config(home, api, tmp_path, 'default_engine = "toy"')
        async with start() as first:
            await api.wait_call("getUpdates", timeout_s=60)
            marker = await working(api, tmp_path)
            first.process.kill()
        polls = len(api.calls.of("getUpdates"))
        async with start() as bot:
            await api.wait_call("getUpdates", count=polls + 1, timeout_s=60)
            stuck = api.faults.add("hang", times=1000)
            api.owner.say("/status")
            await holds(lambda: stuck.hits, 20)
            await stopping(bot, signal.SIGTERM)
            assert await bot.stop(signal.SIGINT, limit_s=3) == 130
            api.faults.clear()
        assert ends_soon(int(marker.read_text()))


async def test_a_second_ctrl_c_leaves_at_once(home, start, tmp_path) -> None:
    """It does not wait for Telegram, and yet no engine is left."""
    async with TelegramApi() as api:
        write_config(home, api, tmp_path, 'default_engine = "toy"')
        async with start() as bot:
            await api.wait_call("getUpdates", timeout_s=60)
            marker = await working(api, tmp_path)
            stuck = api.faults.add("hang", times=100)
            bot.process.send_signal(signal.SIGINT)
            await holds(lambda: stuck.hits, 20)
            assert await bot.stop(signal.SIGINT, limit_s=2) in (0, 130)
            api.faults.clear()
        assert ends_soon(int(marker.read_text()))


async def test_a_token_that_telegram_does_not_know_ends_with_78(home, start, tmp_path) -> None:
    """The text says what to do, and does not have the token."""
    async with TelegramApi() as api:
        path = write_config(home, api, tmp_path, 'default_engine = "toy"')
        wrong = TOKEN[:-3] + "xxx"
        path.write_text(path.read_text().replace(TOKEN, wrong))
        async with start() as bot:
            assert await ended(bot) == 78
        assert "does not know this bot token" in bot.output
        assert "@BotFather" in bot.output
        assert wrong not in bot.output
        assert "Traceback" not in bot.output


async def test_a_token_revoked_while_the_bot_runs_ends_with_78(home, start, tmp_path) -> None:
    """The poll that is refused is the last one."""
    async with TelegramApi() as api:
        write_config(home, api, tmp_path, 'default_engine = "toy"')
        async with start() as bot:
            await api.wait_call("getUpdates", timeout_s=60)
            api.revoked = True
            api.owner.say("wake up")
            assert await ended(bot) == 78
        assert "Traceback" not in bot.output


async def test_one_bot_for_a_folder_and_one_for_a_token(home, start, tmp_path) -> None:
    """The second one says which process holds it, and the first one goes on."""
    other = tmp_path / "two" / ".takopi"
    async with TelegramApi() as api:
        for folder in (home, other):
            write_config(folder, api, tmp_path, 'default_engine = "toy"')
        install_toy_engine(other, tmp_path / "bin")
        async with start() as first:
            await api.wait_call("getUpdates", timeout_s=60)
            for folder, what in ((home, f"the folder {home}"), (other, "the bot with this token")):
                async with start(at=folder) as second:
                    assert await ended(second) == 2
                told = f"{what} is already served by takopi (process {first.process.pid})"
                assert told in second.output
            asked = api.owner.say("hello")
            await api.wait_message(lambda m: "toy heard: hello" in (m.text or ""))
            await api.wait_for(lambda: asked.reactions == ["👌"])  # the configuration's default
            assert await first.stop() == 0
        polls = len(api.calls.of("getUpdates"))
        async with start(at=other) as third:
            await api.wait_call("getUpdates", count=polls + 1, timeout_s=60)
            assert await third.stop() == 0


@pytest.fixture
def hang_up_ignored() -> Iterator[None]:
    """Start programs as `nohup` does."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hang_up_ignored")
async def test_an_engine_on_the_command_line_goes_first(home, start, tmp_path) -> None:
    """`nohup takopi toy` serves with toy in work_dir, and a hang-up does not end it."""
    work = tmp_path / "work"
    work.mkdir()
    async with TelegramApi() as api:
        write_config(home, api, work, 'default_engine = "codex"')
        async with start("toy", TAKOPI_TELEGRAM_TOKEN=TOKEN) as bot:
            await api.wait_call("getUpdates", timeout_s=60)
            bot.process.send_signal(signal.SIGHUP)
            api.owner.say("run: touch made-here\nhello")
            await api.wait_message(lambda m: "toy heard: hello" in (m.text or ""))
            assert await bot.stop() == 0
        assert (work / "made-here").exists()


async def test_a_signal_while_telegram_is_away_ends_the_bot(home, start, tmp_path) -> None:
    """A bot that waits for the network can be stopped like any other."""
    async with TelegramApi() as api:
        write_config(home, api, tmp_path, 'default_engine = "toy"')
        api.faults.add("status", "getMe", times=1000)
        async with start() as bot:
            await holds(lambda: "telegram.connect_failed" in bot.output, 60)
            assert await bot.stop() == 0
