"""What the chat shows of a turn: progress while it runs, the final when it ended."""

from takopi.core.final_view import FinalDelivery, FinalView, Overflow, render_final
from takopi.core.progress_view import ProgressHeader, render_progress

__all__ = [
    "FinalDelivery",
    "FinalView",
    "Overflow",
    "ProgressHeader",
    "render_final",
    "render_progress",
]
