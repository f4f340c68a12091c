"""What crosses the border to a chat service, in words that no service owns."""

from dataclasses import dataclass, field
from typing import Any

__all__ = ["MessageRef", "RenderedMessage", "SendOptions"]


@dataclass(frozen=True, slots=True)
class MessageRef:
    """Name one message of a chat; equal by channel and message alone.

    Args:
        channel_id: Id of the chat.
        message_id: Id of the message within the chat.
        raw: What the service returned, for plug-ins that know it.
        thread_id: Topic within the chat.
        sender_id: Who wrote it.
    """

    channel_id: int | str
    message_id: int | str
    raw: Any | None = field(default=None, compare=False, hash=False)
    thread_id: int | str | None = field(default=None, compare=False, hash=False)
    sender_id: int | str | None = field(default=None, compare=False, hash=False)


@dataclass(frozen=True, slots=True)
class RenderedMessage:
    """Carry a message that is ready to send.

    Args:
        text: Plain text.
        extra: What the service understands beyond it (entities, buttons).
    """

    text: str
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SendOptions:
    """Say how a message goes out.

    Args:
        reply_to: The message it answers.
        notify: Whether the person's device may make a sound.
        replace: A message that goes away once this one is accepted.
        thread_id: Topic to send to.
    """

    reply_to: MessageRef | None = None
    notify: bool = True
    replace: MessageRef | None = None
    thread_id: int | str | None = None
