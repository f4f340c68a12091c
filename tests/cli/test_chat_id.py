"""`takopi chat-id`: the chat in which an allowed person writes the code."""

import io
import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import anyio.from_thread
import anyio.to_thread
import pytest

from fakes.telegram_api import OWNER_ID, TOKEN, TelegramApi
from takopi.app.chat_id import bind_chat
from takopi.app.locks import BotLocks
from takopi.cli import main
from takopi.errors import UsageError
from takopi.settings import load_settings

pytestmark = pytest.mark.anyio
GROUP = -100500


def write(home: Path, url: str, more: str = "") -> Path:
    path = home / "takopi.toml"
    path.write_text(
        f'[projects.shop]\npath = "/srv/shop"  # ours\n{more}[transports.telegram]\n'
        f'bot_token = "{TOKEN}"\nchat_id = {OWNER_ID}\napi_base_url = "{url}"\n'
    )
    path.chmod(0o600)
    return path


class Screen(io.StringIO):
    """Be standard error, and hand on the code as soon as it is shown."""

    def __init__(self, seen: Callable[[str], object]) -> None:
        super().__init__()
        self._seen = seen

    def write(self, text: str) -> int:
        if found := re.search(r"/start@\S+ [0-9a-f]{8}", text):
            self._seen(found[0])
        return super().write(text)


@pytest.mark.usefixtures("inside")
async def test_a_group_is_bound_to_a_project(takopi_home, monkeypatch, capsys) -> None:
    """The code stands on standard error, and the file keeps its comments."""
    async with TelegramApi() as api:
        path = write(takopi_home, api.base_url)
        api.world.group(GROUP)

        def owner_writes(code: str) -> None:
            anyio.from_thread.run_sync(api.owner.say, code, GROUP)

        monkeypatch.setattr(sys, "stderr", Screen(owner_writes))
        for arguments in ([], ["--project", "shop"]):
            assert await anyio.to_thread.run_sync(main, ["chat-id", *arguments]) == 0
    assert capsys.readouterr().out == f"{GROUP}\nprojects.shop.chat_id = {GROUP}\n"
    assert tomllib.loads(path.read_text())["projects"]["shop"]["chat_id"] == GROUP
    assert "# ours" in path.read_text()


def test_it_needs_a_project_a_set_up_and_no_bot(inside, takopi_home, environment) -> None:
    """Each refusal says what to do."""
    assert "run `takopi` once" in inside("chat-id").stderr
    write(takopi_home, "http://127.0.0.1:1")
    done = inside("chat-id", "--project", "sho")
    assert done.returncode == 2
    assert "there is no project `sho`; there are: shop. `takopi init`" in done.stderr
    with BotLocks(takopi_home, TOKEN, "http://127.0.0.1:1", environment):
        done = inside("chat-id")
    assert done.returncode == 2
    assert "end that one with `takopi stop`" in done.stderr


def test_a_chat_is_bound_to_one_project(takopi_home) -> None:
    """Another project's chat stays its own; the same may be bound again."""
    path = write(takopi_home, "http://x", f'[projects.blog]\npath = "/b"\nchat_id = {GROUP}\n')
    settings = load_settings(path, {})
    with pytest.raises(UsageError, match=r"`takopi config unset projects.blog.chat_id`"):
        bind_chat(settings, "shop", GROUP)
    bind_chat(settings, "blog", GROUP)
    bind_chat(settings, "shop", -7)
    assert load_settings(path, {}).served_chat_ids == (-7, GROUP)
