"""The set-up as a conversation: what is asked, what is told, and what is written at the end."""

import subprocess
import tomllib
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest

from fakes.scripted_asker import ScriptedAsker
from fakes.telegram_api import OWNER_ID, TOKEN, TelegramApi
from fakes.toy_engine import install_toy_engine
from takopi.app.home import Home
from takopi.app.locks import BotLocks
from takopi.app.setup import set_up
from takopi.errors import ConfigError, Unauthorized
from takopi.settings import load_settings

pytestmark = pytest.mark.anyio

STRANGER = 4711

Run = Callable[..., Awaitable[bool]]


@pytest.fixture
async def api() -> TelegramApi:
    async with TelegramApi() as api:
        yield api


@pytest.fixture
def here(tmp_path: Path, takopi_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory to start in, and a machine with one engine."""
    install_toy_engine(takopi_home, tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.delenv("TAKOPI_TELEGRAM_TOKEN", raising=False)
    directory = tmp_path / "here"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return directory


@pytest.fixture
def config(takopi_home: Path, api: TelegramApi) -> Path:
    path = takopi_home / "takopi.toml"
    path.touch(mode=0o600)
    path.write_text(f'# mine\n[transports.telegram]\napi_base_url = "{api.base_url}"\n')
    return path


@pytest.fixture
def run(here: Path, config: Path, takopi_home: Path) -> Run:
    """Go through the set-up in a thread, so that the stand-in goes on answering."""

    async def go(asker: ScriptedAsker, *, again: bool = False) -> bool:
        home = Home(takopi_home)
        settings = load_settings(home.config)
        return await anyio.to_thread.run_sync(
            lambda: set_up(home, settings, asker, again=again), abandon_on_cancel=False
        )

    return go


def opened_by(api: TelegramApi, person: int = OWNER_ID) -> Callable[[str], None]:
    """Open the link as a person does."""

    def opened(link: str) -> None:
        code = link.partition("?start=")[2]
        anyio.from_thread.run_sync(api.person(person).say, f"/start {code}")

    return opened


def make_repository(path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(path)], check=True)


def written(path: Path) -> dict:
    return tomllib.loads(path.read_text())


def answers(**changed: list[str]) -> dict[str, list[str]]:
    return {"Token": [TOKEN]} | {name.replace("_", " "): given for name, given in changed.items()}


async def test_from_nothing_to_a_greeting(api, run, config, here) -> None:
    """All steps in order, all keys at once, the comments as they were, and a first message."""
    asker = ScriptedAsker(answers(), opened_by(api))
    assert not await run(asker)
    steps = [line for line in asker.said if line[1:3] == "/6"]
    assert [int(step[0]) for step in steps] == [1, 2, 3, 4, 5, 6]
    assert written(config) == {
        "transports": {
            "telegram": {
                "api_base_url": api.base_url,
                "bot_token": TOKEN,
                "chat_id": OWNER_ID,
                "allowed_user_ids": [OWNER_ID],
            }
        },
        "work_dir": str(here),
        "session_mode": "chat",
        "default_engine": "toy",
    }
    assert config.read_text().startswith("# mine\n")
    assert "is set up" in api.bot_messages(OWNER_ID)[-1].text
    assert TOKEN not in asker.text
    assert len(asker.drawn) == 1
    assert 'bot_token = "********"' in asker.text
    load_settings(config)


@pytest.mark.parametrize("question", range(5))
async def test_whoever_leaves_at_a_question_leaves_nothing_behind(
    api, run, config, question
) -> None:
    """Ctrl-C at each of them: the file is as it was, and no greeting was sent."""
    before = config.read_bytes()
    asker = ScriptedAsker(answers(), opened_by(api), leave_at=question)
    with pytest.raises(KeyboardInterrupt):
        await run(asker)
    assert len(asker.asked) == question
    assert config.read_bytes() == before
    assert sorted(path.name for path in config.parent.glob("*takopi.toml*")) == ["takopi.toml"]
    assert not [m for m in api.bot_messages() if "is set up" in m.text]


async def test_whoever_says_so_at_the_end_leaves_nothing_behind(api, run, config) -> None:
    """The last question has an answer for it."""
    before = config.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        await run(ScriptedAsker(answers(All_right=["leave"]), opened_by(api)))
    assert config.read_bytes() == before


async def test_a_stranger_who_writes_first_is_not_taken(api, run, config) -> None:
    """Neither without the code nor with a wrong one, and gets no answer."""

    def opened(link: str) -> None:
        stranger = api.person(STRANGER, "Eve")
        anyio.from_thread.run_sync(stranger.say, "/start")
        anyio.from_thread.run_sync(stranger.say, "/start " + "0" * 32)
        opened_by(api)(link)

    await run(ScriptedAsker(answers(), opened))
    assert written(config)["transports"]["telegram"]["allowed_user_ids"] == [OWNER_ID]
    assert not api.bot_messages(STRANGER)


async def test_a_token_that_is_none_or_wrong_is_asked_for_again(api, run, config) -> None:
    """What looks like none, what Telegram does not know; an empty line is no answer at all."""
    wrong = TOKEN[:-4] + "AAAA"
    tokens = ["", "12:x", wrong, f"Use this token:\n {TOKEN} \n"]
    asker = ScriptedAsker(answers(Token=tokens), opened_by(api))
    await run(asker)
    assert asker.text.count("that is not a token") == 1
    assert asker.text.count("Telegram does not know this bot token") == 1
    assert wrong not in asker.text
    assert written(config)["transports"]["telegram"]["bot_token"] == TOKEN


async def test_a_network_that_is_down_costs_no_second_paste(api, run) -> None:
    """The same token is tried again; or another one, when the person wants."""
    api.faults.add("status", "getMe", times=2)
    tokens = [TOKEN, TOKEN]
    asker = ScriptedAsker(answers(Token=tokens, And_now=["try", "another"]), opened_by(api))
    await run(asker)
    assert asker.text.count("Bad Gateway") == 2
    assert asker.asked[:4] == ["Token", "And now?", "And now?", "Token"]


async def test_the_link_is_offered_again(api, run, config) -> None:
    """When Telegram could not be asked."""
    links = []

    def opened(link: str) -> None:
        links.append(link)
        opened_by(api)(link)

    asker = ScriptedAsker(answers(), opened)
    config.write_text(config.read_text() + f'bot_token = "{TOKEN}"\n')
    api.faults.add("status", "getMe")
    await run(asker)
    assert asker.asked[0] == "And now?"
    assert len(links) == 1


async def test_a_revoked_token_is_asked_for_anew(api, run, config) -> None:
    """The file has one that Telegram no longer knows."""
    config.write_text(config.read_text() + f'bot_token = "{TOKEN[:-4]}AAAA"\n')
    asker = ScriptedAsker(answers(), opened_by(api))
    await run(asker)
    assert asker.said[1].startswith("1/5 You")
    assert "does not know this bot token" in asker.text
    assert written(config)["transports"]["telegram"]["bot_token"] == TOKEN


async def test_a_token_of_the_environment_is_neither_asked_for_nor_written(
    api, run, config, monkeypatch
) -> None:
    """It goes before the file; and when it is wrong, no answer can mend it."""
    monkeypatch.setenv("TAKOPI_TELEGRAM_TOKEN", TOKEN)
    asker = ScriptedAsker({}, opened_by(api))
    await run(asker, again=True)
    assert "comes from the variable TAKOPI_TELEGRAM_TOKEN" in asker.text
    assert "bot_token" not in config.read_text()
    api.revoked = True
    with pytest.raises(Unauthorized):
        await run(ScriptedAsker({"Whom": ["learn"]}, opened_by(api)), again=True)


async def test_only_what_is_missing_is_asked_for(api, run, config, here) -> None:
    """Everything but the owner stands in the file."""
    config.write_text(
        f'work_dir = "{here}"\nsession_mode = "stateless"\ndefault_engine = "pi"\n'
        f'projects.a.path = "{here}"\n{config.read_text()}bot_token = "{TOKEN}"\n'
    )
    asker = ScriptedAsker({}, opened_by(api))
    await run(asker)
    assert asker.asked == ["All right?"]
    assert written(config)["default_engine"] == "pi"


async def test_again_offers_what_is_configured(api, run, config) -> None:
    """Enter at everything changes nothing, and not a byte of the file."""
    await run(ScriptedAsker(answers(), opened_by(api)))
    with config.open("a") as file:
        file.write("# a remark\n")
    before = config.read_text()
    asker = ScriptedAsker()
    assert not await run(asker, again=True)
    assert "keep @takopi_test_bot" in asker.text
    assert f"keep the chat {OWNER_ID}" in asker.text
    assert "as it is now" in asker.text
    assert "Nothing changes." in asker.text
    assert config.read_text() == before


async def test_again_can_change_the_owner_and_keeps_the_others(api, run, config) -> None:
    """Who was learned anew takes the place of the owner before."""
    await run(ScriptedAsker(answers(), opened_by(api)))
    text = config.read_text().replace(f"[{OWNER_ID}]", f"[{OWNER_ID}, 7]  # and Bob")
    config.write_text(text)
    await run(ScriptedAsker({"Whom": ["learn"]}, opened_by(api, 2000)), again=True)
    telegram = written(config)["transports"]["telegram"]
    assert (telegram["chat_id"], telegram["allowed_user_ids"]) == (2000, [2000, 7])


async def test_an_answer_can_be_changed_before_it_is_written(api, run, config) -> None:
    """From the summary back to one step; another bot is followed by its owner."""
    asker = ScriptedAsker(
        answers(
            All_right=["change", "change", "change", "write"],
            Which_one_a=["toy"],
            Which_one=["You", "How you", "Your bot"],
            Which_style=["assistant", "handoff"],
            Which_bot=["keep"],
        ),
        opened_by(api),
    )
    await run(asker)
    assert written(config)["session_mode"] == "stateless"
    assert asker.asked.count("Whom does the bot serve?") == 2, "no way back from a new link"


async def test_while_a_bot_runs_its_owner_cannot_be_learned(
    api, run, config, takopi_home, here
) -> None:
    """Two would read the same updates; the rest can be changed, and no second bot starts."""
    await run(ScriptedAsker(answers(), opened_by(api)))
    script = {"Whom": ["learn"], "And now": ["try", "keep"], "Which style": ["workspace"]}
    asker = ScriptedAsker(script, opened_by(api))
    with BotLocks(takopi_home, TOKEN, api.base_url, {"XDG_STATE_HOME": str(here)}):
        assert await run(asker, again=True)
    assert asker.text.count("is already served by takopi") == 2
    assert "takopi is running already, and takes this within some seconds" in asker.text
    assert written(config)["transports"]["telegram"]["topics"] == {"enabled": True}
    assert "Threaded Mode" in asker.text
    assert "/setprivacy" in asker.text


async def test_another_bot_learns_its_owner_by_the_link(api, run, config) -> None:
    """A bot cannot write first to somebody who never started it."""
    await run(ScriptedAsker(answers(), opened_by(api)))
    other = "999:AAStandInTokenOfThirtyFiveCharacter_"
    api.token = other
    asker = ScriptedAsker(answers(Token=[other]), opened_by(api))
    await run(asker, again=True)
    assert "Whom does the bot serve?" not in asker.asked
    assert written(config)["transports"]["telegram"]["bot_token"] == other


async def test_directories_and_repositories_nearby_are_offered(
    api, run, config, here, monkeypatch
) -> None:
    """A typed one has to be a directory, and the whole path of it."""
    monkeypatch.setenv("HOME", str(here))
    for name in ("shop", "blog"):
        make_repository(here / name)
    (here / "plain").mkdir()
    asker = ScriptedAsker(
        answers(
            Which_directory=["another"],
            Directory=["plain", str(here / "no ne"), str(here / "shop")],
            Register=["under"],
            Name=["toy", "No Name", "my-shop"],
        ),
        opened_by(api),
    )
    await run(asker)
    for offered in (f"{here} - this directory", "~/blog - a git", "~/shop - a git"):
        assert f"  {offered}" in asker.text
    assert "~/plain" not in asker.text
    assert "give the whole path" in asker.text
    assert f"is not a directory; make it first, with `mkdir -p '{here / 'no ne'}'`" in asker.text
    assert "it cannot be called toy: `/toy` is an engine" in asker.text
    assert "it cannot be called no name: it takes 1 to 32" in asker.text
    assert written(config)["work_dir"] == str(here / "shop")
    assert written(config)["projects"] == {"my-shop": {"path": str(here / "shop")}}
    load_settings(config)


async def test_a_repository_is_registered_once(api, run, config, here) -> None:
    """The next time it is known; from one of its subdirectories too."""
    make_repository(here)
    asker = ScriptedAsker(answers(), opened_by(api))
    await run(asker)
    assert "this directory, a git repository" in asker.text
    assert written(config)["projects"] == {"here": {"path": str(here)}}
    assert written(config)["default_project"] == "here"
    again = ScriptedAsker()
    await run(again, again=True)
    assert f"{here} is the project here already" in again.text


async def test_a_project_is_not_registered_when_it_is_not_wanted(api, run, config, here) -> None:
    """And a configured directory that is gone is told."""
    make_repository(here)
    config.write_text(f'work_dir = "{here / "gone"}"\n{config.read_text()}')
    asker = ScriptedAsker(answers(Register=["not now"]), opened_by(api))
    await run(asker, again=True)
    assert f"{here / 'gone'} is not a directory" in asker.text
    assert "projects" not in written(config)


async def test_a_machine_without_engines_says_how_to_get_one(
    api, run, config, monkeypatch, tmp_path, takopi_home
) -> None:
    """It looks again when the person has installed one; a broken module is not in the way."""
    (takopi_home / "runners" / "toy.py").unlink()
    (takopi_home / "runners" / "broken.py").write_text("BACKEND = 1 / 0")
    install = ScriptedAsker.choose

    class Installing(ScriptedAsker):
        def choose(self, question, choices, default=0):
            if question == "And now?":
                install_toy_engine(takopi_home, tmp_path / "bin")
            return install(self, question, choices, default)

    asker = Installing(answers(And_now=["look again"]), opened_by(api))
    await run(asker)
    assert "npm install -g @openai/codex" in asker.text
    assert written(config)["default_engine"] == "toy"


async def test_it_goes_on_without_an_engine(api, run, config, takopi_home) -> None:
    """One can follow later."""
    (takopi_home / "runners" / "toy.py").unlink()
    asker = ScriptedAsker(answers(And_now=["go on"]), opened_by(api))
    await run(asker)
    assert "default_engine" not in written(config)
    assert "  write it and end - " in asker.text


async def test_a_greeting_that_does_not_arrive_is_told(api, run, config) -> None:
    """The set-up is written all the same."""
    asker = ScriptedAsker(answers(All_right=["write"]), opened_by(api))
    api.faults.add("status", "sendMessage", times=2)  # the first is the owner's welcome
    await run(asker)
    assert "the test message did not arrive" in asker.text
    assert written(config)["default_engine"] == "toy"


async def test_a_file_that_cannot_be_written_stays_as_it_was(api, run, config) -> None:
    """The error names it."""
    before = config.read_bytes()

    def opened(link: str) -> None:
        opened_by(api)(link)
        config.write_text("session_mode = [")  # somebody else's editor, in the middle of it

    with pytest.raises(ConfigError, match="is not valid TOML"):
        await run(ScriptedAsker(answers(), opened))
    assert config.read_bytes() != before
    assert config.read_text() == "session_mode = ["
