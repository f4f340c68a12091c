"""What a person reads on standard error."""

import io
import sys

from takopi.cli.streams import tell


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_complaints_are_broken_between_words(monkeypatch) -> None:
    """Elsewhere they are one line, for whoever searches a log."""
    monkeypatch.setenv("COLUMNS", "20")
    for stream, told in (
        (Terminal(), "it is missing; make\nit with `mkdir x`\n"),
        (io.StringIO(), "it is missing; make it with `mkdir x`\n"),
    ):
        monkeypatch.setattr(sys, "stderr", stream)
        tell("it is missing; make it with `mkdir x`")
        assert stream.getvalue() == told
