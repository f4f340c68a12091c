"""Draw docs/images/conversation.svg from messages that takopi itself renders.

Usage: draw_conversation.py [FILE]; without one the picture goes to standard output. A test draws it
again and compares, so the README cannot show what the bot no longer says.
"""

import sys
from html import escape
from pathlib import Path, PurePosixPath

from takopi.context import RunContext
from takopi.core.chat import ChatMessage
from takopi.core.contexts import format_context
from takopi.core.final_view import FinalView, render_final
from takopi.core.progress import advance, start_progress
from takopi.core.progress_view import ProgressHeader, render_progress
from takopi.core.reactions import reaction_of_end
from takopi.core.richtext import RichText
from takopi.model import Action, ActionEvent, ResumeToken, StartedEvent

WIDTH, SIDE, LINE, SIZE = 560, 18, 20, 14
PLAIN, MONO = 7.1, 8.6  # widths of a character at SIZE
FONTS = {
    False: "-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif",
    True: "ui-monospace,'SF Mono',Menlo,'DejaVu Sans Mono',monospace",
}
SESSION = ResumeToken("codex", "01a1fc42-c54c-7fd3-a2cd-98b75367b22e")
WHERE = format_context(RunContext("tide", "fix/tests"))
PROJECT = PurePosixPath("/home/ada/tide")
PROMPT = "/tide @fix/tests find out why they fail, and mend it"
ANSWER = """\
All **42 tests** pass. The import in `settings.py` was misspelt:

```python
from pathlib import Path
```
"""


def progress() -> ChatMessage:
    """Render the progress of a turn that is half done."""
    state = advance(start_progress("codex"), StartedEvent("codex", SESSION))
    change = {"changes": [{"path": str(PROJECT / "settings.py"), "kind": "update"}]}
    steps: list[tuple[Action, bool | None]] = [
        (Action("1", "command", "python -m pytest -q", {"exit_code": 1}), False),
        (Action("2", "command", "grep -n pathlib settings.py", {"exit_code": 0}), True),
        (Action("3", "file_change", "settings.py", change), True),
        (Action("4", "command", "python -m pytest -q"), None),
    ]
    for action, ok in steps:
        state = advance(state, ActionEvent("codex", action, "started"))
        if ok is not None:
            state = advance(state, ActionEvent("codex", action, "completed", ok))
    header = ProgressHeader("working", "codex", 32, WHERE.removeprefix("ctx: "))
    return render_progress(state, header, cwd=PROJECT, cancel_data="cancel")


def final() -> ChatMessage:
    """Render the answer of the same turn."""
    view = FinalView(
        status="done",
        engine="codex",
        elapsed_s=62,
        steps=4,
        answer=ANSWER,
        error=None,
        context_line=WHERE,
        resume_line=f"codex resume {SESSION.value}",
        notes=(),
        usage={"model": "gpt-5", "input_tokens": 35_390, "output_tokens": 1_200},
    )
    return render_final(view, "split").messages[0]


def pieces(text: RichText) -> list[list[tuple[str, str]]]:
    """Cut rich text into lines of (style, text); the sample is plain enough to count characters."""
    style = ["plain"] * len(text.text)
    for entity in text.entities:
        for index in range(entity.offset, entity.offset + entity.length):
            style[index] = entity.kind
    lines: list[list[tuple[str, str]]] = [[]]
    for character, kind in zip(text.text, style, strict=True):
        if character == "\n":
            lines.append([])
        elif lines[-1] and lines[-1][-1][0] == kind:
            lines[-1][-1] = (kind, lines[-1][-1][1] + character)
        else:
            lines[-1].append((kind, character))
    return lines


def span(kind: str, text: str) -> str:
    """Draw characters of one style."""
    code = kind in ("code", "pre")
    looks = {"bold": ' font-weight="600"', "italic": ' font-style="italic"'}
    look = ' fill="#20648f"' if code else looks.get(kind, "")
    return f'<tspan font-family="{FONTS[code]}"{look}>{escape(text)}</tspan>'


def bubble(message: ChatMessage, top: float, *, mine: bool = False) -> tuple[str, float]:
    """Draw one message and return where the next one starts."""
    lines = pieces(message.body)
    widths = [
        sum(len(t) * (MONO if k in ("code", "pre") else PLAIN) for k, t in line) for line in lines
    ]
    width = max(widths) + 28
    height = len(lines) * LINE + 16
    left = WIDTH - SIDE - width if mine else SIDE
    fill = "#e3f4d7" if mine else "#ffffff"
    out = [
        f'<rect x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" height="{height:.0f}" rx="13"'
        f' fill="{fill}"/>'
    ]
    for number, line in enumerate(lines):
        spans = "".join(span(kind, text) for kind, text in line)
        y = top + 22 + number * LINE
        out.append(f'<text x="{left + 14:.0f}" y="{y:.0f}" xml:space="preserve">{spans}</text>')
    bottom = top + height + 6
    for row in message.buttons:
        label = " ".join(button.label for button in row)
        out.append(
            f'<rect x="{left:.0f}" y="{bottom:.0f}" width="{width:.0f}" height="30" rx="9"'
            ' fill="#7d97ad"/>'
            f'<text x="{left + width / 2:.0f}" y="{bottom + 20:.0f}" text-anchor="middle"'
            f' fill="#ffffff" font-family="{FONTS[False]}">{escape(label)}</text>'
        )
        bottom += 36
    return "\n".join(out), bottom + 6


def reaction(bottom: float) -> str:
    """Draw what takopi puts on a prompt whose turn is done, on the bubble above `bottom`."""
    x, y = WIDTH - SIDE - 44, bottom - 18
    return (
        f'<rect x="{x}" y="{y:.0f}" width="32" height="22" rx="11" fill="#b9dba0"/>'
        f'<text x="{x + 16}" y="{y + 16:.0f}" text-anchor="middle">{reaction_of_end("done")}</text>'
    )


def drawing() -> str:
    """Draw the whole conversation."""
    said, top = bubble(ChatMessage(RichText(PROMPT)), 18.0, mine=True)
    body = [said, reaction(top)]
    top += 8
    for message in (progress(), final()):
        piece, top = bubble(message, top)
        body.append(piece)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top + 8:.0f}"'
        f' viewBox="0 0 {WIDTH} {top + 8:.0f}" font-size="{SIZE}">\n'
        "<title>A prompt, its progress while codex works, and the answer that replaces it</title>\n"
        '<rect width="100%" height="100%" rx="16" fill="#c9dbe8"/>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


if __name__ == "__main__":
    picture = drawing()
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(picture, encoding="utf-8")
    else:
        sys.stdout.write(picture)
