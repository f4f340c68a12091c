"""Records and stores that the tests of the journal share."""

import os
import sqlite3
import sys
import tempfile
from collections.abc import Coroutine, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from takopi.bridge.records import (
    Change,
    LetterPut,
    LetterRecord,
    MessageBound,
    OfferPut,
    OfferRecord,
    TurnPut,
    TurnRecord,
)
from takopi.core.chat import (
    Button,
    ButtonPressed,
    ChatMessage,
    Document,
    MessageEdited,
    MessageReceived,
    Scope,
    TopicChanged,
)
from takopi.core.outbox_plan import Priority
from takopi.core.richtext import Entity, RichText
from takopi.model import ResumeToken
from takopi.store.opening import JournalOptions, open_journal
from takopi.store.sqlite_store import SqliteStore
from takopi.store.worker import Offload, inline

T = TypeVar("T")

SCOPE = Scope("telegram", 7, 3)
NOW = 1_700_000_000.0
DUMPS = Path(__file__).parents[1] / "fixtures" / "journal"
SMALL_RESERVE = 64 * 1024


def now_done(call: Coroutine[Any, Any, T]) -> T:
    """Return what a call returns that waits for nothing."""
    try:
        call.send(None)
    except StopIteration as stop:
        return stop.value
    call.close()
    raise AssertionError("it waits for something")


def with_tests() -> dict[str, str]:
    """Return an environment in which a program finds these modules, and the same takopi."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def scratch() -> tempfile.TemporaryDirectory[str]:
    """Make a folder for what is done often: in memory, where syncing costs nothing."""
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None)


def opened(
    path: Path,
    turns: Iterable[TurnRecord] = (),
    *,
    now: float = NOW,
    offload: Offload | None = inline,
    busy_s: float = 0.05,
) -> SqliteStore:
    """Open a journal whose work is done inline, with `turns` to rebuild it from."""
    options = JournalOptions(offload=offload, busy_s=busy_s, reserve_bytes=SMALL_RESERVE)
    return open_journal(path, rebuild=lambda: turns, now=now, options=options)


def restored(path: Path, version: int) -> Path:
    """Make a file of an earlier schema."""
    path.touch(0o600)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(DUMPS.joinpath(f"schema-{version}.sql").read_text("utf-8"))
        assert db.execute("PRAGMA user_version").fetchone() == (version,)
    return path


def turn(turn_id: str = "t1", **fields: Any) -> TurnRecord:
    """Make a turn."""
    return TurnRecord(turn_id=turn_id, **{"scope": SCOPE, "engine": "codex", **fields})


def session(value: str = "s1") -> ResumeToken:
    """Make a session."""
    return ResumeToken("codex", value)


def received(number: int, message_id: int | None = None, text: str = "hi") -> MessageReceived:
    """Make an update that brings a message."""
    return MessageReceived(
        update_id=number,
        scope=SCOPE,
        chat_kind="group",
        message_id=number if message_id is None else message_id,
        sender_id=5,
        text=text,
    )


def edited(number: int, message_id: int, at: float) -> MessageEdited:
    """Make an update that brings an edit."""
    return MessageEdited(
        update_id=number,
        scope=SCOPE,
        chat_kind="group",
        message_id=message_id,
        sender_id=5,
        text="new",
        edited_at=at,
    )


def pressed(number: int, press_id: str) -> ButtonPressed:
    """Make an update that brings a press."""
    return ButtonPressed(
        update_id=number,
        scope=SCOPE,
        chat_kind="group",
        press_id=press_id,
        message_id=1,
        sender_id=5,
        data="o:x:again",
    )


def renamed(number: int, message_id: int) -> TopicChanged:
    """Make an update that brings a topic's new name."""
    return TopicChanged(
        update_id=number,
        scope=SCOPE,
        chat_kind="group",
        message_id=message_id,
        sender_id=5,
        what="renamed",
        name="cats",
    )


def letter(number: int, text: str = "done 🐙", **fields: Any) -> LetterRecord:
    """Make a letter."""
    message = ChatMessage(RichText(text, (Entity("bold", 0, 4),)), ((Button("Cancel", "c:1"),),))
    fields = {"body": message, "turn_id": "t1", "scope": SCOPE, **fields}
    return LetterRecord(letter_id=number, chat_kind="group", priority=Priority.FINAL, **fields)


def document(number: int) -> LetterRecord:
    """Make a letter that carries bytes that are no text."""
    return letter(number, body=Document("log.bin", bytes(range(256)), RichText("see")))


def offer(offer_id: str = "o1", **fields: Any) -> OfferRecord:
    """Make an offer."""
    fields = {"turn_id": "t1", **fields}
    return OfferRecord(offer_id=offer_id, kind="interrupted", scope=SCOPE, **fields)


def a_day() -> list[list[Change]]:
    """List the commits of a day: every kind of record, open and over."""
    return [
        [TurnPut(turn("t1", prompt="one", conversation="c1", accepted_at=NOW))],
        [MessageBound(7, 1, "t1", "prompt"), MessageBound(7, 2, "t1", "progress")],
        [TurnPut(turn("t1", state="running", conversation="c1", run_id="r1", accepted_at=NOW))],
        [TurnPut(turn("t2", prompt="two", conversation="c1", messages=(3,)))],
        [
            TurnPut(
                turn(
                    "t3",
                    state="done",
                    outcome="done",
                    conversation="c3",
                    session=session("s3"),
                    run_id="r3",
                    accepted_at=NOW - 5,
                    ended_at=NOW - 1,
                )
            ),
            MessageBound(7, 4, "t3", "final"),
        ],
        [LetterPut(letter(1)), LetterPut(document(2)), OfferPut(offer())],
    ]
