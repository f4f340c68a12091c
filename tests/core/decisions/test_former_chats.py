"""Messages of a group that moved: named apart from all others, and found again."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from takopi.core.chat import ChatMigrated, MessageReceived, RepliedTo, Scope, TopicChanged
from takopi.core.former_chats import FormerChats

NUMBERS = st.integers(1, 2**31 - 1)
CHATS = st.lists(st.integers(-(2**41), -1), min_size=2, max_size=5, unique=True)


def message(chat: int, number: int) -> MessageReceived:
    """Make a message that replies to another one."""
    return MessageReceived(
        update_id=1,
        scope=Scope("m", chat),
        chat_kind="group",
        message_id=number,
        sender_id=1,
        text="hi",
        reply=RepliedTo(1),
    )


def moved(chats: list[int]) -> FormerChats:
    """Let one group have all these ids, one after the other."""
    known = FormerChats()
    for chat, new in pairwise(chats):
        known = known.with_move(chat, new)
    return known


@given(chats=CHATS, numbers=st.lists(NUMBERS, min_size=1, max_size=3), data=st.data())
def test_each_message_has_one_name_and_leads_back(
    chats: list[int], numbers: list[int], data: st.DataObject
) -> None:
    known, said = moved(chats), [(chat, number) for chat in chats for number in set(numbers)]
    names = {}
    for chat, number in said:
        here = known.here(message(chat, number))
        assert isinstance(here, MessageReceived)
        assert here.scope.chat_id == chats[-1]
        assert known.here(here) == here
        assert (chat, number) in list(known.names(here.scope.chat_id, here.message_id))
        names[chat, number] = here.message_id
    assert len(set(names.values())) == len(said)
    one, two = data.draw(st.sampled_from(said)), data.draw(st.sampled_from(said))
    if chats.index(one[0]) < chats.index(two[0]):
        assert names[one] < names[two], "what was said before stands before"


@given(chats=CHATS)
def test_a_group_that_returns_to_an_id_is_found_there(chats: list[int]) -> None:
    known = moved([*chats, chats[0]])
    here = known.here(message(chats[1], 5))
    assert here.scope.chat_id == chats[0]
    assert known.here(message(chats[0], 5)).message_id == 5  # type: ignore[union-attr]


def test_what_is_no_message_keeps_its_number() -> None:
    known = moved([-1, -2])
    told = ChatMigrated(update_id=1, scope=Scope("m", -1), message_id=4, new_chat_id=-2)
    assert known.here(told) == told
    topic = TopicChanged(
        update_id=1,
        scope=Scope("m", -1, 3),
        chat_kind="group",
        message_id=4,
        sender_id=1,
        what="closed",
    )
    assert known.here(topic).scope == Scope("m", -2, 3)
