"""A configuration is read, and what is wrong in it is named with file, key, value and advice."""

from pathlib import Path

import msgspec
import pytest

from takopi.errors import AccessError, ConfigError
from takopi.settings import (
    ApprovalsSettings,
    Settings,
    TelegramSettings,
    check_private,
    check_value,
    home_directory,
    load_settings,
    parse_settings,
)
from takopi.settings.keys import APPROVALS, KEYS, TELEGRAM, known_key, nearest, unknown_keys

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFake_-x"
EXAMPLE = Path(__file__).parent.parent / "config.example.toml"


def written(folder: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path = folder / "takopi.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def refusal(folder: Path, text: str | bytes) -> str:
    path = written(folder, text)
    with pytest.raises(ConfigError) as caught:
        load_settings(path, {})
    assert str(path) in str(caught.value)
    return str(caught.value).replace(str(path), "FILE")


def test_every_key_is_read(tmp_path: Path) -> None:
    """A file with every key gives every field."""
    path = written(
        tmp_path,
        f"""
        default_engine = "pi"
        transport = "telegram"
        work_dir = "~/work"
        max_runs = 3
        backlog = "ask"
        on_stop = "cancel"
        stall_after_s = 0
        kill_after_s = 600
        max_run_mb = 10
        keep_runs_days = 1
        keep_runs_gb = 0.5
        [approvals]
        who = "allowed"
        [transports.telegram]
        bot_token = "{TOKEN}"
        chat_id = -100123
        allowed_chat_ids = [1, -2]
        allowed_user_ids = [7]
        api_base_url = "http://127.0.0.1:8081/"
        message_overflow = "file"
        show_resume_line = false
        final_notify = false
        [env.codex]
        pass = ["GOPATH", "CARGO_*"]
        [codex]
        model = "x"
        """,
    )
    settings = load_settings(path, {})
    assert settings.exists
    assert (settings.default_engine, settings.max_runs) == ("pi", 3)
    assert settings.work_dir == Path.home() / "work"
    assert (settings.backlog, settings.on_stop) == ("ask", "cancel")
    assert (settings.stall_after_s, settings.kill_after_s, settings.max_run_mb) == (0, 600, 10)
    assert (settings.keep_runs_days, settings.keep_runs_gb) == (1, 0.5)
    assert settings.approvals.who == "allowed"
    assert settings.telegram == TelegramSettings(
        bot_token=TOKEN,
        chat_id=-100123,
        allowed_chat_ids=(1, -2),
        allowed_user_ids=(7,),
        api_base_url="http://127.0.0.1:8081",
        message_overflow="file",
        show_resume_line=False,
        final_notify=False,
    )
    assert settings.env_pass == {"codex": ("GOPATH", "CARGO_*")}
    assert settings.engine_table("codex") == {"model": "x"}
    assert settings.engine_table("pi") == {}


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    """No file is no error; the settings say that there is none."""
    settings = load_settings(tmp_path / "takopi.toml", {})
    assert not settings.exists
    assert settings == Settings(path=tmp_path / "takopi.toml", exists=False)


def test_defaults_of_the_table_are_those_of_the_structs() -> None:
    """What `KEYS` promises as default is what holds without the key."""
    settings = parse_settings({}, Path("takopi.toml"), {})
    for spec in KEYS:
        if "*" in spec.name:
            continue
        table, _, name = spec.name.rpartition(".")
        holder = getattr(settings, table.removeprefix("transports.")) if table else settings
        assert getattr(holder, name) == spec.default, spec.name


def test_the_table_and_the_structs_name_the_same_keys() -> None:
    """Every field has a key and every key has a field."""
    fields = {TELEGRAM + name for name in TelegramSettings.__struct_fields__}
    fields |= {APPROVALS + name for name in ApprovalsSettings.__struct_fields__}
    own = {"path", "exists", "telegram", "approvals", "env_pass", "document"}
    fields |= set(Settings.__struct_fields__) - own
    assert {spec.name for spec in KEYS} == fields | {"env.*.pass"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("max_runs = 0", "FILE: max_runs is 0; accepted: a whole number from 1 up"),
        ("max_runs = true", "FILE: max_runs is true; accepted: a whole number from 1 up"),
        (
            'work_dir = "work"',
            'FILE: work_dir is "work"; accepted: an absolute path in quotes, like "/home/ann/work"',
        ),
        (
            'work_dir = "~nobody-of-that-name/x"',
            'FILE: work_dir is "~nobody-of-that-name/x"; accepted: an absolute path in quotes, '
            'like "/home/ann/work"',
        ),
        (
            'default_engine = "Codex CLI"',
            'FILE: default_engine is "Codex CLI"; accepted: the id of an engine in quotes, like '
            '"codex"',
        ),
        (
            "stall_after_s = -1",
            "FILE: stall_after_s is -1; accepted: a whole number of seconds, 0 for off",
        ),
        (
            "kill_after_s = 1.5",
            "FILE: kill_after_s is 1.5; accepted: a whole number of seconds, 0 for off",
        ),
        (
            "keep_runs_days = 0",
            "FILE: keep_runs_days is 0; accepted: a number above 0, like 2 or 0.5",
        ),
        (
            "keep_runs_gb = nan",
            "FILE: keep_runs_gb is nan; accepted: a number above 0, like 2 or 0.5",
        ),
        (
            "keep_runs_gb = true",
            "FILE: keep_runs_gb is true; accepted: a number above 0, like 2 or 0.5",
        ),
        ('backlog = "later"', 'FILE: backlog is "later"; accepted: "answer", "ask" or "drop"'),
        ('on_stop = "kill"', 'FILE: on_stop is "kill"; accepted: "detach" or "cancel"'),
        (
            '[approvals]\nwho = "me"',
            'FILE: approvals.who is "me"; accepted: "asker" or "allowed"',
        ),
        ("approvals = 1", "FILE: approvals is 1; accepted: a table, written as [approvals]"),
        ('transport = "slack"', 'FILE: transport is "slack"; accepted: "telegram"'),
        (
            "[transports.telegram]\nchat_id = 0",
            "FILE: transports.telegram.chat_id is 0; accepted: a whole number other than 0, like "
            "123456789 or -1001234567890",
        ),
        (
            "[transports.telegram]\nallowed_user_ids = [true]",
            "FILE: transports.telegram.allowed_user_ids is [True]; accepted: a list of whole "
            "numbers, like [123456789, 987654321]",
        ),
        (
            '[transports.telegram]\napi_base_url = "localhost:80"',
            'FILE: transports.telegram.api_base_url is "localhost:80"; accepted: an address in '
            'quotes, like "http://127.0.0.1:8081"',
        ),
        (
            '[transports.telegram]\nmessage_overflow = "cut"',
            'FILE: transports.telegram.message_overflow is "cut"; accepted: "split", "trim" or '
            '"file"',
        ),
        (
            "[transports.telegram]\nfinal_notify = 1",
            "FILE: transports.telegram.final_notify is 1; accepted: true or false",
        ),
        (
            '[env.codex]\npass = ["A B"]',
            "FILE: env.codex.pass is ['A B']; accepted: a list of variable names, like "
            '["GOPATH", "CARGO_*"]',
        ),
        ("env = 1", "FILE: env is 1; accepted: tables, written as [env.codex]"),
        ("[env]\ncodex = 1", "FILE: env.codex is 1; accepted: a table, as [env.codex]"),
        ("transports = 1", "FILE: transports is 1; accepted: a table, written as [transports]"),
        (
            "[transports]\ntelegram = 1.5",
            "FILE: transports.telegram is 1.5; accepted: a table, written as [transports.telegram]",
        ),
        ("max_runs = {a = 1}", "FILE: max_runs is a table; accepted: a whole number from 1 up"),
        ("a = 1\nb = \n", "FILE is not valid TOML: line 2, column 5: Invalid value"),
        ("a = [1,", "FILE is not valid TOML: at the end of the file: Invalid value"),
        (b"a = '\xff'", "FILE is not UTF-8 (byte 5); save it as UTF-8"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, text: str | bytes, told: str) -> None:
    """The text has the file, the key, what was found and what is accepted."""
    assert refusal(tmp_path, text) == told


def test_a_wrong_token_is_not_shown(tmp_path: Path) -> None:
    """A token that is nearly right must not stand in an error."""
    text = refusal(tmp_path, '[transports.telegram]\nbot_token = "123:almost-a-secret"')
    assert "almost" not in text
    assert "@BotFather" in text


def test_long_values_are_cut_in_errors(tmp_path: Path) -> None:
    """An error stays readable whatever was found."""
    assert len(refusal(tmp_path, f'max_runs = "{"x" * 500}"')) < 200
    assert len(refusal(tmp_path, f"max_runs = {list(range(500))}")) < 200


def test_an_engine_that_is_no_table_is_named(tmp_path: Path) -> None:
    """The key of an engine has to be a table."""
    settings = parse_settings({"codex": 3}, tmp_path / "takopi.toml", {})
    with pytest.raises(ConfigError, match=r"codex is 3; accepted: a table, written as \[codex\]"):
        settings.engine_table("codex")


def test_the_token_of_the_environment_goes_first() -> None:
    """`TAKOPI_TELEGRAM_TOKEN` replaces the token of the file."""
    document = {"transports": {"telegram": {"bot_token": TOKEN}}}
    other = TOKEN.replace("1", "2")
    path = Path("takopi.toml")
    settings = parse_settings(document, path, {"TAKOPI_TELEGRAM_TOKEN": other})
    assert settings.telegram.bot_token == other
    assert parse_settings(document, path, {}).telegram.bot_token == TOKEN
    with pytest.raises(ConfigError, match="TAKOPI_TELEGRAM_TOKEN does not hold a bot token"):
        parse_settings({}, path, {"TAKOPI_TELEGRAM_TOKEN": "nonsense"})


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    """The text has the command that closes it."""
    path = written(tmp_path, "", mode)
    with pytest.raises(AccessError) as caught:
        load_settings(path, {})
    assert f"`chmod 600 {path}`" in str(caught.value)


def test_a_folder_open_to_others_is_refused(tmp_path: Path) -> None:
    """A folder is closed with another mode."""
    tmp_path.chmod(0o755)
    with pytest.raises(AccessError, match="chmod 700"):
        check_private(tmp_path, tmp_path.stat())


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A folder in place of the file is told, not raised."""
    path = tmp_path / "takopi.toml"
    path.mkdir()
    path.chmod(0o700)
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_settings(path, {})


def test_the_home_can_be_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    """`TAKOPI_HOME` moves the folder; without it, it lies in the home directory."""
    assert home_directory({"TAKOPI_HOME": "/x/y"}) == Path("/x/y")
    assert home_directory({"TAKOPI_HOME": "~/z"}) == Path.home() / "z"
    assert home_directory({}) == Path.home() / ".takopi"
    monkeypatch.chdir("/")
    assert home_directory({"TAKOPI_HOME": "rel"}) == Path("/rel")


def test_unknown_keys_are_found(tmp_path: Path) -> None:
    """What nothing reads is listed; tables of engines are their own matter."""
    document = {
        "max_run": 1,
        "codex": {"anything": 1},
        "transports": {"telegram": {"chat_ids": 1, "chat_id": 2}, "slack": {"a": 1}},
        "env": {"codex": {"pass": [], "past": 1}},
        "codexx": {},
    }
    assert unknown_keys(document, ["codex"]) == (
        "max_run",
        "transports.telegram.chat_ids",
        "transports.slack",
        "env.codex.past",
        "codexx",
    )
    parse_settings(document, tmp_path, {})  # and none of them is an error


def test_the_nearest_key_is_found() -> None:
    """A misspelt key, and one in the wrong table, lead to the right one."""
    names = [spec.name for spec in KEYS]
    assert nearest("max_run", names) == "max_runs"
    assert nearest("bot_token", names) == "transports.telegram.bot_token"
    assert nearest("colour", names) is None


def test_keys_of_engines_match_by_pattern() -> None:
    """`env.*.pass` stands for any engine; other keys have no value to check."""
    spec = known_key("env.claude.pass")
    assert spec is not None
    assert spec.accepted.startswith("a list of variable names")
    assert known_key("env.claude") is None
    assert check_value("codex.model", 3, Path("takopi.toml")) == 3
    assert check_value("env.a.pass", ["X"], Path("takopi.toml")) == ("X",)


def test_settings_are_frozen() -> None:
    """Nobody changes settings behind another's back."""
    with pytest.raises(AttributeError):
        parse_settings({}, Path("x"), {}).max_runs = 9  # type: ignore[misc]
    assert msgspec.structs.replace(parse_settings({}, Path("x"), {}), max_runs=9).max_runs == 9


def test_a_file_owned_by_the_person_is_read_through_a_link(tmp_path: Path) -> None:
    """A symbolic link to a closed file is as good as the file."""
    real = written(tmp_path, "max_runs = 2")
    link = tmp_path / "link.toml"
    link.symlink_to(real)
    assert load_settings(link, {}).max_runs == 2
