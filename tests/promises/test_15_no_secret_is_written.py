"""Promise 15: no secret of takopi, and no key of another engine, in logs, messages or environments.

Canaries stand for the token and for the keys of engines. The real `takopi` runs with a debug log,
meets every trouble that brings them up, and everything that it wrote is searched: logs of every
level, what it printed, the journal with its side files, run directories, messages and their
history, and the environment that an engine saw. What an agent itself prints stands as it printed it
in its run directory; takopi shows and logs it without the secrets.
"""

import json
import os
from pathlib import Path

import pytest

from fakes.bot_process import BotProcess, write_config
from fakes.telegram_api import TOKEN, TelegramApi
from fakes.toy_engine import install_toy_engine

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

KEYS = {
    "ANTHROPIC_API_KEY": "sk-ant-api03-canary0123456789abcdefghijklmnopqrstuv",
    "OPENAI_API_KEY": "sk-proj-canary0123456789abcdefghijklmnopqrstuvwxyz",
    "GEMINI_API_KEY": "AIzaCanary0123456789abcdefghijklmnopqrs",
    "OTHER_ENGINE_TOKEN": "canary-of-another-engine-0123456789",
}
SAID = "words of the person that are nobody's business"
OWN = {"TOY_API_KEY": "canary-of-the-toy-itself-0123456789"}
SECRETS = {**KEYS, "the token": TOKEN, "its second half": TOKEN.partition(":")[2]}


async def test_no_canary_is_in_anything_that_is_written(tmp_path: Path) -> None:
    """The engine sees its own key and no other; nobody reads any of them anywhere."""
    home, seen = tmp_path / "one" / ".takopi", tmp_path / "seen"
    home.mkdir(mode=0o700, parents=True)
    install_toy_engine(home, tmp_path / "bin")
    environment = {
        **KEYS,
        **OWN,
        "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
        "XDG_STATE_HOME": str(tmp_path / "one" / "state"),
    }
    leak = tmp_path / "leak"
    leak.write_text("\n".join(SECRETS.values()))
    async with TelegramApi() as api:
        write_config(home, api, tmp_path, 'default_engine = "toy"')
        async with BotProcess(home, environment, "--debug") as bot:
            await api.wait_call("getUpdates")
            trouble(api)
            await answered(api, f"run: env > {seen}\nfine", "toy heard: fine")
            await answered(api, f"run: cat {leak}\n{SAID}\nexit: 3", "[redacted]")
            await answered(api, f"/nobody {SAID}", "Nobody here knows")
            await answered(api, "/status", "Nothing runs")
            assert await bot.stop() == 0
        said = "\n".join(text for m in api.bot_messages() for text in (m.text or "", *m.history))
    found = {
        f"{name} in {where}"
        for where, text in written(home.parent, said, seen).items()
        for name, secret in SECRETS.items()
        if secret in text and not excused(name, where)
    }
    assert found == set()
    environ = dict(line.partition("=")[::2] for line in seen.read_text().splitlines())
    assert environ["TOY_API_KEY"] == OWN["TOY_API_KEY"]
    assert not [name for name in environ if name in KEYS or name == "TAKOPI_TELEGRAM_TOKEN"]
    log = (home / "logs" / "debug.log").read_text("utf-8")
    assert len(log) > 1000, "a log of every level was written"
    records = [json.loads(line) for line in log.splitlines()]
    loud = [one for one in records if one["level"] != "debug" and SAID in json.dumps(one)]
    assert loud == [], "a prompt is the person's own: it stands in no record above debug"
    assert SAID not in bot.output


def trouble(api: TelegramApi) -> None:
    """Let the service do what makes clients put the address, and so the token, into errors."""
    for method in ("sendMessage", "getUpdates", "editMessageText"):
        api.faults.add(method=method, kind="drop")
        api.faults.add(method=method, kind="garbage")
        api.faults.add(method=method, kind="status", code=500, description=f"at /bot{TOKEN}/x")


async def answered(api: TelegramApi, prompt: str, answer: str) -> None:
    """Ask, and wait until somebody can read the answer."""
    said = api.owner.say(prompt)
    await api.wait_message(lambda m: m.id > said.id and answer in (m.text or ""), timeout_s=60)


def written(folder: Path, said: str, seen: Path) -> dict[str, str]:
    """Read everything: whatever is a file below the home's folder, and the chats."""
    texts = {"the chats": said, "the engine's environment": seen.read_text("utf-8", "replace")}
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            texts[str(path.relative_to(folder))] = path.read_bytes().decode("utf-8", "replace")
    return texts


def excused(name: str, where: str) -> bool:
    """Tell whether a secret belongs there: in the configuration, or where an agent printed it."""
    mine = name in {"the token", "its second half"} and where == ".takopi/takopi.toml"
    return mine or (where.startswith(".takopi/runs/") and where.endswith("/stderr.log"))
