"""A changed configuration comes at a bad moment, or asks for what cannot be."""

import fcntl
import signal
from collections.abc import Callable
from pathlib import Path

import anyio
import psutil
import pytest

from fakes.bot_process import BotProcess, appears, write_config
from fakes.outside import holds
from fakes.pty_user import ends_soon
from fakes.telegram_api import TOKEN, TelegramApi
from fakes.toy_engine import install_toy_engine
from store.examples import opened, received

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(90)]

OTHER_TOKEN = "987654321:AAStandInTokenOfThirtyFiveCharacter"
TAKEN = "takes the changed configuration"


@pytest.fixture
def start(tmp_path: Path) -> Callable[[], BotProcess]:
    home = tmp_path / "home" / ".takopi"
    home.mkdir(mode=0o700, parents=True)
    install_toy_engine(home, tmp_path / "bin")
    paths = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "XDG_STATE_HOME": str(tmp_path / "st")}
    return lambda: BotProcess(home, paths, traced=True)


def configured(tmp_path: Path, api: TelegramApi, more: str = "") -> Path:
    return write_config(
        tmp_path / "home" / ".takopi", api, tmp_path, f'default_engine = "toy"\n{more}'
    )


async def printed(bot: BotProcess, words: str, times: int = 1) -> None:
    await holds(lambda: bot.output.count(words) >= times, 30)


# Another bot.


async def test_another_bots_first_messages_are_no_repeats(tmp_path: Path) -> None:
    """Its updates and messages have the numbers that the last bot's had; a group's keep theirs."""
    store = opened(tmp_path / "takopi.db", offload=None)
    await store.belong_to("telegram 1")
    mine = received(1, message_id=1)
    assert len(await store.accept([mine], 1, 0.0)) == 1
    await store.belong_to("telegram 1")
    assert await store.accept([mine], 1, 0.0) == ()
    await store.belong_to("telegram 2")
    assert len(await store.accept([mine], 1, 0.0)) == 1
    await store.close()


# The whole bot.


async def test_a_token_that_nobody_knows_leaves_the_old_bot_serving(tmp_path: Path, start) -> None:
    """It is told, and then another bot is taken, whose messages are new though numbered alike."""
    async with TelegramApi() as api, TelegramApi(token=OTHER_TOKEN, username="other_bot") as other:
        path = configured(tmp_path, api)
        async with start() as bot:
            await api.wait_call("getUpdates", timeout_s=60)
            api.owner.say("first")
            await api.wait_message(lambda m: "toy heard: first" in (m.text or ""), timeout_s=30)
            before = path.read_text()
            path.write_text(before.replace(TOKEN, OTHER_TOKEN))
            await api.wait_message(
                lambda m: "is not taken" in (m.text or "") and "old one holds" in (m.text or ""),
                timeout_s=30,
            )
            api.owner.say("second")
            await api.wait_message(lambda m: "toy heard: second" in (m.text or ""), timeout_s=30)
            path.write_text(
                before.replace(TOKEN, OTHER_TOKEN).replace(api.base_url, other.base_url)
            )
            await other.wait_call("getUpdates", timeout_s=30)
            other.owner.say("third")
            await other.wait_message(lambda m: "toy heard: third" in (m.text or ""), timeout_s=30)
            assert await bot.stop() == 0
        told = [m for m in api.bot_messages() if "is not taken" in (m.text or "")]
        assert len(told) == 1
        assert "Traceback" not in bot.output


async def test_nothing_is_left_behind_by_reloads_and_ctrl_c_reaches_the_runs(
    tmp_path: Path, start
) -> None:
    """Neither descriptors nor dead holders; and a signal between two lives cancels what runs."""
    async with TelegramApi() as api:
        configured(tmp_path, api)
        async with start() as bot:
            await api.wait_call("getUpdates", timeout_s=60)
            process, marker = psutil.Process(bot.process.pid), tmp_path / "pid"
            api.owner.say(f"wait: {tmp_path}/go\nhello")
            await api.wait_for(lambda: api.bot_messages() or None, timeout_s=30)
            configured(tmp_path, api, "max_runs = 3")
            await printed(bot, TAKEN)
            (tmp_path / "go").touch()
            await api.wait_message(lambda m: "toy heard: hello" in (m.text or ""), timeout_s=30)
            await holds(lambda: not (process.children() or _owners(process)), 20)
            api.owner.say(f"run: echo $$ > {marker}.new; mv {marker}.new {marker}; sleep 600")
            await appears(marker)
            configured(tmp_path, api, "max_runs = 4")
            await printed(bot, TAKEN, 2)
            assert await bot.stop(signal.SIGINT) == 0
        assert ends_soon(int(marker.read_text()))
        assert any("■ cancelled · toy" in (m.text or "") for m in api.bot_messages())
        assert "Traceback" not in bot.output


def _owners(process: psutil.Process) -> list[Path]:
    found = (one for one in Path(f"/proc/{process.pid}/fd").iterdir() if one.is_symlink())
    return [target for one in found if (target := one.readlink()).name == "owner"]


async def test_a_change_does_not_cut_short_a_stop_that_is_under_way(tmp_path: Path, start) -> None:
    """The engine takes its time to end; its final comes all the same."""
    async with TelegramApi() as api:
        configured(tmp_path, api)
        async with start() as bot:
            await api.wait_call("getUpdates", timeout_s=60)
            marker = tmp_path / "pid"
            api.owner.say(
                f"run: trap '' INT TERM; echo $$ > {marker}.new; mv {marker}.new {marker}; "
                "while :; do sleep 1; done"
            )
            await appears(marker)
            bot.process.send_signal(signal.SIGINT)
            await printed(bot, "takopi stops, and")
            configured(tmp_path, api, "max_runs = 3")
            with anyio.fail_after(20):
                assert await bot.process.wait() == 0
        assert any("■ cancelled · toy" in (m.text or "") for m in api.bot_messages())
        assert ends_soon(int(marker.read_text()))
        assert TAKEN not in bot.output


async def test_a_command_that_takes_the_folder_between_two_lives_is_waited_for(
    tmp_path: Path, start: Callable[[], BotProcess]
) -> None:
    """`takopi init` and `takopi chat-id` right behind it do that."""
    async with TelegramApi() as api:
        path = configured(tmp_path, api)
        lock = path.parent / "bot.lock"
        async with start() as bot:
            await api.wait_call("getUpdates", timeout_s=60)
            path.write_text("max_runs = 3\n" + path.read_text())
            with lock.open("r+") as held:
                await anyio.to_thread.run_sync(fcntl.flock, held, fcntl.LOCK_EX)
                await printed(bot, "bot.waits_for_lock")
            api.owner.say("hello")
            await api.wait_message(lambda m: "toy heard: hello" in (m.text or ""), timeout_s=30)
            assert await bot.stop(signal.SIGTERM) == 0
        assert "Traceback" not in bot.output
