"""`takopi stop`: the bot and its runs end, also when no bot answers or none is there."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from fakes.bot_process import BotProcess, appears, write_config
from fakes.pty_user import ends_soon
from fakes.telegram_api import TelegramApi
from takopi.app.bot_lock import running_bot
from takopi.app.home import Home
from takopi.app.stop import StopPatience, stop_everything
from takopi.bridge.records import TurnRecord
from takopi.core.chat import Scope
from takopi.errors import UsageError
from takopi.process.run_views import list_runs
from takopi.store.reading import open_reading

pytestmark = [pytest.mark.usefixtures("toy"), pytest.mark.timeout(90)]

HURRY = StopPatience(orderly_s=0.3, killed_s=0.3)


@pytest.fixture
def home(takopi_home: Path) -> Home:
    return Home(takopi_home)


def test_where_nothing_works_nothing_is_ended(inside, home) -> None:
    """And that is said, with exit status 0."""
    done = inside("stop")
    assert (done.returncode, done.stdout) == (0, "no bot runs, and no engine works\n")
    inside("toy", "hello")
    assert inside("stop").stdout == "no bot runs, and no engine works\n"


@pytest.mark.long
def test_runs_that_nobody_has_are_ended_and_written_down(
    inside, journal, left_run, home, argv, environment
) -> None:
    """The next bot tells their turns as cancelled; a run in a terminal goes on."""
    run = left_run("run: sleep 3600")
    frame = {"scope": Scope("telegram", 5, None), "engine": "toy"}
    journal(
        TurnRecord(turn_id="at-work", state="running", run_id=run.run_id, **frame),
        TurnRecord(turn_id="waits", **frame),
    )
    with subprocess.Popen(
        [*argv, "toy", "wait: never"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as terminal:
        assert terminal.stderr is not None
        while "▸" not in terminal.stderr.readline():
            assert terminal.poll() is None
        done = inside("stop")
        assert (done.returncode, done.stdout) == (0, f"ended toy ({run.run_id})\n")
        states = {view.run_id: view.state for view in list_runs(home.runs)}
        assert states.pop(run.run_id) == "ended"
        assert list(states.values()) == ["running"]
        terminal.terminate()
        terminal.communicate()
    assert run.pid is not None
    assert ends_soon(run.pid)
    reading = open_reading(home.journal)
    assert reading is not None
    with reading:
        turns = {turn.turn_id: turn for turn in reading.turns()}
    assert turns["at-work"].cancelled
    assert turns["at-work"].cancel_reason == "ended by `takopi stop`"
    assert turns["at-work"].state == "running"
    assert not turns["waits"].cancelled


def test_a_journal_that_takes_nothing_is_told(inside, left_run, home) -> None:
    """The run is ended all the same."""
    run = left_run("wait: never")
    home.journal.write_bytes(b"no journal at all " * 1000)
    home.journal.chmod(0o600)
    done = inside("stop")
    assert done.returncode == 0
    assert "this is not written down: the journal " in done.stdout
    assert f"ended toy ({run.run_id})\n" in done.stdout


@pytest.fixture
def shut_in(home) -> Iterator[None]:
    """Hold the lock as a process does that cannot be seen from here."""
    with home.bot_lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.mark.anyio
@pytest.mark.usefixtures("shut_in")
async def test_a_bot_that_cannot_be_seen_is_told(home) -> None:
    """Nothing is signalled by a number that may be anybody's."""
    with pytest.raises(UsageError, match="held by a process that cannot be seen from here"):
        await stop_everything(home, print, HURRY)


@pytest.mark.long
@pytest.mark.anyio
async def test_a_bot_ends_its_runs_and_itself(home, environment, tmp_path) -> None:
    """Whatever `on_stop` says, and also a bot that ignores Ctrl-C; the chat is told."""
    async with TelegramApi() as api:
        write_config(home.path, api, tmp_path, 'default_engine = "toy"\non_stop = "detach"')
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in a shell's background
        try:
            bot = BotProcess(home.path, environment)
            await bot.__aenter__()
        finally:
            signal.signal(signal.SIGINT, before)
        try:
            await api.wait_call("getUpdates", timeout_s=60)
            api.owner.say(f"run: touch {tmp_path}/on; exec sleep 3600")
            await appears(tmp_path / "on")
            (run,) = list_runs(home.runs)
            said: list[str] = []
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(bot.process.wait)  # a child that is not waited for stays
                await stop_everything(home, said.append)
            assert bot.process.returncode == 0
        finally:
            await bot.__aexit__(None, None, None)
        assert said == [f"takopi (process {bot.process.pid}) ends its runs and itself"]
        (final,) = api.bot_messages()
        assert "■ cancelled · toy" in (final.text or "")
        assert run.pid is not None
        assert ends_soon(run.pid)


@pytest.mark.long
@pytest.mark.anyio
async def test_a_bot_that_does_not_answer_is_killed_and_its_runs_ended(
    home, environment, tmp_path
) -> None:
    """A stopped process takes no signal but the last one; the next bot tells the chat."""
    async with TelegramApi() as api:
        write_config(home.path, api, tmp_path, 'default_engine = "toy"')
        async with BotProcess(home.path, environment) as bot:
            await api.wait_call("getUpdates", timeout_s=60)
            api.owner.say(f"run: touch {tmp_path}/on; exec sleep 3600")
            await appears(tmp_path / "on")
            (run,) = list_runs(home.runs)
            bot.process.send_signal(signal.SIGSTOP)
            said: list[str] = []
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(bot.process.wait)
                await stop_everything(home, said.append, StopPatience(0.3, 10))
        assert said == [
            f"takopi (process {bot.process.pid}) ends its runs and itself",
            "it does not answer, and is killed",
            f"ended toy ({run.run_id})",
        ]
        assert running_bot(home) is None
        assert run.pid is not None
        assert ends_soon(run.pid)
        async with BotProcess(home.path, environment) as bot:
            told = await api.wait_message(lambda m: "■ cancelled" in (m.text or ""), timeout_s=60)
            assert "ended by takopi stop" in (told.text or "")
            assert await bot.stop() == 0


@pytest.mark.anyio
async def test_a_bot_that_is_started_again_meanwhile_is_told(home) -> None:
    """A service manager may do that, and is then the one to speak with."""
    code = (
        "import sys; from pathlib import Path; from takopi.app.locks import Flock\n"
        "lock = Flock(Path(sys.argv[1])); assert lock.acquire() is None\n"
        "print('held', flush=True); sys.stdin.read()"
    )

    def hold() -> subprocess.Popen[str]:
        holder = subprocess.Popen(
            [sys.executable, "-c", code, str(home.bot_lock)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert holder.stdout is not None
        holder.stdout.readline()
        return holder

    first = hold()
    held: list[subprocess.Popen[str]] = []

    def again(_line: str) -> None:
        if not held:
            os.kill(first.pid, signal.SIGKILL)
            first.communicate()
            held.append(hold())

    with pytest.raises(UsageError) as caught:
        await stop_everything(home, again, HURRY)
    assert f"takopi was started again (process {held[0].pid}); end it with `kill" in str(
        caught.value
    )
    held[0].kill()
    held[0].communicate()
