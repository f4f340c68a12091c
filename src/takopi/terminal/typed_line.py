"""The line at the foot of a terminal: prompt_toolkit's editor, with the keys that a chat needs."""

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass

from prompt_toolkit.application import Application, run_in_terminal
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import create_input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import ConditionalContainer, HSplit, Layout, Window
from prompt_toolkit.layout.controls import BufferControl, FormattedTextControl
from prompt_toolkit.layout.processors import BeforeInput
from prompt_toolkit.output import Output, create_output
from prompt_toolkit.output.vt100 import Vt100_Output

__all__ = ["LineEvents", "make_line"]


@dataclass(frozen=True, slots=True)
class LineEvents:
    """Say what the line shows, and what happens at it.

    Args:
        above: Gives what stands above it, with ANSI colours, each line ended.
        reading: Tells whether there is a line at all; before Ctrl-D there is.
        taken: Gets a text when it is sent.
        ended: Is told of Ctrl-D.
        interrupt: Is told of Ctrl-C.
    """

    above: Callable[[], str]
    reading: Callable[[], bool]
    taken: Callable[[str], None]
    ended: Callable[[], None]
    interrupt: Callable[[], None]


def make_line(prompt: str, events: LineEvents) -> "Application[None]":
    """Make the application that keeps the line, on the process's own terminal.

    Enter sends, Alt-Enter begins a new line, and what is pasted keeps its line breaks. Ctrl-C takes
    back what is typed, and asks for an interrupt where nothing is.

    Args:
        prompt: Stands before what is typed.
        events: What it shows, and whom it tells.
    """

    def sent(buffer: Buffer) -> bool:
        events.taken(buffer.text)
        return False  # the next one begins empty

    buffer = Buffer(name="line", multiline=False, history=InMemoryHistory(), accept_handler=sent)
    typing = Window(
        BufferControl(buffer, input_processors=[BeforeInput(prompt, style="bold")]),
        wrap_lines=True,
        dont_extend_height=True,
    )
    above = Window(FormattedTextControl(lambda: ANSI(events.above())), dont_extend_height=True)
    going_on = Condition(lambda: bool(events.above()))
    rows = HSplit(
        [
            ConditionalContainer(above, going_on),
            ConditionalContainer(typing, Condition(events.reading)),
        ]
    )
    return Application(
        Layout(rows, focused_element=typing),
        key_bindings=_keys(buffer, events),
        erase_when_done=True,
        input=create_input(),
        output=_output(),
    )


def _output() -> Output:
    """Make the terminal's output; it is never asked where its cursor is.

    An answer that comes late would be typed into whatever runs next.
    """
    output = create_output()
    if isinstance(output, Vt100_Output):
        output.enable_cpr = False
    return output


def _keys(buffer: Buffer, events: LineEvents) -> KeyBindings:
    keys = KeyBindings()
    empty = Condition(lambda: not buffer.text)

    @keys.add("c-c")
    def _take_back(_: KeyPressEvent) -> None:
        if buffer.text:
            buffer.reset()
        else:
            events.interrupt()

    @keys.add("c-d", filter=empty)
    def _end(event: KeyPressEvent) -> None:
        events.ended()
        event.app.invalidate()

    @keys.add("escape", "enter")
    def _new_line(_: KeyPressEvent) -> None:
        buffer.newline(copy_margin=False)

    @keys.add("c-z")
    def _suspend(_: KeyPressEvent) -> None:
        run_in_terminal(_stop_group)

    return keys


def _stop_group() -> None:
    """Stop all that Ctrl-Z stops; returns when the shell lets them go on.

    A signal to the group may be taken by another thread, and this one would go on to set the raw
    mode before it stands still: the shell would get that, and the chat later what the shell left.
    The second signal, to this thread alone, stops it here. Going on discards the one that is
    still pending, so nothing stops twice.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTSTP})
    try:
        signal.pthread_kill(threading.get_ident(), signal.SIGTSTP)
        os.kill(0, signal.SIGTSTP)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
