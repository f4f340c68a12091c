"""The afternoon: a topic for the branch, an older session, and what was planned in the morning."""

from datetime import datetime, timedelta

from e2e.whole_day.day import PLACE, Day

__all__ = ["a_topic", "plan_for_later", "sessions", "what_was_planned"]

QUESTION = "[[bash: pwd]] is the shop open?"


async def plan_for_later(day: Day) -> None:
    """She has something asked in a minute, by the clock on her wall, and sees when."""
    soon = datetime.now(PLACE) + timedelta(seconds=65)
    moment = f"{soon:%H:%M}"
    await day.ask(f"/at {moment} /shop /codex {QUESTION}", f"is asked at {moment}")
    listed = await day.ask("/schedules", "Schedules")
    assert "is the shop open?" in listed.text


async def what_was_planned(day: Day) -> None:
    """What was planned was asked at its time, once, through a bot that was killed meanwhile."""
    answer = await day.api.wait_message(
        lambda m: m.text.startswith("✓ done") and "is the shop open?" in m.text, timeout_s=80
    )
    assert str(day.project("shop")) in answer.text
    assert "scheduled" in answer.text
    finals = [m for m in day.api.bot_messages() if "is the shop open?" in m.text]
    assert len([m for m in finals if m.text.startswith("✓ done")]) == 1


async def a_topic(day: Day) -> None:
    """A topic for the branch has an engine and a session of its own, and needs no directives."""
    asked = day.api.owner.say("/topic zed @feat/greeting")
    chat = day.api.owner.chat
    hello = await day.hear("This topic works on zed @feat/greeting", after=asked)
    await day.answer(asked, "has a topic now")
    thread = hello.thread_id
    assert thread is not None
    assert chat.topics == {thread: "zed @feat/greeting"}
    day.seen["topic"] = hello
    await day.ask("/agent claude", "claude", thread_id=thread)
    first = await day.ask("[[bash: pwd]] where is this?", thread_id=thread)
    assert str(await day.worktree("zed", "feat/greeting")) in first.text
    assert "claude --resume" in first.text
    again = await day.ask("what did I ask?", thread_id=thread)
    assert (first.thread_id, again.thread_id) == (thread, thread)
    assert "where is this?" in again.text, "the topic's session did not go on"
    await day.ask("/topic zed @feat/greeting", "has a topic already")
    assert chat.topics == {thread: "zed @feat/greeting"}


async def sessions(day: Day) -> None:
    """After something else she takes an older session up by its button, and it goes on."""
    fresh = await day.ask("/new /shop /codex something else")
    assert "walrus" not in fresh.text
    listed = await day.ask("/sessions /shop /codex", "remember the walrus")
    label = next(b["text"] for b in listed.buttons if "walrus" in b["text"])
    day.api.owner.press(listed, label)
    await day.hear("goes on with this session", after=listed)
    again = await day.ask("/shop /codex what was the first I asked?")
    assert "walrus" in again.text
