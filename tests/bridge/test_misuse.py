"""What a person sends that a command does not take is answered once, with what it takes."""

from pathlib import Path

import pytest

from bridge.file_world import FileWorld
from bridge.test_contexts import projects
from bridge.world import serving
from fakes.clock import settle
from takopi.core.command_help import examples_of
from takopi.core.commands import COMMANDS
from takopi.core.richtext import utf16_len
from takopi.core.split import MAX_UNITS
from takopi.core.topics import TopicRules

pytestmark = pytest.mark.anyio

NONSENSE = "!!nonsense!!"
# Everything behind it is a prompt, so there is nothing to misuse.
TAKES_ALL = {"new"}
# Behind them stands the name of a project; the answer lists the known ones and says how to add one.
NAMES_A_PROJECT = {"worktrees": "Known: zed, api", "topic": "zed, api"}
SPECS = {spec.name: spec for spec in COMMANDS}


def is_shown_how(answer: str, command: str) -> bool:
    """Tell whether an answer has something that a person can copy and send."""
    typed = (f"/{command} ", f"/{command}\n", f"`/{command}", *examples_of(SPECS[command]))
    if answer.endswith(f"/{command}") or any(words in answer for words in typed):
        return True
    return NAMES_A_PROJECT.get(command, "\0") in answer


@pytest.mark.parametrize("command", sorted(set(SPECS) - TAKES_ALL - {"file"}))
async def test_misuse_is_answered_once_with_an_example(command) -> None:
    async with projects(topics=TopicRules(enabled=True, main_chat=1)) as world:
        world.chat.write(f"/{command} {NONSENSE}")
        await settle()
        await world.clock.advance(30)
        (answer,) = world.chat.texts()
        assert is_shown_how(answer, command), answer
        assert utf16_len(answer) <= MAX_UNITS
        assert not world.codex.turns


async def test_misuse_of_files_is_answered_once_with_an_example(tmp_path: Path) -> None:
    world = FileWorld(tmp_path)
    async with world.on():
        assert is_shown_how(await world.says(f"/file {NONSENSE}"), "file")
        assert len(world.chat.texts()) == 1


async def test_help_explains_one_command() -> None:
    """With or without the slash, with examples."""
    async with serving() as world:
        for words in ("/help cancel", "/help /Cancel"):
            world.chat.write(words)
            await world.rest()
        one, two = world.chat.texts()
        assert one == two
        assert one.startswith("/cancel – Cancel a running or waiting turn\n\nAlone it ends")
        assert one.endswith("Examples\n/cancel\n/cancel all")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("/help codex", "/codex at the start of a message asks codex"),
        ("/help cancle", "There is no command cancle. Did you mean /cancel?"),
        ("/help zzzzqqq", "There is no command zzzzqqq. /help lists them all"),
        ("/start zzzzqqq", "Write what you want done. codex starts on it"),
    ],
)
async def test_help_answers_whatever_it_is_asked_about(words, expected) -> None:
    async with serving() as world:
        world.chat.write(words)
        await world.rest()
        (answer,) = world.chat.texts()
        assert answer.startswith(expected)


@pytest.mark.parametrize("command", ["status", "queue", "schedules"])
async def test_what_takes_nothing_says_so(command) -> None:
    async with serving() as world:
        world.chat.write(f"/{command} please")
        await world.rest()
        (answer,) = world.chat.texts()
        assert answer == f"/{command} takes nothing behind it, so nothing was done: send /{command}"
