"""How the Bot API says no."""

from typing import Any

__all__ = ["Refusal", "bad_request"]


class Refusal(Exception):
    """Be an answer with `ok: false`.

    Args:
        code: HTTP status and `error_code`.
        description: The text as the real server writes it.
        parameters: `retry_after` or `migrate_to_chat_id`.
    """

    def __init__(
        self, code: int, description: str, parameters: dict[str, Any] | None = None
    ) -> None:
        self.code = code
        self.description = description
        self.parameters = parameters
        super().__init__(f"{code} {description}")

    def body(self) -> dict[str, Any]:
        """Give the JSON object of the answer."""
        found: dict[str, Any] = {
            "ok": False,
            "error_code": self.code,
            "description": self.description,
        }
        if self.parameters:
            found["parameters"] = self.parameters
        return found


def bad_request(reason: str) -> Refusal:
    """Make the commonest refusal."""
    return Refusal(400, f"Bad Request: {reason}")
