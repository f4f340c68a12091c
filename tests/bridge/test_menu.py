"""The command menu: what comes first, and what a chat service takes of it."""

import threading

import anyio
import pytest

from bridge.plugin_world import Plugins, Source, commands
from fakes.clock import VirtualClock
from fakes.scripted_engine import ScriptedDirectory, ScriptedHost, ScriptedRunner
from fakes.transport import MemoryTransport
from takopi.bridge.commands.registry import menu
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.menu import publish_menu
from takopi.bridge.options import BridgePorts
from takopi.core.commands import COMMANDS

OWN = [spec.name for spec in COMMANDS]


def engines(count: int) -> ScriptedDirectory:
    """Make a directory of so many engines."""
    names = [f"engine{number}" for number in range(count)]
    return ScriptedDirectory({name: ScriptedRunner(name) for name in names})


async def nothing(ctx: object) -> None:
    """Be a command of a plug-in."""


def test_the_menu_has_takopis_commands_then_engines_then_plug_ins() -> None:
    names = [entry.name for entry in menu(engines(2), "engine1", commands(tree=nothing))]
    assert names == [*OWN, "engine0", "engine1", "tree"]


def test_the_menu_has_at_most_a_hundred_commands() -> None:
    """What has no place there is answered all the same, and takopi's own always has one."""
    plugins = commands(**{f"plugin{number}": nothing for number in range(120)})
    few = [entry.name for entry in menu(engines(3), "engine0", plugins)]
    assert len(few) == 100
    assert few[: len(OWN) + 4] == [*OWN, "engine0", "engine1", "engine2", "plugin0"]
    many = [entry.name for entry in menu(engines(150), "engine0", plugins)]
    assert len(many) == 100
    assert many[: len(OWN)] == OWN


def test_the_menu_says_which_engine_need_not_be_named() -> None:
    said = {entry.name: entry.description for entry in menu(engines(2), "engine1")}
    assert said["engine0"] == "Ask engine0"
    assert said["engine1"] == "Ask engine1 (the default)"


class Impatient(VirtualClock):
    """Let every wait be over at once."""

    async def sleep_until(self, deadline: float) -> None:
        await anyio.lowlevel.checkpoint()


class Hanging(Source):
    """Be a plug-in that hangs while it is imported."""

    def load(self) -> object:
        may_go_on.wait()
        raise SystemExit


may_go_on = threading.Event()


@pytest.mark.anyio
async def test_a_plug_in_that_hangs_keeps_the_menu_from_nobody() -> None:
    """Its own line says which package brings it."""
    clock = Impatient()
    chat, plugins = MemoryTransport(clock), Plugins([Hanging("hang", None)])
    ports = BridgePorts(chat, MemoryStore(), clock, engines(1), ScriptedHost(), plugins=plugins)
    try:
        with anyio.fail_after(10):
            await publish_menu(ports, "engine0")
    finally:
        may_go_on.set()
    assert chat.menu[-1].name == "hang"
    assert chat.menu[-1].description == "A command of toy-pack"
