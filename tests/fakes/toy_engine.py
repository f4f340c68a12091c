"""A small engine for tests of everything around engines: a CLI and its drop-in module.

The prompt scripts it, one directive a line; any other text is echoed by the answer:

    run: COMMAND     run it in a shell of a session of its own, report it as an action
    wait: FILE       work until FILE exists
    many: N          N actions, one every 10 ms
    exit: STATUS     end without an answer
    cost: DOLLARS    say with the answer what the turn cost
    garbage          a line that is no JSON
    linger           answer, then stay

It knows no session whose id begins with `toy-dead`.
"""

import stat
import sys
from pathlib import Path

__all__ = ["install_toy_engine"]

CLI = """\
#!{python} -IS
import json, os, subprocess, sys, time

arguments = sys.argv[1:]
resumed = "--resume" in arguments
session = arguments[arguments.index("--resume") + 1] if resumed else f"toy-{{os.urandom(8).hex()}}"
prompt = sys.stdin.buffer.read().decode()
said, tail, cost = [], [], None


def say(**fields):
    os.write(1, json.dumps(fields).encode() + b"\\n")


if session.startswith("toy-dead"):
    os.write(2, b"toy: no such session\\n")
    sys.exit(3)
say(type="session", id=session, cwd=os.getcwd())
for number, line in enumerate(prompt.splitlines()):
    word, _, rest = line.partition(":")
    rest = rest.strip()
    if word == "run":
        say(type="tool", id=f"run-{{number}}", title=rest, phase="started")
        done = subprocess.run(["/bin/sh", "-c", rest], start_new_session=True, stdout=2)
        say(type="tool", id=f"run-{{number}}", title=rest, phase="completed", code=done.returncode)
    elif word == "wait":
        say(type="tool", id=f"wait-{{number}}", title="waiting", phase="started")
        while not os.path.exists(rest):
            time.sleep(0.01)
        say(type="tool", id=f"wait-{{number}}", title="waiting", phase="completed", code=0)
    elif word == "many":
        for step in range(int(rest)):
            say(type="tool", id=f"step-{{step}}", title=f"step {{step}}", phase="completed", code=0)
            time.sleep(0.01)
    elif word == "exit":
        os.write(2, b"toy: told to fail\\n")
        sys.exit(int(rest))
    elif word == "cost":
        cost = float(rest)
    elif line == "garbage":
        os.write(1, b"this is no JSON\\n")
    elif line == "linger":
        tail.append(line)
    else:
        said.append(line)
say(type="answer", text="toy heard: " + " / ".join(said), cost=cost)
if tail:
    time.sleep(3600)
"""

MODULE = '''\
"""A scripted engine for tests."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from takopi.backends import EngineBackend, EngineConfig
from takopi.events import EventFactory
from takopi.model import ResumeToken, TakopiEvent
from takopi.runner import JsonlRunState, JsonlSubprocessRunner, ResumeTokenMixin, Runner


@dataclass
class ToyState(JsonlRunState):
    factory: EventFactory = field(default_factory=lambda: EventFactory("toy"))


@dataclass
class ToyRunner(ResumeTokenMixin, JsonlSubprocessRunner):
    engine: str = "toy"
    unknown_session_re = re.compile("no such session")
    resume_re: re.Pattern[str] = re.compile(r"(?im)^`?toy --resume (?P<token>toy-[0-9a-f]+)`?$")

    def format_resume(self, token: ResumeToken) -> str:
        return f"`toy --resume {token.value}`"

    def command(self) -> str:
        return "toy"

    def build_args(self, prompt: str, resume: ResumeToken | None, *, state: Any) -> list[str]:
        return ["--resume", resume.value] if resume else []

    def stdin_payload(self, prompt: str, resume: ResumeToken | None, *, state: Any) -> bytes | None:
        return prompt.encode()

    def new_state(self, prompt: str, resume: ResumeToken | None) -> ToyState:
        return ToyState()

    def translate(
        self, data: Any, *, state: ToyState, resume: Any, found_session: Any
    ) -> list[TakopiEvent]:
        factory = state.factory
        if data["type"] == "session":
            token = ResumeToken("toy", data["id"])
            return [factory.started(token, title="toy", meta={"cwd": data["cwd"]})]
        if data["type"] == "answer":
            usage = None if data["cost"] is None else {"cost_usd": data["cost"]}
            return [factory.completed_ok(answer=data["text"], usage=usage)]
        ok = None if data["phase"] == "started" else data["code"] == 0
        return [
            factory.action(
                phase=data["phase"], action_id=data["id"], kind="command", title=data["title"],
                detail={"exit_code": data.get("code")}, ok=ok,
            )
        ]


def build_runner(config: EngineConfig, config_path: Path) -> Runner:
    return ToyRunner()


BACKEND = EngineBackend(id="toy", build_runner=build_runner, install_cmd="pip install toy")
'''


def install_toy_engine(home: Path, bin_dir: Path) -> None:
    """Put the module into `<home>/runners/` and the CLI into `bin_dir`, which belongs on PATH."""
    folder = home / "runners"
    folder.mkdir(mode=0o700, exist_ok=True)
    module = folder / "toy.py"
    module.write_text(MODULE, encoding="utf-8")
    module.chmod(0o600)
    bin_dir.mkdir(exist_ok=True)
    cli = bin_dir / "toy"
    cli.write_text(CLI.format(python=sys.executable), encoding="utf-8")
    cli.chmod(cli.stat().st_mode | stat.S_IXUSR)
