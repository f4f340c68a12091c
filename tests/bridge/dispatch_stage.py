"""A dispatcher with real turns and a real outbox behind it; tests stand where the poll loop does.

The journal, the chat, the clock and the engines outlive a dispatcher: a stage can be entered again,
as after a start.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from fakes.clock import VirtualClock, settle
from fakes.scripted_engine import ScriptedDirectory, ScriptedHost, ScriptedRunner
from fakes.transport import MemoryTransport
from takopi.bridge.acceptance import Acceptance
from takopi.bridge.dispatcher import Dispatcher, DispatcherOptions, DispatcherPorts
from takopi.bridge.door import Door
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.outbox import Outbox
from takopi.bridge.places import Places
from takopi.bridge.records import AcceptedUpdate, Change, TurnRecord
from takopi.bridge.schedule_book import ScheduleBook
from takopi.bridge.scheduler import Scheduler
from takopi.bridge.turn_journal import TurnJournal
from takopi.bridge.turn_messages import FinalOptions, TurnMessages
from takopi.bridge.turn_start import DriverPorts, TurnOptions
from takopi.bridge.workspaces import OneDirectory
from takopi.core.access import AccessPolicy, access_policy
from takopi.core.chat import ChatUpdate, MessageEdited, MessageReceived, Scope
from takopi.core.watchdog import StallLimits
from takopi.errors import StoreError


class WatchedStore(MemoryStore):
    """Be a journal that shows what was committed, and refuses on demand."""

    def __init__(self) -> None:
        super().__init__()
        self.commits: list[tuple[Change, ...]] = []
        self.refuses: Callable[[Sequence[Change]], bool | StoreError] = lambda changes: False
        self.blind = False
        """Whether nothing can be read."""

    async def commit(self, changes: Sequence[Change]) -> None:
        refusal = self.refuses(changes)
        if refusal:
            raise refusal if isinstance(refusal, StoreError) else StoreError("the disk is full")
        await super().commit(changes)
        self.commits.append(tuple(changes))

    async def turn_of_message(self, chat_id: int, message_id: int) -> TurnRecord | None:
        if self.blind:
            raise StoreError("the disk does not answer")
        return await super().turn_of_message(chat_id, message_id)


@dataclass
class Stage:
    """Hold everything that a test of the dispatcher looks at."""

    options: dict[str, Any] = field(default_factory=dict)
    max_runs: int = 8
    access: AccessPolicy = field(default_factory=lambda: access_policy(chat_id=1))

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.chat = MemoryTransport(self.clock)
        self.store = WatchedStore()
        self.codex = ScriptedRunner("codex")
        self.claude = ScriptedRunner("claude")
        self.engines = ScriptedDirectory({"codex": self.codex, "claude": self.claude})
        self.door = Door(self.access, lambda chat, new: None)
        self._ids = 0

    def new_id(self) -> str:
        """Make the next id of a turn, an offer or a run."""
        self._ids += 1
        return f"t{self._ids}"

    @asynccontextmanager
    async def on(self) -> AsyncIterator["Stage"]:
        """Let a takopi live; what an earlier one left is taken up."""
        self.outbox = Outbox(self.chat, self.store, self.clock)
        messages = TurnMessages(self.outbox, self.clock, FinalOptions())
        driver = DriverPorts(
            self.engines,
            ScriptedHost(),
            OneDirectory(Path("/projects")),
            TurnJournal(self.store),
            self.clock,
            messages,
            TurnOptions(new_run_id=self.new_id, limits=StallLimits()),
        )
        async with anyio.create_task_group() as group:
            self.scheduler = Scheduler(driver, group, self.max_runs)
            options: dict[str, Any] = {
                "access": self.door,
                "default_engine": "codex",
                "new_id": self.new_id,
                "version": "9.9",
                **self.options,
            }
            self.dispatcher = Dispatcher(
                DispatcherPorts(
                    self.chat,
                    self.store,
                    self.engines,
                    self.outbox,
                    self.scheduler,
                    self.clock,
                    Places(self.store),
                    OneDirectory(Path("/projects")),
                    ScheduleBook(self.store),
                ),
                DispatcherOptions(**options),
                group,
            )
            self.acceptance = Acceptance(self.store, self.clock, self.outbox)
            state = await self.store.load()
            deliveries = self.outbox.restore(state)
            group.start_soon(self.outbox.run)
            await self.scheduler.recover(state.turns, deliveries)
            await self.dispatcher.take(state.updates)
            await settle()
            yield self
            await settle()
            group.cancel_scope.cancel()

    async def arrive(self, *updates: ChatUpdate) -> None:
        """Let one answer of the service arrive, and wait until nothing happens any more."""
        await self.dispatcher.take(await self.accept(*updates))
        await settle()

    async def accept(self, *updates: ChatUpdate) -> tuple[AcceptedUpdate, ...]:
        """Let the journal take an answer of the service, and nothing else happen."""
        return await self.acceptance.take(self.door, updates, None)

    def edit(self, message: MessageReceived, text: str, **more: Any) -> MessageEdited:
        """Make the update of an edit."""
        return MessageEdited(
            **{
                "update_id": self.chat.number(),
                "scope": message.scope,
                "chat_kind": message.chat_kind,
                "message_id": message.message_id,
                "sender_id": message.sender_id,
                "text": text,
                "edited_at": float(self.chat.number()),
                **more,
            }
        )

    def button(self, label: str, *, chat: int = 1) -> tuple[str, int]:
        """Find the newest button that is called so: its data, and the message that has it."""
        found = [
            (button.data, shown.message_id)
            for (where, _), shown in sorted(self.chat.shown.items())
            if where == chat and shown.message is not None
            for row in shown.message.buttons
            for button in row
            if button.label == label
        ]
        assert found, f"no button is called {label!r} in {self.chat.texts(chat)}"
        return found[-1]

    async def press(self, label: str, *, person: int = 1, chat: int = 1) -> str:
        """Press the newest button that is called so; returns the words that its presser sees."""
        data, on = self.button(label, chat=chat)
        return await self.press_data(data, on=on, person=person, chat=chat)

    async def press_data(self, data: str, *, on: int = 5, person: int = 1, chat: int = 1) -> str:
        """Press a button by its data."""
        press_id = self.chat.press(data, chat=chat, person=person, on=on)
        await self.arrive(*self.chat._waiting.pop())
        answers = [call.text for call in self.chat.calls if call.verb == "answer"]
        mine = [text for text in answers if text.startswith(f"{press_id}: ")]
        return mine[-1].removeprefix(f"{press_id}: ") if mine else ""

    def prompts(self) -> list[str]:
        """List what the engines were asked, codex first."""
        return [turn.request.prompt for turn in (*self.codex.turns, *self.claude.turns)]

    def answers(self) -> list[str]:
        """List what the chat shows that belongs to no turn."""
        kinds = ("✓", "✗", "■", "queued", "starting", "working", "cancelling")
        return [text for text in self.chat.texts() if not text.startswith(kinds)]

    async def unhandled(self) -> list[ChatUpdate]:
        """List the updates that a start would handle."""
        return [accepted.update for accepted in (await self.store.load()).updates]


@asynccontextmanager
async def staged(**options: Any) -> AsyncIterator[Stage]:
    """Let one takopi live for the length of a test."""
    fields = {name: options.pop(name) for name in ("max_runs", "access") if name in options}
    stage = Stage(options, **fields)
    async with stage.on():
        yield stage


def another_chat(message: MessageReceived, chat: int) -> Scope:
    """Name another chat of the same service."""
    return Scope(message.scope.transport, chat)
