"""A terminal at which a person types while answers come: what is typed keeps a line of its own.

The kernel's own line editing would not do: whatever is drawn goes over what is half typed, and a
line of more than 4,095 bytes loses its end. So the terminal is in raw mode here, and prompt_toolkit
keeps the line, at the foot, below what goes on; what was said stands above both and scrolls away.

It runs in a thread with an event loop of its own: a busy bridge must not hold up the keys, and the
terminal has to be as it was before when `__exit__` returns.
"""

import asyncio
import os
import queue
import signal
import threading
from collections.abc import Callable, Hashable
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING

from takopi.core.richtext import RichText
from takopi.logging import route_terminal
from takopi.terminal.modes import terminal_lent
from takopi.terminal.paint import harmless, to_rich
from takopi.terminal.wrapping import wrapped

if TYPE_CHECKING:
    from prompt_toolkit.application import Application
    from rich.console import Console, RenderableType

__all__ = ["TypingScreen"]

PROMPT = "you> "

# Rows that what goes on leaves to what is typed, and to the last line of what was said.
_OTHER_ROWS = 4
_END_S = 5.0


class TypingScreen:
    """Show a chat on the process's own terminal, and read what is typed there.

    Args:
        console: Draws on standard output, which is a terminal, as standard input is.
    """

    def __init__(self, console: "Console") -> None:
        self._console = console
        self._shown: dict[Hashable, RichText] = {}
        self._stack = ExitStack()
        self._thread: threading.Thread | None = None
        self._editor: _Editor | None = None

    def __enter__(self) -> "TypingScreen":
        self._stack.enter_context(route_terminal(self.note))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._let_go()
        self._stack.close()

    def read(self, take: Callable[[str | None], None]) -> None:
        """Begin to read; call it in the event loop.

        Args:
            take: Is called in that loop with each text, and with None when no more will come.
        """
        home = asyncio.get_running_loop()

        def emit(text: str | None) -> None:
            try:
                home.call_soon_threadsafe(take, text)
            except RuntimeError:
                return  # the loop is gone, and with it whoever listened

        self._stack.enter_context(terminal_lent(self._let_go))
        self._editor = _Editor(emit, self._echo)
        self._editor.foot(self._foot())
        self._thread = threading.Thread(target=self._editor.run, name="takopi-keys", daemon=True)
        self._thread.start()
        self._editor.wait_until_ready()

    def _let_go(self) -> None:
        editor, self._editor = self._editor, None
        if editor is not None and self._thread is not None:
            editor.leave()
            self._thread.join(_END_S)

    def progress(self, key: Hashable, body: RichText) -> None:
        """Show the present state of something that goes on, above what is typed."""
        self._shown[key] = body
        self._draw()

    def clear(self, key: Hashable) -> None:
        """Take the state of something that has ended away."""
        if self._shown.pop(key, None) is not None:
            self._draw()

    def say(self, body: RichText) -> None:
        """Write an answer above what goes on."""
        text = to_rich(body)
        text.rstrip()
        self._print(lambda: self._console.print(text))

    def note(self, text: str) -> None:
        """Write a remark above what goes on."""
        self._print(lambda: self._remark(text))

    def _remark(self, text: str) -> None:
        self._console.print(
            "\n".join(wrapped(harmless(text), self._console.width)),
            style="dim",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )

    def _echo(self, text: str) -> None:
        self._console.print(PROMPT, end="", style="bold")
        self._console.print(harmless(text), markup=False, highlight=False, soft_wrap=True)

    def _draw(self) -> None:
        if self._editor is not None:
            self._editor.foot(self._foot())

    def _foot(self) -> str:
        """Paint what goes on; of more than fits the beginning is left out, but not the head."""
        from rich.console import Group

        if not self._shown:
            return ""
        painted = self._painted(Group(*(to_rich(body) for body in self._shown.values())))
        head, *rest = painted.rstrip("\n").split("\n")
        room = max(1, self._console.height - _OTHER_ROWS - 1)
        return "\n".join([head, *rest[-room:]]) + "\n"

    def _painted(self, drawn: "RenderableType") -> str:
        with self._console.capture() as painted:
            self._console.print(drawn)
        return painted.get()

    def _print(self, write: Callable[[], None]) -> None:
        if self._editor is None:
            write()
        else:
            self._editor.above(write)


class _Editor:
    """Keep the line that is being typed, in a thread of its own.

    Args:
        emit: Gets each text, and None at the end.
        echo: Writes a text that was taken to where it stays.
    """

    def __init__(self, emit: Callable[[str | None], None], echo: Callable[[str], None]) -> None:
        self._emit = emit
        self._echo = echo
        self._foot = ""
        self._ended = False
        self._waiting: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._app: Application[None] | None = None

    # Called from other threads.

    def wait_until_ready(self) -> None:
        """Wait until the terminal is taken over, or could not be."""
        self._ready.wait(_END_S)

    def foot(self, painted: str) -> None:
        """Show something between what was said and what is typed.

        Args:
            painted: With ANSI colours; ends with a line break unless it is empty.
        """
        self._foot = painted
        if self._app is not None:
            self._app.invalidate()

    def above(self, write: Callable[[], None]) -> None:
        """Write something above, to stay, in the order of the calls."""
        self._waiting.put(write)
        self._look()

    def leave(self) -> None:
        """End once everything was written."""
        self._waiting.put(None)
        self._look()

    def _look(self) -> None:
        loop = self._loop
        if loop is None:
            return
        try:
            loop.call_soon_threadsafe(self._wake.set)
        except RuntimeError:
            self._write_at_hand()  # it ended by itself

    def _write_at_hand(self) -> bool:
        """Write what waits; False when it is time to leave."""
        while not self._waiting.empty():
            write = self._waiting.get()
            if write is None:
                return False
            write()
        return True

    # In its own thread.

    def run(self) -> None:
        """Read keys until it is told to leave, or the terminal is gone."""
        try:
            asyncio.run(self._main())
        except (OSError, EOFError):
            pass  # nobody sits there any more
        finally:
            self._ready.set()
            self._write_at_hand()
            self._end()

    async def _main(self) -> None:
        self._wake = asyncio.Event()
        self._app = self._make()
        self._loop = asyncio.get_running_loop()
        writing = asyncio.create_task(self._write_above(self._app))
        try:
            await self._app.run_async(pre_run=self._ready.set, handle_sigint=False)
        finally:
            writing.cancel()

    async def _write_above(self, app: "Application[None]") -> None:
        going_on = True
        while going_on:
            await self._wake.wait()
            self._wake.clear()
            # Not `run_in_terminal`: it leaves the raw mode meanwhile, and the kernel would show
            # what is typed just then in the midst of what is written.
            app.renderer.erase()
            going_on = self._write_at_hand()
            app.invalidate()
        app.exit()

    def _take(self, text: str) -> None:
        if text.strip() and not self._ended:
            self.above(lambda: self._echo(text))
            self._emit(text)

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            self._emit(None)

    def _make(self) -> "Application[None]":
        # Not before it is needed: it takes a third as long as all the rest of a start.
        from takopi.terminal.typed_line import LineEvents, make_line

        events = LineEvents(
            above=lambda: self._foot,
            reading=lambda: not self._ended,
            taken=self._take,
            ended=self._end,
            interrupt=lambda: os.kill(os.getpid(), signal.SIGINT),
        )
        return make_line(PROMPT, events)
