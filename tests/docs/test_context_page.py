"""The page about contexts and choices is the code's own table, and the code keeps to it."""

import re
from pathlib import Path

import pytest

from fakes.scripted_engine import ScriptedDirectory, ScriptedRunner
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.places import Places
from takopi.bridge.routing import Router, RouterPorts
from takopi.context import RunContext
from takopi.core.chat import MessageReceived, RepliedTo, Scope
from takopi.core.chat_settings import ChatSettings
from takopi.core.contexts import PRECEDENCE
from takopi.core.decisions import BoundTurn, Prompt
from takopi.core.places import PlaceRecord
from takopi.core.preferences import PREFERENCE_PLACES, Preferences, chat_key, held, scope_key
from takopi.core.projects import Project, Projects
from takopi.core.route import route

PAGE = Path(__file__).parents[2].joinpath("docs/reference/context.md").read_text("utf-8")
HERE = Scope("memory", -7, 4)
CONTEXTS = tuple(PRECEDENCE)
PLACES = tuple(PREFERENCE_PLACES)


def rows(heading: str) -> list[tuple[str, str]]:
    """Read the table below a heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.findall(r"(?m)^\| (.+?) \| (.+) \|$", section)
    return [row for row in found if row != ("source", "what it is")]


def test_the_page_has_the_tables_of_the_code() -> None:
    """In their order."""
    assert rows("Project and branch") == list(PRECEDENCE.items())
    assert rows("Choices") == list(PREFERENCE_PLACES.items())


def project(source: str, **more: object) -> Project:
    """Make the project that a source names."""
    return Project(source.replace(" ", "-"), Path("/src") / source, **more)


def router(*records: PlaceRecord, settings: ChatSettings) -> Router:
    """Make what knows what was bound and chosen."""
    places = Places(MemoryStore())
    places.restore(records)
    engines = ScriptedDirectory({"codex": ScriptedRunner("codex")})
    return Router(RouterPorts(engines, places, settings, "codex"))


@pytest.mark.parametrize("first", range(len(CONTEXTS)), ids=CONTEXTS)
def test_each_source_of_a_context_goes_before_those_below_it(first: int) -> None:
    """With every source from one on at hand, that one decides."""
    there = CONTEXTS[first:]
    projects = [project(source) for source in CONTEXTS if source != "project chat"]
    projects.append(project("project chat", chat_id=HERE.chat_id if "project chat" in there else 0))
    default = "default" if "default" in there else None
    records = [
        PlaceRecord(key=key, project=source)
        for source, key in (("topic", scope_key(HERE)), ("chat", chat_key(HERE)))
        if source in there
    ]
    settings = ChatSettings(projects=Projects(tuple(projects)), default_project=default)
    table = router(*records, settings=settings).table(HERE)
    said = RepliedTo(3, "done\nctx: line", from_this_bot=True) if "line" in there else None
    message = MessageReceived(
        update_id=1,
        scope=HERE,
        chat_kind="group",
        message_id=9,
        sender_id=1,
        text="/directive fix it" if "directive" in there else "fix it",
        reply=said,
    )
    context = RunContext("reply")
    bound = BoundTurn(turn_id="t", conversation="t", engine="codex", context=context)
    decision = route(message, table, bound if "reply" in there else None)
    assert isinstance(decision, Prompt)
    assert decision.where.source == CONTEXTS[first]
    named = None if CONTEXTS[first] == "none" else CONTEXTS[first].replace(" ", "-")
    assert decision.where.context.project == named


@pytest.mark.parametrize("first", range(len(PLACES)), ids=PLACES)
def test_each_place_of_a_choice_goes_before_those_below_it(first: int) -> None:
    """The engine that a place chose is the one that holds, whoever asks."""
    there = PLACES[first:]
    keys = {"topic": scope_key(HERE), "chat": chat_key(HERE), "project": "project:zed"}
    records = [
        PlaceRecord(key=key, preferences=Preferences(engine=source))
        for source, key in keys.items()
        if source in there
    ]
    zed = Project("zed", Path("/src/zed"), default_engine="configuration")
    settings = ChatSettings(projects=Projects((zed,)), default_project="zed")
    knows = router(*records, settings=settings)
    found = held(knows.layers(HERE, "zed"), lambda chosen: chosen.engine)
    assert found is not None
    assert (found.source, found.value) == (PLACES[first], PLACES[first])
    assert knows.table(HERE).engine_of(RunContext("zed")) == PLACES[first]
