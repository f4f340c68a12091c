"""Commands that packages bring: run beside everything else, once, and never without a word."""

import asyncio
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from bridge.plugin_world import Handle, Plugins, Source, commands, living
from fakes.clock import settle
from fakes.scripted_engine import until_cancelled
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.plugin_words import as_messages
from takopi.bridge.records import LetterPut, LetterRecord, TurnPut, TurnRecord
from takopi.commands import CommandContext, CommandResult, RunRequest
from takopi.core.chat import ChatMessage, Scope
from takopi.core.outbox_plan import Priority
from takopi.core.richtext import Entity, RichText, plain
from takopi.errors import ConfigError, PluginError, StoreError, Unauthorized
from takopi.transport import MessageRef, RenderedMessage

pytestmark = pytest.mark.anyio


async def test_a_command_gets_its_context_and_its_answer_is_a_reply() -> None:
    """All that plug-ins for the public takopi read is there."""
    seen: list[CommandContext] = []

    async def hello(ctx: CommandContext) -> CommandResult:
        seen.append(ctx)
        return CommandResult(f"hello {' '.join(ctx.args)}")

    plugins = commands(hello=hello)
    plugins.tables["hello"] = {"greeting": "hi"}
    async with living(plugins) as world:
        first = world.chat.write("what is up")
        await world.clock.advance(5)
        sent = world.chat.write('/hello "big world" again', reply_to=first.message_id)
        await world.clock.advance(5)
        (ctx,) = seen
        assert (ctx.command, ctx.text) == ("hello", '/hello "big world" again')
        assert (ctx.args_text, ctx.args) == ('"big world" again', ("big world", "again"))
        assert ctx.message == MessageRef(1, sent.message_id)
        assert ctx.message.sender_id == sent.sender_id
        assert ctx.reply_to == MessageRef(1, first.message_id)
        assert ctx.plugin_config == {"greeting": "hi"}
        assert ctx.config_path == Path("/home/takopi.toml")
        answer = world.chat.find("hello big world again")
        call = next(call for call in world.sent("send") if call.text == answer.text)
        assert call.options is not None
        assert call.options.reply_to == ctx.message
        assert call.options.notify


async def test_words_with_a_lone_quote_are_split_at_spaces() -> None:
    """A person who writes `it's` is not punished for it."""

    async def words(ctx: CommandContext) -> CommandResult:
        return CommandResult(str(ctx.args))

    async with living(commands(words=words)) as world:
        world.chat.write("/words it's fine")
        await world.clock.advance(3)
        assert world.chat.has("""("it's", 'fine')""")


async def test_plug_ins_stand_in_menu_and_help() -> None:
    """With what they say about themselves, below their own heading; a broken one without."""

    async def hello(ctx: CommandContext) -> None: ...

    plugins = commands(hello=hello)
    plugins = Plugins([*plugins.sources, Source("bad", SystemExit(3))])
    async with living(plugins) as world:
        world.chat.write("/help")
        await world.clock.advance(3)
        text = world.chat.find("Plug-ins").text
        assert "Plug-ins\n/bad – A command of toy-pack\n/hello – Does hello\n" in text
        assert "hello" in [line.name for line in world.chat.menu]
        world.chat.write("/bad")
        await world.clock.advance(3)
        assert world.chat.has("command bad (entry point bad) failed to load with SystemExit: 3")


@pytest.mark.parametrize(
    ("what", "told"),
    [
        (ValueError("boom"), "takopi failed while running the plug-in command /bug (ValueError)"),
        (ConfigError("set plugins.bug.url"), "set plugins.bug.url"),
        (SystemExit(1), "/bug failed with SystemExit: 1; mend or remove its package"),
        (Unauthorized("no"), "/bug failed with Unauthorized: no; mend or remove its package"),
        (KeyboardInterrupt(), "/bug failed with KeyboardInterrupt: ; mend or remove its package"),
        (asyncio.CancelledError(), "/bug cancelled itself and gave no answer"),
        (
            BaseExceptionGroup("two", [SystemExit(3), ValueError("boom")]),
            "takopi failed while running the plug-in command /bug (BaseExceptionGroup)",
        ),
    ],
)
async def test_a_bug_costs_one_line(what: BaseException, told: str) -> None:
    """The bot goes on, and the journal has nothing left of the command."""

    async def bug(ctx: CommandContext) -> None:
        raise what

    async with living(commands(bug=bug)) as world:
        world.chat.write("/bug")
        await world.clock.advance(5)
        (text,) = world.chat.texts()
        assert told in text
        state = await world.store.load()
        assert not state.letters
        assert not state.updates
        world.chat.write("hello")
        await world.clock.advance(5)
        assert len(world.finals()) == 1


async def cancels_its_task(ctx: CommandContext) -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(0)


async def awaits_what_it_cancelled(ctx: CommandContext) -> None:
    task = asyncio.create_task(asyncio.sleep(9))
    task.cancel()
    await task


