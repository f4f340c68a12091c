"""Whatever a crash or a disk made of the files, a journal opens and nothing is by halves."""

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.damaged import ASIDE, REBUILT, written
from store.examples import now_done, opened, scratch, turn
from takopi.bridge.records import MessageBound, TurnPut
from takopi.errors import StoreError
from takopi.store.reading import journal_health


@cache
def in_steps(commits: int) -> tuple[bytes, bytes]:
    """Return file and log of a journal that was cut off after some commits of two changes each."""
    with scratch() as folder:
        path = Path(folder) / "takopi.db"
        store = opened(path)
        # From here on all is in the log, and the file alone is an empty journal.
        store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        for number in range(commits):
            name = f"t{number}"
            bound = MessageBound(7, number, name, "prompt")
            now_done(store.commit([TurnPut(turn(name)), bound]))
        kept = path.read_bytes(), path.with_name("takopi.db-wal").read_bytes()
        now_done(store.close())
    return kept


@cache
def whole() -> bytes:
    """Return the file of a journal."""
    with scratch() as folder:
        path = Path(folder) / "takopi.db"
        written(path)
        return path.read_bytes()


def new_file(path: Path, content: bytes) -> None:
    """Write a file that is nobody else's business."""
    path.write_bytes(content)
    path.chmod(0o600)


@pytest.mark.timeout(300)
@settings(max_examples=min(1000, settings.default.max_examples))
@given(data=st.data())
def test_a_log_that_is_cut_anywhere_holds_whole_transactions(data: st.DataObject) -> None:
    """The first ones, each wholly; what follows the cut never was."""
    with scratch() as folder:
        path = Path(folder) / "takopi.db"
        file, log = in_steps(6)
        cut = data.draw(st.integers(0, len(log)))
        new_file(path, file)
        path.with_name("takopi.db-wal").write_bytes(log[:cut] + data.draw(st.binary(max_size=40)))
        store = opened(path)
        assert not store.fresh
        kept = [found.turn_id for found in now_done(store.load()).turns]
        assert kept == [f"t{number}" for number in range(len(kept))]
        for number in range(6):
            found = now_done(store.turn_of_message(7, number))
            assert (found is not None) == (number < len(kept))
        if cut == len(log):
            assert len(kept) == 6
        now_done(store.close())


@pytest.mark.timeout(300)
@settings(max_examples=min(1000, settings.default.max_examples))
@given(data=st.data())
def test_whatever_happened_to_the_file_a_journal_opens(data: st.DataObject) -> None:
    """As it was, or rebuilt with each byte of the old one kept; never empty without a word."""
    with scratch() as folder:
        path = Path(folder) / "takopi.db"
        content = bytearray(whole())
        for _ in range(data.draw(st.integers(1, 3))):
            place = data.draw(st.integers(0, len(content) - 1))
            patch = data.draw(st.binary(min_size=1, max_size=64))
            content[place : place + len(patch)] = patch
        del content[data.draw(st.integers(1, len(content)) | st.just(len(content))) :]
        new_file(path, content)
        if "newer takopi" in journal_health(path).fault:
            with pytest.raises(StoreError):
                opened(path, REBUILT)
            assert path.read_bytes() == content
            return
        store = opened(path, REBUILT)
        state = now_done(store.load())
        assert store.fresh == bool(state.damage)
        if store.fresh:
            assert path.with_name(ASIDE).read_bytes() == content
            assert [found.turn_id for found in state.turns] == ["t1"]
        now_done(store.close())
