"""What the first start asks, in which order, and what becomes of the answers."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Literal, TypeAlias

import msgspec

__all__ = [
    "STEPS",
    "STYLES",
    "TITLES",
    "BotFacts",
    "Choice",
    "Mood",
    "OfferedDirectory",
    "StepId",
    "Style",
    "allowed_after",
    "bot_advice",
    "changes",
    "free_alias",
    "offered_directories",
    "pasted_token",
    "steps_again",
    "style_of",
    "style_values",
    "wanted_steps",
]

StepId: TypeAlias = Literal["bot", "owner", "place", "style", "engine", "project"]
StyleId: TypeAlias = Literal["assistant", "workspace", "handoff"]
Mood: TypeAlias = Literal["plain", "good", "bad", "warning", "hint"]

TITLES: Mapping[StepId, str] = {
    "bot": "Your bot",
    "owner": "You",
    "place": "Where the agents work",
    "style": "How you want to work",
    "engine": "The engine",
    "project": "Your first project",
}
STEPS: tuple[StepId, ...] = tuple(TITLES)

SESSION_MODE = "session_mode"
TOPICS_ENABLED = "transports.telegram.topics.enabled"
MAX_PLACES = 5
MAX_ALIAS = 32

# A whole message of @BotFather may be pasted: the token is what looks like one.
_TOKEN = re.compile(r"[0-9]{3,}:[A-Za-z0-9_-]{20,}")


class Choice(msgspec.Struct, frozen=True):
    """Be one of several answers.

    Args:
        label: A few words.
        note: One line more, or nothing.
    """

    label: str
    note: str = ""


class BotFacts(msgspec.Struct, frozen=True):
    """Hold what Telegram says about a bot.

    Args:
        id: Its user id.
        username: Its name without `@`.
        reads_groups: Whether it sees every message of its groups, not only those for it.
        has_topics: Whether private chats with it have topics.
    """

    id: int
    username: str
    reads_groups: bool = False
    has_topics: bool = False


class Style(msgspec.Struct, frozen=True):
    """Describe one way of working.

    Args:
        id: Its name.
        choice: What a person reads.
        session_mode: Whether the last session of a place goes on by itself.
        topics: Whether topics count.
    """

    id: StyleId
    choice: Choice
    session_mode: Literal["chat", "stateless"]
    topics: bool


class OfferedDirectory(msgspec.Struct, frozen=True):
    """Offer a directory to work in.

    Args:
        path: Absolute.
        note: Why it is offered.
    """

    path: PurePath
    note: str


STYLES: tuple[Style, ...] = (
    Style(
        "assistant",
        Choice("assistant", "one private chat; the session goes on by itself, /new starts afresh"),
        "chat",
        topics=False,
    ),
    Style(
        "workspace",
        Choice("workspace", "topics: one for each project or branch, each with its own session"),
        "chat",
        topics=True,
    ),
    Style(
        "handoff",
        Choice("handoff", "each message is a new session; reply to continue, in chat or at a desk"),
        "stateless",
        topics=False,
    ),
)


def wanted_steps(known: Collection[StepId], *, again: bool) -> tuple[StepId, ...]:
    """Say which steps are gone through, in their order.

    Args:
        known: Steps whose answers stand in the configuration already.
        again: Whether the person asked for all of them.
    """
    return tuple(step for step in STEPS if again or step not in known)


def steps_again(step: StepId) -> tuple[StepId, ...]:
    """Say which steps follow when an answer is changed: another bot has to meet its owner."""
    return ("bot", "owner") if step == "bot" else (step,)


def pasted_token(text: str) -> str:
    """Return the token in what was pasted: with spaces, broken over lines, or with words around.

    Without one return what was pasted, without space.
    """
    joined = "".join(text.split())
    if _TOKEN.fullmatch(joined):
        return joined
    found = _TOKEN.search(text)
    return found[0] if found else joined


def allowed_after(allowed: Iterable[int], old: int | None, new: int) -> list[int]:
    """Return who may speak when the owner was learned anew.

    Args:
        allowed: Who might before; empty stood for the owner alone.
        old: The owner before; whoever was learned in their place takes it.
        new: The owner now.
    """
    return [new, *(one for one in dict.fromkeys(allowed) if one not in (old, new))]


def style_of(session_mode: str | None, topics: bool | None) -> Style:
    """Return the style that goes with what is configured; the first one where nothing is."""
    if topics:
        return STYLES[1]
    return STYLES[2] if session_mode == "stateless" else STYLES[0]


def style_values(style: Style, *, topics: bool | None) -> dict[str, Any]:
    """Return the keys of a style.

    Args:
        style: Which one.
        topics: What the configuration says about topics; without a word "off" needs none.
    """
    values: dict[str, Any] = {SESSION_MODE: style.session_mode}
    if style.topics or topics is not None:
        values[TOPICS_ENABLED] = style.topics
    return values


def bot_advice(bot: BotFacts, *, groups: bool, topics: bool) -> tuple[str, ...]:
    """Say what should be changed at @BotFather for what the person wants.

    Args:
        bot: The bot as it is.
        groups: Whether it is to work in groups.
        topics: Whether it is to work in topics.
    """
    told = []
    if topics and not bot.has_topics:
        told.append(
            f"Private chats with @{bot.username} have no topics yet. In Telegram open @BotFather, "
            f"tap Open, choose @{bot.username}, then Bot Settings, and turn Threaded Mode on. "
            "A group with topics works without it, when the bot is its admin and may manage topics."
        )
    if groups and not bot.reads_groups:
        told.append(
            f"In groups @{bot.username} sees only commands, replies to it and messages that "
            "mention it. To let it see all: write /setprivacy to @BotFather, choose "
            f"@{bot.username}, tap Disable; then take the bot out of the group and add it again."
        )
    return tuple(told)


def offered_directories(
    current: PurePath, present: PurePath | None, repositories: Sequence[PurePath]
) -> tuple[OfferedDirectory, ...]:
    """Return the directories to offer, the default first.

    Args:
        current: Where takopi was started.
        present: What the configuration says.
        repositories: Git repositories nearby, the most likely first.
    """
    found: dict[PurePath, str] = {}
    if present is not None:
        found[present] = "as it is now"
    inside = current in repositories
    found.setdefault(current, "this directory" + (", a git repository" if inside else ""))
    for repository in repositories:
        found.setdefault(repository, "a git repository")
    return tuple(OfferedDirectory(path, note) for path, note in found.items())[:MAX_PLACES]


def free_alias(alias: str, taken: Collection[str]) -> str:
    """Return the name of a project, with a number when another one has it.

    Args:
        alias: As its directory would have it.
        taken: Names of other projects.
    """
    free, number = alias, 2
    while free in taken:
        end = f"-{number}"
        free, number = alias[: MAX_ALIAS - len(end)] + end, number + 1
    return free


def changes(values: Mapping[str, Any], present: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers that differ from what is written."""
    return {name: value for name, value in values.items() if present.get(name) != value}
