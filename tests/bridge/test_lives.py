"""Whatever engines, people and crashes do: sessions keep order, each prompt has one end."""

from collections import defaultdict
from dataclasses import dataclass, field

import anyio
import pytest
from anyio.abc import TaskGroup
from hypothesis import event, given
from hypothesis import strategies as st
from msgspec.structs import replace

from bridge.turn_stage import Stage
from fakes.clock import settle
from fakes.engine_processes import EngineProcess
from takopi.bridge.records import TurnPut, TurnRecord
from takopi.core.letter_forms import REPEATED
from takopi.core.turn_state import ENDS
from takopi.model import ResumeToken

pytestmark = pytest.mark.timeout(900)

NUMBER = st.integers(0, 9)
STEPS = st.one_of(
    st.tuples(st.just("prompt"), st.sampled_from(["new", "reply", "line"]), NUMBER),
    st.tuples(st.just("prompt"), st.sampled_from(["gathered", "asked about"]), NUMBER),
    st.tuples(st.just("thaw"), st.booleans(), NUMBER),
    st.tuples(st.sampled_from(["report", "answer", "answer"]), st.just(None), NUMBER),
    st.tuples(st.sampled_from(["linger", "sessionless", "fail"]), st.just(None), NUMBER),
    st.tuples(st.just("vanish"), st.just(None), NUMBER),
    st.tuples(st.just("cancel"), st.just(None), NUMBER),
    st.tuples(st.just("advance"), st.just(None), NUMBER),
    st.tuples(st.sampled_from(["crash", "leave"]), st.just(None), NUMBER),
    st.tuples(st.just("die writing"), st.booleans(), NUMBER),
    st.tuples(st.just("die writing"), st.booleans(), NUMBER),
)
FINALS = ("✓ done", "✗ error", "■ cancelled", "⚠ interrupted")


@dataclass
class Lives:
    """Play steps on a stage whose scheduler dies now and then."""

    group: TaskGroup
    max_runs: int
    prompts: list[TurnRecord] = field(default_factory=list)
    deaths: int = 0

    def __post_init__(self) -> None:
        self.stage = Stage(max_runs=self.max_runs)
        self.order: defaultdict[str, list[int]] = defaultdict(list)
        self.stage.processes.prepare = self._started

    def _started(self, process: EngineProcess) -> None:
        record = next(r for r in self.prompts if r.turn_id == process.request.record["turn"])
        if not record.held_by_person:
            for lane in (process.session.value, record.conversation):
                self.order[lane].append(int(record.turn_id[1:]))

    async def play(self, what: str, how: object, number: int) -> None:
        """Do one step; what there is nobody to do it with, is left out."""
        if what == "prompt":
            await self._prompt(str(how), number)
        elif what in ("thaw", "cancel"):
            self._decide(what, bool(how), number)
        elif what == "advance":
            await self.stage.clock.advance(number / 2)
        elif what in ("crash", "leave"):
            await self._die(in_order=what == "leave")
        elif what == "die writing":
            self.stage.store.dies_at = (1 + number % 4, bool(how))
        else:
            self._let_speak(what, number)
        await settle()
        if self.stage.life.dead:
            await self._die(in_order=False)

    async def _prompt(self, how: str, number: int) -> None:
        more: dict[str, object] = {}
        if how == "reply" and self.prompts:
            other = self.prompts[number % len(self.prompts)]
            more = {"conversation": other.conversation, "asked": await self._known(other)}
        elif how == "line":
            more["asked"] = ResumeToken("codex", f"line{number % 3}")
            if self.prompts and number % 2:
                more["asked"] = await self._known(self.prompts[number % len(self.prompts)])
        elif how == "gathered":
            more["held_until"] = self.stage.clock.wall() + number / 4
        elif how == "asked about":
            more["held_by_person"] = True
        record = self.stage.record(**more)
        self.prompts.append(record)
        # Accepted is accepted, also by one who dies in the next moment.
        await self.stage.journal.commit([TurnPut(record)])
        self.stage.scheduler.submit(record)

    async def _known(self, other: TurnRecord) -> ResumeToken | None:
        """Find the session of a turn as a reply to it does."""
        found = await self.stage.journal.turn(other.turn_id)
        return found.session or found.asked if found is not None else None

    def _decide(self, what: str, wanted: bool, number: int) -> None:
        if not self.prompts:
            return
        turn_id = self.prompts[number % len(self.prompts)].turn_id
        if what == "cancel":
            self.stage.scheduler.cancel(turn_id)
        elif record := self.stage.scheduler.freeze(turn_id):
            held = record.held_by_person and not wanted
            self.stage.scheduler.thaw(replace(record, held_by_person=held))

    def _let_speak(self, what: str, number: int) -> None:
        silent = [process for process in self.stage.processes.all() if not process.over]
        if not silent:
            return
        process = silent[number % len(silent)]
        process.lingers = what == "linger"
        if what == "report":
            process.started()
        elif what == "fail":
            process.fail("it broke")
        elif what == "vanish":
            process.vanish()
        else:
            process.answer(sessionless=what == "sessionless")

    async def _die(self, *, in_order: bool) -> None:
        if in_order:
            await self.stage.scheduler.detach(self.stage.clock.now())
            await settle()
        event("left" if in_order else "died")
        self.deaths += 1
        self.stage.die()
        await settle()
        await self.group.start(self.stage.live)

    async def end(self) -> None:
        """Let every engine answer and every person decide, until nothing is left to do."""
        self.stage.store.dies_at = None
        for _ in range(4 * len(self.prompts) + 4):
            for number in range(len(self.prompts)):
                self._decide("thaw", True, number)
            while any(not process.over for process in self.stage.processes.all()):
                self._let_speak("answer", 0)
            await self.stage.clock.advance(20)
        await self.stage.clock.until(lambda: not self.stage.scheduler.turns())

    async def check(self) -> None:
        """Say what must hold in the end."""
        assert self.stage.processes.faults == []
        for lane, numbers in self.order.items():
            assert numbers == sorted(numbers), f"{lane} was out of order"
        for record in self.prompts:
            written = await self.stage.journal.turn(record.turn_id)
            assert written is not None
            assert written.state in ENDS
            assert written.outcome == written.state
            finals = self._finals(record)
            assert finals, f"{record.turn_id} was never answered: {self.stage.chat.texts()}"
            assert finals.count(False) <= 1, "a final came twice and does not say so"
            assert len(finals) <= 1 + self.deaths
        assert (await self.stage.journal.load()).letters == ()

    def _finals(self, record: TurnRecord) -> list[bool]:
        """List the finals of a prompt; True for one that says it may be there twice."""
        found = []
        for shown in self.stage.chat.shown.values():
            reply = shown.options.reply_to if shown.options else None
            if reply is not None and reply.message_id == record.messages[0]:
                again = shown.text.startswith(REPEATED)
                text = shown.text.removeprefix(REPEATED).lstrip("\n")
                if text.startswith(FINALS):
                    found.append(again)
        return found


@given(steps=st.lists(STEPS, max_size=40), max_runs=st.integers(1, 4))
def test_sessions_survive_whatever_dies(
    steps: list[tuple[str, object, int]], max_runs: int
) -> None:
    """Turns of a session never overlap and keep order, nothing starts twice, one final each."""

    async def play() -> None:
        async with anyio.create_task_group() as group:
            lives = Lives(group, max_runs)
            await group.start(lives.stage.live)
            for step in steps:
                await lives.play(*step)
            await lives.end()
            await lives.check()
            lives.stage.die()

    anyio.run(play)
