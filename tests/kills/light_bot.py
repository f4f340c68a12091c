"""A bot without Telegram: the real bridge, journal and run host over a socket to the test.

`python -m kills.light_bot SOCKET` loads everything once and then forks a bot for each order that
comes on its standard input, one at a time: a thousand lives would else cost a thousand imports.
"""

import asyncio
import dataclasses
import inspect
import os
import pickle
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kills.wire import Asker
from simulation.engines import ENGINES, SimRunner
from simulation.people import ACCESS
from takopi.bridge.bridge import Bridge, BridgeOptions, BridgePorts
from takopi.bridge.clock import SystemClock
from takopi.bridge.ports import MenuCommand, Store
from takopi.bridge.records import Change
from takopi.core.chat import ChatMessage, ChatUpdate, Document, Scope
from takopi.core.chat_settings import ChatSettings, SessionMode
from takopi.core.outbox_budget import OutboxLimits
from takopi.logging import configure_logging
from takopi.process.host import HostLimits, LocalRunHost
from takopi.runner_runtime import RunnerRuntime, bind_runtime
from takopi.store.opening import JournalOptions, open_journal
from takopi.transport import MessageRef, SendOptions

__all__ = ["Order", "main"]

_OPTIONS = {field.name for field in dataclasses.fields(BridgeOptions)}


@dataclass(frozen=True)
class Order:
    """Say what one life is, and how it ends.

    Args:
        home: Holds the journal and the run directories, and the engine in `bin`.
        home_id: Marks its processes.
        life: Its number.
        event: What is counted: `commit`, `call` or `start`.
        number: At which of them the bot dies; 0 for never.
        after: Whether it dies once the thing is done, or before.
        delay_s: How much later it dies, in the middle of whatever it does then.
        seed: For ids.
        mode: Whether prompts go on by themselves.
    """

    home: Path
    home_id: str
    life: int
    event: str = ""
    number: int = 0
    after: bool = False
    delay_s: float = 0.0
    seed: int = 0
    mode: SessionMode = "stateless"


