"""The first start: a short set-up on a terminal, one clear message anywhere else."""

import re
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

Step = Callable[[PtyUser], object]


@pytest.fixture
def talk(argv, environment) -> Callable[..., object]:
    """Drive the set-up in a thread, so that the stand-in goes on answering."""

    async def run(steps: Step, *arguments: str) -> int:
        def sit() -> int:
            with PtyUser([*argv, *arguments], environment) as user:
                steps(user)
                return user.leave()

        return await anyio.to_thread.run_sync(sit)

    return run


def write(home: Path, text: str) -> Path:
    path = home / "takopi.toml"
    path.write_text(text)
    path.chmod(0o600)
    return path


def code_of(user: PtyUser) -> str:
    user.expect("https://t.me/takopi_test_bot?start=")
    user.expect("\n")
    found = re.search(r"\?start=([0-9a-f]{32})\s", user.shown)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("arguments", [[], ["toy"], ["--debug"]], ids=str)
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
    write(takopi_home, f'[transports.telegram]\nbot_token = "{TOKEN}"\n')
    done = inside()
    assert done.returncode == 78
    assert "has no transports.telegram.chat_id.\n" in done.stderr


@pytest.mark.usefixtures("traced")
@pytest.mark.usefixtures("toy")
async def test_a_stranger_gets_from_nothing_to_an_answer(talk, takopi_home, tmp_path) -> None:
    """Token, owner, directory, engine; the file appears at the end, and the bot answers."""
    work = tmp_path / "work"
    work.mkdir()
    async with TelegramApi() as api:
        path = write(
            takopi_home, f'# mine\n[transports.telegram]\napi_base_url = "{api.base_url}"\n'
        )
        stranger = api.person(4711, "Eve")

        def steps(user: PtyUser) -> None:
            user.expect("not set up yet")
            user.expect("Token: ")
            user.type("nonsense\n")
            user.expect("✗ that is not a token")
            user.expect("Token: ")
            user.type(TOKEN.replace(TOKEN[-4:], "AAAA") + "\n")
            user.expect("✗ Telegram does not know this bot token")
            user.expect("Token: ")
            user.type(TOKEN + "\n")
            user.expect("✓ @takopi_test_bot")
            code = code_of(user)
            anyio.from_thread.run_sync(stranger.say, "/start")
            anyio.from_thread.run_sync(stranger.say, "/start " + "0" * 32)
            anyio.from_thread.run_sync(api.owner.say, f"/start {code}")
            user.expect(f"(id {OWNER_ID})")
            user.expect(f"Directory [{Path.cwd()}]: ")
            user.type("work\n")
            user.expect("✗ give the whole path")
            user.type(f"{tmp_path / 'no'}\n")
            user.expect("is not a directory")
            user.type(f"{work}\n")
            user.expect("Engine (toy) [toy]: ")
            user.type("codex\n")
            user.expect("✗ one of toy")
            user.type("\n")
            user.expect("(yes or no) [yes]: ")
            assert "bot_token" not in path.read_text()
            user.type("\n")
            user.expect("takopi serves @takopi_test_bot")
            anyio.from_thread.run_sync(api.owner.say, "hello")
            anyio.from_thread.run(answered, api)
            user.type(CTRL_C)
            assert TOKEN not in user.shown

        assert await talk(steps) == 0
        document = tomllib.loads(path.read_text())
        assert document["transports"]["telegram"] == {
            "api_base_url": api.base_url,
            "bot_token": TOKEN,
            "chat_id": OWNER_ID,
            "allowed_user_ids": [OWNER_ID],
        }
        assert (document["work_dir"], document["default_engine"]) == (str(work), "toy")
        assert path.read_text().startswith("# mine\n")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not [m for m in api.bot_messages() if m.chat.id == 4711]


async def answered(api: TelegramApi) -> None:
    await api.wait_message(lambda m: "toy heard: hello" in (m.text or ""))


