"""What must hold after an hour, whatever happened in it."""

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from simulation.engines import Process, words_of
from simulation.people import Said
from simulation.telegram import Post
from simulation.world import World
from takopi.core.letter_forms import REPEATED, TOPIC_GONE
from takopi.core.turn_state import ENDS

if TYPE_CHECKING:
    from takopi.bridge.records import TurnRecord

__all__ = ["broken_laws", "is_head"]

HEADS = ("✓ done", "✗ error", "■ cancelled", "✗ interrupted", "⚠ interrupted", "interrupted")


async def broken_laws(world: World) -> list[str]:
    """Return what did not hold, one line each; nothing when all is well."""
    laws = _Laws(world)
    await laws.load()
    return [
        *world.faults,
        *world.service.faults,
        *world.processes.faults,
        *world.ledger.faults,
        *await laws.every_prompt_has_an_end(),
        *laws.nothing_started_twice(),
        *laws.every_answer_is_told(),
        *laws.one_final_each(),
        *laws.sessions_keep_their_order(),
        *laws.strangers_have_no_effect(),
    ]


class _Laws:
    def __init__(self, world: World) -> None:
        self.world = world
        self.turns: dict[str, TurnRecord] = {}
        self.again: defaultdict[str, int] = defaultdict(int)
        self.by_run: dict[str, str] = {}

    async def load(self) -> None:
        """Read the journal as it is in the end."""
        for turn_id in self.world.ledger.turns:
            turn = await self.world.journal.turn(turn_id)
            if turn is not None:
                self.turns[turn_id] = turn
                if turn.run_id:
                    self.by_run[turn.run_id] = turn_id
        for data in {data for post in self.world.service.posts.values() for data in post.buttons}:
            if data.startswith("o:"):
                await self._count_again(data.split(":")[1])

    async def _count_again(self, offer_id: str) -> None:
        offer = await self.world.journal.offer(offer_id)
        if offer is not None and offer.taken in {"again", "new"}:
            turn = self.turns.get(offer.turn_id)
            for word in words_of(f"{turn.prompt if turn else ''} {offer.payload}"):
                self.again[word] += 1

    async def every_prompt_has_an_end(self) -> list[str]:
        """Find prompts of served people that nothing became of."""
        found = []
        for said in self.world.people.said:
            turn = await self.world.journal.turn_of_message(said.chat, said.message_id)
            if turn is None:
                if not self._answered(said):
                    found.append(f"the prompt {said.word} ({said.chat}/{said.message_id}) is lost")
            elif turn.state not in ENDS:
                found.append(f"the prompt {said.word} is {turn.state} in {turn.turn_id}")
        return found

    def _answered(self, said: Said) -> bool:
        """Tell whether a person was told what became of a prompt that no turn is about.

        Messages that were sent together are told about in one, which answers the first of them.
        """
        posts = self.world.service.posts
        if posts[said.chat, said.message_id].gone:
            return True  # its answer cannot be found by the reply
        return any(
            post.by_bot
            and post.reply_to is not None
            and abs(posts[said.chat, post.reply_to].at - said.at) <= 2
            for post in posts.values()
            if post.chat == said.chat
        )

    def nothing_started_twice(self) -> list[str]:
        """Find prompts that reached more engines than anybody asked for."""
        starts: defaultdict[str, list[str]] = defaultdict(list)
        for process in self.world.processes.all.values():
            for word in words_of(process.prompt):
                starts[word].append(process.run_id)
        return [
            f"the prompt {word} was started {len(runs)} times: {', '.join(runs)}"
            for word, runs in starts.items()
            if len(runs) > 1 + self.again[word]
        ]

    def every_answer_is_told(self) -> list[str]:
        """Find runs that came to an answer which nobody can read."""
        found = []
        shown = [
            post for post in self.world.service.posts.values() if post.by_bot and not post.gone
        ]
        for process in self.world.processes.all.values():
            if process.answer is None or process.signal is not None:
                continue
            turn = self.turns.get(self.by_run.get(process.run_id, ""))
            if turn is not None and turn.cancelled:
                continue
            if turn is None:
                # Before the driver names runs there is nothing to find a turn by.
                turn = next((t for t in self.turns.values() if t.prompt == process.prompt), None)
            told = [post for post in shown if process.answer in post.words]
            if not told and not self._swept(process):
                state = turn.state if turn else "not in the journal"
                found.append(f"the answer {process.answer} of {process.run_id} is lost ({state})")
            found += self._whole(process, told)
        return found

    def _swept(self, process: Process) -> bool:
        """Tell whether a person deleted the answer."""
        posts = self.world.service.posts.values()
        return any(post.gone and post.by_bot and process.answer in post.words for post in posts)

    def _whole(self, process: Process, told: list[Post]) -> list[str]:
        """Find pieces of a long answer that are missing."""
        said = b"".join(line for _, line in process.lines).decode()
        wanted = {
            w for w in said.replace("\\n", " ").split() if w.startswith(f"w{process.number}.")
        }
        if not wanted or not told or self._swept(process):
            return []
        chat = told[0].chat
        posts = [p for p in self.world.service.posts.values() if p.chat == chat and p.by_bot]
        if any(post.gone for post in posts):
            return []
        text = " ".join(post.words for post in posts)
        missing = [word for word in wanted if word not in text.split()]
        return [f"{len(missing)} pieces of {process.answer} are missing"] if missing else []

    def one_final_each(self) -> list[str]:
        """Find finals that are missing, or there twice without a reason or without a mark."""
        heads: defaultdict[str, list[Post]] = defaultdict(list)
        ledger = self.world.ledger
        first_message = {
            (turn.scope.chat_id, number): turn.turn_id
            for turn in self.turns.values()
            for number in turn.messages
        }
        for key, post in self.world.service.posts.items():
            if not post.by_bot or post.document is not None or not is_head(post.text):
                continue
            bound = ledger.bound.get(key)
            turn_id = bound.turn_id if bound else first_message.get((post.chat, post.reply_to))
            if turn_id:
                heads[turn_id].append(post)
        found = []
        for turn_id, turn in self.turns.items():
            if turn.state in ENDS and not heads[turn_id]:
                found.append(f"{turn_id} is {turn.state} and has no final on screen")
            found += self._repeats(turn_id, heads[turn_id])
        return found

    def _repeats(self, turn_id: str, posts: list[Post]) -> list[str]:
        """Find finals beyond the first that nothing excuses, or that do not say what they are."""
        found = []
        for earlier, later in pairwise(sorted(posts, key=lambda post: post.at)):
            name = f"{turn_id}: the final {later.chat}/{later.message_id}"
            if not earlier.unanswered and not self._died_soon_after(earlier):
                found.append(f"{name} repeats one that was known to have arrived")
            if REPEATED not in later.text:
                found.append(f"{name} repeats one and does not say so")
        return found

    def _died_soon_after(self, post: Post) -> bool:
        life = self.world.lives[post.life - 1]
        return life.died_at is not None

    def sessions_keep_their_order(self) -> list[str]:
        """Find sessions whose prompts did not start in the order in which they came."""
        sessions: defaultdict[object, list[tuple[float, TurnRecord]]] = defaultdict(list)
        for turn in self.turns.values():
            process = self.world.processes.all.get(turn.run_id or "")
            if turn.session is not None and process is not None:
                # Not by the turn's own time: the wall clock jumps.
                sessions[turn.session].append((process.started_at, turn))
        found = []
        for session, starts in sessions.items():
            turns = [turn for _, turn in sorted(starts, key=lambda start: start[0])]
            order = [turn.seq for turn in turns]
            if order != sorted(order):
                names = ", ".join(turn.turn_id for turn in turns)
                found.append(f"the turns of {session} started in the order {names}")
        return found

    def strangers_have_no_effect(self) -> list[str]:
        """Find words of strangers where they do not belong."""
        strange = self.world.people.strange_words
        return [
            f"the stranger's {word} reached {process.run_id}"
            for process in self.world.processes.all.values()
            for word in words_of(process.prompt)
            if word in strange
        ]


def is_head(text: str) -> bool:
    """Tell whether a text is the first part of a final, under whatever lines stand above it."""
    while text.startswith((REPEATED, TOPIC_GONE)):
        text = text.partition("\n")[2]
    return text.startswith(HEADS)
