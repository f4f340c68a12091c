"""The first start on a real terminal: arrow keys to a bot that answers, and Ctrl-C anywhere."""

import re
import signal
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from fakes.pty_user import CTRL_C, CTRL_D, PtyUser
from fakes.telegram_api import OWNER_ID, TOKEN, TelegramApi

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(90)]

Steps = Callable[[PtyUser], object]
DOWN = "\x1b[B"


@pytest.fixture
def talk(argv, environment, tmp_path) -> Callable[..., object]:
    """Drive the set-up in a thread, so that the stand-in goes on answering."""

    here = tmp_path / "here"
    here.mkdir()

    async def run(steps: Steps, *arguments: str, **terminal: object) -> int:
        def sit() -> int:
            with PtyUser([*argv, *arguments], environment, cwd=here, **terminal) as user:
                steps(user)
                status = user.leave()
                assert user.echoes(), "the terminal is not as it was"
                assert user.raw.rfind("\x1b[?25l") <= user.raw.rfind("\x1b[?25h"), "no cursor"
                assert TOKEN not in user.shown
                return status

        return await anyio.to_thread.run_sync(sit)

    return run


def write(home: Path, api: TelegramApi, text: str = "") -> Path:
    path = home / "takopi.toml"
    path.touch(mode=0o600)
    path.write_text(f'# mine\n[transports.telegram]\napi_base_url = "{api.base_url}"\n{text}')
    return path


def open_link(user: PtyUser, api: TelegramApi) -> None:
    user.expect("https://t.me/takopi_test_bot?start=")
    user.expect("Waiting for you")
    found = re.search(r"\?start=([0-9a-f]{32})\s", user.shown)
    assert found is not None
    anyio.from_thread.run_sync(api.owner.say, f"/start {found[1]}")
    user.expect(f"(id {OWNER_ID})")


def assert_narrow(user: PtyUser, columns: int) -> None:
    """Only a word or command that is longer than a line is left to the terminal."""
    for line in user.shown.splitlines():
        whole = " " not in line.strip() or "npm install" in line  # to be copied
        assert len(line) <= columns or whole, line


@pytest.mark.parametrize("arguments", [[], ["toy"], ["--debug"], ["--onboard"]], ids=str)
@pytest.mark.usefixtures("toy")
def test_without_a_terminal_one_message_says_what_to_do(inside, takopi_home, arguments) -> None:
    """Exit status 78, and nothing is written."""
    done = inside(*arguments)
    assert done.returncode == 78
    assert f"takopi is not set up: {takopi_home / 'takopi.toml'} has no" in done.stderr
    assert "Run `takopi` in a terminal once" in done.stderr
    assert "`takopi chat` works" in done.stderr
    assert not (takopi_home / "takopi.toml").exists()


def test_what_is_half_set_up_is_named(inside, takopi_home) -> None:
    """Only what is missing is asked for."""
    path = takopi_home / "takopi.toml"
    path.touch(mode=0o600)
    path.write_text(f'[transports.telegram]\nbot_token = "{TOKEN}"\n')
    done = inside()
    assert done.returncode == 78
    assert "has no transports.telegram.chat_id.\n" in done.stderr
    path.write_text(f'[transports.telegram]\nbot_token = "{TOKEN}"\nchat_id = 1\n')
    done = inside("--onboard")
    assert done.returncode == 78
    assert "there is no terminal to ask on" in done.stderr


def test_onboard_goes_with_no_command(inside) -> None:
    """It ends in the bot's start, which no other command wants."""
    done = inside("--onboard", "ps")
    assert done.returncode == 2
    assert "leave the command out" in done.stderr


async def answered(api: TelegramApi) -> None:
    await api.wait_message(lambda m: "toy heard: hello" in (m.text or ""))


