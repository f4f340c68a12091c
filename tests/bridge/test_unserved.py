"""What is done about updates that nobody is served by: nothing but a mark."""

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.dispatch_stage import Stage, staged
from bridge.draws import one_of_each
from fakes.clock import settle
from fakes.scripted_engine import until_cancelled
from takopi.bridge.records import AcceptedUpdate, UpdateHandled
from takopi.core.access import access_policy
from takopi.core.chat import (
    ButtonPressed,
    ChatMigrated,
    ChatUpdate,
    MessageEdited,
    MessageReceived,
    RepliedTo,
    Scope,
)

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]


async def test_a_groups_move_is_marked_and_no_more() -> None:
    """It is the outbox and the configuration that follow."""
    async with staged(access=access_policy(chat_id=-5, allowed_user_ids=[1])) as stage:
        moved = ChatMigrated(
            update_id=1, scope=Scope("memory", -5), message_id=2, new_chat_id=-1005
        )
        await stage.arrive(moved)
        assert await stage.unhandled() == []
        assert stage.chat.calls == []


async def test_who_is_not_served_any_more_starts_nothing() -> None:
    """An earlier takopi took the update under another configuration."""
    stage = Stage()
    async with stage.on():
        await stage.accept(stage.chat.message("hello"), stage.edit(stage.chat.message("x"), "y"))
        stage.chat.press("cancel:t1")
        await stage.accept(*stage.chat._waiting.pop())
    stage.door.move(1, 2)
    stage.door._policy = access_policy(chat_id=7)
    async with stage.on():
        assert stage.prompts() == []
        assert stage.chat.calls == []
        assert await stage.unhandled() == []


PEOPLE = (None, 2, 777, -1, 0)
# In the first chat person 1 is served, and in no other.
PLACES = (
    *((1, person) for person in (*PEOPLE, *PEOPLE)),
    *((chat, person) for chat in (5, -100) for person in (*PEOPLE, 1, 1, 1, 1, 1)),
)
MESSAGES = range(90, 131)
TEXTS = (
    *("hello", "/cancel", "/cancel all", "/status", "codex resume s1", "/claude go"),
    *("", "x" * 4000),
)
COMMON = one_of_each(PLACES, (None, 3), ("private", "group"), MESSAGES)
WHAT = one_of_each(
    ("message", "edit", "press", "moved"),
    TEXTS,
    ("cancel:t1", "pick:t1", "o:i-t1:again", "o:b-t1:drop", "x"),
    (False, True),
    (None, "a"),
    (0.0, 1.0, 1_700_001_000.0),
)
REPLIES = one_of_each((False, True), MESSAGES, TEXTS, (False, True))
NUMBERS = st.integers(1000, 10**6)


@st.composite
def strangers(draw: st.DrawFn) -> ChatUpdate:
    """Make an update of somebody who is not served, or in a chat that is not."""
    (chat, person), thread, chat_kind, message_id = draw(COMMON)
    kind, text, data, forwarded, album, date = draw(WHAT)
    number = draw(NUMBERS)
    common = {
        "update_id": number,
        "scope": Scope("memory", chat, thread),
        "chat_kind": chat_kind,
        "message_id": message_id,
        "sender_id": person,
    }
    if kind == "edit":
        return MessageEdited(**common, text=text, edited_at=float(number))
    if kind == "press":
        return ButtonPressed(**common, press_id=f"p{number}", data=data)
    if kind == "moved" and chat != 1:
        scope = common["scope"]
        return ChatMigrated(update_id=number, scope=scope, message_id=4, new_chat_id=-77)
    is_reply, *reply = draw(REPLIES)
    return MessageReceived(
        **common,
        text=text,
        forwarded=forwarded,
        album=album,
        reply=RepliedTo(*reply) if is_reply else None,
        date=date,
    )


BATCHES = st.lists(st.lists(strangers(), max_size=5), max_size=4)


@given(batches=BATCHES)
def test_strangers_cause_nothing_at_all(batches: list[list[ChatUpdate]]) -> None:
    """No call, no entry in the journal, no turn, and nobody's turn is touched.

    Also what got past the first check has no effect but its mark.
    """

    async def live() -> None:
        async with staged() as stage:
            stage.codex.default = until_cancelled
            await stage.arrive(stage.chat.message("mine"))
            await stage.clock.advance(5)
            before = (await stage.store.load(), len(stage.chat.calls), stage.store.commits[:])
            for batch in batches:
                await stage.arrive(*batch)
            after = (await stage.store.load(), len(stage.chat.calls), stage.store.commits[:])
            assert after == before
            assert await stage.accept(*(update for batch in batches for update in batch)) == ()
            everything = [update for batch in batches for update in batch]
            await stage.dispatcher.take(
                [
                    AcceptedUpdate(id=9000 + number, update=update, arrived_at=stage.clock.wall())
                    for number, update in enumerate(everything)
                ]
            )
            await settle()
            assert len(stage.chat.calls) == before[1]
            made = [change for changes in stage.store.commits for change in changes]
            assert all(
                isinstance(change, UpdateHandled) for change in made[sum(map(len, before[2])) :]
            )
            assert stage.prompts() == ["mine"]
            assert (stage.codex.playing, stage.codex.turns[0].interrupts) == (1, 0)

    anyio.run(live)
