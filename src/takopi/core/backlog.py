"""What becomes of prompts that were sent while takopi was away."""

from typing import Literal, TypeAlias

__all__ = ["Backlog", "sent_while_away"]

Backlog: TypeAlias = Literal["answer", "ask", "drop"]
"""`answer` starts them, `ask` shows them with buttons, `drop` says that they are not answered."""

# The service's dates have whole seconds: a message may be so much younger than its date.
_ROUNDING_S = 1.0


def sent_while_away(sent_at: float, arrived_at: float, started_at: float) -> bool:
    """Tell whether a message was sent before takopi started and came only after that.

    What an earlier takopi took already, and had no time for, is no backlog.

    Args:
        sent_at: The service's date of the message, unix seconds; 0 when it tells none.
        arrived_at: When takopi took it, unix seconds.
        started_at: When this takopi started, unix seconds.
    """
    return 0 < sent_at <= started_at - _ROUNDING_S and arrived_at >= started_at
