"""What the bridge needs of a chat service's topics; a service without topics says so."""

from typing import Protocol

from takopi.core.chat import Scope

__all__ = ["TopicService"]


class TopicService(Protocol):
    """Make topics and give them names."""

    async def create_topic(self, scope: Scope, name: str) -> int:
        """Make a topic in the chat of a place and return its thread id.

        Args:
            scope: A place of the chat.
            name: At most 128 UTF-16 units on one line.

        Raises:
            TopicsUnavailable: The chat has none, or the bot may not make one; the text says what
                to do.
            TransportError: Another leaf; when the answer is unclear the topic may be there.
        """
        ...

    async def rename_topic(self, scope: Scope, name: str) -> None:
        """Give a topic another name; one that is called so already is no error.

        Raises:
            ThreadLost: The topic is gone.
            TopicsUnavailable: The bot may not rename it.
            TransportError: Another leaf.
        """
        ...

    def topic_link(self, scope: Scope) -> str | None:
        """Return the address that opens a topic; None where topics have none."""
        ...
