"""Rows of what decides where and in which session prompts run, and when."""

import re

from e2e.every_command.kinds import Kind
from e2e.every_command.row import Row
from e2e.every_command.talk import Talk
from fakes.telegram_api import Message

__all__ = ["ROWS", "session_of"]


def session_of(message: Message) -> str:
    """Return the session that a message of the bot names."""
    (session,) = re.findall(r"^toy --resume (toy-[0-9a-f]+)$", message.text, re.MULTILINE)
    return str(session)


async def ctx(talk: Talk) -> None:
    """A place is bound, leads to the worktrees, and is set free."""
    bound = await talk.ask("/ctx set {project}", "run in ctx: {project} from now on")
    await talk.press(bound, "Worktrees of {project}", "@main – the project's own folder")
    what = "This topic is bound to it." if talk.thread else "This chat is bound to it."
    shown = await talk.ask("/ctx", what)
    await talk.press(shown, "Clear", "run in no project from now on")


async def worktrees(talk: Talk) -> None:
    """The trees are listed, opened and removed."""
    await talk.prompt("/{project} @fix/a make it", "ctx: {project} @fix/a")
    listed = await talk.ask("/worktrees {project}", "@fix/a – clean")
    await talk.press(listed, "Open @fix/a", "run in ctx: {project} @fix/a from now on")
    await talk.press(listed, "Remove @fix/a", "The worktree of @fix/a is gone")


async def topic(talk: Talk) -> None:
    """One is made, or the place is bound; without topics it says what is missing."""
    if not talk.kind.topics:
        await talk.ask("/topic {project}", _no_topic(talk.kind))
        return
    if talk.kind.in_topic:
        await talk.ask("/topic {project}", "This topic works on {project} from now on.")
        await talk.ask("/topic", "This topic works on {project}.")
        return
    await talk.ask("/topic {project} @fix/b", "{project} @fix/b has a topic now: ")
    (thread,) = talk.api.world.chats[talk.chat].topics
    talk.made.add(thread)
    link = f"https://t.me/c/{str(talk.chat)[4:]}/{thread}"
    await talk.ask("/topic {project} @fix/b", f"{{project}} @fix/b has a topic already: {link}")
    said = [one.text for one in talk.api.bot_messages(talk.chat) if one.thread_id == thread]
    assert any(text.startswith(f"This topic works on {talk.project} @fix/b.") for text in said)


def _no_topic(kind: Kind) -> str:
    return "nowhere is no project here" if kind.topics else "Topics are switched off here."


async def new(talk: Talk) -> None:
    """The next prompt begins a session, and so does the one behind it."""
    old = session_of(await talk.prompt("first", "toy heard: first"))
    assert session_of(await talk.prompt("second", "toy heard: second")) == old
    await talk.ask("/new", "The next prompt for toy in no project begins a new session.")
    left = session_of(await talk.prompt("third", "toy heard: third"))
    assert left != old
    assert session_of(await talk.prompt("/new fourth", "toy heard: fourth")) not in (old, left)


async def sessions(talk: Talk) -> None:
    """They are listed, and one is taken up by its button."""
    old = session_of(await talk.prompt("/new /{project} look at the parser"))
    await talk.prompt("/new /{project} look at the lexer")
    listed = await talk.ask("/sessions /{project}", "2. look at the parser · toy")
    taken = await talk.press(listed, "2. look at the parser", f"toy --resume {old}")
    assert session_of(await talk.prompt("go on", reply_to=taken)) == old


async def resume(talk: Talk) -> None:
    """One is taken up by its id, and asked at once."""
    old = session_of(await talk.prompt("look at the parser"))
    assert session_of(await talk.prompt("/new look at the lexer")) != old
    await talk.ask(f"/resume {old}", f"“look at the parser”\n\ntoy --resume {old}")
    assert session_of(await talk.prompt("go on")) == old
    assert session_of(await talk.prompt(f"/resume {old} and on", "toy heard: and on")) == old


async def every(talk: Talk) -> None:
    """A schedule is made, and deleted from its message."""
    made = await talk.ask("/every 30m check the build", "toy is asked every 30m")
    await talk.press(made, "Delete", "Deleted: toy was to be asked every 30m")
    await talk.ask("/schedules", "Nothing is scheduled here.")


async def at(talk: Talk) -> None:
    """A prompt for later is asked now by its button, where it was planned."""
    made = await talk.ask("/at tomorrow 9:00 tag it", "toy is asked at tomorrow 09:00")
    await talk.press(made, "Run now", "toy heard: tag it")


async def schedules(talk: Talk) -> None:
    """What is planned is listed, rests, and goes on."""
    await talk.ask("/every 2h look around", "toy is asked every 2h")
    listed = await talk.ask("/schedules", "1. every 2h, next ")
    await talk.press(listed, "1. Pause", "1. paused")
    await talk.press(listed, "1. Resume", "1. every 2h, next ")


ROWS = (
    Row("ctx", "/ctx set {project}", ctx, "/ctx sett {project}", "/ctx clear – bind this place"),
    Row(
        "worktrees",
        "/worktrees {project}",
        worktrees,
        "/worktrees remove",
        "remove one; its branch stays",
    ),
    Row("topic", "/topic {project}", topic, "/topic nowhere", _no_topic),
    Row("new", "/new fix it", new, "/new /status", "/new takes nothing, or the prompt"),
    Row("sessions", "/sessions", sessions, "/sessions of mine", "/sessions lists sessions; behind"),
    Row("resume", "/resume", resume, "/resume hal 123", "hal cannot be a session of toy."),
    Row("every", "/every 30m check it", every, "/every so often look", "No schedule was made: "),
    Row("at", "/at tomorrow 9:00 tag it", at, "/at 18:30", "nothing to ask stands behind the time"),
    Row("schedules", "/schedules", schedules, "/schedules mine", "/schedules takes nothing"),
)
