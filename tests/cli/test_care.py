"""`takopi doctor --fix` and `takopi update-check` on the command line."""

import stat
import time
from pathlib import Path

import pytest

from takopi.app.bot import bot_options
from takopi.app.doctor import examine
from takopi.app.home import Home
from takopi.app.runtime import open_runtime
from takopi.app.transports import choose_transport
from takopi.bridge.records import LetterPut, LetterRecord
from takopi.core.chat import ChatMessage, Scope
from takopi.core.outbox_plan import Priority
from takopi.core.richtext import RichText
from takopi.store.opening import open_journal


def test_the_doctor_mends_and_then_looks(inside, takopi_home: Path) -> None:
    """What it mended is told, and is no fault afterwards."""
    config = takopi_home / "takopi.toml"
    config.write_text("session_mode = 'chat'\n[transports.telegram]\nsession_mode = 'chat'\n")
    config.chmod(0o644)
    takopi_home.chmod(0o755)
    done = inside("doctor", "--fix")
    assert f"mended: closed {takopi_home} to others (mode 0755 became 0700)\n" in done.stdout
    assert f"mended: closed {config} to others" in done.stdout
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert f"✓ folder          {takopi_home}" in done.stdout
    told = " ".join(done.stdout.split())
    assert "`transports.telegram.session_mode` is called `session_mode` now" in told
    assert inside("doctor", "--fix").stdout.startswith("Nothing was to be mended.\n")


@pytest.mark.anyio
async def test_letters_that_wait_are_counted(environment, takopi_home: Path) -> None:
    """A person sees that answers are still on their way."""
    store = open_journal(takopi_home / "takopi.db", rebuild=tuple, now=time.time())
    told = []
    for number in (1, 2):
        letter = LetterRecord(
            letter_id=number,
            scope=Scope("telegram", 7),
            chat_kind="private",
            priority=Priority.FINAL,
            body=ChatMessage(RichText("done")),
        )
        await store.commit([LetterPut(letter)])
        checks = await examine(Home(takopi_home), environment)
        told += [check.text for check in checks if "to be sent" in check.text]
    await store.close()
    assert [text.split(";")[0] for text in told] == [
        "1 message waits to be sent",
        "2 messages wait to be sent",
    ]


@pytest.mark.usefixtures("inside", "toy")
def test_chats_of_projects_are_served(takopi_home: Path) -> None:
    """To those who may speak, and to nobody else."""
    config = takopi_home / "takopi.toml"
    config.write_text(
        '[projects.shop]\npath = "/"\nchat_id = -5\n'
        "[transports.telegram]\nchat_id = 7\nallowed_chat_ids = [-6]\n"
    )
    config.chmod(0o600)
    with open_runtime() as runtime:
        chosen = choose_transport(runtime.home, runtime.settings)
        access = bot_options(runtime.settings, runtime.shelf, None, chosen).access
    assert access.chat_ids == {7, -5, -6}
    assert access.serves(-5, 7)
    assert not access.serves(-5, 8)


@pytest.mark.usefixtures("toy")
def test_a_project_that_is_called_like_a_drop_in_engine_is_refused(inside, takopi_home) -> None:
    """Before anything runs, with exit status 78."""
    config = takopi_home / "takopi.toml"
    config.write_text('[projects.toy]\npath = "/"\n')
    config.chmod(0o600)
    done = inside("toy", "hello")
    assert done.returncode == 78
    assert 'a project cannot be called "toy": `/toy` is an engine' in done.stderr


def test_an_update_check_that_cannot_ask_is_told(inside) -> None:
    """With the address, and exit status 1."""
    done = inside("update-check", TAKOPI_PYPI_URL="http://127.0.0.1:1")
    assert done.returncode == 1
    assert "takopi: http://127.0.0.1:1 could not be asked" in done.stderr
