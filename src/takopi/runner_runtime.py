"""Bind what runners need of the application: who owns processes, and which variables pass."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType

from takopi.model import EngineId
from takopi.run_host import RunHost

__all__ = [
    "RunnerRuntime",
    "RuntimeBinding",
    "bind_runtime",
    "current_runtime",
    "passed_variables",
]


@dataclass(frozen=True, slots=True)
class RunnerRuntime:
    """Say what runs start with.

    Args:
        host: Owns the processes of engines.
        env_pass: For each engine the variables it may see beyond the common ones.
        keep_background: Engines whose background processes outlive a normal end.
        install_cmd: For each engine the command that installs its CLI; None for none.
    """

    host: RunHost
    env_pass: Mapping[EngineId, tuple[str, ...]] = field(default_factory=dict)
    keep_background: frozenset[EngineId] = frozenset()
    install_cmd: Mapping[EngineId, str | None] = field(default_factory=dict)


# One for the process, not for a context: a plug-in's task or thread must see the same.
_bound: list[RunnerRuntime] = []


class RuntimeBinding:
    """Undo a binding at the end of a `with` block; without one the binding stays."""

    __slots__ = ("_before",)

    def __init__(self, before: list[RunnerRuntime]) -> None:
        self._before = before

    def __enter__(self) -> None:
        """Keep the binding for the block."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Put back what was bound before."""
        _bound[:] = self._before


def bind_runtime(runtime: RunnerRuntime) -> RuntimeBinding:
    """Make all turns opened from now on use `runtime`."""
    binding = RuntimeBinding(_bound[:])
    _bound[:] = [runtime]
    return binding


def passed_variables(engine: EngineId) -> tuple[str, ...] | None:
    """Return the variables that the application lets an engine see; None without a word on it."""
    return _bound[-1].env_pass.get(engine) if _bound else None


def current_runtime() -> RunnerRuntime:
    """Return the bound runtime; without an application one over the default host.

    Raises:
        TakopiError: The default host's folder cannot be used.
    """
    if _bound:
        return _bound[-1]
    from takopi.process import default_host

    return RunnerRuntime(host=default_host())
