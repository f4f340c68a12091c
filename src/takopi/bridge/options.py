"""What a bridge is given: the world, and how it is to behave."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from takopi import __version__
from takopi.bridge.offer_desk import WhoDecides
from takopi.bridge.ports import (
    Clock,
    CommandPlugins,
    EngineDirectory,
    ProjectFiles,
    RunHost,
    Store,
    Transport,
    Workspaces,
)
from takopi.core.access import AccessPolicy
from takopi.core.backlog import Backlog
from takopi.core.chat_settings import PLAIN_CHATS, ChatSettings
from takopi.core.outbox_budget import OutboxLimits
from takopi.core.watchdog import StallLimits
from takopi.model import EngineId
from takopi.transcription import Transcriber

__all__ = ["BridgeOptions", "BridgePorts"]


def _new_id() -> str:
    return secrets.token_hex(6)


def _new_run_id() -> str:
    # They sort by time.
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{secrets.token_hex(4)}"


def _nobody(_chat: int, _new: int) -> None:
    """Be the one who need not be told."""


def _nothing() -> None:
    """Do nothing about it."""


@dataclass(frozen=True, slots=True)
class BridgePorts:
    """Bind the world.

    Args:
        transport: The chat service.
        store: Remembers what messages belong to.
        clock: Tells the time.
        engines: Knows the engines.
        host: Knows where sessions live.
        workspaces: Knows projects and their working trees; None for a bridge without projects.
        files: The files of the projects; None for a bridge through which none come and go.
        transcriber: Turns voice notes into words; None when nothing is set up for that.
        plugins: The commands that packages bring; None for a bridge without any.
    """

    transport: Transport
    store: Store
    clock: Clock
    engines: EngineDirectory
    host: RunHost
    workspaces: Workspaces | None = None
    files: ProjectFiles | None = None
    transcriber: Transcriber | None = None
    plugins: CommandPlugins | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeOptions:
    """Say how the bridge behaves.

    Args:
        access: Who is served.
        default_engine: Runs what names no engine and no session.
        work_dir: Absolute directory in which new sessions start.
        show_resume_line: Whether finals end with the line that resumes the session.
        final_notify: Whether a final is a new message that makes a sound.
        message_overflow: What becomes of an answer that one message cannot hold.
        max_runs: At most so many engines run at once.
        limits: Budgets of the chat service.
        stop_within_s: Seconds that `stop` may take; leaving needs the rest of ten.
        version: Of takopi, for `/status`.
        new_id: Makes ids of turns; at most 50 characters of `[A-Za-z0-9_-]`.
        new_run_id: Makes names of run directories, as `run_host.is_run_id` wants them.
        stall: How long an engine may be silent.
        backlog: What becomes of prompts that were sent while takopi was away.
        decide: Who may press a button that decides something.
        chats: What holds in chats where nothing else was chosen.
        reactions: Whether a reaction on a prompt says that it was seen.
        on_chat_moved: Told the old and the new id of a group that moved.
        on_listening: Told when the first updates are asked for.
        on_refused: Told, at least once a minute, that the journal takes no updates, so that none
            are asked for.
        serving_since: When this process began to serve, unix seconds, if an earlier bridge did.
    """

    access: AccessPolicy
    default_engine: EngineId
    work_dir: Path
    show_resume_line: bool = True
    final_notify: bool = True
    message_overflow: Literal["split", "trim", "file"] = "split"
    max_runs: int = 8
    limits: OutboxLimits = field(default_factory=OutboxLimits)
    stop_within_s: float = 8.5
    version: str = __version__
    new_id: Callable[[], str] = _new_id
    new_run_id: Callable[[], str] = _new_run_id
    stall: StallLimits = field(default_factory=StallLimits)
    backlog: Backlog = "answer"
    decide: WhoDecides = "asker"
    chats: ChatSettings = PLAIN_CHATS
    reactions: bool = False
    on_chat_moved: Callable[[int, int], None] = _nobody
    on_listening: Callable[[], object] = _nothing
    on_refused: Callable[[], object] = _nothing
    serving_since: float | None = None
