"""Where a prompt belongs: project and branch."""

from dataclasses import dataclass

__all__ = ["RunContext"]


@dataclass(frozen=True, slots=True)
class RunContext:
    """Name the project and branch a scope or a message is bound to."""

    project: str | None = None
    branch: str | None = None
