"""One configuration after the other, served by one process."""

import gc
from collections.abc import Callable
from contextlib import AbstractContextManager

import anyio

from takopi.app.serving import BotParts, BotService, Refusal
from takopi.errors import TakopiError, UsageError
from takopi.logging import get_logger
from takopi.settings import Settings

__all__ = ["Lives"]

_log = get_logger(__name__)

_LOCK_TRIES = 20
_LOCK_PAUSE_S = 0.25

Opened = Callable[[Settings | None, Refusal | None], AbstractContextManager[BotParts]]


class Lives:
    """Hand signals to whichever configuration is served, also between two of them.

    Args:
        opened: Opens what serves a configuration; without one the file is read. What could not be
            served just before is told to the owner.
    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._unheeded: list[int] = []
        self._serving: BotService | None = None
        self._before: Settings | None = None
        self._refused: Refusal | None = None
        self._served = False
        self._since: float | None = None
        self._tries = 0

    def heed(self, number: int) -> None:
        """Do what a signal says, or let the next one do it."""
        if self._serving is None:
            self._unheeded.append(number)
        else:
            self._serving.stop(number)

    async def serve(self) -> None:
        """Serve until a signal says stop.

        Raises:
            TakopiError: The first configuration cannot be served, or neither can a changed one nor
                the one before it.
        """
        found = await self._serve_once(None)
        while found is not None:
            # The last life froze what was there, itself included; the locks of its runs are freed
            # with their objects.
            gc.unfreeze()
            gc.collect()
            found = await self._serve_once(found)

    async def _serve_once(self, settings: Settings | None) -> Settings | None:
        """Serve a configuration; return the next one, or None when takopi is to end."""
        refused, self._refused = self._refused, None
        before, self._before = self._before, None
        self._served = False
        try:
            with self._opened(settings, refused) as parts:
                found = await self._serve_parts(parts)
                self._before = parts.runtime.settings
        except UsageError as error:
            if settings is None or self._served:
                raise
            self._before, self._refused = before, refused
            return await self._wait_for_locks(settings, error)
        except TakopiError as error:
            # What was checked may fail all the same: nobody knows the new token, say.
            if before is None or settings is None or self._served:
                raise
            _log.error("config.given_up", error=str(error))
            self._refused = Refusal(str(error), settings.document)
            return before
        return found

    async def _wait_for_locks(self, settings: Settings, error: UsageError) -> Settings:
        """Try again, as a command may have taken the folder in between, and may hold it for long.

        Only where there is a configuration to go back to, the new one is given up in the end.
        """
        self._tries += 1
        if self._before is None or self._tries <= _LOCK_TRIES:
            if self._tries == 1:
                _log.warning("bot.waits_for_lock", error=str(error))
            await anyio.sleep(_LOCK_PAUSE_S)
            return settings
        _log.error("config.given_up", error=str(error))
        self._refused = Refusal(str(error), settings.document)
        before, self._before = self._before, None
        return before

    async def _serve_parts(self, parts: BotParts) -> Settings | None:
        self._tries = 0
        self._serving = service = BotService(parts, self._since)
        try:
            service.heed_earlier(self._unheeded)
            return await service.serve()
        finally:
            self._serving = None
            self._served, self._since = service.served, service.since
            self._unheeded = service.unheeded
            with anyio.CancelScope(shield=True):
                await parts.store.close()
