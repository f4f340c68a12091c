"""The samples of docs/reference/messages.md are what takopi writes."""

from itertools import pairwise
from pathlib import Path, PurePath

from markdown_it import MarkdownIt

from core.render.events import after, begun, done, event
from takopi.context import RunContext
from takopi.core.contexts import format_context
from takopi.core.final_view import FinalView, render_final
from takopi.core.markdown import render_markdown
from takopi.core.progress_view import ProgressHeader, render_progress

PAGE = (Path(__file__).parents[3] / "docs/reference/messages.md").read_text("utf-8")
BLOCKS = [token for token in MarkdownIt().parse(PAGE) if token.type == "fence"]
TEXTS = [block.content.strip("\n") for block in BLOCKS if block.info == "text"]


def test_the_progress_message_is_as_shown() -> None:
    """The first sample is the message of such a turn."""
    items = [("reproduce it", "completed"), ("mend it", "in_progress"), ("run everything", "")]
    changes = [
        {"path": "/srv/src/main.py", "kind": "update"},
        {"path": "tests/test_main.py", "kind": "add"},
    ]
    state = after(
        event("tool", "1", "read: /srv/src/main.py", "completed", ok=True),
        done("2", "pytest -q tests", exit_code=1),
        event("file_change", "3", "", "completed", ok=True, changes=changes),
        begun("4", "pytest -q tests"),
        event("plan", "5", items=[{"text": text, "status": status} for text, status in items]),
        event("message", "6", text="I will start with `src/main.py`.", offset=0),
        event("warning", "7", "Reconnecting... 1/5"),
    )
    header = ProgressHeader("working", "codex", 185)
    message = render_progress(state, header, cwd=PurePath("/srv"), cancel_data="x")
    assert message.body.text == TEXTS[0]


def test_the_final_message_is_as_shown() -> None:
    """The second sample is the final of such a turn."""
    view = FinalView(
        status="done",
        engine="claude",
        elapsed_s=192,
        steps=4,
        answer="The parser took words for numbers; it does not any more. See `src/main.py:12`.",
        context_line=format_context(RunContext("shop", "fix/login")),
        resume_line="claude --resume 2f1c1c0e",
        notes=("ended 1 background process: npm run dev",),
        usage={"model": "opus", "input_tokens": 35_390, "output_tokens": 1_200, "cost_usd": 0.12},
    )
    (message,) = render_final(view).messages
    assert message.body.text == TEXTS[1]


def test_markdown_becomes_the_text_below_it() -> None:
    """Each Markdown sample is followed by what becomes of it."""
    pairs = [(one, two) for one, two in pairwise(BLOCKS) if one.info == "markdown"]
    assert len(pairs) == 2
    for source, text in pairs:
        assert render_markdown(source.content).text == text.content.strip("\n")
