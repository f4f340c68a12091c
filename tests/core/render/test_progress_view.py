"""What a running turn looks like."""

import time
from pathlib import PurePath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.render.events import ENGINE, STREAMS, after, begun, done, event
from core.render.rules import assert_sendable, tagged
from takopi.core.chat import Button
from takopi.core.markdown.builder import RichBuilder
from takopi.core.progress import ProgressState
from takopi.core.progress_view import ProgressHeader, render_progress, write_words
from takopi.model import TakopiEvent

pytestmark = pytest.mark.timeout(1_800)

CWD = PurePath("/srv/app")
HEADER = ProgressHeader("working", ENGINE, 185.0)


def shown(state: ProgressState, **options: Any) -> str:
    """Show a state, with tags for entities, without the header."""
    message = render_progress(state, HEADER, cwd=CWD, cancel_data=None, **options)
    assert_sendable(message.body)
    head, _, rest = tagged(message.body).partition("\n\n")
    assert head.startswith("working · codex · 3m 05s")
    return rest


def test_the_whole_picture() -> None:
    """A turn in full: header, actions, plan, words, warnings, note, and the Cancel button."""
    state = after(
        event("tool", "t1", "read: /srv/app/src/main.py", "completed", ok=True),
        event(
            "command", "c1", "/bin/bash -lc 'pytest -q /srv/app/tests'", "completed", exit_code=1
        ),
        event(
            "file_change",
            "f1",
            "x",
            "completed",
            ok=True,
            changes=[
                {"path": "/srv/app/a.py", "kind": "update"},
                {"path": "/srv/app/b.py", "kind": "add"},
                {"path": "/etc/hosts", "kind": "delete"},
                {"path": "d", "kind": "add"},
            ],
        ),
        event("web_search", "w1", "bisect python", "updated"),
        event("subagent", "s1", "look around"),
        event(
            "plan", "p", items=[{"text": "look", "status": "completed"}, {"text": "mend main.py"}]
        ),
        event("message", "m", text="I will start with `main.py`.", offset=0),
        event("thinking", "th", text="**Where is it**\n\nIn the parser", offset=0),
        event("warning", "wa", "Reconnecting... 1/5"),
    )
    message = render_progress(
        state, HEADER, cwd=CWD, cancel_data="cancel:7", notes=["queued: 1 more"]
    )
    assert tagged(message.body) == (
        "working · codex · 3m 05s · step 5\n\n"
        "✓ read: <code>src/main.py</code>\n"
        "✗ <code>pytest -q tests</code> · exit 1\n"
        "✓ ~ <code>a.py</code>, + <code>b.py</code>, - <code>/etc/hosts</code> and 1 more\n"
        "↻ search: bisect python\n"
        "▸ agent: look around\n\n"
        "plan 1/2\n☑ look\n☐ mend <code>main.py</code>\n\n"
        "I will start with <code>main.py</code>.\n<i>In the parser</i>\n\n"
        "⚠ Reconnecting... 1/5\n\nqueued: 1 more"
    )
    assert message.buttons == ((Button("Cancel", "cancel:7"),),)


def test_before_anything_happens_there_is_the_header() -> None:
    """No step, no action, no button."""
    message = render_progress(after(), HEADER, cwd=None, cancel_data=None)
    assert message.body.text == "working · codex · 3m 05s"
    assert message.buttons == ()


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (begun("c"), "▸ <code>ls</code>"),
        (event("command", "c", "ls", "updated"), "↻ <code>ls</code>"),
        (done("c"), "✓ <code>ls</code>"),
        (done("c", exit_code=2), "✗ <code>ls</code> · exit 2"),
        (event("command", "c", "ls", "completed", ok=False), "✗ <code>ls</code>"),
        (event("command", "c", " "), "▸ <code>command</code>"),
        (event("tool", "t", "t", "completed", ok=False, message="no file"), "✗ t · no file"),
        (event("tool", "t", "no file", "completed", ok=False, message="no file"), "✗ no file"),
        (event("tool", "t", ""), "▸ tool"),
        (event("note", "n", "compacted", "completed"), "• compacted"),
        (event("note", "n", "compacting"), "▸ compacting"),
        (event("unheard_of", "u", "hm", "completed", ok=True), "• hm"),
        (event("ask", "a", "may I?"), "▸ asks: may I?"),
        (event("file_change", "f", "a.py"), "▸ <code>a.py</code>"),
        (event("file_change", "f", changes=[{"path": ""}]), "▸ ~ <code>?</code>"),
        (event("command", "c", "a\nb"), "▸ <code>a b</code>"),
    ],
)
def test_each_action_is_one_line(one: TakopiEvent, line: str) -> None:
    """Mark, words, and what went wrong."""
    assert shown(after(one)) == line


def test_long_titles_are_shortened() -> None:
    """A title keeps to about a line of a phone; a path keeps its end."""
    assert shown(after(begun("c", "x" * 500))) == "▸ <code>" + "x" * 71 + "…</code>"
    change = event("file_change", "f", changes=[{"path": "deep/" * 40 + "name.py"}])
    assert shown(after(change)).endswith("/deep/name.py</code>")
    assert shown(after(change)).startswith("▸ ~ <code>…/")


