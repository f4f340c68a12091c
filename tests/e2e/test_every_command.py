"""Every command and directive in every kind of chat, with one bot of its own for each kind."""

import os
from collections.abc import Mapping
from pathlib import Path

import anyio
import pytest

from e2e.every_command.kinds import KINDS, Kind, Spot
from e2e.every_command.places import session_of
from e2e.every_command.row import Row
from e2e.every_command.table import COMMAND_ROWS, ROWS, begin, configure
from e2e.every_command.talk import DONE, Talk
from fakes.bot_process import BotProcess
from fakes.telegram_api import TOKEN, Message, TelegramApi
from fakes.telegram_api.oracle import check_calls
from takopi.core.commands import command_names

pytestmark = [pytest.mark.anyio]

ANONYMOUS_ADMIN = 1_087_968_824
"""The account that Telegram names as the sender of what anonymous admins write."""

CHANNEL = 136_817_688
"""And the one of what people write in the name of a channel."""


def environment_of(folder: Path) -> Mapping[str, str]:
    """Give a bot the toy engine, and a person whose name git knows."""
    person = folder / "person"
    person.mkdir()
    (person / ".gitconfig").write_text("[user]\nname = Ann\nemail = ann@example.org\n")
    return {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "HOME": str(person)}


def test_every_command_has_a_row() -> None:
    """A new command gets one, with a misuse; what is gone has none."""
    assert sorted(row.name for row in COMMAND_ROWS) == sorted(command_names())
    assert [row.name for row in COMMAND_ROWS if not row.misuse] == ["start"]


async def played(row: Row, talk: Talk, moved: int | None, failures: list[str]) -> None:
    """Play a row to its end, and write down what was wrong with it."""
    try:
        if moved is not None:
            await move(talk, moved)
        await row.play(talk)
    except (AssertionError, LookupError, TimeoutError, ValueError) as error:
        failures.append(f"===== {row.name}: {error!r}\n{talk.transcript()}")


async def move(talk: Talk, new: int) -> None:
    """Let a group become a supergroup while a turn runs there and the place is bound."""
    await talk.ask("/ctx set {project}", "run in ctx: {project} from now on")
    _, gate = await talk.begin("before the move")
    talk.person.upgrade(talk.chat, new)
    talk.chat = new
    gate.touch()
    await heard(talk.api, new, "toy heard: before the move")
    shown = await talk.ask("/ctx", f"ctx: {talk.project}")
    await talk.press(shown, "Clear", "run in no project from now on")


@pytest.mark.long
@pytest.mark.timeout(240)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_every_command_and_directive(kind: Kind, tmp_path: Path) -> None:
    """Each answers once, in its place, as a reply, and its buttons work there."""
    failures: list[str] = []
    async with TelegramApi() as api:
        api.world.threaded = kind.private and kind.topics
        await configure(tmp_path, api, kind)
        async with BotProcess(tmp_path / "home", environment_of(tmp_path)) as bot:
            await api.wait_call("getUpdates", timeout_s=60)
            talks = [begin(tmp_path, api, kind, number) for number in range(len(ROWS))]
            async with anyio.create_task_group() as group:
                for number, (row, talk) in enumerate(zip(ROWS, talks, strict=True)):
                    moved = Spot.numbered(kind, number).moved
                    group.start_soon(played, row, talk, moved, failures)
            assert not failures, "\n".join(failures)
            await bot.stop()
        for talk in talks:
            talk.look_back()
        refused = [call for call in api.calls.calls if call.code not in (None, 200)]
        moved = [call for call in refused if "upgraded to a supergroup" in str(call.answer)]
        assert refused == (moved if kind.moves else [])
        assert check_calls(api.calls, TOKEN) > len(talks), "the rules of somebody else, too"
        assert "Traceback" not in bot.output


