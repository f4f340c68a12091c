"""Promise 5: a final arrives even if Telegram is down for an hour, whole, in order.

Full: 1,000 chats' worth of finals, each under one of eight troubles of the service that lasts up
to an hour, or that never ends where it is a refusal: 429 in private and in a group, 5xx, dropped,
hanging, a deleted topic, a deleted reply target, refused entities. One form goes through the real
transport and the stand-in.
"""

import random
import re
from collections.abc import Callable

import pytest

from bridge.outbox_desk import Desk, at
from fakes.scripted_engine import ScriptedTurn
from fakes.telegram_api import OWNER_ID, TelegramApi
from fakes.transport import Call, Shown
from promises.forms import LoopClock, shards, share
from simulation.loop import run_virtually
from takopi.core.chat import ChatMessage, Document
from takopi.core.letter_forms import REPEATED, TOPIC_GONE
from takopi.core.outbox_budget import OutboxLimits
from takopi.core.richtext import Entity, RichText
from takopi.errors import (
    FloodLimited,
    FormatRefused,
    ReplyTargetLost,
    ThreadLost,
    TransportUnavailable,
)
from telegram.served import served

pytestmark = pytest.mark.timeout(300)

HOUR_S = 3600.0
WORD = re.compile(r"f\d+\.\d+\.\d+")
GROUP, PRIVATE = -2, 1
Trouble = Callable[[Call, float], Exception | None]
"""Says what becomes of a call, so many seconds before the service is well again."""


def flood(call: Call, left_s: float) -> Exception | None:
    """Want silence for the rest of the time, but for at most five minutes at once."""
    return FloodLimited(min(left_s, 300.0)) if left_s > 0 else None


def fails(call: Call, left_s: float) -> Exception | None:
    """Answer 502."""
    return TransportUnavailable("Bad Gateway") if left_s > 0 else None


def drops(call: Call, left_s: float) -> Exception | None:
    """Refuse connections."""
    return TransportUnavailable("the connection was refused") if left_s > 0 else None


def hangs(call: Call, left_s: float) -> Exception | None:
    """Take the call and answer nothing."""
    return TransportUnavailable("no answer", maybe_accepted=True) if left_s > 0 else None


def no_topic(call: Call, left_s: float) -> Exception | None:
    """Know no topic any more."""
    lost = call.scope is not None and call.scope.thread_id is not None
    return ThreadLost("message thread not found") if lost else None


def no_reply(call: Call, left_s: float) -> Exception | None:
    """Know no message that could be answered."""
    answers = call.options is not None and call.options.reply_to is not None
    return ReplyTargetLost("message to be replied not found") if answers else None


def no_format(call: Call, left_s: float) -> Exception | None:
    """Understand no entities."""
    formatted = call.message is not None and call.message.body.entities
    return FormatRefused("can't parse entities") if formatted else None


TROUBLES: dict[str, tuple[int, Trouble]] = {
    "429, private": (PRIVATE, flood), "429, group": (GROUP, flood), "5xx": (PRIVATE, fails),
    "dropped": (GROUP, drops), "hanging": (PRIVATE, hangs), "topic deleted": (GROUP, no_topic),
    "reply target deleted": (PRIVATE, no_reply), "entities refused": (GROUP, no_format),
}  # fmt: skip


def final(rng: random.Random, number: int) -> list[ChatMessage | Document]:
    """Make a final of one to four parts, long and short, of which some are files."""
    return [
        _part(f"f{number}.{part}", rng.choice(("short", "short", "long", "file")))
        for part in range(rng.choice((1, 1, 2, 4)))
    ]


def _part(name: str, kind: str) -> ChatMessage | Document:
    count = 1 if kind == "short" else 300
    words = " ".join(f"{name}.{word}" for word in range(count))[:4096].rsplit(" ", 1)[0]
    if kind == "short":
        words = f"{name}.0"
    if kind == "file":
        return Document("answer.md", words.encode())
    return ChatMessage(RichText(words, (Entity("bold", 0, 3),)))


def words_of(body: ChatMessage | Document | None) -> list[str]:
    """List what a person can read in a part, in its order."""
    text = body.content.decode() if isinstance(body, Document) else body.body.text if body else ""
    return WORD.findall(text)