def test_a_long_plan_is_shown_around_its_current_item() -> None:
    """The item that is worked on, one before and what comes next."""
    items = [{"text": f"item {n}", "status": "completed"} for n in range(6)]
    items += [{"text": "now", "status": "in_progress"}]
    items += [{"text": f"later {n}"} for n in range(6)]
    assert shown(after(event("plan", "p", items=items))) == (
        "plan 6/13\n☑ item 5\n▸ now\n☐ later 0\n☐ later 1\n☐ later 2\n… 3 more"
    )
    ended = [{"text": f"item {n}", "status": "completed"} for n in range(7)]
    assert shown(after(event("plan", "p", items=ended))).startswith("plan 7/7\n☑ item 2\n")


def test_the_end_of_a_long_message_is_shown() -> None:
    """What was written last is what is news; thoughts are gone once words are written."""
    text = "\n".join(f"line {n}" for n in range(99))
    stream = [event("thinking", "t", text="hm"), event("message", "m", text=text, offset=0)]
    assert shown(after(*stream)) == "line 96\nline 97\nline 98"


def test_unfinished_markdown_is_shown_without_its_marks() -> None:
    """Half a fence or heading cannot be laid out yet."""
    text = "## Plan\n\n**First** this\n```python\nx = 1\n"
    assert shown(after(event("message", "m", text=text, offset=0))) == "Plan\nFirst this\nx = 1"
    long = "one " * 100 + "the very end"
    assert shown(after(event("message", "m", text=long, offset=0))).startswith("…one one")
    assert shown(after(event("message", "m", text=long, offset=0))).endswith("the very end")
    assert shown(after(event("message", "m", text="```", offset=0))) == ""


@given(STREAMS, st.text(max_size=400), st.floats(), st.text(max_size=400))
def test_whatever_happens_the_message_is_sendable(
    stream: list[TakopiEvent], label: str, elapsed_s: float, note: str
) -> None:
    """No event and no words of ours make a message that a chat refuses."""
    header = ProgressHeader(label, "e" + label, elapsed_s)
    message = render_progress(after(*stream), header, cwd=CWD, cancel_data="x", notes=[note])
    assert_sendable(message.body)


@pytest.mark.parametrize(
    "words", ["aa.py " * 100, "`a`" * 200, "😀" * 500, "x" * 5_000, "日本.py " * 99]
)
def test_the_fullest_message_is_sendable(words: str) -> None:
    """Every part at its longest still makes one message."""
    changes = [{"path": words, "kind": "add"}] * 20
    stream = [
        event("tool", f"t{n}", words, "completed", ok=False, message="!" + words) for n in range(4)
    ]
    stream += [event("file_change", "f", words, "completed", changes=changes, exit_code=10**9)]
    stream += [event("plan", "p", items=[{"text": words}] * 99)]
    stream += [event("message", "m", text="\n".join([words] * 9), offset=0)]
    stream += [event("thinking", "th", text=words, offset=0)]
    stream += [event("warning", f"w{n}", words, message=words[1:]) for n in range(9)]
    header = ProgressHeader(words, words, 1e9)
    message = render_progress(after(*stream), header, cwd=CWD, cancel_data="x", notes=[words] * 9)
    assert_sendable(message.body)


def test_one_render_costs_less_than_a_millisecond() -> None:
    """Also behind 1,000 actions (the best of many: shared machines)."""
    stream = [done(f"c{n}", f"cat /srv/app/src/file{n}.py") for n in range(1_000)]
    state = after(*stream, event("plan", "p", items=[{"text": "item"}] * 20))
    best = 1.0
    for _ in range(50):
        started = time.process_time()
        render_progress(state, HEADER, cwd=CWD, cancel_data="x")
        best = min(best, time.process_time() - started)
    assert best < 0.001


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("run `npm i` now", "run <code>npm i</code> now"),
        ("see main.py, src/a.py:12.", "see <code>main.py</code>, <code>src/a.py:12</code>."),
        ("e.g. i.e. 1.5 and/or v2", "e.g. i.e. 1.5 and/or v2"),
        ("https://a.io/x.html ok", "https://a.io/x.html ok"),
        ("odd ` tick", "odd ` tick"),
        ("~/x/y.toml", "<code>~/x/y.toml</code>"),
    ],
)
def test_file_names_and_ticked_words_are_code(words: str, expected: str) -> None:
    """A chat makes a link of `main.py` unless it is code."""
    out = RichBuilder()
    write_words(out, words)
    assert tagged(out.build()) == expected


@pytest.mark.parametrize("unit", ["a", "a.", "a/", "aa/a.", "`", "-", "https://", "x`a", "a.b/"])
def test_marking_words_takes_linear_time(unit: str) -> None:
    """Endless words without an end are no trap."""
    out = RichBuilder()
    started = time.process_time()
    write_words(out, unit * 50_000)
    assert time.process_time() - started < 2
