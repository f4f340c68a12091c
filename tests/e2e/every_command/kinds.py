"""The kinds of chat in which takopi is used, as places of the stand-in."""

from collections.abc import Sequence
from dataclasses import dataclass

from fakes.telegram_api import OWNER_ID, TelegramApi

__all__ = ["KINDS", "Kind", "Spot", "open_spot"]


@dataclass(frozen=True)
class Kind:
    """Be one kind of chat.

    Args:
        name: Of the kind, for the test's name.
        private: Whether it is a person's own chat with the bot.
        topics: Whether its chats have topics.
        in_topic: Whether people write in one of them.
        mentions: Whether only what names the bot counts.
        moves: Whether it becomes a supergroup in the middle of the talk.
    """

    name: str
    private: bool = False
    topics: bool = False
    in_topic: bool = False
    mentions: bool = False
    moves: bool = False


KINDS: Sequence[Kind] = (
    Kind("private", private=True),
    Kind("group"),
    Kind("mentions", mentions=True),
    Kind("forum_topic", topics=True, in_topic=True),
    Kind("forum_general", topics=True),
    Kind("private_topic", private=True, topics=True, in_topic=True),
    Kind("migrated", moves=True),
)


@dataclass(frozen=True)
class Spot:
    """Be one place of a kind: each row of the table has its own, so that all are played at once.

    Args:
        person: Who writes there.
        chat: The chat.
        moved: The id that it will have later.
    """

    person: int
    chat: int
    moved: int | None = None

    @classmethod
    def numbered(cls, kind: Kind, number: int) -> "Spot":
        """Say which place of a kind has a number."""
        if kind.private:
            return cls(OWNER_ID + number, OWNER_ID + number)
        group = -1_007_000_000_000 - number
        return cls(OWNER_ID, -500 - number, group) if kind.moves else cls(OWNER_ID, group)


def open_spot(api: TelegramApi, kind: Kind, spot: Spot) -> int | None:
    """Make the chat of a place, and return the topic in which people write, if any."""
    person = api.person(spot.person)
    if not kind.private:
        api.world.group(spot.chat, forum=kind.topics)
    return person.make_topic(spot.chat, "Ada's") if kind.in_topic else None
