"""What only pi does: its Node, its directories, retries that it reports."""

import os
import shutil
import subprocess

import pytest

from real_engines.world import World
from takopi.runners.run_options import EngineRunOptions, apply_run_options

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.timeout(180),
    pytest.mark.pi,
    pytest.mark.xdist_group("real-pi"),
]


def old_node() -> str | None:
    """Find the folder of a Node that is too old for pi."""
    for folder in os.environ["PATH"].split(os.pathsep):
        node = shutil.which("node", path=folder)
        if node is None:
            continue
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
        if int(version.stdout.removeprefix("v").split(".")[0]) < 22:
            return folder
    return None


async def test_a_node_that_is_too_old_is_named(pi: World) -> None:
    """A traceback of Node's loader becomes one sentence with what to do."""
    folder = old_node()
    if folder is None:
        pytest.skip("there is no old Node on this PATH to try")
    own = str(pi.home.home / "bin")
    path = os.pathsep.join((own, folder, "/usr/bin", "/bin"))
    outcome = await pi.run("hello", PATH=path)
    assert outcome.end.ok is False
    assert "pi needs Node.js 22.19 or newer" in str(outcome.end.error)
    assert "SyntaxError" not in str(outcome.end.error)


async def test_a_machine_without_node_is_told(pi: World) -> None:
    """The shell's words say nothing of Node's version."""
    tools = pi.work_dir / "tools"
    tools.mkdir()
    for name in ("env", "sh"):
        (tools / name).symlink_to(str(shutil.which(name)))
    path = os.pathsep.join((str(pi.home.home / "bin"), str(tools)))
    outcome = await pi.run("hello", PATH=path)
    assert "there is no `node` on PATH" in str(outcome.end.error)


async def test_a_session_of_another_directory_is_told(pi: World) -> None:
    """pi would ask whether to copy it, and read the answer from the prompt."""
    first = await pi.run("hello")
    started_in = pi.work_dir
    pi.work_dir = started_in.with_name("elsewhere")
    pi.work_dir.mkdir()
    pi.folder = pi.folder.with_name("another-takopi")  # which does not know where it began
    pi.folder.mkdir(mode=0o700)
    outcome = await pi.run("y\nhello", first.token)
    assert outcome.end.ok is False
    assert f"belongs to another directory: {started_in}" in str(outcome.end.error)


async def test_an_empty_prompt_is_refused(pi: World) -> None:
    """pi itself would end without a word."""
    outcome = await pi.run(" \n ")
    assert "send some text" in str(outcome.end.error)


async def test_a_reasoning_level_reaches_the_provider(pi: World) -> None:
    """What the turn asks for is passed on."""
    before = len(pi.model.main_requests)
    with apply_run_options(EngineRunOptions(reasoning="high")):
        outcome = await pi.run("[[think: deeply]][[say: ok]]")
    assert outcome.end.answer == "ok"
    assert pi.asked_since(before)[0].conversation.reasoning == "high"
    assert outcome.actions("thinking")[0].action.detail["text"] == "deeply"


async def test_a_retry_is_a_warning_that_goes_away(pi: World) -> None:
    """A model that fails once costs two seconds, and the person sees why."""
    outcome = await pi.run("[[error: 503 x1]][[say: after the retry]]")
    assert outcome.end.answer == "after the retry"
    (warning,) = outcome.actions("warning")
    assert warning.ok is True
