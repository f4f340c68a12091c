"""No line that an engine could print, however broken, stops a turn or is lost without a word.

In the full form 10,000 broken lines for each engine, many times over; the short form runs 200
examples of several lines each.
"""

import json
import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.cases import Case, cases, contract_engines, events_of
from takopi.model import ActionEvent, CompletedEvent, StartedEvent

STRANGE: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**30, 1e300, -0.0, "", "\u2028", "\x00", "\ud83d", "\U0001f600",
    "x" * 5000, [], {}, [[]], [None], {"": None}, {"id": {"id": {"id": 1}}}, ["a", 1, {"b": []}],
)  # fmt: skip
NESTED = '{"type":"item.completed","item":' + "[" * 3000 + "]" * 3000 + "}"
RAW_LINES: tuple[bytes, ...] = (
    b"", b"   ", b"\x00", b"\xff\xfe", b"{", b"}", b"[]", b"null", b"nul", b'"', b'{"type"',
    b'{"type": NaN}', b'{"type":"result","is_error":true', b'{"a":' * 200 + b"1" + b"}" * 200,
    NESTED.encode(), '{"type":"\u2028"}'.encode(), b'{"type":"\\ud800"}', b"1e999",
    b'{"type":"a","type":"b"}', b'{"type":"result","session_id":"-x","result":"hi"}',
)  # fmt: skip


def mutate(value: Any, rng: random.Random, depth: int = 0) -> Any:
    """Change something in a JSON value: a wrong type, a missing field, a swap, a nest."""
    if depth > 8 or rng.random() < 0.12:
        return rng.choice(STRANGE)
    if isinstance(value, dict) and value:
        changed = dict(value)
        key = rng.choice(sorted(changed))
        match rng.randrange(6):
            case 0:
                del changed[key]
            case 1:
                changed[key] = rng.choice(STRANGE)
            case 2:
                other = rng.choice(sorted(changed))
                changed[key], changed[other] = changed[other], changed[key]
            case 3:
                changed[f"new_{key}"] = changed[key]
            case _:
                changed[key] = mutate(changed[key], rng, depth + 1)
        return changed
    if isinstance(value, list) and value:
        place = rng.randrange(len(value))
        match rng.randrange(4):
            case 0:
                return value[:place] + value[place + 1 :]
            case 1:
                return value + value
            case 2:
                return rng.sample(value, len(value))
            case _:
                return [*value[:place], mutate(value[place], rng, depth + 1), *value[place + 1 :]]
    if isinstance(value, str):
        return rng.choice([value[: rng.randrange(len(value) + 1)], value * 2, value + "\ud83d", 7])
    return rng.choice(STRANGE)


def break_line(line: bytes, rng: random.Random) -> bytes:
    """Break a line in one of the ways in which lines break."""
    choice = rng.randrange(8)
    if choice == 0:
        return rng.choice(RAW_LINES)
    if choice == 1:
        return line[: rng.randrange(len(line) + 1)]
    if choice == 2:
        place = rng.randrange(len(line) + 1)
        return line[:place] + rng.choice([b"\x00", b"\xff", b'"', b"\\", b"}"]) + line[place:]
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return line
    for _ in range(rng.randrange(1, 4)):
        value = mutate(value, rng)
    return json.dumps(value, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")


def broken_run(engine: str, seed: int) -> Case:
    """Make the output of a run in which some lines are broken, lost, moved or repeated."""
    rng = random.Random(seed)
    case = rng.choice(cases(engine))
    lines = [line for line in case.stdout.split(b"\n") if line and len(line) < 20_000]
    for _ in range(rng.randrange(1, 12)):
        if not lines:
            break
        place = rng.randrange(len(lines))
        match rng.randrange(6):
            case 0:
                del lines[place]
            case 1:
                lines.insert(rng.randrange(len(lines)), lines[place])
            case _:
                lines[place] = break_line(lines[place], rng)
    rc = rng.choice([0, 0, 0, 1, 143, -9, None])
    return Case(engine, case.name, b"\n".join(lines), rc, case.stderr, case.resume)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("engine", contract_engines())
@given(seed=st.integers(min_value=0, max_value=1 << 62))
def test_no_broken_line_stops_a_turn(engine: str, seed: int) -> None:
    """Broken lines raise nothing in the engine's module, and the turn still ends, once."""
    events = events_of(broken_run(engine, seed))
    ends = [event for event in events if isinstance(event, CompletedEvent)]
    assert ends == events[-1:]
    assert len([event for event in events if isinstance(event, StartedEvent)]) <= 1
    assert "the module of the engine" not in str(ends[0].error), ends[0].error
    for event in events:
        msgspec.json.encode(event)
        if isinstance(event, ActionEvent):
            assert "could not make sense" not in event.action.title, event.action
