"""A journal that was lost while the bot was away, and a group that moved while it was there."""

import json
import signal
import tomllib
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from fakes.bot_process import BotProcess, appears, write_config
from fakes.outside import holds
from fakes.telegram_api import OWNER_ID, TelegramApi
from fakes.toy_engine import install_toy_engine
from takopi.app.home import Home
from takopi.app.journal import rebuilt_turns
from takopi.bridge.records import TurnRecord
from takopi.core.chat import Scope
from takopi.core.preferences import RunChoices
from takopi.process.run_views import list_runs, look_at_run

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120), pytest.mark.long]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "one" / ".takopi"
    home.mkdir(mode=0o700, parents=True)
    install_toy_engine(home, tmp_path / "bin")
    return home


def bot_of(home: Path, tmp_path: Path, *, traced: bool = False) -> BotProcess:
    paths = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "XDG_STATE_HOME": str(tmp_path / "s")}
    return BotProcess(home, paths, traced=traced)


def lose(home: Path, loss: str) -> None:
    """Spoil the journal; its log alone would bring all of it back."""
    for path in home.glob("takopi.db*"):
        if loss == "gone" or path.suffix != ".db":
            path.unlink()
        else:
            path.write_bytes(b"" if loss == "empty" else b"no journal at all\n" * 4096)


def has_old_file(home: Path) -> bool:
    return any(home.glob("takopi.db.damaged-*"))


async def run_ended(home: Path, run_id: str) -> None:
    await holds(lambda: look_at_run(home / "runs", run_id).state == "ended", 20)


@pytest.mark.parametrize(
    ("loss", "engine_ends"),
    [("garbage", True), ("empty", False), pytest.param("gone", True, marks=pytest.mark.full)],
)
async def test_a_lost_journal_is_told_and_its_runs_are_delivered(
    home: Path, tmp_path: Path, loss: str, engine_ends: bool
) -> None:
    """The old file is kept, the chat hears of it, and what no takopi saw ending arrives."""
    go_on = tmp_path / "go-on"
    async with TelegramApi() as api:
        write_config(home, api, tmp_path, 'default_engine = "toy"')
        async with bot_of(home, tmp_path) as bot:
            await api.wait_call("getUpdates", timeout_s=60)
            first = api.owner.say("hello")
            told = await api.wait_message(lambda m: "toy heard: hello" in (m.text or ""))
            api.owner.say(f"run: touch {tmp_path}/on\nwait: {go_on}\nsecond")
            await appears(tmp_path / "on")
            assert await bot.stop(signal.SIGKILL) == -signal.SIGKILL
        run = next(list_runs(home / "runs"))
        if engine_ends:
            go_on.touch()
            await run_ended(home, run.run_id)
        lose(home, loss)
        async with bot_of(home, tmp_path) as bot:
            note = await api.wait_message(lambda m: "new one was begun" in m.text, timeout_s=60)
            assert "2 turns could be rebuilt" in note.text
            go_on.touch()
            final = await api.wait_message(lambda m: "toy heard: second" in (m.text or ""))
            # Replies find their session by the rebuilt turns.
            api.owner.say("third", reply_to=first.id)
            third = await api.wait_message(lambda m: "toy heard: third" in (m.text or ""))
            assert third.text.splitlines()[-1] == told.text.splitlines()[-1]
            assert await bot.stop() == 0
        assert ("may have come before" in final.text) == engine_ends
        # What ended in the journal's last minute comes again, and says so: lost would be worse.
        answers = [m for m in api.bot_messages() if "toy heard: hello" in (m.text or "")]
        assert ["may have come before" in m.text for m in answers] == [False, True]
        assert has_old_file(home) == (loss != "gone")


async def test_a_terminals_run_and_one_that_is_unreadable_are_no_turns(
    home: Path, tmp_path: Path
) -> None:
    """The others are rebuilt all the same."""
    runs = home / "runs"
    for name, record in {
        "a": {"prompt": "in a terminal"},
        "b": {"turn_record": {"turn_id": 7}},
        "c": {
            "turn_record": {
                "turn_id": "t1",
                "scope": {"transport": "telegram", "chat_id": 1, "thread_id": None},
                "engine": "toy",
                "state": "starting",
            }
        },
    }.items():
        directory = runs / f"20260101-00000{len(name)}-000000-{name}"
        directory.mkdir(parents=True, mode=0o700)
        plan = {"engine": "toy", "cwd": str(tmp_path), "record": record}
        (directory / "run.json").write_text(json.dumps(plan))
    (turn,) = rebuilt_turns(Home(home), now=1_800_000_000.0)
    assert (turn.turn_id, turn.state, turn.cwd) == ("t1", "running", str(tmp_path))


async def test_a_rebuilt_turn_goes_on_where_and_how_it_began(home: Path, tmp_path: Path) -> None:
    """A reply to it finds project, branch and model, and whether the chat hears of it."""
    written = TurnRecord(
        turn_id="t1",
        scope=Scope("telegram", 1, 2),
        engine="toy",
        state="starting",
        origin="schedule",
        project="p",
        branch="b/1",
        choices=RunChoices(model="m", mode="plan"),
        verbosity="full",
        before="abc",
        silent=True,
        cwd=str(tmp_path),
    )
    directory = home / "runs" / "20260101-000001-000000-a"
    directory.mkdir(parents=True, mode=0o700)
    record = {"turn_record": msgspec.to_builtins(written)}
    plan = {"engine": "toy", "cwd": str(tmp_path), "record": record}
    (directory / "run.json").write_text(json.dumps(plan))
    (turn,) = rebuilt_turns(Home(home), now=1_800_000_000.0)
    assert turn == replace(written, state="running", run_id=directory.name)


async def test_a_group_that_moved_is_served_under_its_new_id(home: Path, tmp_path: Path) -> None:
    """At once, and after the next start: the configuration follows."""
    async with TelegramApi() as api:
        path = write_config(home, api, tmp_path, 'default_engine = "toy"')
        text = (
            path.read_text() + f"allowed_chat_ids = [-77, -78]\nallowed_user_ids = [{OWNER_ID}]\n"
        )
        path.write_text(text)
        for number in (-77, -78):
            api.world.group(number)
        async with bot_of(home, tmp_path, traced=True) as bot:
            await api.wait_call("getUpdates", timeout_s=60)
            api.owner.say("one", chat=-77)
            await api.wait_message(lambda m: "toy heard: one" in (m.text or ""))
            api.owner.upgrade(-77, -100200)
            api.owner.say("two", chat=-100200)
            answer = await api.wait_message(lambda m: "toy heard: two" in (m.text or ""))
            assert answer.chat.id == -100200
            api.owner.upgrade(-78, -100201)
            api.owner.say("three", chat=-100201)
            await api.wait_message(lambda m: "toy heard: three" in (m.text or ""))
            assert await bot.stop() == 0
        telegram = tomllib.loads(path.read_text())["transports"]["telegram"]
        assert telegram["allowed_chat_ids"] == [-100200, -100201], "a move undid another"