async def test_only_what_is_missing_is_asked_for(talk, takopi_home, tmp_path) -> None:
    """Token, directory and engine stand in the file: only the owner is asked for."""
    async with TelegramApi() as api:
        path = write(
            takopi_home,
            f'work_dir = "{tmp_path}"\ndefault_engine = "pi"\n[transports.telegram]\n'
            f'bot_token = "{TOKEN}"\napi_base_url = "{api.base_url}"\n',
        )

        api.faults.add("status", "getMe")

        def steps(user: PtyUser) -> None:
            user.expect("✗ Telegram refused getMe: Bad Gateway")
            user.expect("Press Enter for another link")
            user.type("\n")
            code = code_of(user)
            anyio.from_thread.run_sync(api.owner.say, f"/start {code}")
            user.expect("(yes or no) [yes]: ")
            user.type("no\n")
            user.expect("Nothing was written.")
            assert "Token" not in user.shown
            assert "Directory" not in user.shown

        before = path.read_text()
        assert await talk(steps) == 130
        assert path.read_text() == before


@pytest.mark.parametrize("key", [CTRL_C, CTRL_D])
async def test_whoever_leaves_leaves_nothing_behind(talk, takopi_home, key) -> None:
    """Ctrl-C or Ctrl-D at a question ends the set-up, exit status 130."""

    def steps(user: PtyUser) -> None:
        user.expect("Token: ")
        user.type(key)
        user.expect("Nothing was written.")

    assert await talk(steps) == 130
    assert not (takopi_home / "takopi.toml").exists()


@pytest.mark.parametrize("key", [CTRL_C])
async def test_one_can_leave_while_the_owner_is_awaited(talk, takopi_home, key) -> None:
    """Waiting for the link ends at once, and a plain line question ends at Ctrl-D."""
    async with TelegramApi() as api:
        write(
            takopi_home,
            f'[transports.telegram]\nbot_token = "{TOKEN}"\napi_base_url = "{api.base_url}"\n',
        )

        def steps(user: PtyUser) -> None:
            code_of(user)
            user.type(key)
            user.expect("Nothing was written.")

        assert await talk(steps) == 130


@pytest.mark.usefixtures("traced")
async def test_a_token_that_is_no_more_ends_the_set_up(talk, takopi_home) -> None:
    """Asking for a link again and again would not mend it."""
    async with TelegramApi() as api:
        api.revoked = True
        write(
            takopi_home,
            f'[transports.telegram]\nbot_token = "{TOKEN}"\napi_base_url = "{api.base_url}"\n',
        )

        def steps(user: PtyUser) -> None:
            user.expect("Telegram does not know this bot token")

        assert await talk(steps) == 78


@pytest.mark.usefixtures("traced")
async def test_a_machine_without_engines_is_set_up_all_the_same(talk, takopi_home) -> None:
    """The engine can follow later; the bot says that it needs one."""
    (takopi_home / "runners").mkdir(mode=0o700)
    (takopi_home / "runners" / "broken.py").write_text("BACKEND = 1 / 0")
    async with TelegramApi() as api:
        path = write(
            takopi_home,
            f'[transports.telegram]\nchat_id = {OWNER_ID}\napi_base_url = "{api.base_url}"\n',
        )

        def leave(user: PtyUser) -> None:
            user.expect("Token: ")
            user.type(TOKEN + "\n")
            user.expect("Directory [")
            user.type(CTRL_D)
            user.expect("Nothing was written.")

        def steps(user: PtyUser) -> None:
            user.expect("Token: ")
            user.type(TOKEN + "\n")
            user.expect("Directory [")
            user.type("\n")
            user.expect("None is installed yet")
            user.expect(f"Write {path}? (yes or no) [yes]: ")
            user.type("y\n")
            user.expect("no engine is installed")

        assert await talk(leave) == 130
        assert await talk(steps) == 78
        assert "default_engine" not in tomllib.loads(path.read_text())