@pytest.mark.long
@pytest.mark.timeout(120)
async def test_who_writes_as_the_group_is_a_stranger(tmp_path: Path) -> None:
    """Anonymous admins and channels are, also when somebody lists the account they come from."""
    kind = next(kind for kind in KINDS if kind.name == "group")
    async with TelegramApi() as api:
        await configure(tmp_path, api, kind, ANONYMOUS_ADMIN, CHANNEL)
        async with BotProcess(tmp_path / "home", environment_of(tmp_path)) as bot:
            await api.wait_call("getUpdates", timeout_s=60)
            talk = begin(tmp_path, api, kind, 0)
            chat = {"id": talk.chat, "type": "supergroup", "title": "Team"}
            channel = {"id": -1_008_000_000_000, "type": "channel", "title": "News"}
            admin = api.person(ANONYMOUS_ADMIN, "Group", "GroupAnonymousBot")
            poster = api.person(CHANNEL, "Channel", "Channel_Bot")
            for row in ROWS:
                for text in filter(None, (row.use, row.misuse)):
                    said = text.replace("{project}", talk.project)
                    admin.say(said, talk.chat, sender_chat=chat, author_signature="boss")
                    poster.say(said, talk.chat, sender_chat=channel)
            first = admin.say("hello", talk.chat, sender_chat=chat)
            admin.edit(first, "/status")
            admin.album(["look", ""], talk.chat, sender_chat=chat)
            poster.forward("news", talk.chat, sender_chat=channel, is_automatic_forward=True)
            # Everything before it was handled by the time that a person is answered.
            shown = await talk.ask("/status", "Nothing runs and nothing waits.")
            admin.say("/status", talk.chat, sender_chat=chat, reply_to=shown)
            await talk.ask("/queue", "Nothing waits here.")
            await bot.stop()
        talk.look_back()
        assert len(api.bot_messages()) == 2
        calls = [call.method for call in api.calls.calls if "chat_id" in call.params]
        assert calls == ["sendMessage", "sendMessage"]


@pytest.mark.long
@pytest.mark.timeout(120)
async def test_a_group_that_moves_takes_everything_along(tmp_path: Path) -> None:
    """Its turns, sessions, choices and schedules are there under the new id, and stay there."""
    kind = next(kind for kind in KINDS if kind.moves)
    environment = environment_of(tmp_path)
    async with TelegramApi() as api:
        await configure(tmp_path, api, kind)
        talk, new = begin(tmp_path, api, kind, 0), Spot.numbered(kind, 0).moved
        assert new is not None
        async with BotProcess(tmp_path / "home", environment):
            await api.wait_call("getUpdates", timeout_s=60)
            await talk.ask("/every 3h look around", "toy is asked every 3h")
            await talk.ask("/model small", "small is chosen for this chat.")
            _, gate = await talk.begin("at work")
            waits = talk.say("behind it")
            await talk.hear(waits, "1 before it in this session")
            talk.person.upgrade(talk.chat, new)
            talk.chat = new
            await talk.ask("/queue", "behind it")
            gate.touch()
            one = await heard(api, new, "toy heard: at work")
            other = await heard(api, new, "toy heard: behind it")
            assert session_of(one) == session_of(other)
            on = await talk.prompt("and on", "toy heard: and on")
            assert session_of(on) == session_of(one)
            again = await talk.prompt("by a reply", "toy heard: by a reply", reply_to=other)
            assert session_of(again) == session_of(one)
        async with BotProcess(tmp_path / "home", environment):
            await talk.ask("/model", "small (this chat)")
            listed = await talk.ask("/schedules", "1. every 3h, next ")
            await talk.press(listed, "1. Run now", "toy heard: look around")
            await talk.ask("/sessions", "· done · goes on here")
        talk.look_back()


async def heard(api: TelegramApi, chat: int, words: str) -> Message:
    """Wait for a final in a chat, whatever it replies to."""
    return await api.wait_message(
        lambda m: words in m.text and DONE in m.text, chat_id=chat, timeout_s=60
    )
