"""The test's side: the chat service that outlives every bot, the bots, and what must hold."""

import asyncio
import os
import pickle
import random
import signal
import stat
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import psutil

from kills.light_bot import Order
from kills.wire import read_frame, write_frame
from simulation.people import People
from simulation.telegram import Post, Service, Weather, is_head
from takopi.bridge.ports import TurnFilter
from takopi.core.chat_settings import SessionMode
from takopi.core.letter_forms import REPEATED
from takopi.core.turn_state import ENDS
from takopi.errors import TransportError
from takopi.process.tree import MARK
from takopi.store.connecting import connect_to_read
from takopi.store.opening import JournalOptions, open_journal
from takopi.store.rows import fetch_newest_turns, fetch_state

__all__ = ["Scene"]

ENGINE = """\
#!/bin/sh
# Say who is served, work for a while, answer; every start and end is written down.
run=${TAKOPI_RUN_ID##*/}
session=s-$run
[ "$1" = --resume ] && session=$2
read -r prompt
echo "start $run $prompt" >> "$LIGHT_LOG"
printf '{"type":"session","id":"%s"}\\n' "$session"
for word in $prompt; do
    case $word in
        nap:*) sleep "${word#nap:}" ;;
        fail) echo 'light: told to fail' >&2; exit 3 ;;
        step) printf '{"type":"tool","id":"a","title":"step"}\\n' ;;
    esac
done
printf '{"type":"answer","text":"answer of %s to %s;"}\\n' "$run" "$prompt"
echo "end $run $prompt" >> "$LIGHT_LOG"
"""


# A bot that has no handler yet dies of a polite signal too.
_KILLED = {-signal.SIGKILL, -signal.SIGTERM}


