"""The wizard's questions, drawn for real; the keys come from a script or a pseudo-terminal."""

import contextlib
import os
import pty
import signal
import termios
from collections.abc import Iterator

import pytest

from takopi.core.keyboard import Key, KeyDecoder
from takopi.core.onboarding import Choice
from takopi.core.qr_code import qr_code
from takopi.logging import get_logger
from takopi.terminal.wizard import Wizard
from takopi.terminal.wizard_keys import Keyboard

CHOICES = (Choice("one", "the first"), Choice("two"), Choice("three"))


class Keys(Keyboard):
    """Be a keyboard on which a script types."""

    def __init__(self, typed: str) -> None:
        super().__init__()
        self._left = KeyDecoder().feed(typed.encode())
        self.forgotten = False

    def __enter__(self) -> "Keys":
        return self

    def __exit__(self, *_: object) -> None:
        assert not self._left

    def read(self) -> Key:
        return self._left.pop(0)

    def forget(self) -> None:
        self.forgotten = True


@pytest.fixture(params=[40, 120])
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("COLUMNS", str(request.param))
    return request.param


@pytest.mark.parametrize(
    ("typed", "chosen"), [("\r", 1), ("\x1b[B\r", 2), ("\x1b[A\r", 0), ("3\r", 2), ("1jj\r", 2)]
)
def test_a_menu_is_answered_with_arrows_or_numbers(width, typed, chosen, capsys) -> None:
    """The default is chosen at first; the answer stays on the screen."""
    with Wizard(Keys(typed)) as wizard:
        assert wizard.choose("Which one?", CHOICES, default=1) == chosen
    assert f"Which one? {CHOICES[chosen].label}" in capsys.readouterr().out


def test_a_line_is_edited_and_an_empty_one_is_the_default(width, capsys) -> None:
    """As in a shell."""
    with Wizard(Keys("ab\x1b[Dx\r\r   \r")) as wizard:
        assert wizard.ask("Directory", "/srv") == "axb"
        assert wizard.ask("Directory", "/srv") == "/srv"
        assert wizard.ask("Directory") == ""
    assert "Directory [/srv]" in capsys.readouterr().out


def test_a_long_line_stays_on_one_line(capsys, monkeypatch) -> None:
    """Of a long path the part around the cursor is shown."""
    monkeypatch.setenv("COLUMNS", "40")
    typed = "/" + "a" * 60 + "/ende"
    with Wizard(Keys(typed + "\x1b[D\x1b[D\x01\r")) as wizard:
        assert wizard.ask("Directory") == typed
    drawn = capsys.readouterr().out.split("\r\x1b[K")
    assert any(part.endswith("/ende") for part in drawn)
    assert all(len(part.partition("\x1b")[0].rstrip("\n")) <= 39 for part in drawn[1:])


def test_a_secret_is_never_drawn(capsys) -> None:
    """Dots say that something arrived."""
    with Wizard(Keys("\x1b[200~sec\nret\x1b[201~\x7f\r")) as wizard:
        assert wizard.ask_secret("Token") == "sec re"
    out = capsys.readouterr().out
    assert "•••••" in out
    assert "sec" not in out


def test_ctrl_d_leaves(capsys) -> None:
    """At a menu as at a line."""
    for ask in (lambda w: w.choose("?", CHOICES), lambda w: w.ask("?")):
        with pytest.raises(KeyboardInterrupt), Wizard(Keys("\x04")) as wizard:
            ask(wizard)


def test_what_is_told_fits_and_drives_nothing(width, capsys) -> None:
    """A person may be called like an escape sequence; a link is broken by the terminal alone."""
    link = "https://t.me/bot?start=" + "0" * 60
    keys = Keys("")
    with Wizard(keys) as wizard:
        wizard.step(1, 6, "Your bot")
        wizard.say("Eve \x1b[2J" + "word " * 40, "good")
        wizard.show(link)
        get_logger("test").warning("the.network", error="is slow")
        wizard.forget()
    out = capsys.readouterr().out
    assert "\x1b[2J" not in out
    assert link in out
    assert "! warning: the.network" in out
    assert keys.forgotten
    told = [line for line in out.splitlines() if line != link]
    assert max(map(len, told)) <= width


def test_a_picture_is_drawn_where_it_fits(width, capsys, monkeypatch) -> None:
    """Half a picture is none."""
    monkeypatch.setenv("LINES", "40")
    code = qr_code("https://t.me/" + "b" * 32 + "?start=" + "0" * 32)
    assert code is not None
    with Wizard(Keys("")) as wizard:
        wizard.draw(code)
    assert ("█▀▄" in capsys.readouterr().out) == (width > 40)


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    master, slave = pty.openpty()
    yield master, slave
    for descriptor in (master, slave):
        with contextlib.suppress(OSError):
            os.close(descriptor)


def test_keys_are_read_unseen_and_the_terminal_is_as_before(terminal, capsys) -> None:
    """What was typed ahead counts, in order; what is forgotten does not."""
    master, slave = terminal
    before = termios.tcgetattr(slave)
    os.write(master, b"ah\n")
    with Keyboard(slave) as keyboard:
        modes = termios.tcgetattr(slave)[3]
        assert not modes & (termios.ECHO | termios.ICANON)
        assert modes & termios.ISIG
        assert [keyboard.read().text for _ in "ah"] == ["a", "h"]
        keyboard.forget()
        os.write(master, b"x")
        assert keyboard.read() == Key("text", "x")
    assert termios.tcgetattr(slave) == before
    assert capsys.readouterr().out == "\x1b[?2004h\x1b[?2004l\x1b[?25h"


def test_a_terminal_that_is_gone_is_left(terminal) -> None:
    """Hanging up is leaving, and restores what there is to restore."""
    master, slave = terminal

    def hang_up() -> None:
        with Keyboard(slave) as keyboard:
            os.close(master)
            keyboard.read()

    with pytest.raises(KeyboardInterrupt):
        hang_up()


def test_a_signal_that_ends_the_process_restores_the_terminal(terminal) -> None:
    """The handlers are those of before as well."""
    _, slave = terminal
    before = termios.tcgetattr(slave), signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended, Keyboard(slave):
        signal.raise_signal(signal.SIGTERM)
    assert ended.value.code == 143
    assert (termios.tcgetattr(slave), signal.getsignal(signal.SIGTERM)) == before


def test_what_is_no_terminal_is_refused_and_nothing_stays() -> None:
    """An error at the beginning leaves no handler."""
    read, write = os.pipe()
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(termios.error), Keyboard(read):
        pass
    assert signal.getsignal(signal.SIGTERM) == before
    os.close(read)
    os.close(write)
