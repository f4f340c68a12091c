"""`takopi doctor` and `takopi plugins`: what is right, what is wrong, what to do."""

import os
import stat
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from fakes.telegram_api import OWNER_ID, TOKEN, TelegramApi
from takopi.app.checks import Check
from takopi.app.doctor import examine
from takopi.app.home import Home
from takopi.app.node_need import node_fault, too_old, wanted_node
from takopi.cli.doctor import table
from takopi.store.opening import open_journal

pytestmark = pytest.mark.anyio


def subject(checks: list[Check], name: str) -> list[tuple[str, str]]:
    return [(check.state, check.text) for check in checks if check.subject == name]


def the(checks: list[Check], name: str) -> tuple[str, str]:
    (found,) = subject(checks, name)
    return found


@pytest.fixture
def home(takopi_home: Path) -> Home:
    return Home(takopi_home)


def write(home: Home, text: str) -> None:
    home.config.write_text(text)
    home.config.chmod(0o600)


def program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


async def test_a_machine_that_is_set_up_is_in_order(home, environment, tmp_path) -> None:
    """Token, chat, access, engines and folders are all looked at."""
    codex = program(tmp_path / "bin", "codex", "echo codex-cli 0.150.0")
    program(tmp_path / "bin", "pi", "echo 0.87.1 >&2")
    async with TelegramApi() as api:
        api.owner.say("hi")
        write(
            home,
            f'work_dir = "{tmp_path}"\nmax_run = 1\n[codx]\n[transports.telegram]\n'
            f'bot_token = "{TOKEN}"\nchat_id = {OWNER_ID}\napi_base_url = "{api.base_url}"\n',
        )
        checks = await examine(home, environment)
    assert not [check for check in checks if check.state == "wrong"]
    assert the(checks, "folder") == ("ok", str(home.path))
    assert subject(checks, "configuration") == [
        ("ok", str(home.config)),
        ("warning", "nothing reads the key `max_run`; did you mean `max_runs`?"),
        ("warning", "nothing reads the key `codx`; did you mean `codex`?"),
    ]
    assert the(checks, "token")[0] == "ok"
    assert the(checks, "token")[1].startswith("@")
    assert the(checks, "chat")[0] == "ok"
    assert the(checks, "access") == ("ok", f"served: {OWNER_ID}, in 1 chat")
    assert the(checks, "work_dir") == ("ok", str(tmp_path))
    assert the(checks, "codex") == ("ok", f"0.150.0  {codex}")
    assert the(checks, "opencode")[0] == "note"
    assert "npm install -g opencode-ai" in the(checks, "opencode")[1]
    assert subject(checks, "pi")[1] == (
        "note",
        "unrestricted: it never asks before it runs or writes anything",
    )
    assert the(checks, "default engine") == ("ok", "codex")


async def test_a_bare_machine_is_told_what_to_do(home, environment) -> None:
    """Without configuration the doctor works and says how to make one."""
    checks = await examine(home, environment)
    assert the(checks, "configuration") == (
        "wrong",
        f"there is none at {home.config}; run `takopi` in a terminal to make one",
    )
    assert the(checks, "default engine")[0] == "wrong"
    assert "npm install" in the(checks, "codex")[1]
    assert not subject(checks, "token")
    home.path.rmdir()
    assert the(await examine(home, environment), "folder")[0] == "note"


async def test_what_is_wrong_with_the_configuration_is_told(home, environment, tmp_path) -> None:
    """Open files, wrong values, a missing directory, an unknown engine."""
    write(home, "max_runs = 0")
    assert "max_runs is 0" in the(await examine(home, environment), "configuration")[1]
    write(home, f'work_dir = "{tmp_path / "no"}"\ndefault_engine = "nosuch"')
    checks = await examine(home, environment)
    assert "mkdir -p" in the(checks, "work_dir")[1]
    assert 'default_engine is "nosuch"' in the(checks, "default engine")[1]
    assert the(checks, "token")[0] == "wrong"
    assert the(checks, "chat")[0] == "wrong"
    write(home, 'default_engine = "codex"\ncodex = 3')
    checks = await examine(home, environment)
    assert the(checks, "codex") == (
        "wrong",
        f"{home.config}: codex is 3; accepted: a table, written as [codex]",
    )
    assert "not installed" in the(checks, "default engine")[1]
    home.config.chmod(0o644)
    assert "chmod 600" in the(await examine(home, environment), "configuration")[1]
    home.path.chmod(0o755)
    assert "chmod 700" in the(await examine(home, environment), "folder")[1]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_closed_work_dir_is_told(home, environment, tmp_path) -> None:
    """A directory in which nothing can be written is no work_dir."""
    (tmp_path / "closed").mkdir(mode=0o500)
    write(home, f'work_dir = "{tmp_path / "closed"}"')
    assert "cannot be written" in the(await examine(home, environment), "work_dir")[1]


