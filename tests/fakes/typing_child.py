"""A chat that only tells what was typed; run it as a program on a terminal.

`show TEXT` shows progress, `end` takes it away, `say TEXT` says something, `leave` ends the process
at once, `fail` raises an error; of anything else its length and a digest are told.
"""

import hashlib
import sys

import anyio
from rich.console import Console

from takopi.app.leaving import leave_now
from takopi.core.richtext import plain
from takopi.terminal.typing_screen import TypingScreen


async def main() -> None:
    send, receive = anyio.create_memory_object_stream[str | None](100)
    with TypingScreen(Console()) as screen:
        screen.note("before anything is read")
        screen.read(send.send_nowait)
        async for text in receive:
            if text is None:
                break
            word, _, rest = text.partition(" ")
            match word:
                case "show":
                    screen.progress(1, plain(rest.replace("|", "\n")))
                case "end":
                    screen.clear(1)
                case "say":
                    screen.say(plain(rest))
                case "leave":
                    leave_now(7)
                case "fail":
                    raise RuntimeError(rest)
                case _:
                    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
                    screen.say(plain(f"{len(text)} characters, {digest}"))
        screen.note("the end")
    send.close()
    receive.close()


if __name__ == "__main__":
    anyio.run(main)
    sys.exit(3)
