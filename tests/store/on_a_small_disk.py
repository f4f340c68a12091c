"""Fill a disk of one megabyte and write finals down; run by test_small_disk.py as a program."""

import os
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from store.examples import NOW, SMALL_RESERVE, letter, now_done, opened, turn
from takopi.bridge.records import LetterPut, TurnPut
from takopi.errors import StoreFull
from takopi.store.sqlite_store import SqliteStore


def fill(ballast: Path) -> None:
    """Take every byte that is left."""
    with ballast.open("ab", buffering=0) as file:
        for size in (65536, 4096, 1):
            with suppress(OSError):
                while True:
                    file.write(b"x" * size)


def queue_for_ever(store: SqliteStore) -> None:
    """Write turns down; some fit, because the log has room of its own."""
    for number in count():
        now_done(store.commit([TurnPut(turn(f"q{number}", prompt="x" * 9000))]))


def crashed(folder: Path, parts: dict[str, bytes]) -> None:
    """Leave a file and its log, and not a byte."""
    for name, content in parts.items():
        (folder / name).write_bytes(content)
    folder.joinpath("takopi.db-shm").unlink(missing_ok=True)
    fill(folder / "ballast")


def main(folder: Path) -> None:
    """Go through a full disk and out of it again."""
    path, ballast = folder / "takopi.db", folder / "ballast"
    reserve = path.with_suffix(".reserve")
    store = opened(path)
    now_done(store.commit([TurnPut(turn("before"))]))
    assert not store.short_of_space
    fill(ballast)

    with pytest.raises(StoreFull, match="free some space"):
        queue_for_ever(store)
    queued = len(now_done(store.load()).turns) - 1
    assert reserve.stat().st_size == SMALL_RESERVE
    assert not store.short_of_space
    assert now_done(store.turn(f"q{queued}")) is None

    finals = 0
    while not store.short_of_space:
        finals += 1
        now_done(store.commit([LetterPut(letter(finals, "x" * 9000))]))
    assert not reserve.exists()
    assert len(now_done(store.load()).letters) == finals, "the retried one, too"
    with pytest.raises(StoreFull, match="nearly full"):
        now_done(store.commit([TurnPut(turn("late"))]))
    now_done(store.commit([LetterPut(letter(finals + 1, "short"))]))
    state = now_done(store.load())

    now_done(store.close())
    fill(ballast)
    store = opened(path)  # what it needs is there, though not a byte is left
    assert now_done(store.load()) == state
    now_done(store.close())

    os.truncate(ballast, ballast.stat().st_size - 100_000)
    store = opened(path)
    assert now_done(store.load()) == state
    assert store.short_of_space, "the reserve takes no last room"
    os.truncate(ballast, 0)
    now_done(store.prune(NOW))
    assert not store.short_of_space
    now_done(store.commit([TurnPut(turn("late"))]))

    # A crash, and a disk that is full when takopi comes back: the log needs its index first.
    parts = {name: (folder / name).read_bytes() for name in ("takopi.db", "takopi.db-wal")}
    now_done(store.close())
    crashed(folder, parts)
    store = opened(path)
    assert store.short_of_space
    assert now_done(store.turn("late")) is not None
    now_done(store.close())

    os.truncate(ballast, 0)
    crashed(folder, parts)
    with pytest.raises(StoreFull, match="free some space"):
        opened(path)  # there is no reserve any more


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    sys.stdout.write("done\n")
