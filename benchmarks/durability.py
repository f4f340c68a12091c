"""What durability costs: from an update to the first reply, with and without a journal."""

import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import anyio
from anyio.lowlevel import checkpoint

from benchmarks.figure import Figure
from benchmarks.processes import median_ms

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from fakes.scripted_engine import ScriptedDirectory, ScriptedHost
from takopi.bridge.bridge import Bridge, BridgeOptions, BridgePorts
from takopi.bridge.clock import SystemClock
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.ports import MenuCommand, Store
from takopi.core.access import access_policy
from takopi.core.chat import ChatMessage, ChatUpdate, Document, MessageReceived, Scope
from takopi.runners.mock import MockRunner
from takopi.store.opening import open_journal
from takopi.transport import MessageRef, SendOptions

__all__ = ["measure"]

OWNER = 1
# Slow enough for the budget of all chats together.
_GAP_S = 0.25


class TimedTransport:
    """Hand out prompts one by one, each in a chat of its own, and note when the first reply comes.

    Args:
        prompts: How many.
    """

    id = "timed"
    newest_update: int | None = None

    def __init__(self, prompts: int) -> None:
        self._prompts = prompts
        self._sent_at: dict[int, float] = {}
        self._numbers = 0
        self.replies: dict[int, float] = {}
        self.finals: dict[int, float] = {}

    async def updates(self) -> AsyncIterator[Sequence[ChatUpdate]]:
        for number in range(1, self._prompts + 1):
            await anyio.sleep(_GAP_S)
            self._sent_at[number] = time.perf_counter()
            yield [
                MessageReceived(
                    update_id=number,
                    scope=Scope(self.id, number),
                    chat_kind="private",
                    message_id=1,
                    sender_id=OWNER,
                    text="Why does the test of the parser fail since yesterday?",
                )
            ]

    async def send(self, scope: Scope, message: ChatMessage, options: SendOptions) -> MessageRef:
        del options
        took = time.perf_counter() - self._sent_at[scope.chat_id]
        self.replies.setdefault(scope.chat_id, took)
        if message.body.text.startswith("✓"):
            self.finals.setdefault(scope.chat_id, took)
        await checkpoint()
        self._numbers += 1
        return MessageRef(scope.chat_id, 100 + self._numbers)

    async def send_document(
        self, scope: Scope, document: Document, options: SendOptions
    ) -> MessageRef:
        return await self.send(scope, ChatMessage(document.caption), options)

    async def edit(self, ref: MessageRef, message: ChatMessage) -> None:
        del ref, message
        await checkpoint()

    async def delete(self, ref: MessageRef) -> None:
        del ref
        await checkpoint()

    async def answer_press(self, press_id: str, text: str = "") -> None:
        del press_id, text
        await checkpoint()

    async def set_menu(self, commands: Sequence[MenuCommand]) -> None:
        del commands
        await checkpoint()


async def _no_pause(_seconds: float) -> None:
    await checkpoint()


async def _times(store: Store, prompts: int) -> TimedTransport:
    transport = TimedTransport(prompts)
    engines = ScriptedDirectory({"mock": MockRunner(_no_pause)})
    served = range(1, prompts + 1)
    options = BridgeOptions(
        access=access_policy(chat_id=OWNER, allowed_chat_ids=served, allowed_user_ids=[OWNER]),
        default_engine="mock",
        work_dir=Path(tempfile.gettempdir()),
    )
    await Bridge(
        BridgePorts(transport, store, SystemClock(), engines, ScriptedHost()), options
    ).run()
    return transport


def measure(prompts: int = 40) -> list[Figure]:
    """Measure both ways, one after the other.

    Args:
        prompts: How many prompts each way.
    """

    async def with_journal(path: Path) -> TimedTransport:
        store = open_journal(path, rebuild=tuple, now=time.time())
        try:
            return await _times(store, prompts)
        finally:
            await store.close()

    anyio.run(_times, MemoryStore(), 3)  # what is imported late is imported now
    bare = anyio.run(_times, MemoryStore(), prompts)
    with tempfile.TemporaryDirectory() as folder:
        durable = anyio.run(with_journal, Path(folder) / "takopi.db")
    figures = []
    for name, slow, fast in (
        ("first reply with / without a journal, p50", durable.replies, bare.replies),
        ("final with / without a journal, p50", durable.finals, bare.finals),
    ):
        long, short = median_ms(list(slow.values())), median_ms(list(fast.values()))
        detail = f"{long:.2f} ms against {short:.2f} ms, {len(slow)} prompts"
        figures.append(Figure(name, long / short, 10, detail=detail))
    return figures