async def leaves_a_scope_open(ctx: CommandContext) -> None:
    anyio.CancelScope().__enter__()


@pytest.mark.parametrize(
    ("handle", "told"),
    [
        (cancels_its_task, "/bug cancelled itself and gave no answer"),
        (awaits_what_it_cancelled, "/bug cancelled itself and gave no answer"),
        (leaves_a_scope_open, "while running the plug-in command /bug (RuntimeError)"),
    ],
)
async def test_a_command_that_cancels_cancels_itself_alone(handle: Handle, told: str) -> None:
    """The bot serves on, and whoever sent the command is told."""
    async with living(commands(bug=handle)) as world:
        world.chat.write("/bug")
        await world.clock.advance(3)
        assert world.chat.has(told)
        assert not (await world.store.load()).letters
        world.chat.write("hello")
        await world.clock.advance(5)
        assert len(world.finals()) == 1


@pytest.mark.parametrize(
    ("result", "named"),
    [
        ("text", "str"),
        (CommandResult(None), "CommandResult(text: NoneType)"),  # type: ignore[arg-type]
        (CommandResult("x", reply_to=5), "CommandResult(reply_to: int)"),  # type: ignore[arg-type]
    ],
)
async def test_a_result_of_the_wrong_type_is_told(result: Any, named: str) -> None:
    """Its author learns what is wanted, and nothing is left that a start would tell."""

    async def odd(ctx: CommandContext) -> Any:
        return result

    async with living(commands(odd=odd)) as world:
        world.chat.write("/odd")
        await world.clock.advance(3)
        assert world.chat.has(f"/odd returned {named}, and has to return a CommandResult or None")
        assert not (await world.store.load()).letters


async def test_a_command_that_says_nothing_leaves_nothing() -> None:
    """Neither a message nor what would have told of an interruption; an empty text is none."""

    async def quiet(ctx: CommandContext) -> CommandResult | None:
        return CommandResult("  ") if ctx.args else None

    async with living(commands(quiet=quiet)) as world:
        world.chat.write("/quiet")
        world.chat.write("/quiet a")
        await world.clock.advance(3)
        assert world.chat.texts() == []
        assert not (await world.store.load()).letters


async def test_messages_go_out_whole_and_marked() -> None:
    """Long ones in parts, marks as the plug-in made them; the first message is named."""
    refs: list[MessageRef | None] = []

    async def talk(ctx: CommandContext) -> None:
        marks = [
            {"type": "bold", "offset": 0, "length": 4},
            {"type": "code", "offset": 2, "length": 6},  # crosses the one before
            {"type": "italic", "offset": 7, "length": 99},
            {"type": "glitter", "offset": 0, "length": 1},
            "nonsense",
        ]
        said = RenderedMessage("bold text", {"entities": marks})
        refs.append(await ctx.executor.send(said, notify=False, reply_to=MessageRef(2, 7)))
        refs.append(await ctx.executor.send("word " * 2000, reply_to=MessageRef(1, 77)))
        refs.append(await ctx.executor.send(" "))

    async with living(commands(talk=talk)) as world:
        command = world.chat.write("/talk")
        await world.clock.advance(30)
        sends = world.sent("send")
        first = world.chat.find("bold text")
        assert first.message is not None
        assert [e.kind for e in first.message.body.entities] == ["bold"]
        assert [call.options.reply_to.message_id for call in sends if call.options] == [
            command.message_id, 77, 77, 77,
        ]  # fmt: skip
        assert [call.options.notify for call in sends if call.options] == [
            False,
            True,
            False,
            False,
        ]
        assert refs[0] == MessageRef(1, first.message_id)
        assert refs[1] is not None
        assert refs[2] is None


def test_a_plug_in_may_mark_its_words_as_html_or_markdown() -> None:
    """As those for the public takopi do."""
    for text, mode in (("<b>a</b> &lt;", "HTML"), ("**a** <", "MarkdownV2")):
        (said,) = as_messages(RenderedMessage(text, {"parse_mode": mode}))
        assert isinstance(said, ChatMessage)
        assert said.body == RichText("a <", (Entity("bold", 0, 1),))


async def test_a_flood_of_words_is_a_beginning_and_a_file() -> None:
    """It does not keep the chat busy for minutes, and nothing of it is lost."""
    flood = "word " * 200_000

    async def talk(ctx: CommandContext) -> CommandResult:
        return CommandResult(flood)

    async with living(commands(talk=talk)) as world:
        world.chat.write("/talk")
        await world.clock.advance(5)
        (beginning,) = [call for call in world.sent("send") if call.message is not None]
        assert beginning.text.startswith("word word")
        (upload,) = world.sent("document")
        assert upload.document is not None
        assert upload.document.content.decode() == flood


