"""The commands that packages bring: loaded on first use, run beside everything else.

Before such a command begins, its update is marked, and a message that says it was interrupted is
written down with the mark. That message goes away with the command's end. Only a start that finds
it still there, because takopi died or was stopped meanwhile, sends it: so the command neither runs
twice nor ends without a word.
"""

import shlex
from dataclasses import dataclass, field
from functools import partial

import anyio
from anyio import to_thread

from takopi.bridge.border import border
from takopi.bridge.commands.call import CommandCall, CommandPorts, PressCall
from takopi.bridge.plugin_executor import ChatExecutor
from takopi.bridge.plugin_runtime import ChatRuntime
from takopi.bridge.ports import CommandPlugins
from takopi.bridge.records import LetterGone
from takopi.bridge.waiting import plain_errors
from takopi.commands import CommandBackend, CommandContext, CommandResult
from takopi.core.chat import Button, MessageReceived
from takopi.core.commands import CommandSpec, press_data, read_press
from takopi.core.decisions import Command
from takopi.core.replies import message
from takopi.core.shorten import one_line
from takopi.core.texts import tr
from takopi.errors import PluginError, Unauthorized
from takopi.transport import MessageRef

__all__ = ["PluginCommand", "describe", "load_descriptions", "split_words"]

_DESCRIPTION_UNITS = 200
_AGAIN = "again"


@dataclass(frozen=True, slots=True)
class PluginCommand:
    """Run the commands of plug-ins.

    Args:
        ports: What commands work with.
        plugins: Knows them.
        repeated: Messages whose button was pressed.
    """

    ports: CommandPorts
    plugins: CommandPlugins
    repeated: set[MessageRef] = field(default_factory=set)

    @property
    def names(self) -> tuple[str, ...]:
        """List the ids of what was found."""
        return self.plugins.catalogue.ids

    async def answer(self, call: CommandCall) -> None:
        """Write down that a command begins, and let it run.

        Raises:
            StoreError: The journal did not take it, so nothing happened; it is called again.
        """
        await self._begin(call)

    async def press(self, call: PressCall) -> str:
        """Run a command once more that was interrupted, once for each message that says so."""
        pressed, destination = call.pressed, call.destination
        ref = MessageRef(pressed.scope.chat_id, pressed.message_id)
        name, args = read_press(pressed.data) or ("", ())
        if args[:1] != (_AGAIN,) or ref in self.repeated:
            await self.ports.answers.mark([call.handled])
            return tr("This button does nothing any more")
        # What it carries was cut at the colons, as the words of other buttons are.
        command = Command(name, ":".join(args[1:]))
        received = MessageReceived(
            update_id=pressed.update_id,
            scope=pressed.scope,
            chat_kind=pressed.chat_kind,
            message_id=pressed.message_id,
            sender_id=pressed.sender_id,
            text=f"/{name} {command.args}".strip(),
        )
        at = call.arrived_at
        await self._begin(
            CommandCall(received, destination, command, None, call.handled, arrived_at=at)
        )
        self.repeated.add(ref)
        words = tr("/{command} was interrupted, and runs once more.", command=name)
        with border("showing what was chosen"):
            await self.ports.outbox.correct(destination, ref, message(words))
        return tr("Run again")

    async def _begin(self, call: CommandCall) -> None:
        name = call.command.name
        words = tr(
            "takopi was interrupted while /{command} ran, and does not run it again by itself. "
            "Turns that it started in this chat go on; those that it kept to itself are ended. "
            "Send the command again if you still want it.",
            command=name,
        )
        told = message(words, buttons=_again_button(call))
        owed = await self.ports.outbox.keep_back(call.destination, told, call.marks)
        self.ports.group.start_soon(self._run, call, owed)

    async def _run(self, call: CommandCall, owed: LetterGone) -> None:
        command = call.command.name
        executor = ChatExecutor(self.ports, call)
        result: CommandResult | None = None
        with border(f"running the plug-in command /{command}", plugin=command) as found:
            result = await self._alone(call, executor)
        if found.error is not None:
            result = CommandResult(found.error[:1000], notify=False)
        elif result is None and self.plugins.always_answers and not executor.said:
            result = CommandResult(tr("/{command} is done.", command=command), notify=False)
        with border("answering for a plug-in", plugin=command):
            said = result is not None and await executor.post(
                result.text, reply_to=result.reply_to, notify=result.notify, changes=[owed]
            )
            if not said:
                await self.ports.outbox.let_go(owed)

    async def _alone(self, call: CommandCall, executor: ChatExecutor) -> CommandResult | None:
        """Let a command run in a task of its own, which it may cancel or leave in disorder."""
        ended: list[CommandResult | None] = []

        async def run() -> None:
            ended.append(await self._handled(call, executor))

        with plain_errors():
            async with anyio.create_task_group() as group:
                group.start_soon(run)
        if not ended:
            command = call.command.name
            raise PluginError(tr("/{command} cancelled itself and gave no answer", command=command))
        return ended[0]

    async def _handled(self, call: CommandCall, executor: ChatExecutor) -> CommandResult | None:
        command = call.command.name
        load = partial(self.plugins.catalogue.load, command)
        # Importing a plug-in may take seconds, and nobody else is to wait for that.
        backend = await to_thread.run_sync(load, abandon_on_cancel=True)
        try:
            result = await backend.handle(self._context(call, executor))
        except (SystemExit, KeyboardInterrupt, Unauthorized) as error:
            # Each would end takopi, and none is a plug-in's to decide.
            raise PluginError(
                tr("/{command} failed with {error}; mend or remove its package",
                   command=command, error=f"{type(error).__name__}: {error}")
            ) from error  # fmt: skip
        wrong = _wrong(result)
        if wrong is not None:
            raise PluginError(
                tr("/{command} returned {type}, and has to return a CommandResult or None",
                   command=command, type=wrong)
            )  # fmt: skip
        return result

    def _context(self, call: CommandCall, executor: ChatExecutor) -> CommandContext:
        received, command = call.received, call.command
        scope, reply = received.scope, received.reply
        replied = None
        if reply is not None:
            replied = MessageRef(scope.chat_id, reply.message_id, thread_id=scope.thread_id)
        return CommandContext(
            command=command.name,
            text=received.text,
            args_text=command.args,
            args=split_words(command.args),
            message=MessageRef(
                scope.chat_id,
                received.message_id,
                thread_id=scope.thread_id,
                sender_id=received.sender_id,
            ),
            reply_to=replied,
            reply_text=reply.text if reply is not None else None,
            config_path=self.plugins.config_path,
            plugin_config=self.plugins.table(command.name),
            runtime=ChatRuntime(self.ports, self.plugins, scope, received.chat_kind),
            executor=executor,
        )


