"""What an edit of an earlier message does."""

import anyio
import pytest

from bridge.dispatch_stage import Stage, staged
from fakes.scripted_engine import gated
from takopi.bridge.edits import NotTaken, late_words, revised
from takopi.bridge.records import TurnPut, TurnRecord
from takopi.core.access import access_policy
from takopi.core.chat import MessageEdited, RepliedTo, Scope
from takopi.core.chat_settings import ChatSettings, SessionMode
from takopi.core.decisions import Prompt
from takopi.core.gathering import LONG_UNITS
from takopi.model import ResumeToken

pytestmark = pytest.mark.anyio

LONG = "x" * LONG_UNITS


def busy(stage: Stage) -> anyio.Event:
    """Let the next turn of codex run until a gate opens."""
    gate = anyio.Event()
    stage.codex.scripts = [gated(gate)]
    return gate


async def test_an_edit_of_a_prompt_that_waits_replaces_its_words() -> None:
    """Quietly: the turn starts with the new words."""
    async with staged(max_runs=1) as stage:
        gate = busy(stage)
        await stage.arrive(stage.chat.message("runs"))
        waits = stage.chat.message("//old words")
        await stage.arrive(waits)
        await stage.clock.advance(5)
        calls = len(stage.chat.calls)
        await stage.arrive(stage.edit(waits, "//new words"))
        assert len(stage.chat.calls) == calls
        assert await stage.unhandled() == []
        gate.set()
        await stage.clock.advance(5)
        assert stage.prompts() == ["runs", "/new words"]


async def test_an_edit_and_its_mark_are_one_transaction() -> None:
    """A crash between the two would take the words of the old or of the new message, never both."""
    async with staged(max_runs=1) as stage:
        busy(stage)
        waits = stage.chat.message("old")
        await stage.arrive(stage.chat.message("runs"))
        await stage.arrive(waits)
        await stage.arrive(stage.edit(waits, "new"))
        put, mark = stage.store.commits[-1]
        assert isinstance(put, TurnPut)
        assert put.turn.prompt == "new"
        assert type(mark).__name__ == "UpdateHandled"


async def test_an_edit_in_the_same_answer_is_in_time() -> None:
    """Nothing starts before everything that is at hand was read, in whatever order it came."""
    async with staged() as stage:
        message = stage.chat.message("old")
        await stage.arrive(stage.edit(message, "new"), message)
        assert stage.prompts() == ["new"]
        assert await stage.unhandled() == []


async def test_an_edit_replaces_its_own_piece() -> None:
    """Only the first piece has directives; the others are content."""
    async with staged() as stage:
        first, second = stage.chat.message(f"/claude {LONG}"), stage.chat.message("rest")
        theirs = stage.chat.message("theirs", forwarded=True)
        await stage.arrive(
            first,
            second,
            theirs,
            stage.edit(second, "/cancel the rest"),
            stage.edit(first, "/claude look"),
        )
        assert [turn.request.prompt for turn in stage.claude.turns] == [
            "look\n/cancel the rest\n\ntheirs"
        ]


async def test_the_newest_edit_counts() -> None:
    """A service may hand out edits in another order."""
    async with staged(max_runs=1) as stage:
        gate = busy(stage)
        await stage.arrive(stage.chat.message("runs"))
        waits = stage.chat.message("old")
        await stage.arrive(waits)
        edits = [stage.edit(waits, f"edit {n}", edited_at=float(n)) for n in range(3)]
        await stage.arrive(edits[2])
        await stage.arrive(edits[1])
        gate.set()
        await stage.clock.advance(5)
        assert stage.prompts() == ["runs", "edit 2"]


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("go", "/claude go", "it is for claude, and this turn is codex's"),
        ("go", "codex resume other", "it names another session"),
        ("go", "claude resume other\ngo", "it is for claude, and this turn is codex's"),
        ("go", "/cancel", "it reads as a command"),
        ("go", "/nobody", "it reads as a command"),
        ("go", "/codex", "it reads as a command"),
        ("go", "/codex /claude go", "it names claude, and this turn is codex's"),
        ("go", " ", "it has no words"),
        ("codex resume old\ngo", "go", "it names another session"),
    ],
)
async def test_an_edit_that_asks_for_something_else_is_not_taken(
    before: str, after: str, why: str
) -> None:
    """The prompt waits as it was, and the person is told why in one line."""
    async with staged(max_runs=1) as stage:
        gate = busy(stage)
        await stage.arrive(stage.chat.message("runs"))
        waits = stage.chat.message(before)
        await stage.arrive(waits)
        await stage.arrive(stage.edit(waits, after))
        await stage.clock.advance(5)
        assert stage.answers() == [
            f"This edit was not taken over, because {why}. The prompt waits as it was: cancel it "
            "and send a new one to change that."
        ]
        assert await stage.unhandled() == []
        gate.set()
        await stage.clock.advance(5)
        assert stage.prompts() == ["runs", "go"]


