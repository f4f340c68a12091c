"""Rows of what ends, shows and lists: /cancel, /status, /queue, /usage, /help, /diff, /file."""

from e2e.every_command.row import Row
from e2e.every_command.talk import Talk

__all__ = ["ROWS"]


async def cancel(talk: Talk) -> None:
    """By its button, by a reply, and all; what nobody needs is answered."""
    asked, _ = await talk.begin("one")
    shown = await talk.hear(asked, button="Cancel")
    await talk.press(shown, "Cancel", "■ cancelled")
    asked, _ = await talk.begin("two")
    talk.order("/cancel", reply_to=await talk.hear(asked, button="Cancel"))
    await talk.hear(asked, "■ cancelled")
    asked, _ = await talk.begin("three")
    talk.order("/cancel all")
    await talk.hear(asked, "■ cancelled")
    await talk.ask("/cancel", "Nothing runs or waits here")


async def status(talk: Talk) -> None:
    """What runs is listed, can be ended from there, and the list be brought up to date."""
    asked, _ = await talk.begin("long")
    listed = await talk.ask("/status", "Running\n1. toy")
    talk.person.press(listed, "Cancel 1")
    await talk.hear(asked, "■ cancelled")
    await talk.press(listed, "Refresh", "Nothing runs and nothing waits.")


async def queue(talk: Talk) -> None:
    """What waits is listed, and taken out from there."""
    first, gate = await talk.begin("first")
    second = talk.say("second", reply_to=await talk.hear(first, button="Cancel"))
    waits = await talk.hear(second, "1 before it in this session", button="Cancel")
    listed = await talk.ask("/queue", "Waiting\n1. toy")
    await talk.press(listed, "1. Cancel", "Nothing waits here.")
    await talk.hear(second, "■ cancelled")
    assert "■ cancelled" in waits.text
    gate.touch()
    await talk.final(first, "toy heard: first")


async def usage(talk: Talk) -> None:
    """What turns cost is summed up, for another period in the same message."""
    await talk.prompt("cost: 0.25\ndear", "toy heard: dear")
    shown = await talk.ask("/usage", "Engines\ntoy · ")
    labels = [button["text"] for button in shown.buttons]
    await talk.press(shown, labels[1], "Days")


async def help_(talk: Talk) -> None:
    """All commands in one message, and more of one."""
    await talk.ask("/help", "@feat/login add a test")
    await talk.ask("/help queue", "Each prompt that waits has buttons")


async def start(talk: Talk) -> None:
    """The greeting that clients send is answered like help, whatever a link put behind it."""
    await talk.ask("/start", "Write what you want done.")
    await talk.ask("/start from_a_link", "Write what you want done.")


async def diff(talk: Talk) -> None:
    """What a turn changed is shown, and put back by buttons."""
    final = await talk.prompt("/{project} run: echo two > a.txt\nchange it", "ctx: {project}")
    shown = await talk.ask("/diff", "-one\n+two", reply_to=final)
    question = await talk.press(shown, "Revert", "Put files back in {project}?")
    await talk.press(question, "Put 1 file back", "What was there is kept as")
    assert (talk.root / "a.txt").read_text() == "one\n"


async def file(talk: Talk) -> None:
    """A file goes out and one comes in; one that an answer names comes by a button."""
    await talk.ask("/ctx set {project}", "run in ctx: {project} from now on")
    asked = talk.say("/file get a.txt")
    talk.expected.append((asked, 1))
    sent = await talk.hear(asked)
    assert sent.document is not None
    assert (sent.document.name, sent.document.content) == ("a.txt", b"one\n")
    picture = talk.person._uploaded("", b"\x89PNG\r\n\x1a\n")
    put = await talk.ask("/file put pictures/", "Saved as pictures/photo-", photo=picture.sizes())
    kept = talk.root / put.text.removeprefix("Saved as ")
    assert kept.read_bytes() == picture.content
    parts = talk.album("/file put pages/", "")
    talk.expected += [(parts[0], 1), (parts[1], 0)]
    names = ", ".join(f"pages/photo-{part.id}.jpg" for part in parts)
    await talk.hear(parts[0], f"Saved as {names}")
    final = await talk.prompt("The plan is in `plan.pdf`.", "toy heard")
    count = len(talk.api.calls.of("sendDocument"))
    talk.person.press(final, "Send plan.pdf")
    await talk.api.wait_call("sendDocument", count=count + 1, timeout_s=60)


ROWS = (
    Row("cancel", "/cancel all", cancel, "/cancel now", "/cancel takes nothing, or the word all"),
    Row("status", "/status", status, "/status now", "/status takes nothing behind it"),
    Row("queue", "/queue", queue, "/queue 1", "/queue takes nothing behind it"),
    Row("usage", "/usage", usage, "/usage decade", "/usage takes nothing or a period: "),
    Row("help", "/help", help_, "/help cancle", "Did you mean /cancel"),
    Row("start", "/start", start),
    Row("diff", "/diff", diff, "/diff a b", "what was changed here and is in no commit"),
    Row("file", "/file get a.txt", file, "/file", "Files between chat and project:"),
)
