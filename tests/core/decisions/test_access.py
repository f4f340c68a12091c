"""Who is served."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.decisions.chat_updates import IDS, edit, message, press
from takopi.core.access import access_policy
from takopi.core.chat import ChatMigrated, Scope
from takopi.errors import ConfigError

pytestmark = pytest.mark.timeout(300)

OWNERS = st.integers(1, 2**53)
GROUPS = st.integers(-(2**53), 0)


@given(owner=OWNERS, chat=IDS, sender=st.none() | IDS)
def test_an_empty_list_serves_the_owner_of_a_private_chat_alone(
    owner: int, chat: int, sender: int | None
) -> None:
    """Both checks hold: the configured chat, and the person whose id it is."""
    policy = access_policy(chat_id=owner)
    updates = (
        message("hi", chat=chat, sender=sender),
        edit("hi", chat=chat, sender=sender),
        press(chat=chat, sender=sender),
    )
    for update in updates:
        assert policy.admits(update) == (chat == owner and sender == owner)


@given(owner=OWNERS, more=st.sets(IDS, max_size=5), chat=IDS, sender=st.none() | IDS)
def test_more_chats_do_not_serve_more_people(
    owner: int, more: set[int], chat: int, sender: int | None
) -> None:
    """A chat that is served still serves only the owner."""
    policy = access_policy(chat_id=owner, allowed_chat_ids=more)
    admitted = policy.admits(message("hi", chat=chat, sender=sender))
    assert admitted == (chat in more | {owner} and sender == owner)


@given(
    chat_id=IDS.filter(bool),
    users=st.sets(IDS, min_size=1, max_size=5),
    chat=IDS,
    sender=st.none() | IDS,
)
def test_a_list_is_exactly_the_list(
    chat_id: int, users: set[int], chat: int, sender: int | None
) -> None:
    """With a list nobody else is served, not even the owner of the chat."""
    policy = access_policy(chat_id=chat_id, allowed_user_ids=users)
    assert policy.admits(message("hi", chat=chat, sender=sender)) == (
        chat == chat_id and sender in users
    )
    for user in users:
        assert policy.admits(message("hi", chat=chat_id, sender=user))


@given(chat_id=GROUPS, more=st.sets(IDS, max_size=3))
def test_a_group_without_a_list_of_people_is_a_mistake(chat_id: int, more: set[int]) -> None:
    """Nobody in it could be told apart, so the bot does not start."""
    with pytest.raises(ConfigError, match=r"list the numeric ids .* allowed_user_ids = \["):
        access_policy(chat_id=chat_id, allowed_chat_ids=more)


@given(owner=OWNERS, users=st.sets(IDS, max_size=5), chat=IDS)
def test_nobody_is_a_stranger(owner: int, users: set[int], chat: int) -> None:
    """Anonymous admins, channels and automatic forwards have no person."""
    policy = access_policy(chat_id=owner, allowed_chat_ids=[chat], allowed_user_ids=users)
    assert not policy.admits(message("hi", chat=chat, sender=None))


@given(group=GROUPS, owner=OWNERS)
def test_the_owner_is_served_in_a_group_beside_a_private_chat(group: int, owner: int) -> None:
    """`allowed_chat_ids` opens a group to the one person who is served."""
    assume(group != owner)
    policy = access_policy(chat_id=owner, allowed_chat_ids=[group])
    assert policy.admits(message("hi", chat=group, sender=owner, chat_kind="group"))
    assert not policy.admits(message("hi", chat=group, sender=group, chat_kind="group"))


@given(group=GROUPS, chat=IDS, new=IDS)
def test_the_services_own_word_counts_in_every_chat_that_is_served(
    group: int, chat: int, new: int
) -> None:
    """No person says that a group has another id; elsewhere it is nothing to takopi."""
    policy = access_policy(chat_id=group, allowed_user_ids=[5])
    moved = ChatMigrated(update_id=1, scope=Scope("m", chat), message_id=2, new_chat_id=new)
    assert policy.admits(moved) == (chat == group)
