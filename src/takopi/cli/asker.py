"""Ask the person at the terminal."""

import getpass
import sys

__all__ = ["TerminalAsker"]


class TerminalAsker:
    """Ask on the process's own terminal."""

    def say(self, text: str) -> None:
        """Tell something."""
        print(text, flush=True)

    def ask(self, question: str, default: str = "") -> str:
        """Ask for a line; an empty one means the default, the end of the input means leaving."""
        shown = f"{question} [{default}]: " if default else f"{question}: "
        try:
            return input(shown).strip() or default
        except EOFError as error:
            raise KeyboardInterrupt from error

    def ask_secret(self, question: str) -> str:
        """Ask for a line that is not shown."""
        try:
            return getpass.getpass(f"{question}: ", stream=sys.stdout)
        except EOFError as error:
            raise KeyboardInterrupt from error
