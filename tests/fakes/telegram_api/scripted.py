"""A Bot API client without a server: getUpdates answers from a list."""

from typing import TYPE_CHECKING, Any

import anyio
import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ScriptedApi", "said"]


class ScriptedApi:
    """Answer getUpdates from a list; then wait for ever."""

    def __init__(self, answers: list[Any]) -> None:
        self.answers = answers
        self.calls: list[dict[str, Any]] = []
        self.when_empty: Callable[[], object] = bool

    async def call(self, method: str, params: dict[str, Any], *, timeout_s: float = 30) -> Any:
        self.calls.append(params)
        if not self.answers:
            self.when_empty()
            await anyio.sleep_forever()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return msgspec.Raw(msgspec.json.encode(answer))

    async def aclose(self) -> None:
        """Do nothing."""


def said(number: int) -> dict[str, Any]:
    """Make an update."""
    chat = {"id": 1, "type": "private"}
    sender = {"id": 1, "is_bot": False, "first_name": "A"}
    body = {"message_id": number, "date": 1, "chat": chat, "from": sender, "text": str(number)}
    return {"update_id": number, "message": body}
