"""Where prompts run when there are no projects."""

from pathlib import Path

from takopi.context import RunContext
from takopi.core.contexts import NO_CONTEXT
from takopi.errors import ConfigError

__all__ = ["OneDirectory"]


class OneDirectory:
    """Be one directory for everything.

    Args:
        path: Absolute.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def directory(self, context: RunContext) -> Path:
        """Return the directory.

        Raises:
            ConfigError: A project was named.
        """
        if context.project is not None:
            raise ConfigError(
                f"the project {context.project} is not in the configuration any more; register it "
                "again with `takopi init`"
            )
        return self._path

    async def context_of(self, directory: Path) -> RunContext:
        """Say that it belongs to no project."""
        del directory
        return NO_CONTEXT
