"""A stand-in and a connected transport for every test that asks for them."""

from collections.abc import AsyncIterator

import pytest

from fakes.telegram_api import TelegramApi
from fakes.telegram_api.oracle import check_calls
from fakes.telegram_api.skipping_clock import SkippingClock
from takopi.telegram.transport import TelegramConfig, TelegramTransport


@pytest.fixture
def clock() -> SkippingClock:
    """Skip waits."""
    return SkippingClock()


@pytest.fixture
async def api() -> AsyncIterator[TelegramApi]:
    """Start a stand-in for the Bot API."""
    async with TelegramApi() as running:
        yield running


@pytest.fixture
async def transport(api: TelegramApi, clock: SkippingClock) -> AsyncIterator[TelegramTransport]:
    """Connect a transport to the stand-in; afterwards, check all it sent by foreign rules."""
    config = TelegramConfig(api.token, api.base_url)
    connected = TelegramTransport(config, clock=clock, jitter=lambda: 0.5)
    await connected.connect()
    yield connected
    await connected.aclose()
    check_calls(api.calls, api.token)
