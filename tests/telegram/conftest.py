"""A stand-in and a connected transport for every test that asks for them."""

from collections.abc import AsyncIterator

import pytest
from fakes.telegram_api import TelegramApi

from takopi.telegram.transport import TelegramConfig, TelegramTransport


@pytest.fixture
async def api() -> AsyncIterator[TelegramApi]:
    """Start a stand-in for the Bot API."""
    async with TelegramApi() as running:
        yield running


@pytest.fixture
async def transport(api: TelegramApi) -> AsyncIterator[TelegramTransport]:
    """Connect a transport to the stand-in."""
    connected = TelegramTransport(TelegramConfig(api.token, api.base_url), jitter=lambda: 0.5)
    await connected.connect()
    yield connected
    await connected.aclose()