def test_marks_of_every_word_of_a_book_take_no_time() -> None:
    """The bot would stand still for as long as they take."""
    marks = [{"type": "bold", "offset": 2 * n, "length": 1} for n in range(20_000)]
    began = time.process_time()
    parts = as_messages(RenderedMessage("a " * 20_000, {"entities": marks}))
    assert time.process_time() - began < 2
    assert isinstance(parts[0], ChatMessage)
    assert parts[0].body.entities[-1].offset == 4094


async def test_a_crash_is_told_and_nothing_runs_twice() -> None:
    """What it ran silently is ended without a final; a turn in the chat goes on."""
    starts: list[str] = []

    async def deploy(ctx: CommandContext) -> None:
        starts.append(ctx.text)
        await ctx.executor.run_one(RunRequest("think"), mode="capture")

    store = MemoryStore()
    async with living(commands(deploy=deploy), store) as world:
        world.codex.default = until_cancelled
        world.chat.write("/deploy")
        await world.clock.advance(3)
        assert world.codex.playing == 1
        assert world.chat.texts() == []
    async with living(commands(deploy=deploy), store) as world:
        await world.clock.advance(5)
        (text,) = world.chat.texts()
        assert text.startswith(
            "takopi was interrupted while /deploy ran, and does not run it again"
        )
        turn = await store.turn("t1")
        assert turn is not None
        assert (turn.state, turn.cancelled) == ("cancelled", True)
    async with living(commands(deploy=deploy), store) as world:
        await world.clock.advance(5)
        assert world.chat.texts() == []
    assert starts == ["/deploy"]


async def test_a_command_that_never_began_begins_after_the_crash() -> None:
    """Its update stands in the journal unhandled."""
    ran: list[str] = []

    async def hello(ctx: CommandContext) -> None:
        ran.append(ctx.text)

    store = MemoryStore()
    async with living(commands(hello=hello), store) as world:
        commit, refused = store.commit, []

        async def refuse(changes: Any) -> None:
            refused.append(changes)
            raise StoreError("full")

        store.commit = refuse  # type: ignore[method-assign]
        world.chat.write("/hello")
        await world.clock.advance(0.5)
        assert refused
        assert ran == []
        store.commit = commit  # type: ignore[method-assign]
    async with living(commands(hello=hello), store) as world:
        await world.clock.advance(3)
        assert ran == ["/hello"]


async def test_no_turn_starts_while_takopi_stops() -> None:
    """The plug-in is told instead of waiting for ever."""
    errors: list[str] = []
    gate = anyio.Event()

    async def late(ctx: CommandContext) -> None:
        await gate.wait()
        try:
            await ctx.executor.run_one(RunRequest("x"))
        except PluginError as error:
            errors.append(str(error))

    async with living(commands(late=late)) as world:
        world.codex.default = until_cancelled
        world.chat.write("hello")
        world.chat.write("/late")
        await world.clock.advance(2)
        world.bridge.stop(detach=True)
        await settle()
        gate.set()
        await settle()
        assert errors == ["takopi is about to stop, so no turn was started"]


async def test_a_forged_press_on_a_plug_in_does_nothing() -> None:
    """Answers of plug-ins have no buttons; the press is marked."""

    async def hello(ctx: CommandContext) -> None: ...

    async with living(commands(hello=hello)) as world:
        world.chat.press("x:hello:1")
        await world.clock.advance(1)
        assert not (await world.store.load()).updates
        assert len(world.sent("answer")) == 1


async def test_what_another_transport_left_waits_for_it() -> None:
    """Nothing of it goes out here, and nothing of it is lost."""
    store = MemoryStore()
    letter = LetterRecord(
        letter_id=5,
        scope=Scope("elsewhere", 1),
        chat_kind="private",
        priority=Priority.FINAL,
        body=ChatMessage(plain("not for here")),
    )
    turn = TurnRecord(turn_id="far", scope=letter.scope, engine="codex", prompt="far away")
    await store.commit([LetterPut(letter), TurnPut(turn)])
    async with living(commands(), store) as world:
        world.chat.write("hello")
        await world.clock.advance(10)
        assert not world.chat.has("not for here")
        assert [one.request.prompt for one in world.codex.turns] == ["hello"]
    state = await store.load()
    assert [one.letter_id for one in state.letters] == [5]
    assert [one.turn_id for one in state.turns] == ["far"]


async def test_where_every_line_wants_an_answer_a_quiet_command_is_done() -> None:
    """Unless something of it stands in the chat already."""

    async def quiet(ctx: CommandContext) -> None:
        if ctx.args:
            await ctx.executor.run_one(RunRequest("turn"))

    plugins = commands(quiet=quiet)
    plugins.always_answers = True
    async with living(plugins) as world:
        world.chat.write("/quiet")
        await world.clock.advance(3)
        assert world.chat.texts() == ["/quiet is done."]
        world.chat.write("/quiet a")
        await world.clock.advance(10)
        assert len(world.chat.texts()) == 2
