"""What a turn starts: command line, directory, environment, standard input."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from contract.scripted import ENGINE, HELLO, Script, ScriptedHost, ToyRunner
from takopi.backends import EngineBackend
from takopi.model import CompletedEvent, ResumeToken
from takopi.run_host import RunSpec
from takopi.runner import RunnerRuntime, bind_runtime, current_request, open_turn
from takopi.runners.run_options import (
    EngineRunOptions,
    apply_run_options,
    get_run_options,
    reset_run_options,
    set_run_options,
)
from takopi.turn import TurnRequest
from takopi.utils.paths import reset_run_base_dir, set_run_base_dir

pytestmark = pytest.mark.anyio

S1 = ResumeToken(ENGINE, "s1")


@dataclass
class Spy(ToyRunner):
    """Note what a hook saw."""

    request: Any = None
    options: Any = None
    hook: Any = None
    payload: Any = b"in"

    def build_args(self, prompt: str, resume: ResumeToken | None, *, state: Any) -> list[str]:
        self.request, self.options = current_request(), get_run_options()
        return super().build_args(prompt, resume, state=state)

    def env(self, *, state: Any) -> dict[str, str] | None:
        return self.hook

    def stdin_payload(self, prompt: str, resume: Any, *, state: Any) -> bytes | None:
        return self.payload


BACKEND = EngineBackend(
    ENGINE, lambda config, path: Spy(), install_cmd="get toy", env_pass=("TOYKEY",)
)


@pytest.fixture
def host() -> Iterator[ScriptedHost]:
    host = ScriptedHost(Script(HELLO), Script(HELLO))
    with bind_runtime(RunnerRuntime(host=host)):
        yield host


async def start(runner: Any, host: ScriptedHost, **request: Any) -> RunSpec:
    """Run a turn and return what was started."""
    turn = open_turn(runner, TurnRequest(**{"prompt": "hi"} | request))
    async for _ in turn:
        pass
    await turn.aclose()
    return host.runs[-1].spec


async def refused(runner: Any, **request: Any) -> str:
    """Run a turn that starts nothing and return its error."""
    turn = open_turn(runner, TurnRequest(**{"prompt": "hi"} | request))
    (final,) = [event async for event in turn]
    await turn.aclose()
    assert isinstance(final, CompletedEvent)
    return str(final.error)


async def test_the_command_line_is_a_list(host: ScriptedHost) -> None:
    """Program, arguments, standard input and what run.json remembers."""
    spec = await start(Spy(), host, resume=S1, model="big", record={"scope": "x"})
    assert spec.argv == ("toy", "--resume", "s1")
    assert spec.stdin == b"in"
    assert spec.record == {"prompt": "hi", "resume": "s1", "model": "big", "scope": "x"}
    assert spec.engine == ENGINE
    assert not spec.keep_background
    assert (await start(Spy(payload=None), host)).stdin == b""


async def test_the_registration_beside_the_runner_counts_without_an_app(
    host: ScriptedHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Install command and declared variables come from BACKEND of the runner's module."""
    monkeypatch.setenv("TOYKEY", "k")
    monkeypatch.setenv("TOY_HOME", "/t")
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    spec = await start(Spy(), host, environment={"EXTRA": "1"})
    assert spec.install_cmd == "get toy"
    assert (spec.env["TOYKEY"], spec.env["TOY_HOME"], spec.env["EXTRA"]) == ("k", "/t", "1")
    assert "OPENAI_API_KEY" not in spec.env
    assert spec.env["PATH"] == os.environ["PATH"]
    assert (await start(ToyRunner(), host)).install_cmd is None


