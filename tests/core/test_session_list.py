"""What a list of sessions shows."""

from hypothesis import given
from hypothesis import strategies as st

from core.again import again_and_again
from takopi.context import RunContext
from takopi.core.richtext import utf16_len
from takopi.core.session_list import (
    PAGE,
    SessionEntry,
    SessionView,
    entry_key,
    sessions_reply,
    view_key,
)
from takopi.model import ResumeToken

STATES = st.sampled_from(
    ["running", "waiting", "done", "failed", "cancelled", "interrupted", "desktop"]
)
ENTRIES = st.builds(
    SessionEntry,
    session=st.builds(ResumeToken, st.sampled_from(["codex", "claude"]), st.text(max_size=500)),
    first=st.text(max_size=300),
    used_at=st.floats(0, 2e9),
    state=STATES,
    turn_id=st.text(st.sampled_from("abc123"), max_size=50),
    goes_on=st.booleans(),
)


@given(
    entries=again_and_again(ENTRIES, 40),
    page=st.integers(-2, 9),
    branch=st.text(max_size=200) | st.none(),
)
def test_any_list_fits_into_a_message_and_its_buttons_into_their_bytes(
    entries: list[SessionEntry], page: int, branch: str | None
) -> None:
    view = SessionView(
        context=RunContext("zed", branch),
        engine=None,
        entries=tuple(entries),
        page=page,
        now=1e9,
    )
    shown = sessions_reply(view)
    assert utf16_len(shown.body.text) <= 4096
    for row in shown.buttons:
        for button in row:
            assert len(button.data.encode()) <= 64
            assert button.label
    pages = -(-len(entries) // PAGE)
    sessions = [row for row in shown.buttons if not row[0].data.startswith("x:sessions:p:")]
    if entries:
        last = min(max(page, 0), pages - 1)
        assert len(sessions) == len(entries[last * PAGE : (last + 1) * PAGE])
    else:
        assert shown.buttons == ()


def test_ages_are_said_as_people_say_them() -> None:
    def line(age_s: float) -> str:
        entry = SessionEntry(
            session=ResumeToken("codex", "s"), first="fix it", used_at=1e9 - age_s, state="done"
        )
        view = SessionView(context=RunContext(), engine=None, entries=(entry,), page=0, now=1e9)
        return sessions_reply(view).body.text.splitlines()[1]

    assert line(50) == "1. fix it · codex · 50 s ago · done"
    assert line(7200) == "1. fix it · codex · 2 h 00 min ago · done"
    assert line(200_000) == "1. fix it · codex · 2 d ago · done"


@given(st.text(), st.text(), st.text(), st.text())
def test_names_of_lists_and_sessions_are_their_own(a: str, b: str, c: str, d: str) -> None:
    one, other = RunContext(a or None, b or None), RunContext(c or None, d or None)
    if not any("\n" in word for word in (a, b, c, d)):
        assert (view_key(one, None) == view_key(other, None)) == (one == other)
    same = ResumeToken("codex", a) == ResumeToken("codex", b)
    assert (entry_key(ResumeToken("codex", a)) == entry_key(ResumeToken("codex", b))) == same
