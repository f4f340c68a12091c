"""What takopi says about prompts: those of a backlog, those that were edited, those not started."""

from takopi.core.chat import ChatMessage
from takopi.core.durations import format_about
from takopi.core.offers import OfferKind, choice_label
from takopi.core.replies import message
from takopi.core.richtext import RichText, utf16_len
from takopi.core.shorten import one_line
from takopi.core.split import split_rich
from takopi.core.texts import tr
from takopi.core.turn_state import TurnEnd
from takopi.model import EngineId

__all__ = [
    "backlog_question",
    "dropped_reply",
    "edit_refused_reply",
    "edited_reply",
    "not_done_reply",
    "not_written_reply",
    "picked_reply",
    "taken_message",
]

_PREVIEW_UNITS = 60
_MAX_UNITS = 4096


def backlog_question(prompt: str, age_s: float) -> ChatMessage:
    """Ask whether a prompt of a backlog is to be answered; its offer has the buttons.

    Args:
        prompt: The person's words.
        age_s: How long ago they were sent.
    """
    return message(
        tr(
            "Sent {age} ago, while takopi was away: {prompt}\nAnswer it?",
            age=format_about(age_s),
            prompt=one_line(prompt, _PREVIEW_UNITS),
        )
    )


def dropped_reply(prompt: str, age_s: float) -> ChatMessage:
    """Say that a prompt of a backlog is not answered.

    It is sent as a reply and names the prompt all the same: the person may have deleted that.

    Args:
        prompt: The person's words.
        age_s: How long ago they were sent.
    """
    return message(
        tr(
            "dropped: sent while takopi was away, {age} ago. Send it again to have it answered: "
            "“{prompt}”",
            age=format_about(age_s),
            prompt=one_line(prompt, _PREVIEW_UNITS),
        )
    )


def edited_reply() -> ChatMessage:
    """Say that an edit came too late; its offer has the button."""
    return message(
        tr("The turn of this prompt had started before it was edited, so it goes by the old words.")
    )


def edit_refused_reply(why: str, *, waits: bool) -> ChatMessage:
    """Say why an edit of a prompt was not taken over, and what to do instead.

    Args:
        why: What is wrong with it.
        waits: Whether the prompt's turn has not started yet.
    """
    remedy = (
        tr("The prompt waits as it was: cancel it and send a new one to change that.")
        if waits
        else tr("Send it as a new message.")
    )
    return message(
        tr("This edit was not taken over, because {why}. {remedy}", why=why, remedy=remedy)
    )


def not_done_reply(why: str) -> ChatMessage:
    """Say that a command did nothing yet, because the journal does not take what it changes."""
    return message(
        tr(
            "Not done yet: takopi cannot write it down ({why}). It tries again by itself.",
            why=one_line(why, 300),
        )
    )


def not_written_reply(why: str) -> ChatMessage:
    """Say that a prompt cannot be started yet, because the journal does not take it."""
    return message(
        tr(
            "Not started yet: takopi cannot write it down ({why}). It tries again by itself.",
            why=one_line(why, 300),
        )
    )


def picked_reply(engine: EngineId, prompt: str, end: TurnEnd | None) -> ChatMessage:
    """Say in place of the choice which turn was picked to be cancelled, and how it ended.

    Args:
        engine: Its engine.
        prompt: The person's words.
        end: How it ended; None while it has not. takopi may end before it does, so those words
            must stay true.
    """
    words = f"{engine} · {one_line(prompt, _PREVIEW_UNITS)}"
    match end:
        case None:
            said = tr("To be cancelled: {turn}", turn=words)
        case "cancelled":
            said = tr("Cancelled: {turn}", turn=words)
        case "done":
            said = tr("Done before it could be cancelled: {turn}", turn=words)
        case "failed":
            said = tr("Failed before it could be cancelled: {turn}", turn=words)
        case "interrupted":
            said = tr("Interrupted before it could be cancelled: {turn}", turn=words)
    return message(said)


def taken_message(kind: OfferKind, choice: str, shown: ChatMessage) -> ChatMessage:
    """Show what was chosen in place of the buttons.

    Args:
        kind: What was offered.
        choice: What was chosen.
        shown: The message that had the buttons.
    """
    label = f"→ {choice_label(kind, choice)}"
    room = _MAX_UNITS - utf16_len(label) - 2
    body = shown.body
    if utf16_len(body.text) > room:
        body = split_rich(body, max_units=room)[0]
    return ChatMessage(RichText(f"{body.text}\n\n{label}", body.entities))
