"""Nothing is lost and nothing is repeated unsaid, whenever the power fails."""

from collections import defaultdict
from itertools import pairwise

import anyio
import pytest
from hypothesis import given

from bridge.outbox_desk import text
from bridge.outbox_world import (
    KINDS,
    Story,
    Word,
    World,
    content_of,
    said,
    stories,
    words_in,
)
from takopi.core.letter_forms import REPEATED

NO_DOUBT = ("ok", "ok", "5xx", "flood", "format", "reply", "topic", "target")


def played(story: Story) -> World:
    """Play a story to its end."""
    world = World(story)
    anyio.run(world.play)
    return world


@pytest.mark.timeout(900)
@given(story=stories())
def test_every_letter_arrives_whole_and_repeats_are_told(story: Story) -> None:
    """Whatever the service does and whenever the power fails, all of it is on the screen."""
    world = played(story)
    everything_is_there(world)
    repeats_have_a_reason_and_a_mark(world)
    finals_keep_their_order(world)
    groups_are_contiguous(world)
    assert not anyio.run(world.store.load).letters
    assert world.chat.overlaps == 0


@pytest.mark.timeout(900)
@given(story=stories(cuts=0, fates=NO_DOUBT))
def test_without_a_doubt_nothing_is_repeated_and_nothing_is_left(story: Story) -> None:
    """As long as every call is answered, each word is there once and no progress message stays."""
    world = played(story)
    everything_is_there(world)
    words = [word for send in world.sends() for word in send.words]
    assert len(words) == len(set(words))
    assert not any(REPEATED in send.head for send in world.sends())
    finals = {number for number, post in enumerate(story.posts) if post.verb == "final"}
    assert not [
        shown.text
        for shown in world.chat.shown.values()
        if shown.text.startswith("progress t") and int(shown.text[10:]) in finals
    ]


@pytest.mark.timeout(900)
@given(story=stories(cuts=0, fates=NO_DOUBT, refusals=30))
def test_a_journal_that_refuses_now_and_then_costs_nothing(story: Story) -> None:
    """Each word is there once, and in the end the journal knows it."""
    world = played(story)
    everything_is_there(world)
    words = [word for send in world.sends() for word in send.words]
    assert len(words) == len(set(words))
    assert {send.key for send in world.sends()} <= world.settled()
    assert not anyio.run(world.store.load).letters


@pytest.mark.timeout(900)
@given(story=stories(refusals=30))
def test_nothing_is_lost_by_a_journal_that_refuses_before_the_power_fails(story: Story) -> None:
    """What it did not take may come twice; all of it comes."""
    world = played(story)
    everything_is_there(world, in_order=False)
    assert not anyio.run(world.store.load).letters


def everything_is_there(world: World, *, in_order: bool = True) -> None:
    """Check that each word can be read, in its order."""
    last: dict[Word, tuple[int, int]] = {}
    for (_, message_id), shown in sorted(world.chat.shown.items()):
        words = words_in(content_of(shown.document or text(shown.text)))
        last.update((word, (message_id, place)) for place, word in enumerate(words))
    for number, post in enumerate(world.story.posts):
        for part in said(number, post):
            places = [last.get(word) for word in words_in(content_of(part))]
            assert None not in places, f"lost: a part of post {number}"
            assert not in_order or places == sorted(places), f"post {number} is out of order"


def repeats_have_a_reason_and_a_mark(world: World) -> None:
    """Check each word that was accepted more than once."""
    copies: defaultdict[Word, tuple[int, ...]] = defaultdict(tuple)
    settled, everything = world.settled(), world.sends()
    for number, send in enumerate(everything):
        for word in send.words:
            copies[word] += (number,)
    # Words that went the same way fail together: one of them tells it.
    for numbers, word in {numbers: word for word, numbers in copies.items()}.items():
        sends = [everything[number] for number in numbers]
        for before, after in pairwise(sends):
            assert before.key not in settled, f"{word} was sent again though it was known"
            reason = before.key not in world.heard or before.life < after.life
            assert reason, f"{word} was sent again for nothing"
            assert REPEATED in after.head, f"{word} was sent again unsaid"
        assert sends[-1].key in settled, f"nobody knows where {word} is"
    for number, send in enumerate(world.tries):
        if REPEATED in send.head:
            words = set(send.words)
            earlier = [one for one in world.tries[:number] if not words.isdisjoint(one.words)]
            doubt = any(one.fate in {"hang", "unheard"} for one in earlier)
            assert doubt or send.life > 1, "marked without a reason"


def finals_keep_their_order(world: World) -> None:
    """Check that finals of a chat, and their parts, appear in the order of the calls."""
    for chat in KINDS:
        first = [
            send.words[0][:2]
            for send in world.sends()
            if send.call.chat == chat and world.story.posts[send.words[0][0]].verb == "final"
        ]
        seen = list(dict.fromkeys(first))
        assert seen == sorted(seen)


def groups_are_contiguous(world: World) -> None:
    """Check that nothing that is posted comes between the parts of a final."""
    settled = world.settled()
    for chat in KINDS:
        known = [send for send in world.sends() if send.call.chat == chat and send.key in settled]
        posts = [send.words[0][0] for send in known]
        changes = sum(before != after for before, after in pairwise(posts))
        assert changes == max(0, len(set(posts)) - 1), posts
