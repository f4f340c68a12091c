"""What a turn changed is told from what others did there, as far as anybody can."""

import pytest
from msgspec.structs import replace

from takopi.bridge.commands.turn_span import TurnSpan, span_of
from takopi.bridge.records import TurnRecord
from takopi.core.chat import Scope


def turn(name: str, began: float | None, ended: float | None, before: str | None) -> TurnRecord:
    return TurnRecord(
        turn_id=name, scope=Scope("memory", 1), engine="codex", started_at=began, ended_at=ended,
        before=before,
    )  # fmt: skip


THE = turn("the", 10.0, 20.0, "s1")


@pytest.mark.parametrize(
    ("others", "complete", "span"),
    [
        ([], True, TurnSpan()),
        ([THE], True, TurnSpan()),
        ([turn("earlier", 1.0, 10.0, "s0")], True, TurnSpan()),
        ([turn("waits", None, None, None)], True, TurnSpan()),
        ([turn("b", 30.0, 40.0, "s3"), turn("a", 20.0, 25.0, "s2")], True, TurnSpan("s2")),
        ([turn("b", 30.0, 40.0, "s3"), turn("a", 20.0, 25.0, None)], True, TurnSpan(later=True)),
        ([turn("b", 30.0, 40.0, "s3")], False, TurnSpan(later=True)),
        ([], False, TurnSpan(later=True)),
        ([turn("still", 5.0, None, "s0")], True, TurnSpan(beside=True)),
        ([turn("meanwhile", 12.0, 30.0, "s2")], True, TurnSpan(beside=True)),
        (
            [turn("meanwhile", 12.0, 15.0, "s2"), turn("next", 21.0, None, "s3")],
            True,
            TurnSpan("s3", beside=True),
        ),
    ],
)
def test_the_next_turn_bounds_what_this_one_changed(
    others: list[TurnRecord], complete: bool, span: TurnSpan
) -> None:
    """The next is the first that began after it ended; what ran beside it cannot be told apart."""
    assert span_of(THE, others, complete=complete) == span


def test_a_turn_that_runs_has_no_next_one() -> None:
    running = replace(THE, ended_at=None)
    later = turn("later", 30.0, 40.0, "s3")
    assert span_of(running, [later], complete=True) == TurnSpan(beside=True)