@pytest.mark.parametrize("known", [True, False])
async def test_an_edited_reply_stays_in_its_session(known: bool) -> None:
    """Whether the message it replies to is known by its id or has a resume line."""
    async with staged() as stage:
        first = stage.chat.message("/claude one")
        await stage.arrive(first)
        await stage.clock.advance(5)
        stage.max_runs = 1
        stage.claude.scripts = [gated(gate := anyio.Event())]
        reply = RepliedTo(9, "`claude resume s1`", from_this_bot=True)
        target = {"reply_to": first.message_id} if known else {"reply": reply}
        await stage.arrive(stage.chat.message("runs", **target))
        waits = stage.chat.message("old", **target)
        await stage.arrive(waits)
        await stage.arrive(stage.edit(waits, "new"))
        gate.set()
        await stage.clock.advance(9)
        assert stage.answers() == []
        assert stage.prompts() == ["one", "runs", "new"]
        assert stage.claude.turns[2].request.resume == ResumeToken("claude", "s1")


async def test_an_edit_after_the_start_offers_to_send_the_new_words() -> None:
    """In one line at the message; the button makes a turn in the same session, once."""
    async with staged() as stage:
        message = stage.chat.message("/claude one")
        await stage.arrive(message)
        await stage.clock.advance(5)
        await stage.arrive(stage.edit(message, "/claude two"))
        await stage.clock.advance(5)
        (answer,) = stage.answers()
        assert answer.startswith("The turn of this prompt had started before it was edited")
        shown = stage.chat.find("had started before")
        assert shown.options is not None
        assert shown.options.reply_to is not None
        assert shown.options.reply_to.message_id == message.message_id
        data, _ = stage.button("Send as new")
        assert await stage.press("Send as new") == "Send as new"
        await stage.clock.advance(9)
        assert stage.prompts() == ["one", "two"]
        assert stage.claude.turns[1].request.resume == ResumeToken("claude", "s1")
        assert stage.chat.find("→ Send as new").message is not None
        assert await stage.press_data(data) == "Decided already: Send as new"
        assert stage.prompts() == ["one", "two"]
        assert await stage.unhandled() == []


@pytest.mark.parametrize("mode", ["stateless", "chat"])
@pytest.mark.parametrize("to_one", [True, False])
async def test_a_prompt_behind_new_is_edited_like_any_other(
    mode: SessionMode, to_one: bool
) -> None:
    """While it waits its words are replaced; later they are offered to its session."""
    async with staged(max_runs=1, chats=ChatSettings(session_mode=mode)) as stage:
        gate = busy(stage)
        first = stage.chat.message("runs")
        await stage.arrive(first)
        reply = first.message_id if to_one else None
        waits = stage.chat.message("/new /claude teh words", reply_to=reply)
        await stage.arrive(waits)
        await stage.arrive(stage.edit(waits, "/new /claude the words"))
        assert stage.answers() == []
        gate.set()
        await stage.clock.advance(9)
        assert stage.prompts() == ["runs", "the words"]
        await stage.arrive(stage.edit(waits, "/new /claude more words"))
        await stage.clock.advance(5)
        await stage.press("Send as new")
        await stage.clock.advance(9)
        assert stage.prompts() == ["runs", "the words", "more words"]
        assert stage.claude.turns[1].request.resume == ResumeToken("claude", "s1")
        await stage.arrive(stage.edit(waits, "/new"))
        await stage.clock.advance(5)
        assert "it reads as a command" in stage.answers()[-1]


async def test_new_words_that_were_sent_can_be_edited_while_they_wait() -> None:
    """The prompt's message belongs to the newest turn that was made of it."""
    async with staged() as stage:
        message = stage.chat.message("one")
        await stage.arrive(message)
        await stage.clock.advance(5)
        gate = busy(stage)
        await stage.arrive(stage.chat.message("runs", reply_to=message.message_id))
        await stage.arrive(stage.edit(message, "two"))
        await stage.clock.advance(5)
        await stage.press("Send as new")
        await stage.arrive(stage.edit(message, "three"))
        gate.set()
        await stage.clock.advance(9)
        assert stage.prompts() == ["one", "runs", "three"]


