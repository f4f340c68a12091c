"""The one-time code by which a person shows who they are, or which chat they mean.

Telegram hands it to the bot as `/start <code>`, from a link or typed: see
https://core.telegram.org/bots/features#deep-linking.
"""

import hmac
import re

__all__ = ["CALL_MARGIN_S", "POLL_TIMEOUT_S", "VALID_S", "says_code"]

VALID_S = 600.0
POLL_TIMEOUT_S = 50.0
CALL_MARGIN_S = 10.0

_START = re.compile(r"/start(?:@\w+)?[ ]+(?P<code>[A-Za-z0-9_-]{1,64})")


def says_code(text: str | None, code: str) -> bool:
    """Tell whether a message is the code and nothing else, in a time that gives nothing away."""
    found = _START.fullmatch((text or "").strip())
    return found is not None and hmac.compare_digest(found["code"], code)