async def test_a_folder_that_cannot_be_looked_at_is_told(environment, tmp_path) -> None:
    """A file in the way of the folder is named."""
    (tmp_path / "file").write_text("")
    home = Home(tmp_path / "file" / ".takopi")
    assert "cannot be looked at" in the(await examine(home, environment), "folder")[1]


async def test_telegram_refusals_are_told(home, environment) -> None:
    """A wrong token, a silent server and a chat that the bot does not see."""
    async with TelegramApi() as api:
        frame = f'[transports.telegram]\napi_base_url = "{api.base_url}"\n'
        write(home, frame + f'chat_id = 5\nbot_token = "{TOKEN[:-1]}?"'.replace("?", "x"))
        assert "does not know this bot token" in the(await examine(home, environment), "token")[1]
        write(home, frame + f'chat_id = 987654\nbot_token = "{TOKEN}"')
        checks = await examine(home, environment)
        assert the(checks, "token")[0] == "ok"
        assert "the bot does not see chat 987654" in the(checks, "chat")[1]
        url = api.base_url
    write(home, f'[transports.telegram]\napi_base_url = "{url}"\nbot_token = "{TOKEN}"')
    assert "could not be checked" in the(await examine(home, environment), "token")[1]


async def test_access_is_explained(home, environment) -> None:
    """A group without a list is wrong; an owner who is not on the list is a warning."""
    async with TelegramApi() as api:
        api.owner.say("hi")
        frame = f'[transports.telegram]\napi_base_url = "{api.base_url}"\nbot_token = "{TOKEN}"\n'
        write(home, frame + "chat_id = -100")
        assert "allowed_user_ids" in the(await examine(home, environment), "access")[1]
        write(
            home, frame + f"chat_id = {OWNER_ID}\nallowed_user_ids = [9]\nallowed_chat_ids = [-5]"
        )
        assert subject(await examine(home, environment), "access") == [
            ("ok", "served: 9, in 2 chats"),
            (
                "warning",
                f"the owner of the private chat {OWNER_ID} is not in allowed_user_ids and so is "
                "not served",
            ),
        ]


async def test_a_token_revoked_between_two_questions_is_told(home, environment) -> None:
    """The second answer counts as much as the first."""
    async with TelegramApi() as api:
        api.faults.add("status", "getChat", code=401, description="Unauthorized")
        frame = f'[transports.telegram]\napi_base_url = "{api.base_url}"\nbot_token = "{TOKEN}"\n'
        write(home, frame + "chat_id = 5")
        assert the(await examine(home, environment), "token")[0] == "wrong"


@pytest.mark.usefixtures("toy")
async def test_plug_ins_that_cannot_be_used_are_told(home, environment) -> None:
    """A drop-in that fails to load or to be built is a line, not a crash."""
    (home.runners / "broken.py").write_text("BACKEND = 1 / 0")
    (home.runners / "open.py").write_text("BACKEND = 1")
    (home.runners / "open.py").chmod(0o666)
    checks = await examine(home, environment)
    assert the(checks, "broken")[0] == "wrong"
    assert "ZeroDivisionError" in the(checks, "broken")[1]
    assert "chmod" in the(checks, "plug-in")[1]
    assert the(checks, "toy")[0] == "warning"  # it does not know --version


ODD = """
from takopi.backends import EngineBackend

class Odd(str):
    def __len__(self):
        raise {raised}

BACKEND = EngineBackend("odd", lambda config, path: None, cli_cmd=Odd("odd"))
"""


