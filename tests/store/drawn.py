"""What hypothesis writes down about places, schedules and turns."""

from hypothesis import strategies as st

from store.examples import NOW, turn
from takopi.core.chat import Scope
from takopi.core.places import PlaceRecord, SessionPoint
from takopi.core.preferences import Preferences, RunChoices
from takopi.core.schedules import ScheduleRecord
from takopi.core.turn_state import TRANSITIONS
from takopi.model import ResumeToken

DAY = 86400.0

_WORDS = st.text(max_size=4)
_MAYBE = st.none() | _WORDS
_MOMENTS = st.floats(NOW, NOW + 500 * DAY)
_ENGINES = st.sampled_from(["codex", "pi"])
_BY_ENGINE = st.dictionaries(_ENGINES, _WORDS, max_size=2)
_VERBOSITIES = st.sampled_from(["quiet", "normal", "full"])

IDS = st.sampled_from(["t1", "t2", "t3", "t4"])
NUMBERS = st.integers(1, 5)
SCOPES = st.builds(
    Scope,
    st.sampled_from(["telegram", "memory"]),
    st.sampled_from([7, -8]),
    st.none() | st.integers(0, 1),
)
SESSIONS = st.builds(ResumeToken, _ENGINES, st.sampled_from(["s1", "s2"]))
PROJECTS = st.sampled_from([None, "p", "q"])
BRANCHES = st.sampled_from([None, "main"])
KEYS = st.sampled_from(["telegram:7", "telegram:7:3", "project:p", "project:ö"])

PLACES = st.builds(
    PlaceRecord,
    key=KEYS,
    project=_MAYBE,
    branch=_MAYBE,
    preferences=st.builds(
        Preferences,
        engine=st.none() | _ENGINES,
        models=_BY_ENGINE,
        reasoning=_BY_ENGINE,
        modes=_BY_ENGINE,
        trigger=st.sampled_from([None, "all", "mentions"]),
        verbosity=st.none() | _VERBOSITIES,
    ),
    sessions=st.dictionaries(
        _WORDS | st.just("p\n\ncodex"),
        st.builds(SessionPoint, _MOMENTS, st.none() | SESSIONS),
        max_size=2,
    ),
    topic=_WORDS,
    topic_auto=st.booleans(),
    gone=st.booleans(),
    unnamed=st.booleans(),
)
SCHEDULE_IDS = st.sampled_from(["a", "b", "c"])
SCHEDULES = st.builds(
    ScheduleRecord,
    schedule_id=SCHEDULE_IDS,
    scope=SCOPES,
    chat_kind=st.sampled_from(["private", "group"]),
    person=st.none() | NUMBERS,
    when=_WORDS,
    prompt=_WORDS,
    project=_MAYBE,
    branch=_MAYBE,
    engine=st.none() | _ENGINES,
    next_at=st.none() | _MOMENTS,
    last_at=st.none() | _MOMENTS,
    paused=st.booleans(),
    made_at=_MOMENTS,
    message_id=NUMBERS,
)


TURNS = st.builds(
    turn,
    IDS,
    scope=SCOPES,
    engine=_ENGINES,
    state=st.sampled_from(sorted(TRANSITIONS)),
    conversation=st.sampled_from(["", "c1", "c2"]),
    session=st.none() | SESSIONS,
    asked=st.none() | SESSIONS,
    started_at=st.none() | _MOMENTS,
    prompt=_WORDS,
    run_id=st.none() | _WORDS,
    accepted_at=st.floats(NOW, NOW + DAY),
    ended_at=st.none() | _MOMENTS,
    project=PROJECTS,
    branch=BRANCHES,
    choices=st.builds(RunChoices, model=_MAYBE, reasoning=_MAYBE, mode=_MAYBE),
    verbosity=_VERBOSITIES,
    usage=st.none()
    | st.dictionaries(_WORDS, st.none() | NUMBERS | st.floats(0, 9) | _WORDS, max_size=2),
    before=_MAYBE,
    silent=st.booleans(),
    wants_topic=st.booleans(),
    asked_in=st.none() | SCOPES,
    progress_id=st.none() | NUMBERS,
    seq=NUMBERS,
)
