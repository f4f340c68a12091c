"""What must hold after an hour, whatever happened in it."""

from collections import defaultdict
from itertools import pairwise
from typing import Any

from simulation.engines import Process, words_of
from simulation.people import Said, Wish
from simulation.telegram import Post
from simulation.world import World
from takopi.bridge.records import TurnRecord
from takopi.core.chat import MessageReceived
from takopi.core.letter_forms import REPEATED, TOPIC_GONE
from takopi.core.turn_state import ENDS

__all__ = ["broken_laws"]

DROPPED = "dropped: sent while takopi was away"
RESTED = "What was not started yet will not be started."


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
        *laws.finals_keep_their_order(),
        *laws.only_wishes_cancel(),
        *laws.pastes_arrive_as_one(),
        *laws.sessions_keep_their_order(),
        *laws.strangers_have_no_effect(),
    ]


class _Laws:
    def __init__(self, world: World) -> None:
        self.world = world
        self.turns: dict[str, TurnRecord] = {}
        self.again: defaultdict[str, int] = defaultdict(int)
        self.by_run: dict[str, str] = {}
        self.heads: defaultdict[str, list[tuple[Post, bool]]] = defaultdict(list)
        """The first parts of each turn's finals, and whether the journal knows them for that."""

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
        self._find_heads()

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

        What was sent together is told about in one message, which answers any of it.
        """
        posts = self.world.service.posts
        if said.chat in self.world.service.lost_chats or posts[said.chat, said.message_id].gone:
            return True  # nobody can be told, or the answer cannot be found by the reply
        here = [post for post in posts.values() if post.by_bot and post.chat == said.chat]
        if any(post.reply_to in said.together for post in here):
            return True
        # The message that it answers may be deleted by then, so it says which one that was.
        sent = [posts[said.chat, number].text.split(" ")[0] for number in said.together]
        if any(
            DROPPED in post.text and any(f"“{word}" in post.text for word in sent) for post in here
        ):
            return True
        if (said.chat, said.thread) in self.world.service.lost_threads and any(
            post.reply_to is None and post.at >= said.at and TOPIC_GONE in post.text
            for post in here
        ):
            return True  # in a topic that is no more nothing can be answered
        # What the journal refused is put to rest by a later /cancel in the same place.
        rested = [post for post in here if post.text.startswith(RESTED)]
        asked = [posts[said.chat, post.reply_to] for post in rested if post.reply_to]
        return any(
            post.message_id > said.message_id and post.thread == said.thread for post in asked
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
            if turn is not None and (turn.outcome != "done" or self._lost(turn)):
                continue  # what became of it stands in its final, which `one_final_each` looks for
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

    def _lost(self, turn: TurnRecord) -> bool:
        return turn.scope.chat_id in self.world.service.lost_chats

    def one_final_each(self) -> list[str]:
        """Find finals that are missing, or there twice without a reason or without a mark."""
        found = []
        for turn_id, turn in self.turns.items():
            bound = [post for post, known in self.heads[turn_id] if known]
            if turn.state in ENDS and not self._lost(turn):
                if not bound:
                    found.append(f"{turn_id} is {turn.state} and has no final on screen")
                elif all(post.taken_back for post in bound):
                    found.append(f"{turn_id} is {turn.state} and its final was taken back")
            found += self._repeats(turn_id)
        return found

    def _find_heads(self) -> None:
        """Find the first parts of finals, and whether the journal knows each for what it is."""
        asked = defaultdict[tuple[int, int], list[str]](list)
        for turn_id in sorted(self.turns, key=self.world.ledger.born.__getitem__):
            turn = self.turns[turn_id]
            for number in turn.messages:
                asked[turn.scope.chat_id, number].append(turn_id)
        for key, post in self.world.service.posts.items():
            if not post.by_bot or post.document is not None or post.ended_at is None:
                continue
            bound = self.world.ledger.bound.get(key)
            # A message may have been asked again: what nobody heard of was the last one's.
            ids = [bound.turn_id] if bound else asked[post.chat, post.reply_to or 0]
            known = [one for one in ids if self.world.ledger.born[one] <= post.at]
            for turn_id in known[-1:]:
                self.heads[turn_id].append((post, bound is not None and bound.role == "final"))
        for heads in self.heads.values():
            heads.sort(key=lambda head: (head[0].at, head[0].message_id))

    def _repeats(self, turn_id: str) -> list[str]:
        """Find finals beyond the first that nothing excuses, or that do not say what they are.

        A repeat is excused by a call that nobody heard the end of, or by a death before the
        message was bound to its turn; so is a journal that refused to bind it.
        """
        refused = turn_id in self.world.ledger.refused
        found = []
        for (earlier, bound), (later, _) in pairwise(self.heads[turn_id]):
            if earlier.gone and earlier.edits:
                continue  # its correction found it deleted, and became a message of its own
            name = f"{turn_id}: the final {later.chat}/{later.message_id}"
            died = self.world.lives[earlier.life - 1].died_at is not None
            unbound = (earlier.chat, earlier.message_id) in self.world.ledger.unbound
            if not earlier.unanswered and (bound or not (died or unbound)):
                found.append(f"{name} repeats one that was known to have arrived")
            if REPEATED not in later.text and not refused:
                found.append(f"{name} repeats one and does not say so")
        return found

    def finals_keep_their_order(self) -> list[str]:
        """Find finals that came to a chat before one that was decided earlier."""
        found, latest = [], dict[int, tuple[float, str]]()
        for turn_id, _ in sorted(self.world.ledger.decided.items(), key=lambda one: one[1]):
            arrived = [
                post.ended_at for post, _ in self.heads[turn_id] if post.ended_at is not None
            ]
            turn = self.turns[turn_id]
            # When the journal refused, what it took in the end tells no order.
            if not arrived or self._lost(turn) or turn_id in self.world.ledger.refused:
                continue
            chat, at = turn.scope.chat_id, min(arrived)
            before, other = latest.get(chat, (0.0, ""))
            if at < before:
                found.append(f"the final of {turn_id} overtook that of {other}")
            latest[chat] = max((at, turn_id), (before, other))
        return found

    def only_wishes_cancel(self) -> list[str]:
        """Find turns that nobody wanted to end, at least nobody who could know of them."""
        found = []
        for turn_id, turn in self.turns.items():
            at = self.world.ledger.wished.get(turn_id)
            if at is None or turn.cancel_reason or any(stop <= at for stop in self._stops(at)):
                continue
            chat = turn.scope.chat_id
            asked = turn.after or min(turn.messages, default=0)
            if not any(
                wish.chat == chat and wish.at <= at and (wish.data or wish.message_id > asked)
                and self._means(wish, turn_id)
                for wish in self.world.people.wishes
            ):  # fmt: skip
                found.append(f"{turn_id} was cancelled, and nobody wanted that")
        return found

    def _stops(self, at: float) -> list[float]:
        """List the stops that a wish at a moment may come from."""
        return [stop for stop in self.world.stops if at - 15 <= stop <= at]

    @staticmethod
    def _means(wish: Wish, turn_id: str) -> bool:
        """Tell whether a wish can be about a turn: a command, its button, or a choice."""
        ends = ("cancel", "pick", "x:queue:end", "x:status:end")
        named = [f"{button}:{turn_id}" for button in ends]
        return wish.data in ("", *named) or wish.data.startswith("o:")

    def pastes_arrive_as_one(self) -> list[str]:
        """Find pastes whose parts came to the bot within a second and that it did not join."""
        arrived = {
            (a.update.scope.chat_id, a.update.message_id): a
            for a in self.world.ledger.accepted.values()
            if isinstance(a.update, MessageReceived)
        }
        found = []
        for said in self.world.people.said:
            # The very list: two chats count their messages alike.
            pasted = any(said.together is paste for paste in self.world.people.pastes)
            if not pasted or len(said.together) != 2:
                continue
            first, rest = (arrived.get((said.chat, number)) for number in said.together)
            if first is None or rest is None or not self._joins(first, rest, said):
                continue
            chat, wanted = said.chat, set(said.together)
            of = [
                turn
                for turn in self.turns.values()
                if turn.scope.chat_id == chat and wanted & set(turn.messages)
            ]
            # The first part may have ended by the time the journal takes the second.
            refused = any(turn.turn_id in self.world.ledger.refused for turn in of)
            if of and not refused and not any(wanted <= set(turn.messages) for turn in of):
                found.append(f"the paste {said.word} was torn")
        return found

    def _joins(self, first: Any, rest: Any, said: Said) -> bool:
        """Tell whether two parts have to be one prompt: live, soon, and with nothing between."""
        lives = {self.world.ledger.lives[one.id] for one in (first, rest)}
        (life, *others) = lives
        died_at = self.world.lives[life - 1].died_at
        between = range(said.together[0] + 1, said.together[1])
        posts = self.world.service.posts
        return (
            not others
            and 0 <= rest.arrived_at - first.arrived_at < 0.9
            # What waited for the bot goes by the dates of the messages.
            and 0 <= rest.update.date - first.update.date <= 1
            and not (died_at is not None and died_at < said.at + 10)
            and not any((said.chat, n) in posts and not posts[said.chat, n].by_bot for n in between)
        )

    def sessions_keep_their_order(self) -> list[str]:
        """Find sessions whose prompts did not start in the order in which they came."""
        sessions: defaultdict[object, list[tuple[float, TurnRecord]]] = defaultdict(list)
        for turn in self.turns.values():
            process = self.world.processes.all.get(turn.run_id or "")
            # What a person is asked about lets newer prompts pass, until the answer comes.
            # So does what a person moved in the queue.
            asked = any(
                record.held_by_person or record.rank
                for record in self.world.ledger.turns[turn.turn_id]
            )
            if turn.session is not None and process is not None and not asked:
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