async def test_a_registration_in_the_package_around_the_runner_counts_too(
    host: ScriptedHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runner in one module, BACKEND in another; that of another engine is not it."""
    monkeypatch.setenv("TOYKEY", "k")
    package, inner, other = (ModuleType(f"plug_toy{n}") for n in ("", ".deep", ".deep.runner"))
    package.BACKEND = BACKEND  # type: ignore[attr-defined]
    inner.BACKEND = EngineBackend("other", print, install_cmd="get other")  # type: ignore[attr-defined,arg-type]
    for module in (package, inner, other):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    apart = type("Apart", (Spy,), {"__module__": "plug_toy.deep.runner"})
    spec = await start(apart(), host)
    assert (spec.install_cmd, spec.env["TOYKEY"]) == ("get toy", "k")


async def test_the_app_knows_how_an_engine_is_installed() -> None:
    """Wherever the registration stands; also when it names no command."""
    host = ScriptedHost(Script(HELLO), Script(HELLO))
    with bind_runtime(RunnerRuntime(host=host, install_cmd={ENGINE: "npm i toy"})):
        assert (await start(ToyRunner(), host)).install_cmd == "npm i toy"
    with bind_runtime(RunnerRuntime(host=host, install_cmd={ENGINE: None})):
        assert (await start(Spy(), host)).install_cmd is None


async def test_the_app_decides_what_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its names, configuration included, take the place of the registration's."""
    monkeypatch.setenv("TOYKEY", "k")
    monkeypatch.setenv("GOPATH", "/go")
    host = ScriptedHost(Script(HELLO))
    runtime = RunnerRuntime(
        host=host, env_pass={ENGINE: ("GOPATH",)}, keep_background=frozenset({ENGINE})
    )
    with bind_runtime(runtime):
        spec = await start(Spy(), host)
    assert spec.env["GOPATH"] == "/go"
    assert "TOYKEY" not in spec.env
    assert spec.keep_background


async def test_the_env_hook_changes_the_environment(host: ScriptedHost) -> None:
    """What it adds passes; takopi's own variables never do."""
    spec = await start(Spy(hook={**os.environ, "NO_COLOR": "1", "TAKOPI_X": "1"}), host)
    assert spec.env["NO_COLOR"] == "1"
    assert not [name for name in spec.env if name.startswith("TAKOPI_")]


async def test_a_session_resumes_where_it_was_started(host: ScriptedHost) -> None:
    """Even when the caller is somewhere else by now."""
    host.cwds[S1] = Path("/origin")
    assert (await start(Spy(), host, resume=S1, cwd=Path("/other"))).cwd == Path("/origin")
    host.cwds.clear()
    assert (await start(Spy(), host, resume=S1, cwd=Path("/other"))).cwd == Path("/other")


async def test_a_new_session_starts_in_the_callers_directory(host: ScriptedHost) -> None:
    """The request's, else the one of the context, else the process's own."""
    token = set_run_base_dir(Path("/base"))
    try:
        assert (await start(Spy(), host)).cwd == Path("/base")
        async for _ in Spy().run("hi", None):
            pass
        assert host.runs[-1].spec.cwd == Path("/base")
    finally:
        reset_run_base_dir(token)
    host.scripts = [Script(HELLO)]
    assert (await start(Spy(), host)).cwd == Path.cwd()


async def test_a_long_prompt_goes_by_standard_input_or_is_refused(host: ScriptedHost) -> None:
    """An argument of 128 KiB cannot be started; the text says what to do."""
    prompt = "ä" * 60_000
    spec = await start(Spy(payload=prompt.encode()), host, prompt=prompt)
    assert len(spec.stdin) == 120_000
    runner = Spy(args=(prompt,), payload=None)
    assert "too long for toy: 117 KiB" in await refused(runner)
    assert "at most 100 KiB; put the text into a file" in await refused(runner)
    assert "NUL character" in await refused(Spy(args=("a\0b",)))
    assert len(host.runs) == 1


async def test_hooks_see_the_request(host: ScriptedHost) -> None:
    """And the options that it asks for, over those applied around it."""
    runner = Spy()
    await start(runner, host, model="big", permission_mode="plan")
    assert runner.request.permission_mode == "plan"
    assert runner.options == EngineRunOptions(model="big")
    with apply_run_options(EngineRunOptions(model="small", reasoning="high")):
        await start(runner, host, model="big")
    assert runner.options == EngineRunOptions(model="big", reasoning="high")


async def test_run_takes_the_options_of_the_moment_of_the_call(host: ScriptedHost) -> None:
    """A plug-in applies options around the call, not around the reading."""
    runner = Spy()
    with apply_run_options(EngineRunOptions(reasoning="low")):
        events = runner.run("hi", None)
    assert [event.type async for event in events][-1] == "completed"
    assert runner.options == EngineRunOptions(reasoning="low")


def test_options_can_be_set_and_reset() -> None:
    """The two forms that plug-ins use."""
    assert get_run_options() is None
    token = set_run_options(EngineRunOptions(model="m"))
    assert get_run_options() == EngineRunOptions(model="m")
    reset_run_options(token)
    with apply_run_options(None):
        assert get_run_options() is None
