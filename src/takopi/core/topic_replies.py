"""What takopi says about topics."""

from collections.abc import Sequence

from takopi.context import RunContext
from takopi.core.chat import ChatMessage
from takopi.core.clean import clean_text
from takopi.core.replies import bold, code, message
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
    if context.project is None:
        return usage_reply(tr("This topic is bound to no project."), aliases)
    return usage_reply(tr("This topic works on {name}.", name=topic_name(context)), aliases)


def greeting_reply(context: RunContext) -> ChatMessage:
    """Begin a topic that was made for a project."""
    return message(
        tr(
            "This topic works on {name}. Write here what you want done; what is written elsewhere "
            "does not mix with it.",
            name=topic_name(context),
        )
    )


def made_reply(context: RunContext, link: str | None) -> ChatMessage:
    """Say where a topic is that was just made."""
    name = topic_name(context)
    if link is None:
        return message(tr("{name} has a topic now; write there.", name=name))
    return message(tr("{name} has a topic now: {link}", name=name, link=link))


def exists_reply(context: RunContext, link: str | None) -> ChatMessage:
    """Say where a topic is that was made before."""
    name = topic_name(context)
    if link is None:
        return message(tr("{name} has a topic already; write there.", name=name))
    return message(tr("{name} has a topic already: {link}", name=name, link=link))


def asked_reply(context: RunContext) -> ChatMessage:
    """Bring a topic to the top of the list, for somebody who looks for it."""
    return message(tr("You asked for {name}: here it is.", name=topic_name(context)))


def bound_reply(context: RunContext) -> ChatMessage:
    """Say what a topic is bound to from now on."""
    return message(tr("This topic works on {name} from now on.", name=topic_name(context)))


def moved_reply(name: str, link: str | None) -> ChatMessage:
    """Say in which topic a prompt goes on that was written outside of topics."""
    return message("→ ", bold(name), f"\n{link}" if link else "")


def began_reply(prompt: str) -> ChatMessage:
    """Begin a topic that was made for a prompt with the prompt's words."""
    said = clean_text(prompt).strip() or tr("New session")
    text = said if len(said) <= _QUOTED else said[:_QUOTED].rstrip() + "…"
    return ChatMessage(RichText(text, (Entity("blockquote", 0, utf16_len(text)),)))


def no_topic_note(why: str) -> str:
    """Say why a session got no topic of its own."""
    return tr("no topic of its own: {why}", why=why.rstrip("."))