async def test_an_engine_that_raises_while_it_is_looked_at_is_a_line(
    home, environment, tmp_path
) -> None:
    """The other engines are looked at all the same."""
    home.runners.mkdir(mode=0o700)
    (home.runners / "odd.py").write_text(ODD.format(raised="LookupError('key')"))
    (home.runners / "odd.py").chmod(0o600)
    program(tmp_path / "bin", "codex", "echo codex-cli 0.150.0")
    checks = await examine(home, environment)
    told = f"{home.runners / 'odd.py'} failed with LookupError: key; mend or remove it"
    assert the(checks, "odd") == ("wrong", told)
    assert the(checks, "codex")[0] == "ok"


async def test_an_engine_that_hangs_is_told(home, environment, tmp_path) -> None:
    """A CLI that does not answer to --version does not hold the doctor up."""
    program(tmp_path / "bin", "codex", "exec sleep 600")
    program(tmp_path / "bin", "pi", "exit 3")
    checks = await examine(home, environment, patience_s=0.2)
    assert the(checks, "codex")[0] == "warning"
    assert "does not answer to --version; run it once by hand" in the(checks, "codex")[1]
    assert "does not answer to --version" in subject(checks, "pi")[0][1]


async def test_an_engine_that_answers_without_a_version_is_told(
    home, environment, tmp_path
) -> None:
    """It does answer: what it said holds no version, or it took the option for something else."""
    codex = program(tmp_path / "bin", "codex", "echo codex 1")
    assert the(await examine(home, environment), "codex") == (
        "warning",
        f"{codex} answers to --version, but does not tell a version; run it once by hand to see "
        "what it says",
    )


async def test_an_engine_whose_node_is_too_old_is_told(home, environment, tmp_path) -> None:
    """Which one it wants, and which one there is: its own words are a syntax error."""
    package, bin_dir = tmp_path / "lib" / "pi", tmp_path / "bin"
    (package / "dist").mkdir(parents=True)
    bin_dir.mkdir()
    script = package / "dist" / "cli.js"
    script.write_text("#!/usr/bin/env node\n")
    script.chmod(0o755)
    (package / "dist" / "package.json").write_text('{"type": "module"}')
    (package / "package.json").write_text('{"name": "pi", "engines": {"node": ">=22.19.0"}}')
    (bin_dir / "pi").symlink_to(script)
    alone = environment | {"PATH": str(bin_dir)}
    assert the(await examine(home, alone), "pi") == (
        "wrong",
        f"{bin_dir / 'pi'} does not answer to --version: it wants Node >=22.19.0, and there is no "
        "`node` on PATH; install Node",
    )
    node = program(bin_dir, "node", '[ "$1" = --version ] && echo v20.20.2')
    assert the(await examine(home, environment), "pi") == (
        "wrong",
        f"{bin_dir / 'pi'} does not answer to --version: it wants Node >=22.19.0, and {node} is "
        "v20.20.2; install a newer Node, or put one first on PATH",
    )
    program(bin_dir, "node", '[ "$1" = --version ] && echo v22.19.0')
    assert the(await examine(home, environment), "pi")[0] == "warning"  # it must be something else


@pytest.mark.parametrize(
    ("have", "wanted", "old"),
    [
        ("v20.20.2", ">=22.19.0", True),
        ("v22.18.9", ">= 22.19", True),
        ("v22.19.0", ">=22.19.0", False),
        ("v100.0.0", ">=22", False),
        ("v20.0.0", "^22 || ^24", False),
        ("nonsense", ">=22", False),
    ],
)
async def test_versions_of_node_are_compared_by_number(have, wanted, old) -> None:
    """What is written in another way is taken for met."""
    assert too_old(have, wanted) is old


async def test_a_node_that_cannot_be_asked_is_no_reason(tmp_path) -> None:
    """Nor is a script without a package, or a package without a wish."""
    script = program(tmp_path / "lib", "pi", "")
    assert wanted_node(script) == ""
    script.write_text("#!/usr/bin/env node\n")
    (tmp_path / "lib" / "package.json").write_text("{}")
    assert wanted_node(script) == ""
    (tmp_path / "lib" / "package.json").write_text("no JSON")
    assert wanted_node(script) == ""
    (tmp_path / "lib" / "package.json").write_text('{"engines": {"node": ">=22"}}')
    broken = tmp_path / "lib" / "node"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    assert await node_fault(script, {"PATH": str(tmp_path / "lib")}) == ""


