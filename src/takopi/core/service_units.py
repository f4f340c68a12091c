"""What a service manager is told about takopi, and what it was told by others.

Sources: https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html,
https://www.freedesktop.org/software/systemd/man/latest/systemd.kill.html, and launchd.plist(5).
"""

import plistlib
import re
from collections.abc import Iterable, Mapping
from typing import Any
from xml.parsers.expat import ExpatError

import msgspec

__all__ = [
    "LABEL",
    "UNIT_NAME",
    "ServicePlan",
    "kill_mode",
    "launchd_plist",
    "leaves_engines",
    "plist_abandons",
    "runs_takopi",
    "search_path",
    "systemd_unit",
]

UNIT_NAME = "takopi.service"
LABEL = "takopi"

# The others end every process of the service, and engines are among them.
_SPARING = frozenset({"process", "none"})
_DEFAULT_KILL_MODE = "control-group"
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_/.@:,+=-]+")

_UNIT = """\
# Made by `takopi service install`.
[Unit]
Description=takopi: coding agents in Telegram

[Service]
Type=notify
ExecStart={command}
WorkingDirectory={directory}
{environment}
# Engines go on working when takopi ends or is upgraded, and the next takopi delivers their answers.
KillMode=process
OOMPolicy=continue
Restart=on-failure
RestartSec=5
# 2: another takopi serves already. 78: the configuration is wrong. A restart mends neither.
RestartPreventExitStatus=2 78
# takopi gives a sign while Telegram answers. Without one it is started anew; its engines go on.
WatchdogSec=300
WatchdogSignal=SIGKILL
# It waits for a network that is not there yet, and stops within 10 s.
TimeoutStartSec=infinity
TimeoutStopSec=20

[Install]
WantedBy=default.target
"""


class ServicePlan(msgspec.Struct, frozen=True, kw_only=True):
    """Say how a service manager is to run takopi.

    Args:
        command: Program, absolute, and its arguments.
        directory: Where it is started, absolute.
        environment: What it needs of the environment; no secrets.
        log: File for what it prints, where the manager keeps none itself.
    """

    command: tuple[str, ...]
    directory: str
    environment: Mapping[str, str]
    log: str


def search_path(path: str) -> str:
    """Return a PATH without relative and repeated entries."""
    absolute = (entry for entry in path.split(":") if entry.startswith("/"))
    return ":".join(dict.fromkeys(absolute))


def systemd_unit(plan: ServicePlan) -> str:
    """Write a unit for systemd's user manager.

    Raises:
        ValueError: Something has a line break, or the program's path has a quote or a backslash;
            no unit can hold those.
    """
    program, *arguments = plan.command
    words = (*plan.command, plan.directory, *plan.environment.values())
    if any("\n" in word for word in words):
        raise ValueError("a line break")
    if any(character in program for character in "'\"\\"):
        raise ValueError("a quote or a backslash")
    settings = (
        f"Environment={_quoted(f'{name}={value}')}" for name, value in plan.environment.items()
    )
    return _UNIT.format(
        # A variable is looked for in arguments, not in the program.
        command=" ".join([_word(program), *(_word(word.replace("$", "$$")) for word in arguments)]),
        directory=plan.directory.replace("%", "%%"),
        environment="\n".join(settings),
    )


def _word(word: str) -> str:
    return word if _PLAIN_WORD.fullmatch(word) else _quoted(word)


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def launchd_plist(plan: ServicePlan) -> str:
    """Write an agent for macOS's launchd."""
    agent = {
        "Label": LABEL,
        "ProgramArguments": list(plan.command),
        "WorkingDirectory": plan.directory,
        "EnvironmentVariables": dict(plan.environment),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 30,
        "ExitTimeOut": 20,
        # Engines go on working when takopi ends or is upgraded.
        "AbandonProcessGroup": True,
        "StandardOutPath": plan.log,
        "StandardErrorPath": plan.log,
    }
    return plistlib.dumps(agent, sort_keys=False).decode()


def _settings(texts: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Yield the settings of a unit and its drop-ins, as `Section.Key` and value."""
    for text in texts:
        section = ""
        for raw in re.sub(r"\\\n", " ", text).splitlines():
            line = raw.strip()
            if not line or line[0] in "#;":
                continue
            if line.startswith("["):
                section = line.strip("[]")
                continue
            key, equals, value = line.partition("=")
            if equals:
                yield f"{section}.{key.strip()}", value.strip()


def runs_takopi(texts: Iterable[str]) -> bool:
    """Tell whether a unit starts takopi."""
    return any(
        name == "Service.ExecStart" and re.search(r"(?<![\w-])takopi(?![\w-])", value)
        for name, value in _settings(texts)
    )


def kill_mode(texts: Iterable[str]) -> str:
    """Return what a unit and its drop-ins, in their order, say about the end of its processes."""
    mode = _DEFAULT_KILL_MODE
    for name, value in _settings(texts):
        if name == "Service.KillMode":
            mode = value or _DEFAULT_KILL_MODE  # an empty one takes back those before
    return mode


def leaves_engines(mode: str) -> bool:
    """Tell whether engines go on working when the service is stopped."""
    return mode in _SPARING


def plist_abandons(content: bytes) -> bool | None:
    """Tell whether an agent of launchd leaves engines working; None when it is not takopi's.

    Raises:
        ValueError: It is no property list.
    """
    try:
        agent: Any = plistlib.loads(content)
    except (ExpatError, ValueError) as error:
        raise ValueError("it is no property list") from error
    arguments = agent.get("ProgramArguments", []) if isinstance(agent, dict) else []
    if not any("takopi" in str(argument).rpartition("/")[2] for argument in arguments):
        return None
    return bool(agent.get("AbandonProcessGroup", False))
