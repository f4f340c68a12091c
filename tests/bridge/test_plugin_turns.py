"""What commands of plug-ins run and ask: turns in the chat, silent ones, and the runtime."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from bridge.plugin_world import commands, living
from fakes.scripted_engine import gated, until_cancelled
from takopi.commands import CommandContext, CommandResult, RunRequest
from takopi.context import RunContext
from takopi.errors import ConfigError, DirectiveError, PluginError, RunnerUnavailableError
from takopi.model import ResumeToken

if TYPE_CHECKING:
    from takopi.transport import RenderedMessage

pytestmark = pytest.mark.anyio


async def test_a_turn_in_the_chat_is_a_turn_like_any_other() -> None:
    """Its progress and final answer the command; the command goes on after its end."""
    order: list[str] = []

    async def ask(ctx: CommandContext) -> CommandResult:
        request = RunRequest("do it", engine="claude", context=RunContext("web", "fix"))
        done = await ctx.executor.run_one(request)
        order.append(done.engine)
        assert done.message is None
        return CommandResult("after")

    async with living(commands(ask=ask)) as world:
        gate = anyio.Event()
        world.claude.scripts = [gated(gate)]
        command = world.chat.write("/ask")
        await world.clock.advance(5)
        assert world.chat.has("claude")
        assert order == []
        gate.set()
        await world.clock.advance(10)
        assert order == ["claude"]
        (final,) = world.finals()
        assert "answer to do it" in final
        assert "ctx: web @fix" in final
        assert world.claude.turns[0].request.cwd == Path("/web/.worktrees/fix")
        assert world.chat.has("after")
        world.chat.write("more", reply_to=command.message_id)
        await world.clock.advance(10)
        assert world.claude.turns[1].request.resume == ResumeToken("claude", "s1")


async def test_a_captured_turn_shows_nothing_and_gives_its_answer() -> None:
    """The chat's own context and engine hold; the journal has the turn."""
    answers: list[RenderedMessage | None] = []

    async def think(ctx: CommandContext) -> None:
        done = await ctx.executor.run_one(RunRequest("**think**"), mode="capture")
        answers.append(done.message)
        assert done.message is not None
        await ctx.executor.send(done.message)

    async with living(commands(think=think)) as world:
        world.chat.write("/think")
        await world.clock.advance(5)
        (answer,) = answers
        assert answer is not None
        assert answer.text == "answer to think"
        assert answer.extra["entities"] == [{"type": "bold", "offset": 10, "length": 5}]
        assert answer.extra["answer"] == "answer to **think**"
        assert answer.extra["outcome"] == "done"
        assert answer.extra["resume_line"] == "`codex resume s1`"
        (shown,) = world.chat.shown.values()
        assert shown.message is not None
        assert [e.kind for e in shown.message.body.entities] == ["bold"]
        turn = await world.store.turn("t1")
        assert turn is not None
        assert (turn.state, turn.silent, turn.origin) == ("done", True, "peer")


async def test_a_captured_turn_can_be_cancelled_from_the_chat() -> None:
    """/status shows it, /cancel ends it, and the plug-in hears of that."""
    told: list[str] = []

    async def think(ctx: CommandContext) -> None:
        done = await ctx.executor.run_one(RunRequest("think"), mode="capture")
        told.append(done.message.text if done.message else "")

    async with living(commands(think=think)) as world:
        world.codex.default = until_cancelled
        world.chat.write("/think")
        await world.clock.advance(2)
        world.chat.write("/status")
        await world.clock.advance(3)
        assert world.chat.has("codex · ")
        world.chat.write("/cancel")
        await world.clock.advance(5)
        assert told == ["cancelled: it has no answer"]
        assert world.finals() == []


async def test_a_silent_turn_ends_with_the_wait_for_it() -> None:
    """A plug-in that gives up waiting leaves no engine at work."""

    async def think(ctx: CommandContext) -> CommandResult:
        with anyio.move_on_after(0.01):
            await ctx.executor.run_one(RunRequest("think"), mode="capture")
        return CommandResult("gave up")

    async with living(commands(think=think)) as world:
        world.codex.default = until_cancelled
        world.chat.write("/think")
        with anyio.fail_after(10):
            while not world.chat.has("gave up"):
                await world.clock.advance(1)
                await anyio.sleep(0.01)
        await world.clock.advance(3)
        assert world.codex.playing == 0
        assert world.finals() == []


@pytest.mark.parametrize("parallel", [False, True])
async def test_many_turns_run_in_order_or_side_by_side(parallel: bool) -> None:
    """The answers come in the order of the requests."""
    found: list[str] = []

    async def ask(ctx: CommandContext) -> None:
        requests = [RunRequest("one"), RunRequest("two", engine="claude"), RunRequest("three")]
        done = await ctx.executor.run_many(requests, mode="capture", parallel=parallel)
        found.extend(one.message.text for one in done if one.message)

    async with living(commands(ask=ask)) as world:
        gate = anyio.Event()
        world.codex.default = world.claude.default = gated(gate)
        world.chat.write("/ask")
        await world.clock.advance(2)
        assert world.codex.playing + world.claude.playing == (3 if parallel else 1)
        gate.set()
        await world.clock.advance(2)
        assert found == ["answer to one", "answer to two", "answer to three"]


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (RunRequest(" "), "has no prompt"),
        (RunRequest("x", engine="nope"), "there is no engine nope; there are: codex, claude"),
        (RunRequest("x", context=RunContext("nope")), "there is no project nope"),
        (RunRequest("x", context=RunContext("web", "../x")), "../x cannot be a branch"),
    ],
)
async def test_a_request_that_cannot_be_starts_nothing(request_: RunRequest, told: str) -> None:
    """Nor do those beside it."""

    async def ask(ctx: CommandContext) -> None:
        await ctx.executor.run_many([RunRequest("fine"), request_])

    async with living(commands(ask=ask)) as world:
        world.chat.write("/ask")
        await world.clock.advance(3)
        assert world.chat.has(told)
        assert world.codex.turns == []


