"""The stand-in as a process of its own, controlled over HTTP."""

import os
import signal
import sys
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any

import aiohttp
import anyio
import pytest

from fakes.telegram_api import TOKEN

pytestmark = pytest.mark.anyio


async def test_a_conversation_over_the_control_interface(tmp_path):
    """Whoever is in another process can write, press, look, wait and break things."""
    port_file = tmp_path / "port"
    process = await anyio.open_process(
        [sys.executable, "-m", "fakes.telegram_api", "--port-file", str(port_file)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=None,
    )
    async with process:
        line = await process.stdout.receive()
        address = line.decode().split()[0]
        assert address == f"http://127.0.0.1:{port_file.read_text()}"
        async with aiohttp.ClientSession(address) as session:
            await _talk(session)
        process.send_signal(signal.SIGTERM)
        with anyio.fail_after(20):
            assert await process.wait() == 0


async def _talk(session: aiohttp.ClientSession) -> None:
    async def ctl(name: str, **body: Any) -> Any:
        async with session.post(f"/_ctl/{name}", json=body) as response:
            return await response.json()

    async def bot(method: str, **params: Any) -> Any:
        async with session.post(f"/bot{TOKEN}/{method}", json=params) as response:
            return await response.json()

    said = await ctl("say", text="hello")
    (update,) = (await bot("getUpdates", timeout=5))["result"]
    assert update["message"]["message_id"] == said["message_id"]
    button = {"text": "Go", "callback_data": "g"}
    markup = {"inline_keyboard": [[button]]}
    await bot("sendMessage", chat_id=1000, text="answer 1", reply_markup=markup)
    found = await ctl("wait", text="answer", timeout_s=5)
    assert (found["text"], found["edits"], found["notify"]) == ("answer 1", 0, True)
    pressed = await ctl("press", message_id=found["message_id"], label="Go")
    assert pressed["callback_query_id"]
    missing = await ctl("wait", text="never", timeout_s=0.01)
    assert "not seen" in missing["error"]
    group = await ctl("group", chat_id=-100500, topics=["work"])
    assert len(group["topics"]) == 1
    await ctl("fault", kind="flood", method="sendMessage", seconds=4)
    assert (await bot("sendMessage", chat_id=1000, text="x"))["parameters"] == {"retry_after": 4}
    await ctl("flood", enabled=True)
    form = aiohttp.FormData({"chat_id": "1000"})
    form.add_field("document", b"abc", filename="a.txt")
    async with session.post(f"/bot{TOKEN}/sendDocument", data=form) as response:
        assert (await response.json())["ok"]
    async with session.get("/_ctl/calls?method=sendMessage&method=sendDocument") as response:
        calls = await response.json()
    assert [call["ok"] for call in calls] == [True, False, True]
    async with session.get("/_ctl/messages") as response:
        texts = [message.get("text", "file") for message in await response.json()]
    assert texts == ["hello", "answer 1", "file"]
    await ctl("revoke")
    assert (await bot("getMe"))["error_code"] == 401
