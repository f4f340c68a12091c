"""What takopi says about topics."""

from collections.abc import Sequence

from takopi.context import RunContext
from takopi.core.chat import ChatMessage
from takopi.core.clean import clean_text
from takopi.core.replies import Styled, bold, code, message
from takopi.core.richtext import Entity, RichText, utf16_len
from takopi.core.texts import tr
from takopi.core.topics import topic_name

__all__ = [
    "asked_reply",
    "began_reply",
    "bound_reply",
    "exists_reply",
    "greeting_reply",
    "made_reply",
    "moved_reply",
    "no_topic_note",
    "topic_reply",
    "usage_reply",
]

_QUOTED = 1_000


def usage_reply(why: str, aliases: Sequence[str]) -> ChatMessage:
    """Say how `/topic` is used.

    Args:
        why: What was wrong, a sentence; empty for nothing.
        aliases: Names of the projects.
    """
    example = aliases[0] if aliases else "shop"
    return message(
        *((why, "\n\n") if why else ()),
        tr("A topic for a project or a branch of it:"),
        "\n",
        code(f"/topic {example}"),
        "\n",
        code(f"/topic {example} @feat/login"),
        "\n",
        tr("In a topic the same binds that topic."),
    )


def topic_reply(context: RunContext, aliases: Sequence[str]) -> ChatMessage:
    """Say what a topic is bound to, and how it is bound to something else."""
    usage = usage_reply("", aliases)
    if context.project is None:
        told: list[str | Styled] = [tr("This topic is bound to no project.")]
    else:
        told = [tr("This topic works on "), bold(topic_name(context)), "."]
    body = message(*told, "\n\n").body
    shift = utf16_len(body.text)
    moved = (Entity(one.kind, one.offset + shift, one.length) for one in usage.body.entities)
    return ChatMessage(RichText(body.text + usage.body.text, (*body.entities, *moved)))


def greeting_reply(context: RunContext) -> ChatMessage:
    """Begin a topic that was made for a project."""
    return message(
        tr("This topic works on "),
        bold(topic_name(context)),
        tr(". Write here what you want done; what is written elsewhere does not mix with it."),
    )


def made_reply(context: RunContext, link: str | None) -> ChatMessage:
    """Say where a topic is that was just made."""
    return _with_link(tr(" has a topic now"), context, link)


def exists_reply(context: RunContext, link: str | None) -> ChatMessage:
    """Say where a topic is that was made before."""
    return _with_link(tr(" has a topic already"), context, link)


def _with_link(words: str, context: RunContext, link: str | None) -> ChatMessage:
    return message(bold(topic_name(context)), words, f": {link}" if link else tr("; write there."))


def asked_reply(context: RunContext) -> ChatMessage:
    """Bring a topic to the top of the list, for somebody who looks for it."""
    return message(tr("You asked for "), bold(topic_name(context)), tr(": here it is."))


def bound_reply(context: RunContext) -> ChatMessage:
    """Say what a topic is bound to from now on."""
    return message(tr("This topic works on "), bold(topic_name(context)), tr(" from now on."))


def moved_reply(name: str, link: str | None) -> ChatMessage:
    """Say in which topic a prompt goes on that was written outside of topics."""
    return message("→ ", bold(name), f"\n{link}" if link else "")


def began_reply(prompt: str) -> ChatMessage:
    """Begin a topic that was made for a prompt with the prompt's words."""
    said = clean_text(prompt).strip()
    text = said if len(said) <= _QUOTED else said[:_QUOTED].rstrip() + "…"
    return ChatMessage(RichText(text, (Entity("blockquote", 0, utf16_len(text)),)))


def no_topic_note(why: str) -> str:
    """Say why a session got no topic of its own."""
    return tr("no topic of its own: {why}", why=why.rstrip("."))
