"""Be the public face of the runner contract; what is written here lives in the modules below."""

from takopi.base_runner import (
    BaseRunner,
    Runner,
    adopt_turn,
    capabilities_of,
    list_models,
    open_turn,
)
from takopi.jsonl_fold import JsonlFold, JsonlRunState, replay
from takopi.jsonl_runner import JsonlSubprocessRunner
from takopi.resume_tokens import ResumeTokenMixin
from takopi.runner_runtime import RunnerRuntime, bind_runtime, current_runtime
from takopi.session_lock import SessionLockMixin
from takopi.turn_context import current_request

__all__ = [
    "BaseRunner",
    "JsonlFold",
    "JsonlRunState",
    "JsonlSubprocessRunner",
    "ResumeTokenMixin",
    "Runner",
    "RunnerRuntime",
    "SessionLockMixin",
    "adopt_turn",
    "bind_runtime",
    "capabilities_of",
    "current_request",
    "current_runtime",
    "list_models",
    "open_turn",
    "replay",
]
