"""The stand-in as a process of its own, controlled over HTTP."""

import os
import signal
import sys
from collections.abc import Awaitable, Callable
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
        try:
            async with aiohttp.ClientSession(address) as session:
                await _talk(session)
                await _act(session)
                await _break(session)
                await _revoke(session)
        finally:
            process.send_signal(signal.SIGTERM)
        with anyio.fail_after(20):
            assert await process.wait() == 0


Ask = Callable[..., Awaitable[Any]]


def _both(session: aiohttp.ClientSession) -> tuple[Ask, Ask]:
    async def ctl(name: str, **body: Any) -> Any:
        async with session.post(f"/_ctl/{name}", json=body) as response:
            return await response.json()

    async def bot(method: str, **params: Any) -> Any:
        async with session.post(f"/bot{TOKEN}/{method}", json=params) as response:
            return await response.json()

    return ctl, bot


async def _talk(session: aiohttp.ClientSession) -> None:
    ctl, bot = _both(session)
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
    await ctl("flood", enabled=False)


async def _act(session: aiohttp.ClientSession) -> None:
    """Do everything that people do, and what happens to chats."""
    ctl, bot = _both(session)
    before = (await bot("getUpdates", offset=-1))["result"][-1]["update_id"]
    said = await ctl("say", text="one", user_id=2000)
    await ctl("edit", text="two", message_id=said["message_id"], chat_id=2000, user_id=2000)
    pasted = await ctl("paste", text="x" * 5000)
    assert len(pasted["message_ids"]) == 2
    assert len((await ctl("album", captions=["", "look"]))["message_ids"]) == 2
    await ctl("forward", text="hers", hidden=True)
    await ctl("press", message_id=pasted["message_ids"][0], data="gone:1")
    await ctl("delete", message_id=pasted["message_ids"][0])
    await ctl("group", chat_id=-88)
    await ctl("upgrade", chat_id=-88, new_chat_id=-100880)
    found = (await bot("getUpdates", offset=before + 1, timeout=5))["result"]
    kinds = [(set(update) - {"update_id"}).pop() for update in found]
    assert kinds == [
        *("message", "edited_message", "message", "message", "message", "message", "message"),
        *("callback_query", "message", "message"),
    ]
    thread = (await ctl("topic", chat_id=-100500, title="more"))["thread_id"]
    await ctl("delete_topic", chat_id=-100500, thread_id=thread)
    answer = await bot("sendMessage", chat_id=-100500, text="x", message_thread_id=thread)
    assert "thread not found" in answer["description"]
    await ctl("lock_out", chat_id=2000, why="Forbidden: bot was blocked by the user")
    assert (await bot("sendMessage", chat_id=2000, text="x"))["error_code"] == 403
    await ctl("lock_out", chat_id=2000)
    assert (await bot("sendMessage", chat_id=2000, text="x"))["ok"]


async def _break(session: aiohttp.ClientSession) -> None:
    """Let things go wrong, and mend them."""
    ctl, bot = _both(session)
    made = await ctl("random_faults", seed=1, count=5, methods=["sendMessage"], longest_s=0)
    assert [method for _, method in made] == ["sendMessage"] * 5
    assert (await ctl("clear"))["left"] >= 5
    assert (await bot("sendMessage", chat_id=1000, text="x"))["ok"]
    last = (await bot("getUpdates", offset=-1))["result"][-1]["update_id"]
    await bot("getUpdates", offset=last + 1)
    await ctl("hold")
    for number in range(10):
        await ctl("say", text=str(number))
    async with session.get("/_ctl/pending") as response:
        assert await response.json() == {"pending": [], "confirmed": last + 1}
    assert len((await ctl("release", seed=4))["pending"]) > 10
    await ctl("hold")
    await ctl("say", text="in order")
    assert len((await ctl("release"))["pending"]) > 10


async def _revoke(session: aiohttp.ClientSession) -> None:
    ctl, bot = _both(session)
    await ctl("revoke")
    assert (await bot("getMe"))["error_code"] == 401
