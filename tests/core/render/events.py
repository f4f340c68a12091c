"""Events as runners make them, in few words."""

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


IDS = st.sampled_from([f"a{n}" for n in range(9)])
KINDS = st.sampled_from(
    [
        *("command", "tool", "file_change", "web_search", "subagent", "note", "turn", "warning"),
        *("telemetry", "message", "thinking", "plan", "ask", "unheard_of"),
    ]
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
ACTIONS = st.builds(
    ActionEvent,
    engine=st.just(ENGINE),
    action=st.builds(Action, id=IDS, kind=KINDS, title=st.text(max_size=40), detail=DETAILS),
    phase=st.sampled_from(["started", "updated", "completed"]),
    ok=st.sampled_from([None, True, False]),
    message=st.one_of(st.none(), st.text(max_size=30)),
    level=st.sampled_from([None, "debug", "info", "warning", "error"]),
)
STREAMS = st.lists(
    st.one_of(
        ACTIONS,
        st.builds(StartedEvent, engine=st.just(ENGINE), resume=st.just(TOKEN)),
        st.builds(CompletedEvent, engine=st.just(ENGINE), ok=st.booleans(), answer=st.text()),
    ),
    max_size=25,
)
