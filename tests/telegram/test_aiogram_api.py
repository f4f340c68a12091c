"""aiogram's client as takopi uses it."""

import msgspec
import pytest

from takopi.errors import FormatRefused
from takopi.telegram.aiogram_api import AiogramApi
from takopi.telegram.api import TelegramConfig

pytestmark = pytest.mark.anyio


async def test_what_aiogram_cannot_shape_is_refused_before_it_is_sent(api):
    """A wrong type never reaches the server, and the text names the method."""
    client = AiogramApi(TelegramConfig(api.token, api.base_url))
    with pytest.raises(FormatRefused, match="sendMessage cannot be sent"):
        await client.call("sendMessage", {"chat_id": 1, "text": ["no"]})
    assert api.calls.calls == []
    await client.aclose()


async def test_answers_stay_raw(api):
    """No model is built for an answer: the caller decodes what it needs."""
    client = AiogramApi(TelegramConfig(api.token, api.base_url))
    answer = await client.call("getMe", {})
    assert msgspec.json.decode(answer)["first_name"] == "takopi"
    with pytest.raises(NotImplementedError):
        client._session.stream_content("x")
    await client.aclose()
