"""Events as runners make them, in few words."""

from random import Random
from typing import Any

from hypothesis import strategies as st

from takopi.core.progress import ProgressState, advance, start_progress
from takopi.model import Action, ActionEvent, CompletedEvent, ResumeToken, StartedEvent, TakopiEvent

ENGINE = "codex"
TOKEN = ResumeToken(ENGINE, "session-1")


def event(
    kind: str, id_: str, title: str = "", phase: str = "started", **fields: Any
) -> ActionEvent:
    """Make an action event; `ok`, `message` and `level` are the event's, the rest is detail."""
    own = {name: fields.pop(name) for name in ("ok", "message", "level") if name in fields}
    return ActionEvent(ENGINE, Action(id_, kind, title, fields), phase, **own)


def begun(id_: str, title: str = "ls", kind: str = "command") -> ActionEvent:
    """Make the start of a command."""
    return event(kind, id_, title)


def done(id_: str, title: str = "ls", kind: str = "command", exit_code: int = 0) -> ActionEvent:
    """Make the end of a command."""
    return event(kind, id_, title, "completed", ok=exit_code == 0, exit_code=exit_code)


def after(*events: TakopiEvent) -> ProgressState:
    """Fold events into the state that they lead to."""
    state = start_progress(ENGINE)
    for one in events:
        state = advance(state, one)
    return state


KINDS = (
    *("command", "tool", "file_change", "web_search", "subagent", "note", "turn", "warning"),
    *("telemetry", "message", "thinking", "plan", "ask", "unheard_of"),
)
JUNK = st.one_of(st.none(), st.booleans(), st.integers(-3, 9), st.text(max_size=30), st.floats())
DETAILS = st.fixed_dictionaries(
    {},
    optional={
        "text": st.one_of(st.text(max_size=40), JUNK),
        "offset": st.one_of(st.integers(0, 30), st.just(10**12), JUNK),
        "exit_code": JUNK,
        "changes": st.one_of(
            JUNK,
            st.lists(
                st.one_of(JUNK, st.fixed_dictionaries({"path": JUNK, "kind": JUNK})), max_size=12
            ),
        ),
        "items": st.one_of(
            JUNK,
            st.lists(
                st.one_of(JUNK, st.fixed_dictionaries({"text": JUNK, "status": JUNK})), max_size=9
            ),
        ),
    },
)
CONTENTS = st.tuples(st.text(max_size=40), DETAILS, st.none() | st.text(max_size=30))


def stream_of(
    contents: list[tuple[str, dict[str, Any], str | None]], seed: int, size: int
) -> list[TakopiEvent]:
    """Make events of a few contents, of all kinds and in any order.

    A seed decides which: what is drawn for each of them by itself costs ten times the fold.
    """
    random = Random(seed)
    stream: list[TakopiEvent] = []
    for _ in range(size):
        title, detail, words = random.choice(contents)
        match random.randrange(8):
            case 0:
                stream.append(StartedEvent(ENGINE, TOKEN))
            case 1:
                stream.append(CompletedEvent(ENGINE, random.random() < 0.5, title))
            case _:
                action = Action(f"a{random.randrange(9)}", random.choice(KINDS), title, detail)
                stream.append(
                    ActionEvent(
                        ENGINE,
                        action,
                        random.choice(("started", "updated", "completed")),
                        ok=random.choice((None, True, False)),
                        message=words,
                        level=random.choice((None, "debug", "info", "warning", "error")),
                    )
                )
    return stream


STREAMS = st.builds(
    stream_of,
    st.lists(CONTENTS, min_size=1, max_size=3),
    st.integers(0, 2**32),
    st.integers(0, 25),
)
