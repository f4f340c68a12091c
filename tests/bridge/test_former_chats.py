"""What was said in a group before it moved, and is handed out once the move is known."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from bridge.schedule_stage import living, prompts
from bridge.world import World
from fakes.scripted_engine import until_cancelled
from fakes.transport import Call
from takopi.core.access import access_policy
from takopi.core.chat import ChatMigrated, MessageEdited, RepliedTo, Scope
from takopi.errors import ChatMoved

pytestmark = pytest.mark.anyio

OLD, NEW, OTHER = -7, -1007, -8
FOLLOWED = access_policy(chat_id=1, allowed_chat_ids=(NEW,), allowed_user_ids=(1,))


def moved(call: Call) -> Exception | None:
    """Refuse what goes to the group's old id."""
    return ChatMoved(OLD, NEW) if call.verb == "send" and call.chat == OLD else None


def replied(call: Call) -> int | None:
    """Return the number of the message that a sent one answers."""
    answered = call.options.reply_to if call.options is not None else None
    return None if answered is None else int(answered.message_id)


async def say(world: World, text: str, **more: object) -> int:
    """Write into the group as it was; return the number of the message."""
    said = world.chat.write(text, **{"chat": OLD, "kind": "group", **more})  # type: ignore[arg-type]
    await world.clock.advance(10)
    return said.message_id


@asynccontextmanager
async def learned() -> AsyncIterator[World]:
    """Let a bridge learn of the move by the answer to a call."""
    async with living() as world:
        await say(world, "one")
        world.chat.fault = moved
        await say(world, "two")
        assert world.finals(NEW)
        yield world


def words(world: World) -> list[str]:
    """List the prompts that engines got."""
    return [text for _, _, text in prompts(world)]


async def test_a_prompt_from_before_the_move_is_answered_in_the_new_chat() -> None:
    """It answers no message there, as the one with its number is another one."""
    async with learned() as world:
        number = await say(world, "late")
        same = world.chat.message("same number", chat=NEW, kind="group")
        world.chat.feed(replace(same, message_id=number))
        await world.clock.advance(10)
        assert words(world) == ["one", "two", "late", "same number"]
        assert len(world.finals(NEW)) == 3
        late, own = world.sent("send")[-4:-2], world.sent("send")[-2:]
        assert all(call.chat == NEW for call in [*late, *own])
        assert {replied(call) for call in late} == {None}
        assert all(replied(call) == number for call in own)
        assert (await world.store.load()).updates == ()


async def test_no_message_of_the_new_chat_gets_the_reaction_of_a_former_one() -> None:
    async with living(reactions=True) as world:
        await say(world, "one")
        assert {call.chat for call in world.sent("react")} == {OLD}
        before = len(world.sent("react"))
        world.chat.fault = moved
        await say(world, "two")
        await say(world, "late")
        assert words(world)[-1] == "late"
        assert all(call.chat == OLD for call in world.sent("react")[before:])


async def test_replies_and_edits_from_before_the_move_find_what_they_are_about() -> None:
    async with living() as world:
        first = await say(world, "one")
        answer = world.chat.find("✓", OLD)
        world.chat.fault = moved
        await say(world, "two")
        await say(world, "more", reply=RepliedTo(answer.message_id, answer.text, True))
        session = world.codex.turns[-1].request.resume
        assert session is not None
        assert session.value in answer.text
        edited = MessageEdited(
            update_id=world.chat.number(),
            scope=Scope("memory", OLD),
            chat_kind="group",
            message_id=first,
            sender_id=1,
            text="one more",
            edited_at=5.0,
        )
        world.chat.feed(edited)
        await world.clock.advance(10)
        offer = world.chat.find("edit", NEW)
        assert offer.message is not None
        world.chat.press(offer.message.buttons[0][0].data, chat=NEW, on=offer.message_id)
        await world.clock.advance(10)
        assert words(world) == ["one", "two", "more", "one more"]


@pytest.mark.parametrize("by", ["button", "command"])
async def test_a_turn_can_be_cancelled_from_before_the_move(by: str) -> None:
    async with living() as world:
        world.codex.default = until_cancelled
        await say(world, "one")
        working = world.chat.find("working", OLD)
        assert working.message is not None
        world.chat.feed(
            ChatMigrated(
                update_id=world.chat.number(),
                scope=Scope("memory", OLD),
                message_id=2,
                new_chat_id=NEW,
            )
        )
        await world.clock.advance(10)
        if by == "button":
            world.chat.press(working.message.buttons[0][0].data, chat=OLD, on=working.message_id)
            await world.clock.advance(10)
        else:
            await say(world, "/cancel")
        assert [text[:11] for text in world.finals(NEW)] == ["■ cancelled"]


async def test_a_press_from_before_the_move_changes_no_message_of_the_new_chat() -> None:
    """The message below which it was pressed is out of reach; what it leads to is said anew."""
    async with living() as world:
        await say(world, "/usage")
        asked = world.chat.find("Today", OLD)
        assert asked.message is not None
        world.chat.fault = moved
        await say(world, "two")
        calls = len(world.chat.calls)
        world.chat.press(asked.message.buttons[0][-1].data, chat=OLD, on=asked.message_id)
        await world.clock.advance(10)
        verbs = [call.verb for call in world.chat.calls[calls:]]
        assert sorted(verbs) == ["answer", "send"]
        assert world.sent("send")[-1].chat == NEW


@pytest.mark.parametrize("followed", [False, True])
async def test_the_next_takopi_knows_the_former_chat(followed: bool) -> None:
    """Whether or not the configuration came to follow."""
    async with learned() as world:
        before = world
        early = before.chat.message("in the journal", chat=OLD, kind="group")
        await before.store.accept([early], None, before.clock.wall())
    given = {"access": FOLLOWED} if followed else {}
    async with living(before=before, **given) as later:
        later.chat.fault = moved
        await later.clock.advance(10)
        await say(later, "late")
        assert words(later) == ["in the journal", "late"]
        assert len(later.finals(NEW)) == 2


async def test_nobody_else_is_served_by_that() -> None:
    """Neither a group that was none of those, nor a stranger in the one that was."""
    async with learned() as world:
        calls = len(world.chat.calls)
        await say(world, "from elsewhere", chat=OTHER)
        await say(world, "a stranger", person=2)
        world.chat.press("cancel:t1", chat=OTHER)
        await world.clock.advance(10)
        assert words(world) == ["one", "two"]
        assert len(world.chat.calls) == calls
        store, before = world.store, world
    alone = access_policy(chat_id=1, allowed_user_ids=(1,))
    async with living(store, before, access=alone) as later:
        await say(later, "not served any more")
        assert words(later) == []
        assert later.sent("send", "answer") == []


async def test_a_group_that_is_not_served_opens_no_chat_by_moving() -> None:
    async with living() as world:
        world.chat.feed(
            ChatMigrated(
                update_id=world.chat.number(),
                scope=Scope("memory", OTHER),
                message_id=2,
                new_chat_id=OLD,
            )
        )
        await say(world, "from elsewhere", chat=OTHER)
        assert words(world) == []
