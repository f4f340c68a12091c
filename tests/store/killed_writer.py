"""Kill a writer again and again and look at what it left; run by test_kills.py as a program.

Each round is a process that writes transactions down and says after each that it is done. What was
said to be done must be there, all of it; the one that was under way may be there, but not by half.
"""

import os
import random
import select
import signal
import sys
from itertools import count
from pathlib import Path

from store.examples import NOW, letter, now_done, opened, received, turn
from takopi.bridge.records import LetterGone, LetterPut, MessageBound, TurnPut, UpdateHandled

ROUNDS_OF_A_FILE = 6
LETTERS = 5


def write(path: Path, done: int) -> None:
    """Write transactions down until the end comes."""
    store = opened(path)
    store._db.execute("PRAGMA wal_autocheckpoint = 15")  # meet checkpoints, too
    state = now_done(store.load())
    os.write(done, b"o")
    for number in count(state.next_letter_id):
        fresh = now_done(store.accept([received(number)], number, NOW))
        handled = fresh or state.updates
        changes = [
            TurnPut(turn(f"t{number}", prompt="x" * random.Random(number).randrange(20_000))),
            MessageBound(7, number, f"t{number}", "progress"),
            LetterPut(letter(number)),
            LetterGone(number - LETTERS),
            *[UpdateHandled(update.id) for update in handled],
        ]
        now_done(store.commit(changes))
        os.write(done, b"c")


def kill_one(path: Path, chance: random.Random) -> bytes:
    """Start a writer, kill it at a random moment, and return what it said."""
    said, done = os.pipe()
    pid = os.fork()
    if not pid:
        write(path, done)
    os.close(done)
    heard = b""
    # A quarter is killed while it opens the file, the others after some transactions.
    steps = 0 if chance.random() < 0.25 else chance.randrange(1, 8)
    while len(heard) < steps:
        heard += os.read(said, steps - len(heard))
    select.select([], [], [], chance.uniform(0, 0.02 if not steps else 0.003))
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), "it ended by itself"
    while more := os.read(said, 65536):
        heard += more
    os.close(said)
    return heard


def look(path: Path, committed: int) -> int:
    """Check what is there, and return the number of the newest transaction."""
    store = opened(path)
    state = now_done(store.load())
    assert not state.damage, state.damage
    newest = state.next_letter_id - 1
    assert committed <= newest <= committed + 1, (committed, newest)
    assert [found.turn_id for found in state.turns] == [f"t{n + 1}" for n in range(newest)]
    assert [found.progress_id for found in state.turns] == [n + 1 for n in range(newest)]
    waiting = [found.letter_id for found in state.letters]
    assert waiting == list(range(max(1, newest - LETTERS + 1), newest + 1))
    assert [item.update.update_id for item in state.updates] in ([], [newest + 1])
    assert now_done(store.turn_of_message(7, newest + 1)) is None
    now_done(store.close())
    return newest


def main(folder: Path, rounds: int, seed: int) -> None:
    """Kill so many writers, some of them on the same file."""
    chance = random.Random(seed)
    newest = transactions = 0
    path = folder
    for number in range(rounds):
        if number % ROUNDS_OF_A_FILE == 0:
            path, newest = folder / f"{number}" / "takopi.db", 0
            path.parent.mkdir()
        heard = kill_one(path, chance)
        before, newest = newest, look(path, newest + heard.count(b"c"))
        transactions += newest - before
    sys.stdout.write(f"{rounds} kills, {transactions} transactions\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
