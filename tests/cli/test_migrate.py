"""`takopi config migrate`: a configuration of the public takopi goes on, and nothing gets lost."""

import json
import stat
import tomllib
from pathlib import Path

import pytest

from takopi.settings import load_settings
from takopi.settings.former import former_key_told

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFake_-x"
PUBLIC = f"""\
# my takopi
watch_config = true
transport = "telegram"
default_engine = "codex"
default_project = "Shop"

[transports.telegram]
bot_token = "{TOKEN}"  # of the helper
chat_id = 5
message_overflow = "split"
session_mode = "chat"  # go on by itself
show_resume_line = false
allowed_user_ids = [5]
voice_transcription = true
voice_transcription_model = "whisper-1"
voice_transcription_api_key = "sk-voice-key-of-mine"
forward_coalesce_s = 1.0

[transports.telegram.topics]
enabled = true
scope = "all"

[transports.telegram.files]
enabled = true
auto_put = true
uploads_dir = "in"
allowed_user_ids = [5]
deny_globs = ["**/*.pem"]

[projects.Shop]
path = "shop"
worktrees_dir = ".worktrees"
worktree_base = "master"
default_engine = "claude"
chat_id = -5

[plugins]
enabled = ["takopi-hello"]

[codex]
profile = "work"
extra_args = ["--model", "x"]

[claude]
model = "opus"
allowed_tools = ["Bash", "Read"]
dangerously_skip_permissions = true
use_api_billing = true

[pi]
provider = "anthropic"
colour = "red"
"""


@pytest.fixture
def write(takopi_home: Path):
    def written(text: str) -> Path:
        path = takopi_home / "takopi.toml"
        path.write_text(text)
        path.chmod(0o600)
        return path

    return written


def test_a_public_configuration_goes_on(inside, write, takopi_home) -> None:
    """Every key is rewritten, kept, or named; the file as it was stays beside it."""
    config = write(PUBLIC)
    dry = inside("config", "migrate", "--dry-run")
    assert dry.stdout.endswith("Nothing was written.\n")
    assert config.read_text() == PUBLIC
    done = inside("config", "migrate")
    copy = takopi_home / "takopi.toml.before-migration"
    assert done.stdout.splitlines() == [
        "✓ transports.telegram.session_mode is session_mode now",
        "✓ transports.telegram.files.enabled is files.enabled now",
        "✓ transports.telegram.files.uploads_dir is files.incoming now",
        "✓ transports.telegram.files.deny_globs is files.deny_globs now",
        "✓ transports.telegram.voice_transcription is gone: with [voice] it is on",
        "✓ transports.telegram.voice_transcription_api_key is voice.api_key now",
        "✓ transports.telegram.voice_transcription_model is voice.model now",
        '✓ voice.base_url = "https://api.openai.com/v1", which was its default',
        f'✓ projects.Shop.path = "{takopi_home / "shop"}", beginning with /',
        "✓ projects.Shop is projects.shop now",
        '✓ default_project = "shop"',
        "! `codex.extra_args` has '--model', which takopi sets itself; remove it. Accepted are "
        'other options of codex, like ["--option", "value"]',
        "! `pi.colour` is no key of pi; accepted keys: keep_background, model, provider, "
        "reasoning, extra_args",
        "! `transports.telegram.forward_coalesce_s` has no counterpart: messages that belong "
        "together are found without it",
        "! `transports.telegram.files.auto_put` has no counterpart: a file without a command "
        "always goes to the agent",
        "! `transports.telegram.files.allowed_user_ids` has no counterpart: everybody who may "
        "speak may send and get files; set files.enabled to false to forbid it",
        f"The file as it was: {copy}",
    ]
    assert copy.read_text() == PUBLIC
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    text = config.read_text()
    assert text.startswith("# my takopi\n")
    assert "# of the helper" in text
    assert "# go on by itself" in text
    settings = load_settings(config, {})
    assert (settings.session_mode, settings.default_project) == ("chat", "shop")
    assert (settings.files.incoming, settings.files.deny_globs) == ("in", ("**/*.pem",))
    assert settings.voice.api_key == "sk-voice-key-of-mine"
    (shop,) = settings.projects.all
    assert (shop.alias, shop.path, shop.chat_id) == ("shop", takopi_home / "shop", -5)
    before, after = tomllib.loads(PUBLIC), tomllib.loads(text)
    for table in ("codex", "claude", "pi", "plugins"):
        assert after[table] == before[table]
    again = inside("config", "migrate").stdout
    assert "✓" not in again
    assert again.endswith("Nothing is to be rewritten.\n")


