"""Around noon: a branch, files both ways, a picture, a voice note, and a bot that is killed."""

import signal

from e2e.whole_day.day import Day
from fakes.model_api import SeenRequest
from fakes.pictures import write_png
from fakes.telegram_api import Message
from fakes.telegram_api.world import File

__all__ = ["a_branch", "a_file", "a_killed_bot", "a_picture", "a_voice_note", "files_come_back"]

_EARS = """\
#!/bin/sh
# Write down what was said; whoever speaks here speaks in letters.
tail -c +5 "$1"
"""


async def a_branch(day: Day) -> None:
    """Work on a branch happens in a worktree of its own; the repository itself stays as it was."""
    answer = await day.ask(
        "/zed /claude @feat/greeting [[write: greeting.txt | Good morning]] write a greeting"
    )
    tree = await day.worktree("zed", "feat/greeting")
    assert (tree / "greeting.txt").read_text().strip() == "Good morning"
    assert "ctx: zed @feat/greeting" in answer.text
    assert await day.git(day.project("zed"), "status", "--porcelain") == ""
    assert await day.git(day.project("zed"), "branch", "--show-current") == "main"
    more = await day.ask("[[bash: git branch --show-current]] where are we?", reply_to=answer)
    assert "feat/greeting" in more.text
    day.seen["branch"] = more


async def a_file(day: Day) -> None:
    """A document with a caption reaches the agent, which can read it."""
    document = day.api.owner.send_file(
        "prices.csv",
        b"tea,3\ncoffee,4\n",
        "/shop /codex [[bash: cat incoming/*.csv]] what is dear?",
    )
    answer = await day.answer(document)
    assert "coffee,4" in answer.text
    incoming = day.project("shop") / "incoming" / "prices.csv"
    assert incoming.read_bytes() == b"tea,3\ncoffee,4\n"
    assert await day.git(day.project("shop"), "status", "--porcelain") == ""


async def files_come_back(day: Day) -> None:
    """What the agent made can be fetched by its path, and by the button of the answer."""
    answer = await day.ask(
        "/shop /codex [[write: report.md | All is well]] [[say: It stands in report.md]] report"
    )
    day.api.owner.say("/file get report.md", reply_to=answer)
    sent = await day.api.wait_message(lambda m: m.order > answer.order and m.document is not None)
    assert sent.document is not None
    assert (sent.document.name, sent.document.content.strip()) == ("report.md", b"All is well")
    day.api.owner.press(answer, "Send report.md")
    again = await day.api.wait_message(lambda m: m.order > sent.order and m.document is not None)
    assert again.document is not None
    assert again.document.content == sent.document.content
    refused = day.api.owner.say("/file get ../zed/README.md", reply_to=answer)
    await day.answer(refused, "README.md is refused")


async def a_picture(day: Day) -> None:
    """A picture reaches the model as a picture, through each engine."""
    png = write_png(day.folder / "square.png").read_bytes()
    for engine, kind in (("codex", "input_image"), ("claude", "image")):
        before = len(day.model.main_requests)
        photo = day.api.owner.send_photo(png, f"/shop /{engine} what is on it?")
        await day.answer(photo)
        assert any(_has_part(request, kind) for request in day.asked_since(before))


def _has_part(request: SeenRequest, kind: str) -> bool:
    entries = request.body.get("input") or request.body.get("messages") or ()
    contents = [entry.get("content") for entry in entries]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    return any(part.get("type") == kind for part in parts)


async def a_voice_note(day: Day) -> None:
    """A voice note is written down, shown, and done, in the project that it names."""
    ears = day.folder / "person" / "bin" / "write-down"
    ears.write_text(_EARS)
    ears.chmod(0o755)
    await day.configure("voice.command", "write-down,{file}")
    spoken = speak(day, "/zed /codex [[bash: pwd]] say where you are")
    heard = await day.answer(spoken, "🎙")
    assert heard.text == "🎙 /zed /codex [[bash: pwd]] say where you are"
    answer = await day.answer(spoken)
    assert str(day.project("zed")) in answer.text


def speak(day: Day, words: str) -> Message:
    """Send a voice note in which somebody says these words."""
    sound = File(f"voice{len(day.api.world.files)}", "", b"OggS" + words.encode())
    day.api.world.files[sound.id] = sound
    about = {"file_id": sound.id, "file_unique_id": f"u{sound.id}", "duration": 3}
    about |= {"mime_type": "audio/ogg", "file_size": len(sound.content)}
    return day.api.owner.say("", voice=about)


async def a_killed_bot(day: Day) -> None:
    """Killed in the middle of a run, takopi delivers the answer once it is back, and once only."""
    prompt = day.api.owner.say("/shop /claude [[bash: echo first half]][[hold: lunch]] a long task")
    await day.answer(prompt, "first half")
    assert "claude" in await day.takopi("ps")
    await day.end_bot(signal.SIGKILL)
    day.model.release("lunch")
    late = day.api.owner.say("/zed /codex and what came meanwhile?")
    await day.start_bot()
    assert "first half" in (await day.answer(prompt)).text
    await day.answer(late)
    for said in (prompt, late):  # its progress message goes once its answer is there
        await day.api.wait_for(lambda said=said: len(day.replies(said)) == 1 or None)