async def test_a_request_may_want_no_project() -> None:
    """An empty context is one, too."""

    async def ask(ctx: CommandContext) -> None:
        await ctx.executor.run_one(RunRequest("x", context=RunContext()), mode="capture")

    async with living(commands(ask=ask)) as world:
        world.chat.write("/ask")
        await world.clock.advance(3)
        assert world.codex.turns[0].request.cwd == Path("/work")


async def test_the_runtime_knows_the_projects() -> None:
    """By any spelling; what is not there is an error that a plug-in can tell from others."""
    found: list[Any] = []

    async def look(ctx: CommandContext) -> None:
        run = ctx.runtime
        found.append((run.default_project, run.project_chat_ids()))
        found.append((run.default_context_for_chat(None), run.default_context_for_chat(-8)))
        found.append([run.normalize_project_key(name) for name in (" WEB", "nope")])
        found.append([run.project_alias_for_key(name) for name in ("Web", "nope")])
        for context in (None, RunContext("api"), RunContext("nope")):
            found.append(run.project_default_engine(context))
        with pytest.raises(RunnerUnavailableError, match="x") as refused:
            run.resolve_runner(engine_override="broken")
        found.append((refused.value.engine, refused.value.issue))

    async with living(commands(look=look)) as world:
        world.engines.broken["broken"] = PluginError("x")
        world.chat.write("/look")
        await world.clock.advance(3)
    assert found == [
        (None, (-8,)),
        (None, RunContext("api")),
        ["web", None],
        ["web", "nope"],
        None,
        "codex",
        None,
        ("broken", "x"),
    ]


async def test_the_runtime_answers_as_the_chat_does() -> None:
    """Directives, contexts, engines and folders."""
    found: list[Any] = []

    async def look(ctx: CommandContext) -> None:
        run = ctx.runtime
        found.append(run.engine_ids)
        found.append((run.default_engine, run.available_engine_ids(), run.missing_engine_ids()))
        found.append((run.project_aliases(), run.config_path, run.plugin_config("look")))

        def resolve(text: str, reply: str | None = None, **more: Any) -> None:
            one = run.resolve_message(text=text, reply_text=reply, **more)
            found.append(
                (one.prompt, one.resume_token, one.engine_override, one.context, one.context_source)
            )

        resolve("/claude /web @fix do")
        resolve("do", "done\n\n`codex resume s9`\nctx: api @dev")
        resolve("do", ambient_context=RunContext("api"), chat_id=5)
        resolve("/usr do")
        resolve("/cancel do")
        resolve("/claude")
        resolve("/web")
        resolve("@dev", ambient_context=RunContext("api"))
        resolve(" ")
        for text in ("/claude /codex x", "/web /api x", "@fix x"):
            with pytest.raises(DirectiveError):
                run.resolve_message(text=text, reply_text=None)
        found.append((run.resolve_engine(), run.resolve_engine(engine_override="claude")))
        found.append(run.resolve_engine(context=RunContext("web")))
        one = run.resolve_runner(resume_token=ResumeToken("claude", "s1"))
        found.append((one.engine, one.available, one.issue))
        found.append(run.resolve_runner().runner is not None)
        found.append((run.is_resume_line("`codex resume s9`"), run.is_resume_line("hello")))
        found.append((run.resolve_run_cwd(None), run.resolve_run_cwd(RunContext("web"))))
        for context, why in (("web", "has no worktree yet"), ("nope", "there is no project nope")):
            with pytest.raises(ConfigError, match=why):
                run.resolve_run_cwd(RunContext(context, "fix"))
        found.append(await run.make_run_cwd(RunContext("web", "fix")))
        found.append(run.format_context_line(RunContext("web", "fix")))
        found.append((run.format_context_line(None), run.format_context_line(RunContext())))

    plugins = commands(look=look)
    plugins.tables["look"] = {"a": 1}
    async with living(plugins) as world:
        world.engines.broken["broken"] = PluginError("x")
        world.chat.write("/look")
        await world.clock.advance(3)
        assert world.chat.texts() == []
    web = RunContext("web", "fix")
    assert found == [
        ("codex", "claude", "broken"),
        ("codex", ("codex",), ("claude", "broken")),
        (("web", "api"), Path("/home/takopi.toml"), {"a": 1}),
        ("do", None, "claude", web, "directives"),
        ("do", ResumeToken("codex", "s9"), None, RunContext("api", "dev"), "reply_ctx"),
        ("do", None, None, RunContext("api"), "ambient"),
        ("/usr do", None, None, None, "none"),
        ("/cancel do", None, None, None, "none"),
        ("", None, "claude", None, "none"),
        ("", None, None, RunContext("web"), "directives"),
        ("", None, None, RunContext("api", "dev"), "directives"),
        ("", None, None, None, "none"),
        ("codex", "claude"),
        "codex",
        ("claude", False, "claude is not installed"),
        True,
        (True, False),
        (None, Path("/web")),
        Path("/web/.worktrees/fix"),
        "ctx: web @fix",
        (None, None),
    ]
