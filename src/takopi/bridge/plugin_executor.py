"""What command plug-ins do: send messages, and run turns in the chat or silently."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import anyio
from anyio import to_thread

from takopi.bridge.commands.call import CommandCall, CommandPorts
from takopi.bridge.letters import Delivery, Destination
from takopi.bridge.plugin_words import as_messages, as_rendered
from takopi.bridge.records import Change, TurnRecord
from takopi.bridge.turn import Turn
from takopi.commands import RunMode, RunRequest, RunResult
from takopi.context import RunContext
from takopi.core.branches import check_branch
from takopi.core.contexts import HeldContext
from takopi.core.decisions import Prompt
from takopi.core.texts import tr
from takopi.errors import PluginError
from takopi.transport import MessageRef, RenderedMessage

__all__ = ["ChatExecutor"]


@dataclass(frozen=True, slots=True)
class ChatExecutor:
    """Act in the place where a command was sent, on behalf of whoever sent it.

    Args:
        ports: What commands work with.
        call: The command.
    """

    ports: CommandPorts
    call: CommandCall
    said: list[str] = field(default_factory=list)
    """Names what was shown in the chat on behalf of the command."""

    async def send(
        self,
        message: RenderedMessage | str,
        *,
        reply_to: MessageRef | None = None,
        notify: bool = True,
    ) -> MessageRef | None:
        """Send a message to the chat, whole, and wait until the chat has it.

        Args:
            message: What it says; one that is too long becomes several, or a file.
            reply_to: The message that it answers; None means the command's own.
            notify: Whether the person's device may make a sound.

        Returns:
            The first message; None when it could not be sent.
        """
        deliveries = await self.post(message, reply_to=reply_to, notify=notify)
        for delivery in deliveries:
            await delivery.over.wait()
        return deliveries[0].refs[0] if deliveries else None

    async def post(
        self,
        message: RenderedMessage | str,
        *,
        reply_to: MessageRef | None,
        notify: bool,
        changes: Sequence[Change] = (),
    ) -> list[Delivery]:
        """Put a message in the outbox; the changes are written down with the last of it."""
        destination, pages = self._destination(reply_to), as_messages(message)
        deliveries = []
        for number, page in enumerate(pages, start=1):
            last = number == len(pages)
            delivery = await self.ports.outbox.say(
                destination, page, notify=notify and number == 1, changes=changes if last else ()
            )
            deliveries.append(delivery)
            self.said.append("message")
        return deliveries

    async def run_one(self, request: RunRequest, *, mode: RunMode = "emit") -> RunResult:
        """Run a turn and wait for its end.

        Args:
            request: What is asked.
            mode: `emit` shows it in the chat like any turn; `capture` shows nothing of it there and
                returns its answer.

        Raises:
            PluginError: The request names what is not there, or takopi is about to stop.
            StoreError: The journal did not take it, so nothing was started.
        """
        record = self._drafted(request, silent=mode == "capture")
        await self.ports.asking.submit(record)
        if not record.silent:
            self.said.append(record.turn_id)
        turn = self.ports.scheduler.turn(record.turn_id)
        if turn is None:
            raise PluginError(tr("takopi is about to stop, so no turn was started"))
        try:
            await turn.over.wait()
        finally:
            # Nobody waits for the answer of a silent turn any more when its command ends early.
            if turn.record.silent and not turn.left.is_set():
                self.ports.scheduler.cancel(turn.id)
        return RunResult(turn.engine, await _captured(turn) if turn.record.silent else None)

    async def run_many(
        self, requests: Sequence[RunRequest], *, mode: RunMode = "emit", parallel: bool = False
    ) -> list[RunResult]:
        """Run turns one after the other, or side by side, and return their ends in this order.

        Raises:
            PluginError: As for `run_one`; nothing was started of a list of which one is wrong.
            StoreError: As for `run_one`.
        """
        for request in requests:
            self._drafted(request, silent=True)
        if not parallel:
            return [await self.run_one(request, mode=mode) for request in requests]
        found: dict[int, RunResult] = {}

        async def run(number: int, request: RunRequest) -> None:
            found[number] = await self.run_one(request, mode=mode)

        async with anyio.create_task_group() as group:
            for number, request in enumerate(requests):
                group.start_soon(run, number, request)
        return [found[number] for number in range(len(requests))]

    def _destination(self, reply_to: MessageRef | None) -> Destination:
        destination = self.call.destination
        known = reply_to is not None and str(reply_to.channel_id) == str(destination.scope.chat_id)
        return Destination(destination.scope, destination.kind, reply_to) if known else destination

    def _drafted(self, request: RunRequest, *, silent: bool) -> TurnRecord:
        received, ports = self.call.received, self.ports
        if not str(request.prompt or "").strip():
            raise PluginError(tr("a RunRequest has no prompt; there has to be something to do"))
        table = ports.router.table(received.scope)
        where = table.here
        if request.context is not None:
            where = HeldContext(self._checked(request.context), "directive")
        engine = request.engine or table.engine_of(where.context)
        if engine not in ports.engines.ids():
            known = ", ".join(ports.engines.ids())
            raise PluginError(tr("there is no engine {engine}; there are: {known}",
                                 engine=engine, known=known))  # fmt: skip
        asked = TurnRecord(
            turn_id="",
            scope=received.scope,
            engine=engine,
            chat_kind=received.chat_kind,
            person=received.sender_id,
            # A reply to the command continues what is shown in the chat, and nothing else.
            messages=() if silent else (received.message_id,),
            after=received.message_id if silent else 0,
            origin="peer",
            silent=silent,
        )
        return ports.asking.draft(Prompt(text=request.prompt, engine=engine, where=where), asked)

    def _checked(self, context: RunContext) -> RunContext:
        if context.project is None:
            return RunContext()
        project = self.ports.settings.projects.find(context.project)
        if project is None:
            raise PluginError(tr("there is no project {alias}", alias=context.project))
        wrong = None if context.branch is None else check_branch(context.branch)
        if wrong is not None:
            raise PluginError(tr("{branch} cannot be a branch: {why}",
                                 branch=context.branch, why=wrong))  # fmt: skip
        return RunContext(project.alias, context.branch)


async def _captured(turn: Turn) -> RenderedMessage | None:
    if turn.ending is None:
        return None
    # Long answers are laid out in a thread: other chats must not wait for that.
    return await to_thread.run_sync(partial(as_rendered, turn.ending))
