"""Where a chat is shown and typed, by what the process's own streams are."""

import os
import sys

from takopi.terminal.lines import start_reading
from takopi.terminal.screen import PlainScreen, Screen, can_redraw
from takopi.terminal.transport import TerminalTransport
from takopi.terminal.typing_screen import TypingScreen

__all__ = ["begin_reading", "make_chat_screen", "someone_watches"]


def someone_watches(descriptor: int = 0) -> bool:
    """Tell whether a person types here and sees the answers."""
    return os.isatty(descriptor) and sys.stdout.isatty()


def make_chat_screen() -> TypingScreen | PlainScreen:
    """Make a screen on the process's own streams; what cannot redraw is written line by line."""
    if not (someone_watches() and can_redraw()):
        return PlainScreen(sys.stdout, sys.stderr)
    from rich.console import Console

    return TypingScreen(Console())


def begin_reading(screen: Screen, descriptor: int, transport: TerminalTransport) -> None:
    """Let a transport have what is typed; call it in the event loop.

    Args:
        screen: A terminal's keeps the line that is typed by itself.
        descriptor: Is read from where nobody sees what they type.
        transport: Gets each line, and the end.
    """
    if isinstance(screen, TypingScreen):
        screen.read(transport.take)
    else:
        start_reading(descriptor, transport.feed)
