"""Who is served: two checks, both needed, before anything else looks at an update.

Chat: only the configured chats. Person: exactly the listed people, or, with an empty list, the
one person whose private chat is the configured one. Everybody else is a stranger, and a stranger's
update has no effect at all. That a group has another id now is said by the service, not by a
person: it counts in every chat that is served.
"""

from collections.abc import Iterable

import msgspec

from takopi.core.chat import ChatMigrated, ChatUpdate
from takopi.core.texts import tr
from takopi.errors import ConfigError

__all__ = ["AccessPolicy", "access_policy"]


class AccessPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Decide whose updates are served; make it with `access_policy`.

    Args:
        chat_ids: Chats that are served.
        user_ids: People who are served; empty means the owner of `owner_chat_id` alone.
        owner_chat_id: The configured chat; positive when it is a person's private chat.
    """

    chat_ids: frozenset[int]
    user_ids: frozenset[int]
    owner_chat_id: int

    def admits(self, update: ChatUpdate) -> bool:
        """Tell whether an update comes from somebody who is served, in a chat that is served."""
        if isinstance(update, ChatMigrated):
            return update.scope.chat_id in self.chat_ids
        return self.serves(update.scope.chat_id, update.sender_id)

    def serves(self, chat: int, person: int | None) -> bool:
        """Tell whether a person is served in a chat; nobody at all is nowhere.

        Args:
            chat: Id of the chat.
            person: Who speaks; None for anonymous admins, channels and automatic forwards.
        """
        if chat not in self.chat_ids or person is None:
            return False
        if self.user_ids:
            return person in self.user_ids
        return self.owner_chat_id > 0 and person == self.owner_chat_id

    def moved(self, chat: int, new: int) -> "AccessPolicy":
        """Return the policy after a group went on under another id.

        A person's chat has no other id, so a positive one never opens or moves anything.
        """
        if chat not in self.chat_ids or chat > 0 or new > 0:
            return self
        owner = new if self.owner_chat_id == chat else self.owner_chat_id
        chats = self.chat_ids - {chat} | {new}
        return AccessPolicy(chat_ids=chats, user_ids=self.user_ids, owner_chat_id=owner)


def access_policy(
    *, chat_id: int, allowed_chat_ids: Iterable[int] = (), allowed_user_ids: Iterable[int] = ()
) -> AccessPolicy:
    """Make the policy from the configuration.

    Args:
        chat_id: The owner's private chat (positive) or a group (negative).
        allowed_chat_ids: Chats served beside it.
        allowed_user_ids: The people served; empty serves the owner of a private `chat_id` alone.

    Raises:
        ConfigError: Nobody could be told apart: a group without a list of people.
    """
    users = frozenset(allowed_user_ids)
    if chat_id <= 0 and not users:
        raise ConfigError(
            tr("chat_id {chat} is not a private chat and allowed_user_ids is empty, so everybody "
               "in it could start agents; list the numeric ids of the people who may, for example "
               "allowed_user_ids = [12345678]", chat=chat_id)
        )  # fmt: skip
    return AccessPolicy(
        chat_ids=frozenset(allowed_chat_ids) | {chat_id}, user_ids=users, owner_chat_id=chat_id
    )