async def play(seed: int, trouble_name: str) -> None:
    """Post finals and say other things while the service is in trouble; look at the screen."""
    rng = random.Random(f"{seed} {trouble_name}")
    chat, trouble = TROUBLES[trouble_name]
    thread = 7 if trouble is no_topic else None
    desk = Desk(clock=LoopClock())  # type: ignore[arg-type]
    clock, began = desk.clock, desk.clock.now()
    lasts_s = rng.choice((60.0, 900.0, HOUR_S))
    taken = {"unheard": 0}

    def fault(call: Call) -> Exception | None:
        error = trouble(call, began + lasts_s - clock.now())
        # A call that hangs may have been taken: now and then it was.
        if isinstance(error, TransportUnavailable) and error.maybe_accepted and rng.random() < 0.05:
            taken["unheard"] += call.verb in {"send", "document"}
            pending.append(call)
            return None
        return error

    pending: list[Call] = []
    desk.chat.fault = fault
    desk.chat.unheard = lambda call: (
        TransportUnavailable("no answer", maybe_accepted=True) if call in pending else None
    )
    destination = at(chat, "group" if chat < 0 else "private", thread=thread)
    finals = [final(rng, number) for number in range(rng.choice((1, 2, 3)))]
    async with desk.running():
        for number, parts in enumerate(finals):
            live = desk.live(destination, f"t{number}") if rng.random() < 0.5 else None
            await clock.sleep_until(clock.now() + rng.choice((0.0, 1.0, 20.0)))
            await desk.final(*parts, destination=destination, instead=live, turn_id=f"t{number}")
        assert await desk.outbox.drain(clock.now() + HOUR_S + 1800), trouble_name
    assert (await desk.store.load()).letters == ()
    shown = [one for (_, _), one in sorted(desk.chat.shown.items())]
    wanted = [word for parts in finals for part in parts for word in words_of(part)]
    told: dict[str, None] = {}
    for one in shown:
        words = words_of(one.document or one.message)
        marked = REPEATED in _head(one)
        assert marked or not told.keys() & words, "a repeat does not say that it is one"
        assert trouble is hangs or not marked, "what certainly did not arrive is marked"
        told.update(dict.fromkeys(words))
    assert list(told) == wanted, f"{trouble_name}: not whole, or not in order"
    if not taken["unheard"]:
        assert sum(len(words_of(one.document or one.message)) for one in shown) == len(wanted)
    if trouble is no_topic:
        assert any(TOPIC_GONE in _head(one) for one in shown)


def _head(one: Shown) -> str:
    return one.document.caption.text if one.document else one.text


@pytest.mark.parametrize("trouble", TROUBLES)
@shards(2)
def test_every_final_arrives_whole_and_in_order(trouble: str, shard: int) -> None:
    """Whatever the service does meanwhile."""
    plays = share(1000, 2 * len(TROUBLES), short=25)
    for seed in range(shard * plays, (shard + 1) * plays):
        run_virtually(play, seed, trouble)


@pytest.mark.anyio
async def test_the_real_transport_gets_a_final_out_through_every_trouble() -> None:
    """The same of the real client, against the stand-in, with troubles of a moment."""
    async with TelegramApi() as api:
        quick = OutboxLimits(private_rate_s=0.01, private_burst=100)

        async def long(turn: ScriptedTurn):
            yield turn.started()
            yield turn.answer("\n\n".join(f"f0.0.{number} " + "long " * 60 for number in range(40)))

        async with served(api, limits=quick) as bot:
            bot.codex.default = long
            for trouble in (
                {"kind": "status", "code": 502, "description": "Bad Gateway"},
                {"kind": "flood", "seconds": 1},
                {"kind": "drop"},
                {"kind": "refuse_format"},
                {"kind": "lose_reply"},
                {"kind": "hang", "release_after_s": 0.5},
            ):
                api.faults.add(method="sendMessage", **trouble)
            api.owner.say("hello")
            wanted = [f"f0.0.{number}" for number in range(40)]

            def told() -> list[str]:
                messages = api.bot_messages(OWNER_ID)
                return [word for m in messages for word in WORD.findall(m.text or "")]

            await api.wait_for(lambda: told() == wanted, 30)