def test_the_oldest_configuration_starts_as_it_is(inside, write) -> None:
    """Token and chat at the top level are read, and rewritten when asked to be."""
    config = write(f'bot_token = "{TOKEN}"  # the bot\nchat_id = 5\n[codex]\nmodel = "x"\n')
    telegram = load_settings(config, {}).telegram
    assert (telegram.bot_token, telegram.chat_id) == (TOKEN, 5)
    inside("config", "migrate")
    assert load_settings(config, {}).telegram == telegram
    assert tomllib.loads(config.read_text()) == {
        "codex": {"model": "x"},
        "transports": {"telegram": {"bot_token": TOKEN, "chat_id": 5}},
    }
    assert "# the bot" in config.read_text()


def test_old_names_are_named_in_errors(inside, write) -> None:
    """The text has the key that stands in the file."""
    write('[transports.telegram]\nsession_mode = "none"\n')
    assert 'transports.telegram.session_mode is "none"' in inside().stderr


def test_what_is_set_twice_stays(inside, write) -> None:
    """The new name counts; which one was meant is the person's to say."""
    config = write('session_mode = "chat"\n[transports.telegram]\nsession_mode = "stateless"\n')
    assert load_settings(config, {}).session_mode == "chat"
    said = inside("config", "migrate").stdout
    assert "! transports.telegram.session_mode: session_mode is set too, and counts" in said
    assert "Nothing is to be rewritten." in said


def test_voice_notes_that_were_off_stay_off(inside, write) -> None:
    """The switch alone goes; a model that was not used stays where it is, and is named."""
    config = write("[transports.telegram]\nvoice_transcription = false\n")
    assert "is gone: without [voice] it is off" in inside("config", "migrate").stdout
    assert tomllib.loads(config.read_text()) == {}
    text = '[transports.telegram]\nvoice_transcription = false\nvoice_transcription_model = "x"\n'
    config = write(text)
    said = inside("config", "migrate").stdout
    assert "`transports.telegram.voice_transcription_model` was switched off" in said
    assert config.read_text() == text


def test_voice_notes_without_a_key_are_told(inside, write, takopi_home) -> None:
    """The environment's key is not read, so somebody has to set it; a second copy is kept too."""
    (takopi_home / "takopi.toml.before-migration").write_text("another")
    write("[transports.telegram]\nvoice_transcription = true\n")
    said = inside("config", "migrate").stdout
    assert "! voice.api_key: OPENAI_API_KEY is not read for it" in said
    assert "takopi.toml.before-migration-2" in said
    assert (takopi_home / "takopi.toml.before-migration").read_text() == "another"


def test_aliases_that_cannot_be_are_told(inside, write) -> None:
    """A name that is taken, a word of takopi, a default in other letters, what is no project."""
    config = write(
        'default_project = "BLOG"\n[projects]\nodd = 1\n[projects.Shop]\npath = "/a"\n'
        '[projects.shop]\npath = "/b"\n[projects.status]\npath = "/c"\n'
        '[projects.blog]\npath = "~/d"\n'
    )
    said = inside("config", "migrate").stdout
    assert "! projects.Shop: it cannot be called so, and shop is taken" in said
    assert "✓ projects.status is projects.status-project now" in said
    assert '✓ default_project = "blog"' in said
    assert "! not yet right: " in said
    assert set(tomllib.loads(config.read_text())["projects"]) == {
        "odd", "Shop", "shop", "blog", "status-project"
    }  # fmt: skip


def test_values_are_written_as_they_are_taken_here(inside, write, takopi_home) -> None:
    """Quoted numbers, engines in capitals, an older word for topics, worktrees beside a project."""
    config = write(
        f'default_engine = "Codex"\n[transports.telegram]\nbot_token = "{TOKEN}"\n'
        'chat_id = " 5"  # mine\n[transports.telegram.topics]\nenabled = true\n'
        'mode = "per_project_chat"\n[projects."My App"]\npath = "src/app"\n'
        'worktrees_dir = "../trees"\nchat_id = "-5"\ndefault_engine = "Claude"\n'
    )
    assert inside("config", "migrate").stdout.splitlines()[:8] == [
        '✓ transports.telegram.topics.mode is gone: transports.telegram.topics.scope = "projects" '
        "says it",
        '✓ default_engine = "codex"',
        "✓ projects.My App.chat_id = -5",
        '✓ projects.My App.default_engine = "claude"',
        "✓ transports.telegram.chat_id = 5",
        f'✓ projects.My App.path = "{takopi_home / "src/app"}", beginning with /',
        f'✓ projects.My App.worktrees_dir = "{takopi_home / "src/trees"}", without ..',
        "✓ projects.My App is projects.my-app now",
    ]
    assert "5  # mine" in config.read_text()
    settings = load_settings(config, {})
    assert (settings.default_engine, settings.telegram.topics.scope) == ("codex", "projects")
    (project,) = settings.projects.all
    assert (project.chat_id, project.default_engine) == (-5, "claude")


