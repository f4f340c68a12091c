"""Rows of what prompts themselves are: directives, replies, edits, albums, what is for others."""

from e2e.every_command.places import session_of
from e2e.every_command.row import Row
from e2e.every_command.talk import Talk

__all__ = ["DIRECTIVES", "ROWS"]


async def engine(talk: Talk) -> None:
    """Alone it is explained; before a prompt it is asked."""
    await talk.ask("/toy", "/toy at the start of a message asks toy")
    await talk.prompt("/toy hello", "toy heard: hello")
    await talk.prompt("//toy is text", "toy heard: /toy is text")


async def project(talk: Talk) -> None:
    """A prompt runs in the project."""
    await talk.ask("/{project}", "/{project} goes before what is to be done there")
    await talk.prompt("/{project} run: pwd > where.txt\nhello", "ctx: {project}")
    assert (talk.root / "where.txt").read_text().strip() == str(talk.root)


async def branch(talk: Talk) -> None:
    """A prompt runs in the worktree of the branch, wherever the directive stands."""
    await talk.ask("@dev look", "No project holds here that @dev could belong to")
    await talk.prompt("@dev /{project} run: pwd > where.txt\nhello", "ctx: {project} @dev")
    tree = talk.root / ".worktrees" / "dev"
    assert (tree / "where.txt").read_text().strip() == str(tree)


async def reply(talk: Talk) -> None:
    """A reply to a final, or to a prompt, goes on with the session; reactions tell of it."""
    asked = talk.say("/{project} remember seven")
    final = await talk.final(asked, "toy heard: remember seven")
    assert session_of(await talk.prompt("/new another matter")) != session_of(final)
    on = await talk.prompt("what was it", "ctx: {project}", reply_to=final)
    assert session_of(on) == session_of(final)
    assert session_of(await talk.prompt("again", reply_to=asked)) == session_of(final)
    await talk.api.wait_for(lambda: asked.reactions == ["👌"], 60)


async def edit_in_time(talk: Talk) -> None:
    """A prompt that waits goes by its new words."""
    first, gate = await talk.begin("first")
    second = talk.say("teh typo", reply_to=first)
    await talk.hear(second, "1 before it in this session")
    await talk.edit(second, "the typo")
    listed = await talk.ask("/queue", "the typo")
    assert "teh" not in listed.text
    gate.touch()
    await talk.final(second, "toy heard: the typo")


async def edit_too_late(talk: Talk) -> None:
    """A prompt that was started is asked anew by a button."""
    asked, gate = await talk.begin("one")
    await talk.edit(asked, "two")
    offer = await talk.hear(asked, "The turn of this prompt had started", button="Send as new")
    gate.touch()
    await talk.final(asked, "toy heard: one")
    await talk.press(offer, "Send as new", "→ Send as new")
    await talk.final(asked, "toy heard: two")


async def album(talk: Talk) -> None:
    """Pictures that are shown together are one prompt with all their words, or wait for some."""
    parts = talk.album("compare them", "", "this one last")
    final = await talk.final(parts[0], "toy heard: compare them")
    assert "this one last" in final.text
    others = [one for one in talk.api.bot_messages(talk.chat) if one.reply_to in parts[1:]]
    assert not others
    assert final.text.count("toy heard") == 1
    place = {"chat": talk.chat, "thread_id": talk.thread}
    answers = talk.person.album(["", ""], **place, reply_to=final)
    await talk.hear(answers[0], "Saved as incoming/", "Reply to one of them with what to do.")


async def forwards(talk: Talk) -> None:
    """What is forwarded along with a prompt goes with it, also with one behind a command."""
    for words in ("what is this", "/new and this"):
        asked = talk.say(words)
        forward = talk.person.forward("/cancel it broke", talk.chat, thread_id=talk.thread)
        talk.expected.append((forward, 0))
        said = words.removeprefix("/new ")
        await talk.final(asked, f"toy heard: {said} /  / /cancel it broke")


async def for_others(talk: Talk) -> None:
    """Another bot's command gets no answer, nor what does not count here, nor a command's edit."""
    place = {"chat": talk.chat, "thread_id": talk.thread}
    unheard = [talk.person.say("/status@other_bot", **place)]
    if talk.kind.mentions:
        unheard += [talk.person.say(text, **place) for text in ("hello", "/cancle", "/etc/hosts")]
    talk.expected += [(message, 0) for message in unheard]
    talk.expected.append((talk.person.say("/queue", **place), 1))
    answer = await talk.ask(
        "/queue" if talk.kind.mentions else f"/queue{talk.bot_name}", "Nothing waits here."
    )
    assert answer.reply_to is not None
    await talk.edit(answer.reply_to, "/status")


DIRECTIVES = (
    Row("engine", "/toy hello", engine, "/toy /codex hello", "This names two engines, toy and"),
    Row("project", "/{project} hello", project, "/{project}x hi", "Did you mean /{project}"),
    Row("branch", "@dev /{project} hi", branch, "@../evil hi", "is no branch that takopi opens"),
)
ROWS = (
    *DIRECTIVES,
    Row("reply", "hello", reply),
    Row("edit in time", "hello", edit_in_time),
    Row("edit too late", "hello", edit_too_late),
    Row("album", "hello", album),
    Row("forwards", "hello", forwards),
    Row("for others", "/status@other_bot", for_others),
)
