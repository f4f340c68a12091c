"""What service managers are told about takopi, and what their files say."""

import plistlib
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.service_units import (
    ServicePlan,
    kill_mode,
    launchd_plist,
    leaves_engines,
    plist_abandons,
    runs_takopi,
    search_path,
    systemd_unit,
)

PLAN = ServicePlan(
    command=("/home/ann/.local/bin/takopi",),
    directory="/home/ann",
    environment={"PATH": "/home/ann/bin:/usr/bin", "TAKOPI_HOME": "/srv/takopi"},
    log="/home/ann/.takopi/logs/service.log",
)


def lines(plan: ServicePlan) -> list[str]:
    return systemd_unit(plan).split("\n")


def test_a_unit_leaves_engines_working_and_starts_again_after_failures_alone() -> None:
    """What the promises rest on stands in it."""
    unit = lines(PLAN)
    for wanted in (
        "Type=notify",
        "ExecStart=/home/ann/.local/bin/takopi",
        "WorkingDirectory=/home/ann",
        'Environment="PATH=/home/ann/bin:/usr/bin"',
        'Environment="TAKOPI_HOME=/srv/takopi"',
        "KillMode=process",
        "Restart=on-failure",
        "RestartPreventExitStatus=2 78",
        "WantedBy=default.target",
    ):
        assert wanted in unit
    assert runs_takopi([systemd_unit(PLAN)])
    assert leaves_engines(kill_mode([systemd_unit(PLAN)]))


def test_an_agent_of_launchd_says_the_same() -> None:
    """Engines are children that launchd must not end."""
    text = launchd_plist(PLAN)
    agent = plistlib.loads(text.encode())
    assert agent["ProgramArguments"] == ["/home/ann/.local/bin/takopi"]
    assert agent["EnvironmentVariables"] == dict(PLAN.environment)
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert agent["StandardOutPath"] == PLAN.log
    assert plist_abandons(text.encode()) is True
    del agent["AbandonProcessGroup"]
    assert plist_abandons(plistlib.dumps(agent)) is False
    agent["ProgramArguments"] = ["/usr/bin/other"]
    assert plist_abandons(plistlib.dumps(agent)) is None
    assert plist_abandons(plistlib.dumps([1])) is None


@pytest.mark.parametrize("content", [b"", b"<plist><dict>", b"bplist00"])
def test_what_is_no_property_list_raises(content: bytes) -> None:
    """With one kind of error, whatever the parser raises."""
    with pytest.raises(ValueError, match="it is no property list"):
        plist_abandons(content)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1))
def test_any_path_comes_out_of_a_unit_as_it_went_in(name: str) -> None:
    """systemd undoes the quotes, the escapes, and the doubled `%` and `$`."""
    command = ("/opt/my $a%b/takopi", "-m", name)
    plan = ServicePlan(command=command, directory="/", environment={"PATH": name}, log="")
    unit = dict(line.split("=", 1) for line in lines(plan) if "=" in line)
    # Inside double quotes a POSIX shell undoes the same escapes; it has no `%`.
    words = shlex.split(unit["ExecStart"])
    program, *arguments = (word.replace("%%", "%") for word in words)
    assert (program, *(word.replace("$$", "$") for word in arguments)) == command
    (assignment,) = shlex.split(unit["Environment"])
    assert assignment.replace("%%", "%") == f"PATH={name}"


@pytest.mark.parametrize(
    ("program", "directory", "told"),
    [
        ("/bin/x", "/a\nExecStop=b", "a line break"),
        ("/it's/takopi", "/", "a quote or a backslash"),
        ('/"/takopi', "/", "a quote or a backslash"),
        ("/\\/takopi", "/", "a quote or a backslash"),
    ],
)
def test_what_no_unit_can_hold_is_refused(program, directory, told) -> None:
    """A line break would begin another setting; systemd refuses quotes in a program's path."""
    plan = ServicePlan(command=(program,), directory=directory, environment={}, log="")
    with pytest.raises(ValueError, match=told):
        systemd_unit(plan)


@pytest.mark.parametrize(
    ("texts", "mode", "leaves"),
    [
        (["[Service]\nExecStart=takopi"], "control-group", False),
        (["[Service]\nKillMode=mixed"], "mixed", False),
        (["[Service]\nKillMode = process "], "process", True),
        (["[Service]\nKillMode=none"], "none", True),
        (["[Unit]\nKillMode=process"], "control-group", False),
        (["[Service]\n# KillMode=process\n;KillMode=process\nnothing"], "control-group", False),
        (["[Service]\nKillMode=process\nKillMode="], "control-group", False),
        (["[Service]\nKillMode=mixed", "[Service]\nKillMode=process"], "process", True),
        (["[Service]\nKillMode=process", "[Service]\nKillMode=mixed"], "mixed", False),
    ],
)
def test_the_last_word_on_the_end_of_processes_counts(texts, mode, leaves) -> None:
    """Drop-ins come after the unit; what is in another section or a comment does not count."""
    assert kill_mode(texts) == mode
    assert leaves_engines(mode) is leaves


@pytest.mark.parametrize(
    ("start", "runs"),
    [
        ("/home/ann/.local/bin/takopi", True),
        ("/usr/bin/python3 \\\n    -m takopi", True),
        ('"/a b/takopi" codex', True),
        ("/usr/bin/not-takopi", False),
        ("/usr/bin/takopi-exporter", False),
        ("/usr/bin/env", False),
    ],
)
def test_a_unit_is_takopis_when_it_starts_takopi(start, runs) -> None:
    """By the command, over several lines too."""
    assert runs_takopi([f"[Service]\nExecStart={start}\n"]) is runs


def test_a_search_path_has_whole_and_single_entries() -> None:
    """What depends on the current directory is nothing for a service."""
    assert search_path("/b:.:/a::bin:/b") == "/b:/a"
