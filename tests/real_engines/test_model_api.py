"""The scripted model itself: it says what the prompt tells it, on every wire."""

import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.model_api import FakeModelApi
from fakes.model_api.directives import Directive, parse_directives

SHELL = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}


@pytest.fixture
def api() -> Iterator[FakeModelApi]:
    with FakeModelApi() as running:
        yield running


def post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    """Ask as an engine does, without streaming."""
    request = urllib.request.Request(url, json.dumps(body).encode(), method="POST")
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(request, timeout=20) as answer:
        return dict(json.load(answer))


def chat(api: FakeModelApi, *messages: dict[str, Any]) -> dict[str, Any]:
    """Ask for the next turn of a chat that has a shell tool."""
    tool = {"type": "function", "function": {"name": "bash", "parameters": SHELL}}
    body = {"model": "fake-model", "messages": list(messages), "tools": [tool]}
    choices = post(f"{api.url}/v1/chat/completions", body)["choices"]
    return dict(choices[0]["message"])


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("nothing", []),
        ("[[say: a]] and [[+bash: b]]", [("say", "a", False), ("bash", "b", True)]),
        ("[[agent: [[bash: x]] ]]", [("agent", "[[bash: x]]", False)]),
        ("[[drop]]", [("drop", "", False)]),
        ("[[say: open", []),
    ],
)
def test_directives_are_found(text: str, found: list[tuple[str, str, bool]]) -> None:
    """Brackets within brackets belong to the argument."""
    assert parse_directives(text) == [Directive(*one) for one in found]


def test_a_tool_call_comes_first_and_then_the_answer(api: FakeModelApi) -> None:
    """Each tool is a model turn of its own; the answer knows their output."""
    prompt = user("[[bash: ls]] please")
    call = chat(api, prompt)["tool_calls"][0]
    assert json.loads(call["function"]["arguments"]) == {"command": "ls"}
    answer = chat(
        api,
        prompt,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "a.txt", "tool_call_id": call["id"]},
    )
    assert answer["content"].endswith("tool output: a.txt")


def test_the_answer_proves_memory(api: FakeModelApi) -> None:
    """The first prompt of the conversation is named in every later answer."""
    answer = chat(api, user("walrus"), {"role": "assistant", "content": "ok"}, user("and?"))
    assert answer["content"] == 'turn 2; first prompt was "walrus"; this prompt was "and?"'


@pytest.mark.parametrize(
    ("path", "body", "answer"),
    [
        ("/v1/responses", {"input": "[[say: hi]]"}, ("output", 0, "content", 0, "text")),
        ("/v1/messages", {"messages": [user("[[say: hi]]")]}, ("content", 0, "text")),
        (
            "/chat/completions",
            {"messages": [user("[[say: hi]]")]},
            ("choices", 0, "message", "content"),
        ),
    ],
)
def test_all_wires_say_the_same(
    api: FakeModelApi, path: str, body: dict[str, Any], answer: tuple[str | int, ...]
) -> None:
    """The same script works for every engine."""
    found: Any = post(api.url + path, body)
    for key in answer:
        found = found[key]
    assert found == "hi"
    assert api.requests[-1].user_texts == ["[[say: hi]]"]


def test_an_error_may_come_a_number_of_times(api: FakeModelApi) -> None:
    """A retry is answered, as with a provider that had a bad moment."""
    prompt = user("[[error: 429 x1]][[say: fine]]")
    with pytest.raises(urllib.error.HTTPError) as caught:
        chat(api, prompt)
    assert caught.value.code == 429
    assert caught.value.headers["retry-after"] == "1"
    caught.value.close()
    assert chat(api, prompt)["content"] == "fine"


def test_a_test_can_wait_for_a_request_and_let_it_go(api: FakeModelApi) -> None:
    """Nothing has to sleep to be in the middle of a turn."""
    answers: list[dict[str, Any]] = []
    prompt = user("[[hold: gate]][[say: at last]]")
    asking = threading.Thread(target=lambda: answers.append(chat(api, prompt)))
    asking.start()
    assert api.wait_for(1).user_texts == ["[[hold: gate]][[say: at last]]"]
    assert answers == []
    api.release("gate")
    asking.join(20)
    assert answers[0]["content"] == "at last"
    with pytest.raises(TimeoutError, match="request 2"):
        api.wait_for(2, timeout_s=0.01)


def test_it_runs_by_itself(tmp_path: Path) -> None:
    """For trying an engine by hand, with a log of what it asked."""
    port_file, log = tmp_path / "port", tmp_path / "log"
    command = (sys.executable, "-m", "fakes.model_api", "--log", str(log))
    with subprocess.Popen(
        (*command, "--port-file", str(port_file)),
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            assert url.endswith(":" + port_file.read_text())
            post(f"{url}/v1/chat/completions", {"messages": [user("hello")]})
        finally:
            process.terminate()
    assert json.loads(log.read_text())["body"]["messages"] == [user("hello")]
