"""What only opencode does: permissions that nobody can grant, variants, unknown models."""

import json
from dataclasses import replace

import pytest

from real_engines.world import World
from takopi.runners.run_options import EngineRunOptions, apply_run_options

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.timeout(180),
    pytest.mark.opencode,
    pytest.mark.xdist_group("real-opencode"),
]


def permissions(**changes: str) -> str:
    """Give a value of OPENCODE_CONFIG_CONTENT, which opencode lays over its settings."""
    return json.dumps({"permission": {"*": "allow", **changes}})


async def test_a_permission_that_must_be_asked_for_names_its_setting(opencode: World) -> None:
    """A run cannot ask: opencode stops, and the person is told which setting to change."""
    outcome = await opencode.run(
        "[[bash: echo hi]][[say: done]]", OPENCODE_CONFIG_CONTENT=permissions(bash="ask")
    )
    assert outcome.end.ok is False
    assert "refused `echo hi`" in str(outcome.end.error)
    assert "Set `permission.bash` to `allow`" in str(outcome.end.error)
    again = await opencode.run("[[bash: echo hi]][[say: done]]", outcome.token)
    assert again.end.answer == "done"


async def test_auto_grants_what_is_not_denied(opencode: World) -> None:
    """The option that the error names works."""
    opencode.home = replace(opencode.home, config={"extra_args": ["--auto"]})
    outcome = await opencode.run(
        "[[bash: echo hi]][[say: {out}]]", OPENCODE_CONFIG_CONTENT=permissions(bash="ask")
    )
    assert outcome.end.answer.strip() == "hi"


async def test_a_reasoning_level_is_a_variant_of_the_model(opencode: World) -> None:
    """What the turn asks for reaches the provider."""
    before = len(opencode.model.main_requests)
    with apply_run_options(EngineRunOptions(reasoning="high")):
        outcome = await opencode.run("[[think: deeply]][[say: ok]]")
    assert outcome.end.answer == "ok"
    assert opencode.asked_since(before)[0].conversation.reasoning == "high"
    assert outcome.actions("thinking")[0].action.detail["text"] == "deeply"


async def test_an_unknown_model_is_told(opencode: World) -> None:
    """opencode itself only says that something unexpected happened."""
    with apply_run_options(EngineRunOptions(model="fake/nope")):
        outcome = await opencode.run("hello")
    assert outcome.end.ok is False
    assert "`opencode models`" in str(outcome.end.error)


async def test_a_sub_agent_and_a_plan(opencode: World) -> None:
    """Both are shown as what they are."""
    outcome = await opencode.run(
        "[[plan: x a; > b]][[agent: [[bash: echo below]] ]][[plan: x a; x b]][[say: fin]]"
    )
    assert outcome.end.answer == "fin"
    assert "below" in outcome.actions("subagent")[0].action.detail["output"]
    (plan,) = outcome.actions("plan")
    assert plan.ok is True
