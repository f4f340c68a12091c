"""Which transport the configuration chooses, what it still needs, and how it is set up."""

import os
from pathlib import Path

import pytest

from fakes.plugin_packages import PLUGINS, install_package
from fakes.telegram_api import TOKEN
from takopi.app.command_plugins import InstalledCommands
from takopi.app.doctor import examine
from takopi.app.engines import EngineShelf
from takopi.app.home import Home
from takopi.app.locks import AccountLocks, account_lock_path
from takopi.app.plugin_list import list_plugins
from takopi.app.transport_setup import check_transport, set_up_transport, transport_missing
from takopi.app.transports import choose_transport
from takopi.cli.bot import BotWish, run_bot
from takopi.engines import find_engines
from takopi.errors import ConfigError, PluginError, UsageError
from takopi.settings import Settings, load_settings, parse_settings
from takopi.terminal.backend import BACKEND as TERMINAL
from takopi.transports import BaseTransport, find_transports


@pytest.fixture
def home(takopi_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A folder of takopi's, and the example packages installed."""
    site = tmp_path / "site"
    groups = {"takopi.transport_backends": "filechat = BACKEND, broken = PERSON, wrong = limits"}
    source = (PLUGINS / "takopi_filechat.py").read_text()
    half = "\n\nclass Half(FolderBackend):\n    id = 'wrong'\n    capabilities = None\n\n\n"
    install_package(site, "takopi-foldered", f"{source}{half}limits = Half()\n", groups)
    greet = (PLUGINS / "takopi_example.py").read_text()
    install_package(site, "takopi-example", greet, {"takopi.command_backends": "greet = GREET"})
    monkeypatch.syspath_prepend(site)
    return Home(takopi_home)


def settings_of(home: Home, text: str) -> Settings:
    home.config.write_text(text)
    home.config.chmod(0o600)
    return load_settings(home.config, {})


class Person:
    """Answer every question with a word."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.told: list[str] = []

    def say(self, text: str, mood: str = "plain") -> None:
        self.told.append(text)

    def ask(self, question: str, default: str = "") -> str:
        return self.answer or default


def test_telegram_and_the_terminal_are_found_like_packages(home: Home) -> None:
    """What cannot be used says why, and a package that is not enabled is left out."""
    found = find_transports()
    assert found.ids == ("broken", "filechat", "telegram", "terminal", "wrong")
    problems = {problem.id: problem.told for problem in found.load_problems()}
    assert "is no TransportBackend with the id `broken`" in problems["broken"]
    assert "has no TransportCapabilities as its capabilities" in problems["wrong"]
    few = find_transports(["takopi-other"])
    assert few.ids == ("telegram", "terminal")
    assert {problem.id for problem in few.left_out} == {"broken", "filechat", "wrong"}


def test_telegram_is_chosen_without_a_word(home: Home) -> None:
    """With the token that the environment names, and the name that its lock always had."""
    settings = parse_settings({}, home.config, {"TAKOPI_TELEGRAM_TOKEN": TOKEN})
    chosen = choose_transport(home, settings)
    (missing,) = chosen.missing()
    assert missing.startswith("transports.telegram.chat_id is not set: set it with")
    with pytest.raises(ConfigError, match="chat_id is not set"):
        chosen.must_be_set_up()
    assert chosen.account == f"telegram telegram:{TOKEN.partition(':')[0]}"
    assert chosen.build().id == "telegram"


def test_a_terminal_needs_nothing_and_serves_whoever_sits_at_it(home: Home) -> None:
    """Any number of them may be served."""
    chosen = choose_transport(home, settings_of(home, 'transport = "terminal"'))
    chosen.must_be_set_up()
    assert (chosen.chat_id, chosen.account) == (1, None)
    assert TERMINAL.build(chosen.config).last_poll_at is None
    with AccountLocks(home.path, chosen.account, {}):
        pass


def test_a_package_is_chosen_set_up_and_examined(home: Home) -> None:
    """What its set-up returns goes into its own table."""
    settings = settings_of(home, 'transport = "filechat"\n')
    assert transport_missing(home, settings)[0].startswith("transports.filechat.folder is not")
    (check,) = check_transport(home, settings)
    assert (check.state, check.subject) == ("wrong", "transport")
    person = Person("")
    set_up_transport(home, settings, person)  # type: ignore[arg-type]
    assert person.told == ["A chat that is a folder of files", f"{home.config} is written"]
    settings = load_settings(home.config, {})
    assert settings.transport_table("filechat") == {"folder": str(home.path / "filechat")}
    assert transport_missing(home, settings) == ()
    (check,) = check_transport(home, settings)
    assert (check.state, check.text) == ("ok", "A chat that is a folder of files")
    account = choose_transport(home, settings).account
    assert account == f"filechat {home.path / 'filechat'}"


def test_a_transport_that_nobody_brings_is_told(home: Home) -> None:
    """By the doctor, and when the bot starts."""
    settings = settings_of(home, 'transport = "slack"')
    with pytest.raises(PluginError, match="no package brings the transport `slack`"):
        choose_transport(home, settings)
    (check,) = check_transport(home, settings)
    assert "no package brings the transport `slack`" in check.text


def test_one_takopi_serves_an_account(home: Home, tmp_path: Path) -> None:
    """Another folder of the same person is refused, another account is not."""
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    other = tmp_path / "other"
    other.mkdir()
    assert account_lock_path("a", state) != account_lock_path("b", state)
    with AccountLocks(home.path, "filechat /a", state):
        with pytest.raises(UsageError, match="this account of the chat service is already served"):
            AccountLocks(other, "filechat /a", state).__enter__()
        with AccountLocks(other, "filechat /b", state):
            pass


def test_commands_know_the_configuration_and_the_engines(home: Home) -> None:
    """A table is a copy, and an engine is there when its CLI is."""
    settings = settings_of(home, '[plugins.greet]\na = 1\n[projects.greet]\npath = "/"\n')
    shelf = EngineShelf(find_engines(home.path), settings, {"PATH": os.defpath + ":/nowhere"})
    commands = InstalledCommands(settings, shelf)
    commands.table("greet")["a"] = 2
    assert commands.table("greet") == {"a": 1}
    assert commands.config_path == home.config
    assert not commands.installed("opencode")
    assert commands.catalogue.ids == ()
    (problem,) = commands.catalogue.problems
    assert "`greet` is a project already" in problem.told


def test_every_plug_in_is_listed(home: Home) -> None:
    """Also those that are not enabled, and beside a configuration that is wrong."""
    settings_of(home, 'plugins.enabled = ["takopi-foldered"]\n')
    lines = list(list_plugins())
    commands, transports = lines.index("commands:"), lines.index("transports:")
    assert "plugins.enabled does not name takopi-example" in lines[commands + 1]
    assert [line.split()[0] for line in lines[transports + 1 :]] == [
        "broken", "filechat", "telegram", "terminal", "wrong",
    ]  # fmt: skip
    settings_of(home, "")
    assert any(line.startswith("greet           ✓ entry point") for line in list_plugins())
    home.config.write_text("wrong")
    assert next(iter(list_plugins())).startswith("the configuration is left out, because")


@pytest.mark.anyio
async def test_a_small_service_does_without_the_rest() -> None:
    """What the base class says for it."""
    small = BaseTransport()
    await small.answer_press("1", "words")
    await small.set_menu([])
    assert (small.newest_update, small.last_poll_at) == (None, None)


@pytest.mark.anyio
async def test_the_doctor_looks_at_the_transport_that_is_chosen(home: Home) -> None:
    """And does not ask for Telegram's token then."""
    settings_of(home, 'transport = "terminal"\n[transports.nowhere]\na = 1\n')
    checks = await examine(home, {"PATH": "/nowhere", "HOME": str(home.path)})
    found = {(check.subject, check.state) for check in checks}
    assert ("transport", "ok") in found
    assert ("command greet", "ok") in found
    assert not found & {("token", "wrong"), ("chat", "wrong"), ("access", "wrong")}
    told = [check.text for check in checks if check.subject == "plug-in"]
    assert "[transports.nowhere] is for a transport that is not installed" in told
    assert any("is no TransportBackend with the id `broken`" in text for text in told)


def test_the_set_up_of_a_package_wants_a_terminal(home: Home, capsys) -> None:
    """Without one, what is missing is told when the bot starts."""
    settings_of(home, 'transport = "filechat"\ndefault_engine = "codex"\n')
    with pytest.raises(ConfigError, match="there is no terminal to ask on"):
        run_bot(BotWish(onboard=True))
    with pytest.raises(ConfigError, match=r"transports\.filechat\.folder is not set"):
        run_bot(BotWish())
