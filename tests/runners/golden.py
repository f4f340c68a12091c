"""Write events as one short line each, for reading beside the stream they come from.

`python tests/runners/golden.py codex` writes the expectations of an engine anew, for the cases
that its file names; read the difference before it is committed.
"""

import json
import sys
from pathlib import Path
from typing import Any

from takopi.model import ActionEvent, StartedEvent, TakopiEvent

__all__ = ["expectations", "golden_file", "lines_of"]

FIXTURES = Path(__file__).parent.parent / "fixtures"
_SHOWN_DETAIL = ("exit_code", "changes", "items", "parent", "offset")
_TITLE_CHARS = 90
_TEXT_CHARS = 300


def golden_file(engine: str) -> Path:
    """Name the file with the expectations of an engine."""
    return FIXTURES / engine / "events.golden"


def expectations(engine: str) -> dict[str, list[str]]:
    """Read what is expected of each case."""
    found: dict[str, list[str]] = {}
    path = golden_file(engine)
    if not path.exists():
        return found
    for line in path.read_text("utf-8").split("\n"):
        if line.startswith("== "):
            lines = found.setdefault(line[3:], [])
        elif line:
            lines.append(line)
    return found


def lines_of(events: list[TakopiEvent]) -> list[str]:
    """Write events as lines."""
    return [_line(event) for event in events]


def _line(event: TakopiEvent) -> str:
    if isinstance(event, StartedEvent):
        return _join("session", event.resume.value, event.meta or {})
    if not isinstance(event, ActionEvent):
        parts: list[Any] = ["end", "ok" if event.ok else "error", _cut(event.answer, _TEXT_CHARS)]
        return _join(*parts, *([event.error] if event.error else ()))
    action = event.action
    parts = [event.phase, action.kind, _cut(action.title, _TITLE_CHARS)]
    if event.ok is not None:
        parts.append("ok" if event.ok else "not ok")
    if event.message:
        parts.append(_cut(event.message, _TITLE_CHARS))
    detail = {key: action.detail[key] for key in _SHOWN_DETAIL if action.detail.get(key)}
    if "exit_code" in action.detail:
        detail["exit_code"] = action.detail["exit_code"]
    return _join(*parts, *([detail] if detail else ()))


def _join(*parts: Any) -> str:
    words = [
        p if isinstance(p, str) and _plain(p) else json.dumps(p, ensure_ascii=False) for p in parts
    ]
    return " | ".join(words)


def _plain(text: str) -> bool:
    return bool(text) and "\n" not in text and "|" not in text and text == text.strip()


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else f"{text[:chars]}… ({len(text)})"


def main(engine: str, names: list[str]) -> None:
    """Write the expectations of an engine anew."""
    from runners.cases import case, events_of

    chosen = names or list(expectations(engine))
    blocks = ["\n".join([f"== {n}", *lines_of(events_of(case(engine, n)))]) for n in chosen]
    golden_file(engine).write_text("\n\n".join(blocks) + "\n", "utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    main(sys.argv[1], sys.argv[2:])