@pytest.mark.parametrize(
    ("after", "why"),
    [
        ("/codex two", "it names codex, and this turn is claude's"),
        ("/cancel", "it reads as a command"),
        ("  ", "it has no words"),
    ],
)
async def test_a_late_edit_that_cannot_be_sent_is_told(after: str, why: str) -> None:
    """There is nothing to offer."""
    async with staged() as stage:
        message = stage.chat.message("/claude one")
        await stage.arrive(message)
        await stage.clock.advance(5)
        await stage.arrive(stage.edit(message, after))
        await stage.clock.advance(5)
        assert stage.answers() == [
            f"This edit was not taken over, because {why}. Send it as a new message."
        ]


async def test_a_late_edit_of_a_later_piece_offers_that_piece() -> None:
    """It is content, as it was before."""
    async with staged() as stage:
        first, second = stage.chat.message(LONG), stage.chat.message("rest")
        await stage.arrive(first, second)
        await stage.clock.advance(5)
        await stage.arrive(stage.edit(second, "/the rest"))
        await stage.clock.advance(5)
        await stage.press("Send as new")
        assert stage.prompts() == [f"{LONG}\nrest", "/the rest"]


async def test_an_edit_that_changes_no_words_says_nothing() -> None:
    """A client sends one also for a link's preview."""
    async with staged(max_runs=1) as stage:
        busy(stage)
        runs, waits = stage.chat.message("runs"), stage.chat.message("waits")
        await stage.arrive(runs, waits)
        await stage.clock.advance(5)
        calls = len(stage.chat.calls)
        await stage.arrive(stage.edit(runs, "runs"), stage.edit(waits, "waits "))
        assert len(stage.chat.calls) == calls
        assert [turn.prompt for turn in stage.scheduler.turns()] == ["runs", "waits"]
        assert await stage.unhandled() == []


async def test_edits_of_commands_and_of_unknown_messages_are_ignored() -> None:
    """They were answered, or never came."""
    async with staged() as stage:
        command, unknown = stage.chat.message("/help"), stage.chat.message("never came")
        await stage.arrive(command)
        await stage.clock.advance(5)
        calls = len(stage.chat.calls)
        await stage.arrive(stage.edit(command, "do it"), stage.edit(unknown, "do it"))
        assert len(stage.chat.calls) == calls
        assert stage.prompts() == []
        assert await stage.unhandled() == []


async def test_only_the_asker_edits_a_prompt() -> None:
    """Others are served in the chat, but the message is not theirs."""
    access = access_policy(chat_id=1, allowed_user_ids=[1, 2])
    async with staged(max_runs=1, access=access) as stage:
        busy(stage)
        runs, waits = stage.chat.message("runs"), stage.chat.message("waits")
        await stage.arrive(runs, waits)
        await stage.arrive(stage.edit(waits, "mine now", sender_id=2))
        await stage.arrive(stage.edit(waits, "mine now", sender_id=3))
        assert [turn.prompt for turn in stage.scheduler.turns()] == ["runs", "waits"]
        assert await stage.unhandled() == []


async def test_an_edit_that_the_journal_refuses_is_tried_again() -> None:
    """The prompt waits as it was until then."""
    async with staged(max_runs=1) as stage:
        gate = busy(stage)
        runs, waits = stage.chat.message("runs"), stage.chat.message("old")
        await stage.arrive(runs, waits)
        stage.store.refuses = lambda changes: True
        await stage.arrive(stage.edit(waits, "new"))
        assert [turn.prompt for turn in stage.scheduler.turns()] == ["runs", "old"]
        stage.store.refuses = lambda changes: False
        await stage.clock.advance(3)
        assert [turn.prompt for turn in stage.scheduler.turns()] == ["runs", "new"]
        gate.set()
        await stage.clock.advance(5)
        assert stage.prompts() == ["runs", "new"]


def test_a_turn_that_no_message_made_is_not_edited() -> None:
    """What it says stands nowhere in the chat."""
    record = TurnRecord(turn_id="t", scope=Scope("memory", 1), engine="codex", messages=(7,))
    edited = MessageEdited(
        update_id=1,
        scope=record.scope,
        chat_kind="private",
        message_id=7,
        sender_id=None,
        text="new",
        edited_at=1.0,
    )
    prompt = Prompt(text="new", engine="codex")
    assert revised(record, edited, prompt) == NotTaken("its turn goes by other words")
    assert late_words(record, edited, prompt) == NotTaken("it names another session")