class Scene:
    """Hold one home, its chats, and the bots that live in it one after the other.

    Args:
        home: A new folder.
        seed: Decides what people do.
        mode: Whether prompts go on by themselves.
    """

    def __init__(self, home: Path, seed: int, mode: SessionMode = "stateless") -> None:
        self.home = home
        self.rng = random.Random(seed)
        self.seed = seed
        self.mode = mode
        self.home_id = f"kills{os.getpid()}x{seed}x{self.rng.randrange(1 << 40):x}"
        self.service: Service
        self.people: People
        self.lives = 0
        self.deaths = 0
        self.calls = 0
        self.faults: list[str] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        home = self.home
        (home / "bin").mkdir(parents=True, mode=0o700)
        engine = home / "bin" / "light-engine"
        engine.write_text(ENGINE)
        engine.chmod(stat.S_IRWXU)
        (home / "engine.log").touch(0o600)
        weather = Weather()
        self.service = Service(self.rng, weather)
        self.people = People(self.service, self.rng, _wall)
        self._socket = str(home / "s")
        server = await asyncio.start_unix_server(self._serve, self._socket)
        self._stack.callback(server.close)
        self._tasks: set[asyncio.Task[None]] = set()
        self._zygote = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "kills.light_bot", self._socket,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env=_environment(),
        )  # fmt: skip
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._zygote.stdin is not None
        self._zygote.stdin.close()
        await self._zygote.wait()
        await self._stack.aclose()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for process in self.processes():
            process.kill()

    # Bots.

    async def begin(self, **how: Any) -> int:
        """Start a bot; return its pid."""
        self.lives += 1
        order = Order(self.home, self.home_id, self.lives, seed=self.seed, mode=self.mode)
        assert self._zygote.stdin is not None
        self._zygote.stdin.write(pickle.dumps(replace(order, **how)).hex().encode() + b"\n")
        return int(await self._line())

    async def end(self, within_s: float = 30) -> int:
        """Wait for the end of the bot that lives; return its status."""
        async with asyncio.timeout(within_s):
            status = int(await self._line())
        self.deaths += status in _KILLED
        if status not in {0, *_KILLED}:
            self.faults.append(f"life {self.lives} ended with {status}")
        return status

    async def _line(self) -> str:
        assert self._zygote.stdout is not None
        line = await self._zygote.stdout.readline()
        if not line:
            raise RuntimeError(f"no bot: {(self.home / 'bot.log').read_text()[-3000:]}")
        return line.decode()

    # The service.

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        life = SimpleNamespace(number=0)
        polls: set[asyncio.Task[None]] = set()
        try:
            while True:
                number, *what = await read_frame(reader)
                if what[0] == "hello":
                    life.number = what[1]
                    write_frame(writer, (number, None, None))
                elif what[0] == "poll":
                    polls.add(asyncio.ensure_future(self._poll(number, what[1], writer)))
                else:
                    self.calls += 1
                    write_frame(writer, (number, *self._call(life, *what)))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            for poll in polls:
                poll.cancel()
            writer.close()
            self._tasks.discard(task)

    async def _poll(self, number: int, taken: Any, writer: asyncio.StreamWriter) -> None:
        self.service.queue = [u for u in self.service.queue if u.update_id not in taken]
        batch = await self.service.poll()
        write_frame(writer, (number, None, batch))

    def _call(self, life: Any, verb: str, *what: Any) -> tuple[Exception | None, Any]:
        try:
            if verb == "send":
                scope, message, options = what
                post = self.service.write(
                    scope, options, life, text=message.body.text, message=message
                )
                return None, post.message_id
            if verb == "document":
                scope, document, options = what
                post = self.service.write(
                    scope, options, life, text=document.caption.text, document=document
                )
                return None, post.message_id
            if verb == "edit":
                self.service.change(*what)
            elif verb == "delete":
                self.service.remove(*what)
        except TransportError as error:
            return error, None
        return None, None

    # What must hold.

    def processes(self) -> list[psutil.Process]:
        """List the processes of this home that are left."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK, "").startswith(f"{self.home_id}/"):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def log(self, what: str) -> Counter[str]:
        """Count the words of the prompts that engines wrote down."""
        lines = (self.home / "engine.log").read_text().splitlines()
        words = [line.split()[2:] for line in lines if line.startswith(what)]
        return Counter(word for found in words for word in found if word[:1] == "p")

    async def quiet(self, within_s: float = 60) -> None:
        """Wait until nothing is left to do, looking at the journal as another program does."""
        async with asyncio.timeout(within_s):
            while await self.left_over():  # noqa: ASYNC110 - another process does it
                await asyncio.sleep(0.1)

    async def left_over(self) -> list[str]:
        """Name what is still to be done."""
        db = connect_to_read(self.home / "takopi.db", 5.0)
        try:
            state = fetch_state(db)
        finally:
            db.close()
        return [
            *(f"turn {turn.turn_id} is {turn.state}" for turn in state.turns),
            *(f"letter {letter.letter_id}" for letter in state.letters),
            *(f"update {accepted.id}" for accepted in state.updates),
            *(f"queued {update.update_id}" for update in self.service.queue),
        ]

    def open(self) -> Any:
        """Open the journal beside the bot."""
        return open_journal(
            self.home / "takopi.db",
            rebuild=list,
            now=_wall(),
            options=JournalOptions(reserve_bytes=4096),
        )

    async def broken(self) -> list[str]:
        """Return what does not hold now that all is quiet."""
        journal = self.open()
        try:
            found = [*self.faults, *await self._prompts(journal)]
        finally:
            await journal.close()
        if self.mode == "chat":
            found += self._sessions()
        starts, ends = self.log("start"), self.log("end")
        found += [f"{word} was started {n} times" for word, n in starts.items() if n > 1]
        shown = [p for p in self.service.posts.values() if p.by_bot and not p.gone]
        for word in ends:
            told = [post for post in shown if f" {word} " in f"{post.words} ".replace(";", " ")]
            heads = [post for post in told if is_head(post.text)]
            if not heads:
                found.append(f"the answer to {word} is lost")
            found += self._repeats(word, heads)
        found += [f"the process {p.pid} is left" for p in self.processes()]
        return found

    def _sessions(self) -> list[str]:
        """Say in which places more than one session began."""
        db = connect_to_read(self.home / "takopi.db", 5.0)
        try:
            turns = fetch_newest_turns(db, TurnFilter(), 10_000)
        finally:
            db.close()
        began: dict[str, set[str]] = {}
        for turn in turns:
            if turn.session is not None:
                began.setdefault(str(turn.scope), set()).add(turn.session.value)
        return [f"{place} has sessions {names}" for place, names in began.items() if len(names) > 1]

    def _repeats(self, word: str, heads: list[Post]) -> list[str]:
        found = []
        for earlier, later in pairwise(heads):
            if earlier.life == later.life:
                found.append(f"{word} was answered twice in life {later.life}")
            if REPEATED not in later.text:
                found.append(f"the second answer to {word} is not marked as repeated")
        return found

    async def _prompts(self, journal: Any) -> list[str]:
        found = []
        for said in self.people.said:
            turn = await journal.turn_of_message(said.chat, said.message_id)
            if turn is None:
                found.append(f"{said.word} is lost")
            elif turn.state not in ENDS:
                found.append(f"{said.word} is {turn.state}")
            else:
                finals = [
                    post
                    for post in self.service.posts.values()
                    if post.by_bot and not post.gone and post.reply_to in turn.messages
                    and post.chat == said.chat and is_head(post.text)
                ]  # fmt: skip
                if not finals:
                    found.append(f"{said.word} is {turn.state} without a final")
                if turn.outcome == "interrupted" and said.word in self.log("end"):
                    found.append(f"{said.word} ended, and was told as interrupted")
        return found


def _environment() -> dict[str, str]:
    # Whoever is killed leaves no coverage behind, and measuring takes longer than the test.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    return {**kept, "PYTHONPATH": os.pathsep.join(sys.path)}


def _wall() -> float:
    return time.time()
