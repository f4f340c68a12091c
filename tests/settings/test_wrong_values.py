"""Every value that is not accepted is named, with what is."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.errors import ConfigError
from takopi.settings import load_settings, parse_settings, refuse_engine_aliases
from takopi.settings.keys import accept
from takopi.settings.projects import alias_fault


def refusal(folder: Path, text: str | bytes) -> str:
    path = folder / "takopi.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o600)
    with pytest.raises(ConfigError) as caught:
        load_settings(path, {})
    assert str(path) in str(caught.value)
    return str(caught.value).replace(str(path), "FILE")


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
        (
            'transport = "Slack!"',
            'FILE: transport is "Slack!"; accepted: "telegram", "terminal", or the id of a '
            "transport that a package brings",
        ),
        (
            'transport = "slack"\n[transports.slack]\nchat_id = "x"',
            'FILE: transports.slack.chat_id is "x"; accepted: a whole number other than 0, like '
            "123456789 or -1001234567890",
        ),
        (
            'transport = "slack"\ntransports.slack = 1',
            "FILE: transports.slack is 1; accepted: a table, written as [transports.slack]",
        ),
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
        ("[env]\ncodex = 1", "FILE: env.codex is 1; accepted: a table, written as [env.codex]"),
        ("transports = 1", "FILE: transports is 1; accepted: a table, written as [transports]"),
        (
            "[transports]\ntelegram = 1.5",
            "FILE: transports.telegram is 1.5; accepted: a table, written as [transports.telegram]",
        ),
        ('language = "de"', 'FILE: language is "de"; accepted: "en", "es"'),
        (
            'session_mode = "none"',
            'FILE: session_mode is "none"; accepted: "stateless" or "chat"',
        ),
        (
            '[transports.telegram]\ntrigger = "some"',
            'FILE: transports.telegram.trigger is "some"; accepted: "all" or "mentions"',
        ),
        (
            "[transports.telegram]\nverbose = true",
            'FILE: transports.telegram.verbose is true; accepted: "quiet", "normal" or "full"',
        ),
        (
            "[transports.telegram]\ntopics = true",
            "FILE: transports.telegram.topics is true; accepted: a table, written as "
            "[transports.telegram.topics]",
        ),
        (
            '[transports.telegram.topics]\nscope = "some"',
            'FILE: transports.telegram.topics.scope is "some"; accepted: "auto", "main", '
            '"projects" or "all"',
        ),
        (
            '[files]\nincoming = "../up"',
            'FILE: files.incoming is "../up"; accepted: the name of a folder below the project '
            'in quotes, like "incoming"',
        ),
        (
            '[files]\nincoming = "~/x"',
            'FILE: files.incoming is "~/x"; accepted: the name of a folder below the project '
            'in quotes, like "incoming"',
        ),
        (
            "[files]\ndeny_globs = [1]",
            "FILE: files.deny_globs is [1]; accepted: a list of patterns, like "
            '["*.sqlite", "private/**"]',
        ),
        (
            '[voice]\ncommand = "whisper {file}"',
            'FILE: voice.command is "whisper {file}"; accepted: a list of texts, like '
            '["whisper", "--file", "{file}"]',
        ),
        (
            '[voice]\nmodel = " "',
            'FILE: voice.model is " "; accepted: a text in quotes that is not empty, like '
            '"whisper-1"',
        ),
        (
            "[budget]\ndaily_usd = 0",
            "FILE: budget.daily_usd is 0; accepted: a number above 0, like 2 or 0.5",
        ),
        (
            '[plugins]\nenabled = ["a b"]',
            "FILE: plugins.enabled is ['a b']; accepted: a list of names of packages, like "
            '["takopi-hello"]',
        ),
        (
            "[plugins]\nhello = 1",
            "FILE: plugins.hello is 1; accepted: a table, written as [plugins.hello]",
        ),
        ("projects = 1", "FILE: projects is 1; accepted: tables, written as [projects.shop]"),
        (
            "[projects]\nshop = 1",
            "FILE: projects.shop is 1; accepted: a table, written as [projects.shop]",
        ),
        (
            "[projects.shop]",
            'FILE: projects.shop has no path; add `path = "/home/ann/shop"` below '
            "[projects.shop], or run `takopi init shop` in its directory",
        ),
        (
            '[projects.shop]\npath = "shop"',
            'FILE: projects.shop.path is "shop"; accepted: an absolute path in quotes, like '
            '"/home/ann/work"',
        ),
        (
            '[projects.shop]\npath = "/a"\nworktrees_dir = "a/../../b"',
            'FILE: projects.shop.worktrees_dir is "a/../../b"; accepted: a path in quotes, '
            'absolute or below the project, like ".worktrees"',
        ),
        (
            '[projects.shop]\npath = "/a"\nworktree_base = "--upload-pack=x"',
            'FILE: projects.shop.worktree_base is "--upload-pack=x"; accepted: the name of a '
            'branch in quotes, like "main"',
        ),
        (
            '[projects.Shop]\npath = "/a"',
            'FILE: a project cannot be called "Shop": it takes 1 to 32 of a-z, 0-9, `_` and '
            "`-`, and begins with a letter or digit; rename [projects.Shop]",
        ),
        (
            '[projects.cancel]\npath = "/a"',
            'FILE: a project cannot be called "cancel": it is a word of takopi itself; rename '
            "[projects.cancel]",
        ),
        (
            '[projects.a]\npath = "/a"\nchat_id = -5\n[projects.b]\npath = "/b"\nchat_id = -5',
            "FILE: projects.a and projects.b have the same chat_id -5; a chat is bound to one "
            "project, so take one of the two out",
        ),
        (
            'default_project = "b"\n[projects.a]\npath = "/a"',
            'FILE: default_project is "b"; accepted: the alias of a project: "a"; `takopi init` '
            "adds one",
        ),
        (
            'default_project = "b"',
            'FILE: default_project is "b"; accepted: nothing, as there is no project; `takopi '
            "init` adds one",
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


def test_a_project_that_is_called_like_an_engine_is_refused() -> None:
    """Its directive would start the engine."""
    path = Path("takopi.toml")
    projects = parse_settings({"projects": {"codex": {"path": "/a"}}}, path, {}).projects
    refuse_engine_aliases(projects, ["claude"], path)
    with pytest.raises(ConfigError) as caught:
        refuse_engine_aliases(projects, ["claude", "codex"], path)
    assert str(caught.value) == (
        'takopi.toml: a project cannot be called "codex": `/codex` is an engine; rename '
        "[projects.codex]"
    )
    assert alias_fault("codex", ["codex"]) == "`/codex` is an engine"
    assert alias_fault("shop", ["codex"]) is None


@given(st.text(max_size=12))
def test_a_branch_of_the_configuration_is_no_option(name: str) -> None:
    """What is accepted as the base of branches is nothing that git takes for something else."""
    try:
        accepted = accept("branch", name)
    except ValueError:
        return
    assert accepted == name
    assert not name.startswith(("-", "/", "."))
    assert ".." not in name
    assert not set(name) & set(" ~^:?*[\\\x00\x7f")


@pytest.mark.parametrize("name", ["main", "feat/x-1", "v1.2", "origin/main", "ünï"])
def test_usual_branches_are_accepted(name: str) -> None:
    """Names that git takes are taken."""
    assert accept("branch", name) == name


@pytest.mark.parametrize("name", ["", "@", "a/.b", "a.lock", "a/", "a.", "a//b", "a@{1}", "a..b"])
def test_what_git_refuses_is_no_branch(name: str) -> None:
    """Names that git does not take are refused before it sees them."""
    with pytest.raises(ValueError, match="branch"):
        accept("branch", name)
