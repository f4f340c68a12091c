"""The command line; each command is a file of its own and imports what it needs when it runs."""

import sys
from contextlib import suppress

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run takopi and return its exit status.

    Args:
        arguments: What follows the program's name; None takes them from the process.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if sys.platform == "win32":
        print(
            "takopi runs on Linux and macOS; on Windows use it inside WSL "
            "(https://learn.microsoft.com/windows/wsl/install)",
            file=sys.stderr,
        )
        return 1
    if arguments and arguments[0] in ("--version", "-V"):
        # Answered before anything is imported: scripts and prompts ask for it often.
        from takopi import __version__
        from takopi.cli.streams import settled, steady_streams

        steady_streams()
        with suppress(OSError):  # `settled` tells of it
            print(f"takopi {__version__}")
        return settled(0)
    try:
        from takopi.cli.root import run

        return run(arguments)
    except KeyboardInterrupt:
        return 130
