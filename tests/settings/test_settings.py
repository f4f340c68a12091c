"""A configuration is read, and what is wrong in it is named with file, key, value and advice."""

from operator import attrgetter
from pathlib import Path

import msgspec
import pytest

from takopi.core.projects import Project
from takopi.errors import AccessError, ConfigError
from takopi.settings import (
    ApprovalsSettings,
    BudgetSettings,
    FilesSettings,
    PluginsSettings,
    Settings,
    TelegramSettings,
    TopicsSettings,
    VoiceSettings,
    check_private,
    check_value,
    home_directory,
    load_settings,
    parse_settings,
)
from takopi.settings.keys import (
    APPROVALS,
    BUDGET,
    FILES,
    KEYS,
    PLUGINS,
    PROJECT,
    TELEGRAM,
    TOPICS,
    VOICE,
    known_key,
    near_key,
    nearest,
    unknown_keys,
)

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFake_-x"
TABLES = {
    TOPICS: TopicsSettings,
    APPROVALS: ApprovalsSettings,
    FILES: FilesSettings,
    VOICE: VoiceSettings,
    BUDGET: BudgetSettings,
    PLUGINS: PluginsSettings,
}


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
        default_project = "shop"
        session_mode = "chat"
        language = "es"
        watch_config = false
        update_check = true
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
        trigger = "mentions"
        verbose = "full"
        reactions = false
        [transports.telegram.topics]
        enabled = true
        scope = "projects"
        auto = true
        [projects.shop]
        path = "~/shop"
        worktrees_dir = "trees/of/branches"
        worktree_base = "origin/main"
        default_engine = "claude"
        chat_id = -1005
        [projects.my-2_blog]
        path = "/srv/blog"
        [files]
        enabled = false
        incoming = "from-chat/in"
        max_down_mb = 200
        max_up_mb = 100
        deny_globs = ["*.sqlite"]
        [voice]
        base_url = "http://127.0.0.1:9/v1/"
        api_key = "secret"
        model = "whisper-1"
        command = ["whisper", "-f", "{{file}}"]
        model_dir = "/models/small"
        language = "de"
        timeout_s = 5
        [budget]
        daily_usd = 10
        per_turn_usd = 0.5
        [plugins]
        enabled = ["takopi-hello"]
        [plugins.hello]
        greeting = {{text = "hi"}}
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
        trigger="mentions",
        verbose="full",
        reactions=False,
        topics=TopicsSettings(enabled=True, scope="projects", auto=True),
    )
    assert settings.default_project == "shop"
    assert (settings.session_mode, settings.language) == ("chat", "es")
    assert (settings.watch_config, settings.update_check) == (False, True)
    assert settings.projects.all == (
        Project("shop", Path.home() / "shop", "trees/of/branches", "origin/main", "claude", -1005),
        Project("my-2_blog", Path("/srv/blog")),
    )
    assert settings.served_chat_ids == (1, -2, -1005)
    assert settings.files == FilesSettings(
        enabled=False,
        incoming="from-chat/in",
        max_down_mb=200,
        max_up_mb=100,
        deny_globs=("*.sqlite",),
    )
    assert settings.voice == VoiceSettings(
        base_url="http://127.0.0.1:9/v1",
        api_key="secret",
        model="whisper-1",
        command=("whisper", "-f", "{file}"),
        model_dir=Path("/models/small"),
        language="de",
        timeout_s=5,
    )
    assert settings.budget == BudgetSettings(daily_usd=10, per_turn_usd=0.5)
    assert settings.plugins == PluginsSettings(enabled=("takopi-hello",))
    assert settings.plugin_table("hello") == {"greeting": {"text": "hi"}}
    assert settings.plugin_table("other") == {}
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
        holder = attrgetter(table.removeprefix("transports."))(settings) if table else settings
        assert getattr(holder, name) == spec.default, spec.name


def test_the_table_and_the_structs_name_the_same_keys() -> None:
    """Every field has a key and every key has a field."""
    fields = {TELEGRAM + name for name in TelegramSettings.__struct_fields__}
    for prefix, struct in TABLES.items():
        fields |= {prefix + name for name in struct.__struct_fields__}
    own = {"path", "exists", "telegram", "foreign_chat", "env_pass", "document", "projects"}
    own |= {prefix.rstrip(".") for prefix in TABLES}
    fields |= set(Settings.__struct_fields__) - own
    fields -= {TELEGRAM + "topics"}
    fields |= {PROJECT + name for name in Project.__struct_fields__ if name != "alias"}
    assert {spec.name for spec in KEYS} == fields | {"env.*.pass", "plugins.*"}


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
    """What nothing reads is listed; tables of engines and transports are their own matter."""
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


def test_the_key_that_was_meant_is_found_in_tables_of_any_name() -> None:
    """The alias of a project stays what the person wrote."""
    assert near_key("projects.shop.pth") == "projects.shop.path"
    assert near_key("projects.shop.worktree_dir") == "projects.shop.worktrees_dir"
    assert near_key("env.codex.past") == "env.codex.pass"
    assert near_key("codx", ["codex"]) == "codex"
    assert near_key("transports.telegram.topic.enabled") == "transports.telegram.topics.enabled"
    assert near_key("colour.of.it") is None


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


def test_another_transport_has_what_holds_for_every_chat(tmp_path: Path) -> None:
    """Read from its own table; the rest of that table is its own matter."""
    document = {
        "transport": "slack",
        "transports": {
            "slack": {"chat_id": 5, "verbose": "quiet", "bot_token": 7, "url": "x"},
            "telegram": {"chat_id": 9, "allowed_chat_ids": [1]},
        },
    }
    settings = parse_settings(document, tmp_path, {})
    assert (settings.chat.chat_id, settings.chat.verbose) == (5, "quiet")
    assert settings.chat.bot_token is None
    assert settings.served_chat_ids == ()
    assert settings.telegram.chat_id == 9
    assert settings.transport_table("slack")["url"] == "x"
    assert parse_settings({}, tmp_path, {}).chat == parse_settings({}, tmp_path, {}).telegram