def test_the_way_in_which_codex_was_run_is_no_choice_any_more(inside, write) -> None:
    """Left in the file, it would keep codex from being started."""
    config = write('[codex]\nmode = "app_server"\nextra_args = ["-c", "notify=[]"]\n')
    said = inside("config", "migrate").stdout
    assert "✓ codex.mode is gone: each turn is a `codex exec`\n" in said
    assert "codex.extra_args" not in said
    assert tomllib.loads(config.read_text()) == {"codex": {"extra_args": ["-c", "notify=[]"]}}


def test_defaults_that_are_others_here_are_told(inside, write) -> None:
    """Once, with the rewriting: what is of this takopi means what it says."""
    write("[transports.telegram]\nsession_mode = 'stateless'\ntopics.enabled = true\n")
    assert inside("config", "migrate").stdout.splitlines()[1:4] == [
        "! session_mode: sessions of topics went on by themselves; `takopi config set "
        "session_mode chat` does that here, outside of topics too",
        "! files.enabled is not set: files go between chat and project; `files.enabled = false` "
        "is as before",
        "! transports.telegram.message_overflow is not set: a long answer comes in several "
        'messages; `transports.telegram.message_overflow = "trim"` is as before',
    ]
    assert inside("config", "migrate").stdout == "Nothing is to be rewritten.\n"


def test_a_group_in_which_nobody_was_named_is_told(inside, write) -> None:
    """There everybody might speak; here the bot would not start."""
    write(f'[transports.telegram]\nbot_token = "{TOKEN}"\nchat_id = -1001\n')
    said = inside("config", "migrate").stdout
    assert "! not yet right: chat_id -1001 is not a private chat" in said


def test_an_older_word_for_topics_does_not_go_before_the_newer(inside, write) -> None:
    """One that means nothing stays, and is named."""
    topics = "[transports.telegram.topics]\n"
    config = write(topics + 'mode = "multi_project_chat"\nscope = "all"\n')
    inside("config", "migrate")
    assert load_settings(config, {}).telegram.topics.scope == "all"
    config = write(topics + 'mode = "anywhere"\n')
    said = inside("config", "migrate").stdout
    assert "`transports.telegram.topics.mode` is called" in said
    assert "anywhere" in config.read_text()


def test_variables_of_the_public_takopi_are_named(inside, write, monkeypatch) -> None:
    """Their values may be secrets, so they stay out of it."""
    write("max_runs = 2\n")
    monkeypatch.setenv("TAKOPI__TRANSPORTS__TELEGRAM__CHAT_ID", "7")
    said = inside("config", "migrate").stdout
    assert "! TAKOPI__TRANSPORTS__TELEGRAM__CHAT_ID: no variable sets a key here; `takopi " in said
    assert "config set transports.telegram.chat_id -`" in said


def test_what_the_next_start_takes_over_is_told(inside, write, takopi_home) -> None:
    """And what stays in the files; once it is taken over there is nothing more to tell."""
    write('[projects.shop]\npath = "/a"\n')
    threads = {"-5:7": {"context": {"project": "Shop"}}, "-5:8": {"context": {"project": "lost"}}}
    state = takopi_home / "telegram_topics_state.json"
    state.write_text(json.dumps({"threads": threads, "version": 1}))
    chats = {"5:chat": {"sessions": {"codex": {"resume": "s"}}}}
    sessions = takopi_home / "telegram_chat_sessions_state.json"
    sessions.write_text(json.dumps({"chats": chats, "cwd": "/srv/work", "version": 1}))
    assert inside("config", "migrate").stdout.splitlines() == [
        "Nothing is to be rewritten.",
        "! stays in its file: the project lost, which is not there",
        "! work_dir: sessions outside of projects work in /srv/work; start takopi there, or set "
        "the key to it",
        "The next start takes over what held in chats and topics: 2.",
    ]
    write('work_dir = "/srv/work"\n')
    assert "! work_dir" not in inside("config", "migrate").stdout
    (takopi_home / "public-state-taken").touch()
    assert inside("config", "migrate").stdout == "Nothing is to be rewritten.\n"


def test_each_old_key_has_a_word_for_it() -> None:
    """The doctor says the same as the migration."""
    assert "is called `session_mode` now" in str(
        former_key_told("transports.telegram.session_mode")
    )
    assert "[voice] says how" in str(former_key_told("transports.telegram.voice_transcription"))
    assert former_key_told("transports.telegram.colour") is None


def test_the_doctor_sends_a_public_configuration_to_the_migration(inside, write) -> None:
    """Once it is rewritten nothing may be wrong; a file of this takopi is not sent there."""
    write(PUBLIC)
    shown = " ".join(inside("doctor").stdout.split())
    assert 'default_project is "Shop"' in shown
    assert "keys of the public takopi stand in it; `takopi config migrate` rewrites them" in shown
    write("max_runs = 0\n")
    assert "takopi config migrate" not in inside("doctor").stdout
    write("max_runs = [\n")
    assert "takopi config migrate" not in inside("doctor").stdout