def _again_button(call: CommandCall) -> tuple[tuple[Button, ...], ...]:
    """Make the button that runs a command once more, if it can carry all that was said."""
    if call.received.reply is not None or call.received.files:
        return ()
    try:
        data = press_data(call.command.name, _AGAIN, call.command.args)
    except ValueError:
        return ()
    return ((Button(tr("Run again"), data),),)


def _wrong(result: object) -> str | None:
    """Say what a command returned that is no answer; None for one."""
    if result is None:
        return None
    if not isinstance(result, CommandResult):
        return type(result).__name__
    text: object = result.text
    if not isinstance(text, str):
        return f"CommandResult(text: {type(text).__name__})"
    reply_to: object = result.reply_to
    if reply_to is not None and not isinstance(reply_to, MessageRef):
        return f"CommandResult(reply_to: {type(reply_to).__name__})"
    return None


def split_words(text: str) -> tuple[str, ...]:
    """Split what follows a command as a shell would; at white space when a quote stands alone."""
    try:
        return tuple(shlex.split(text))
    except ValueError:
        return tuple(text.split())


async def load_descriptions(plugins: CommandPlugins) -> None:
    """Load every command, so that the menu and help can say what it is for."""
    for command in plugins.catalogue.ids:
        with border("loading a plug-in command", plugin=command):
            load = partial(plugins.catalogue.load, command)
            await to_thread.run_sync(load, abandon_on_cancel=True)


def describe(plugins: CommandPlugins | None) -> tuple[CommandSpec, ...]:
    """List the commands of plug-ins for the menu and for help, loading none."""
    if plugins is None:
        return ()
    catalogue = plugins.catalogue
    return tuple(
        CommandSpec(
            name=command,
            description=_description(catalogue.known(command))
            or tr("A command of {package}", package=catalogue.package(command)),
            group="Plug-ins",
            example=f"/{command}",
        )
        for command in catalogue.ids
    )


def _description(backend: CommandBackend | None) -> str:
    return "" if backend is None else one_line(backend.description, _DESCRIPTION_UNITS)