async def test_the_journal_is_looked_at(home, environment) -> None:
    """Whether it is sound, and what lies beside it since an earlier one was damaged."""
    assert the(await examine(home, environment), "journal")[0] == "note"
    store = open_journal(home.journal, rebuild=tuple, now=0.0)
    assert the(await examine(home, environment), "journal") == ("ok", str(home.journal))
    await store.close()
    aside = home.path / "takopi.db.damaged-20260101T000000Z"
    aside.write_bytes(b"")
    home.journal.write_bytes(b"no journal at all" * 1000)
    (state, told), (beside, kept) = subject(await examine(home, environment), "journal")
    assert (state, beside) == ("wrong", "warning")
    assert str(home.journal) in told
    assert f"kept as {aside}" in kept


async def test_what_happens_at_a_stop_is_told(home, environment) -> None:
    """Both choices that decide what becomes of prompts and engines."""
    write(home, 'on_stop = "cancel"\nbacklog = "ask"')
    checks = await examine(home, environment)
    assert the(checks, "on_stop") == (
        "note",
        "cancel: engines are ended when takopi is told to end",
    )
    assert the(checks, "backlog")[1].startswith("ask: prompts that came while takopi was away")
    assert the(checks, "space")[0] == "ok"


def test_the_table_wraps_texts_but_no_commands() -> None:
    """Marks and subjects stand in columns; a path or command stays in one piece."""
    shown = table(
        [
            Check("token", "ok", "@bot"),
            Check("configuration", "wrong", "a long text about `/a/very/long/path/to/a/file` here"),
            Check("configuration", "warning", ""),
            Check("x", "note", "y"),
        ],
        47,
    )
    assert shown == (
        "✓ token          @bot\n"
        "✗ configuration  a long text about\n"
        "                 `/a/very/long/path/to/a/file`\n"
        "                 here\n"
        "!                \n"
        "· x              y"
    )


def test_a_narrow_table_has_the_text_below_its_subject() -> None:
    """So that no line is longer than the terminal."""
    checks = [Check("default engine", "ok", "codex"), Check("pi", "note", "it is not " * 6)]
    shown = table(checks, 40).splitlines()
    assert shown[:3] == ["✓ default engine", "  codex", "· pi"]
    assert len(shown) > 4
    assert all(line.startswith("  ") and len(line) <= 40 for line in shown[3:])


def test_the_command_prints_the_table(inside) -> None:
    """Exit status 1 when something is wrong, and how many things."""
    done = inside("doctor")
    assert done.returncode == 1
    assert "✗ configuration" in done.stdout
    assert "2 things are wrong." in done.stdout


@pytest.mark.long
async def test_the_command_says_when_all_is_well(cli, inside, home, tmp_path) -> None:
    """Exit status 0 and no mark of anything wrong; one wrong thing is singular."""
    program(tmp_path / "bin", "codex", "echo codex-cli 0.150.0")
    assert "1 thing is wrong." in (await anyio.to_thread.run_sync(inside, "doctor")).stdout
    async with TelegramApi() as api:
        api.owner.say("hi")
        write(
            home,
            f'[transports.telegram]\nbot_token = "{TOKEN}"\nchat_id = {OWNER_ID}\n'
            f'api_base_url = "{api.base_url}"\n',
        )
        done = await anyio.to_thread.run_sync(cli, "doctor")
    assert done.returncode == 0
    assert "✗" not in done.stdout
    assert done.stdout.endswith("Everything is in order.\n")


@pytest.mark.usefixtures("toy")
def test_plug_ins_are_listed(inside, takopi_home) -> None:
    """Each engine with its place; what cannot be used with the reason."""
    (takopi_home / "runners" / "broken.py").write_text("BACKEND = 1 / 0")
    (takopi_home / "runners" / "no_backend.py").write_text("X = 1")
    (takopi_home / "takopi.toml").write_text("not toml")
    done = inside("plugins")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert any(line.startswith("codex") and "✓" in line for line in lines)
    assert any(line.startswith("toy") and line.endswith("runners/toy.py") for line in lines)
    assert any("✗" in line and "ZeroDivisionError" in line for line in lines)
    assert any("has no BACKEND" in line for line in lines)