class Doom:
    """Count events and die at the one that the order names."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._counts: dict[str, int] = {}

    def passed(self, event: str, *, after: bool) -> None:
        """Note an event, before or after it."""
        order = self._order
        if not after:
            self._counts[event] = self._counts.get(event, 0) + 1
        hit = event == order.event and self._counts[event] == order.number
        if not hit or after != order.after:
            return
        if order.delay_s:
            threading.Thread(target=self._later, daemon=True).start()
        else:
            os.kill(os.getpid(), signal.SIGKILL)

    def _later(self) -> None:
        time.sleep(self._order.delay_s)
        os.kill(os.getpid(), signal.SIGKILL)


class DoomedStore:
    """Be a journal whose process may die before or after any commit."""

    def __init__(self, inner: Store, doom: Doom) -> None:
        self._inner = inner
        self._doom = doom

    async def accept(self, updates: Any, newest: Any, arrived_at: Any) -> Any:
        self._doom.passed("commit", after=False)
        taken = await self._inner.accept(updates, newest, arrived_at)
        self._doom.passed("commit", after=True)
        return taken

    async def commit(self, changes: Sequence[Change]) -> None:
        self._doom.passed("commit", after=False)
        await self._inner.commit(changes)
        self._doom.passed("commit", after=True)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class LightTransport:
    """Be a chat service whose server is the test."""

    id = "sim"
    newest_update: int | None = None

    def __init__(self, asker: Asker, doom: Doom) -> None:
        self._asker = asker
        self._doom = doom

    async def _call(self, *what: Any) -> Any:
        self._doom.passed("call", after=False)
        answer = await self._asker.ask(*what)
        self._doom.passed("call", after=True)
        return answer

    async def updates(self) -> AsyncIterator[Sequence[ChatUpdate]]:
        taken: tuple[int, ...] = ()
        while True:
            batch = await self._asker.ask("poll", taken)
            self.newest_update = max(update.update_id for update in batch)
            yield batch
            taken = tuple(update.update_id for update in batch)

    async def send(self, scope: Scope, message: ChatMessage, options: SendOptions) -> MessageRef:
        return MessageRef(scope.chat_id, await self._call("send", scope, message, options))

    async def send_document(
        self, scope: Scope, document: Document, options: SendOptions
    ) -> MessageRef:
        return MessageRef(scope.chat_id, await self._call("document", scope, document, options))

    async def edit(self, ref: MessageRef, message: ChatMessage) -> None:
        await self._call("edit", ref, message)

    async def delete(self, ref: MessageRef) -> None:
        await self._call("delete", ref)

    async def answer_press(self, press_id: str, text: str = "") -> None:
        await self._call("press", press_id, text)

    async def set_menu(self, commands: Sequence[MenuCommand]) -> None:
        """Publish nothing: a menu is nothing that could be lost."""


class DoomedHost(LocalRunHost):
    """Be the run host of a process that may die around any start."""

    doom: Doom

    async def start(self, spec: Any) -> Any:
        self.doom.passed("start", after=False)
        run = await super().start(spec)
        self.doom.passed("start", after=True)
        return run


class LightRunner(SimRunner):
    """Be the module of the engine that is a shell script."""

    def command(self) -> str:
        return "light-engine"


class LightEngines:
    """Know the engines."""

    def __init__(self) -> None:
        self._runners = {engine: LightRunner(engine) for engine in ENGINES}

    def ids(self) -> tuple[str, ...]:
        return ENGINES

    def runner(self, engine: str) -> LightRunner:
        return self._runners[engine]

    async def version(self, engine: str) -> str | None:
        return "1.0"

    def missing(self, engine: str) -> None:
        return None


async def live(order: Order, socket: str) -> None:
    """Be a bot until somebody says stop."""
    reader, writer = await asyncio.open_unix_connection(socket)
    asker, doom = Asker(reader, writer), Doom(order)
    await_answers = asyncio.ensure_future(asker.listen())
    await asker.ask("hello", order.life)
    home = order.home
    journal = open_journal(
        home / "takopi.db",
        rebuild=list,
        now=time.time(),
        options=JournalOptions(reserve_bytes=4096),
    )
    host = DoomedHost(home / "runs", order.home_id, limits=HostLimits(min_free_mb=1))
    host.doom = doom
    os.environ["PATH"] = f"{home / 'bin'}:{os.environ['PATH']}"
    bind_runtime(RunnerRuntime(host, env_pass=dict.fromkeys(ENGINES, ("LIGHT_*",))))
    os.environ["LIGHT_LOG"] = str(home / "engine.log")
    ids = random.Random(f"{order.seed} {order.life}")
    options: dict[str, Any] = {
        "access": ACCESS,
        "default_engine": "alpha",
        "work_dir": home,
        "new_id": lambda: f"t{order.life}-{ids.randrange(1 << 40):x}",
        "version": "9.9",
        "chats": ChatSettings(session_mode=order.mode),
        "limits": OutboxLimits(private_rate_s=0.02, private_burst=50, group_per_min=1000),
    }
    transport = LightTransport(asker, doom)
    ports = BridgePorts(transport, DoomedStore(journal, doom), SystemClock(), LightEngines(), host)
    bridge = Bridge(ports, BridgeOptions(**options))
    loop = asyncio.get_running_loop()
    detach = {"detach": True} if "detach" in inspect.signature(bridge.stop).parameters else {}
    loop.add_signal_handler(signal.SIGTERM, lambda: bridge.stop(**detach))
    loop.add_signal_handler(signal.SIGINT, bridge.stop)
    await bridge.run()
    await_answers.cancel()
    await journal.close()
    writer.close()


def main() -> None:
    """Fork bots as ordered: a line of hex for each, answered by its pid and then by its end."""
    socket = sys.argv[1]
    for line in sys.stdin:
        order: Order = pickle.loads(bytes.fromhex(line))
        pid = os.fork()
        if pid == 0:
            _child(order, socket)
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _child(order: Order, socket: str) -> None:
    status = 1
    try:
        log = os.open(order.home / "bot.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        configure_logging()
        asyncio.run(live(order, socket))
        status = 0
    except BaseException:  # noqa: BLE001 - a forked child must not go on as its parent
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