@pytest.mark.long
@pytest.mark.usefixtures("toy", "traced")
async def test_a_stranger_gets_from_nothing_to_an_answer(talk, takopi_home, tmp_path) -> None:
    """A pasted token, the link, arrow keys and a typed path; then the bot answers."""
    work = tmp_path / "work"
    work.mkdir()
    async with TelegramApi() as api:
        path = write(takopi_home, api)

        def steps(user: PtyUser) -> None:
            user.expect("1/6 Your bot")
            user.expect("/newbot")
            user.expect("›")
            user.type(f"\x1b[200~\n {TOKEN[:20]}\n{TOKEN[20:]} \x1b[201~\r")
            user.expect("✓ @takopi_test_bot")
            user.expect("2/6 You")
            anyio.from_thread.run_sync(api.person(4711, "Eve").say, "/start")
            open_link(user, api)
            user.expect("3/6 Where")
            user.expect("Enter")
            user.type("\x1b[A\r")  # from the first line up to the last
            user.expect("another one")
            user.expect("›")
            user.type(f"{work}x\x7f\r")
            user.expect("4/6 How")
            user.expect("Enter")
            user.type("3\r")
            user.expect("Which style? handoff")
            user.expect("5/6 The engine")
            user.expect("✓ toy")
            user.expect("Enter")
            user.type(DOWN + "\x1b[A\r")
            user.expect("when you name none? toy")
            user.expect("6/6 Your first project")
            user.expect("All right?")
            user.expect("Enter")
            assert "bot_token" not in path.read_text()
            user.type("\r")
            user.expect("a test message is in your chat")
            user.expect("takopi serves @takopi_test_bot")
            anyio.from_thread.run_sync(api.owner.say, "hello")
            anyio.from_thread.run(answered, api)
            user.type(CTRL_C)

        assert await talk(steps) == 0
        document = tomllib.loads(path.read_text())
        assert document["transports"]["telegram"]["allowed_user_ids"] == [OWNER_ID]
        assert (document["work_dir"], document["default_engine"]) == (str(work), "toy")
        assert document["session_mode"] == "stateless"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not api.bot_messages(4711)


@pytest.mark.long
@pytest.mark.usefixtures("toy", "traced")
async def test_a_terminal_that_cannot_draw_asks_line_by_line(talk, takopi_home) -> None:
    """Numbers instead of arrows; no escape sequence is written."""
    async with TelegramApi() as api:
        path = write(takopi_home, api)

        def steps(user: PtyUser) -> None:
            user.expect("Token: ")
            user.type(f"\n{TOKEN} \n")  # typed ahead: the first line is empty
            user.expect("@takopi_test_bot")
            open_link(user, api)
            user.expect("Which directory? [1]: ")
            user.type("7\n")
            user.expect("a number from 1 to 2")
            user.type("\n")
            user.expect("Which style? [1]: ")
            user.type("\n")
            user.expect("name none?")
            user.expect("[1]: ")
            user.type("\n")
            user.expect("All right? [1]: ")
            user.type(CTRL_D)
            user.expect("Nothing was written.")
            assert "\x1b" not in user.raw
            assert_narrow(user, 40)

        before = path.read_text()
        assert await talk(steps, term="dumb", columns=40) == 130
        assert path.read_text() == before


@pytest.mark.long
@pytest.mark.parametrize(
    ("term", "key"),
    [
        ("xterm", CTRL_C),
        ("xterm", CTRL_D),
        ("xterm", signal.SIGTERM),
        ("dumb", CTRL_C),
        ("dumb", CTRL_D),
    ],
)
async def test_the_terminal_is_left_as_it_was(talk, takopi_home, key, term) -> None:
    """While a secret is typed nothing is shown; whatever ends that, everything is again."""

    def steps(user: PtyUser) -> None:
        user.expect("Token")
        user.expect("›" if term == "xterm" else ": ")
        if isinstance(key, signal.Signals):
            user.signal(key)
        else:
            user.type(key)
            user.expect("Nothing was written.")

    assert await talk(steps, term=term) == (143 if key == signal.SIGTERM else 130)
    assert not (takopi_home / "takopi.toml").exists()


@pytest.mark.long
async def test_one_can_leave_while_the_owner_is_awaited_or_a_menu_is_shown(
    talk, takopi_home, environment
) -> None:
    """Waiting ends at once, without a trace; a menu gives the cursor back; NO_COLOR is heeded."""
    environment["NO_COLOR"] = "1"
    async with TelegramApi() as api:
        path = write(takopi_home, api, f'bot_token = "{TOKEN}"\n')
        before = path.read_text()

        def leave(user: PtyUser) -> None:
            user.type(CTRL_C)
            user.expect("Nothing was written.")

        def waiting(user: PtyUser) -> None:
            user.expect("Waiting for you")
            leave(user)

        def menu(user: PtyUser) -> None:
            open_link(user, api)
            user.expect("or a number and Enter")
            assert_narrow(user, 40)
            assert not re.search(r"\x1b\[[0-9;]*[39][0-7]m", user.raw), "a colour"
            leave(user)

        assert await talk(waiting) == 130
        assert await talk(menu, columns=40) == 130
        assert path.read_text() == before
