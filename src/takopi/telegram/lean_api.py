"""The Bot API without aiogram: for set-up and `takopi doctor`, which make two or three calls."""

from typing import Any

import msgspec

from takopi.telegram.api import BotIdentity, TelegramConfig, identify
from takopi.telegram.endpoint import Endpoint

__all__ = ["LeanApi", "probe_bot"]


class LeanApi:
    """Carry out methods whose parameters are JSON already.

    Args:
        config: Token and server.
    """

    def __init__(self, config: TelegramConfig) -> None:
        self._endpoint = Endpoint(config, connections=4)

    async def call(
        self, method: str, params: dict[str, Any], *, timeout_s: float = 30
    ) -> msgspec.Raw:
        """Carry out one method and return the JSON of its result."""
        given = {name: value for name, value in params.items() if value is not None}
        return await self._endpoint.post(method, given, timeout_s)

    async def aclose(self) -> None:
        """Close the connections; a later call opens new ones."""
        await self._endpoint.aclose()


async def probe_bot(config: TelegramConfig, *, timeout_s: float = 10) -> BotIdentity:
    """Ask once who the token belongs to.

    Raises:
        Unauthorized: The token is wrong or revoked.
        TransportUnavailable: The server did not answer.
    """
    api = LeanApi(config)
    try:
        return await identify(api, timeout_s=timeout_s)
    finally:
        await api.aclose()
