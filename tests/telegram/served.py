"""A bot of one process: the real transport and bridge, scripted engines, the stand-in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from fakes.scripted_engine import ScriptedDirectory, ScriptedHost, ScriptedRunner
from fakes.telegram_api import OWNER_ID, TelegramApi
from takopi.bridge.bridge import Bridge, BridgeOptions, BridgePorts
from takopi.bridge.clock import SystemClock
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.ports import ProjectFiles
from takopi.core.access import access_policy
from takopi.telegram.transport import TelegramConfig, TelegramTransport

GROUP_ID = -1005000


@dataclass
class Served:
    """Hold what a test looks at."""

    codex: ScriptedRunner
    store: MemoryStore
    transport: TelegramTransport


@asynccontextmanager
async def served(
    api: TelegramApi,
    *,
    store: MemoryStore | None = None,
    files: ProjectFiles | None = None,
    **options: Any,
) -> AsyncIterator[Served]:
    """Serve the owner, in private and in one group, for the length of a test."""
    api.world.group(GROUP_ID)
    api.updates.throttle = False  # else the last confirmation is answered late
    found = Served(
        ScriptedRunner("codex"),
        store or MemoryStore(),
        TelegramTransport(TelegramConfig(api.token, api.base_url), jitter=lambda: 0.0),
    )
    found.codex.changed = api.calls.notify
    engines = ScriptedDirectory({"codex": found.codex})
    settings: dict[str, Any] = {
        "access": access_policy(chat_id=OWNER_ID, allowed_chat_ids=[GROUP_ID]),
        "default_engine": "codex",
        "work_dir": Path("/projects"),
        "stop_within_s": 1.0,
        **options,
    }
    bridge = Bridge(
        BridgePorts(
            found.transport, found.store, SystemClock(), engines, ScriptedHost(), files=files
        ),
        BridgeOptions(**settings),
    )
    await found.transport.connect()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(bridge.run)
        await api.wait_call("getMyCommands")
        try:
            yield found
        finally:
            tasks.cancel_scope.cancel()
            await found.transport.aclose()
