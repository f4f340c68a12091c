"""Which chats have topics, what topics are called, and what becomes of them."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from takopi.context import RunContext
from takopi.core.branches import check_branch
from takopi.core.chat import Scope, TopicChanged
from takopi.core.commands import nearest_names
from takopi.core.places import PlaceRecord
from takopi.core.projects import Projects
from takopi.core.richtext import utf16_len
from takopi.core.shorten import one_line
from takopi.core.texts import tr

__all__ = [
    "MAX_NAME_UNITS",
    "NO_TOPICS",
    "TopicRules",
    "TopicScope",
    "after_change",
    "is_generic",
    "name_of_prompt",
    "name_of_title",
    "read_topic",
    "topic_name",
    "wants_topic",
    "why_no_topics",
]

TopicScope: TypeAlias = Literal["auto", "main", "projects", "all"]

MAX_NAME_UNITS = 128
_WORDS_UNITS = 56
_NAMED_PROJECTS = 10

# What clients and people call a topic before it is about something.
_GENERIC = re.compile(
    r"(?:(?:(?:new|untitled) )?(?:topic|thread|chat|session|untitled|new)"
    r"(?: ?[#-]? ?[\d:.tz-]+)?)?",
    re.IGNORECASE,
)
_MARKS = re.compile(r"^(?:[#>*+\-\s]+|\d+[.)]\s+)+")
_FENCE = re.compile(r"^\s*(?:```|~~~)")


class TopicRules(msgspec.Struct, frozen=True, kw_only=True):
    """Say in which chats topics are used.

    Args:
        enabled: Whether they are at all.
        scope: `main` is the main chat, `projects` are the chats of projects, `all` and `auto` are
            both; `auto` puts up with a chat that has no topics.
        auto: Whether each new session gets a topic of its own.
        main_chat: Id of the main chat.
    """

    enabled: bool = False
    scope: TopicScope = "auto"
    auto: bool = False
    main_chat: int = 0


NO_TOPICS = TopicRules()
"""What holds without any configuration."""


def why_no_topics(rules: TopicRules, chat_id: int, projects: Projects) -> str | None:
    """Say why topics are not used in a chat, and what to do; None when they are.

    Args:
        rules: What is configured.
        chat_id: The chat.
        projects: They may have chats of their own.
    """
    if not rules.enabled:
        return tr(
            "Topics are switched off here. Write `enabled = true` below "
            "[transports.telegram.topics] in the configuration."
        )
    if rules.scope == "main" and chat_id != rules.main_chat:
        return tr(
            'Topics are used in the main chat alone (topics.scope is "main"). Ask there, or write '
            '`scope = "all"` in the configuration.'
        )
    if rules.scope == "projects" and projects.of_chat(chat_id) is None:
        return tr(
            'Topics are used in the chats of projects alone (topics.scope is "projects"). Ask '
            'there, or write `scope = "all"` in the configuration.'
        )
    return None


def wants_topic(rules: TopicRules, scope: Scope, place: PlaceRecord, projects: Projects) -> bool:
    """Tell whether a new session gets a topic of its own, or takes the one in which it begins.

    Args:
        rules: What is configured.
        scope: Where it begins.
        place: What is known there; clients make topics without a name for a new conversation.
        projects: They may have chats of their own.
    """
    taken = scope.thread_id is not None and (not place.unnamed or place.project is not None)
    if taken or not rules.auto:
        return False
    return why_no_topics(rules, scope.chat_id, projects) is None


def read_topic(args: str, aliases: Sequence[str], here: RunContext) -> RunContext | str | None:
    """Read which context `/topic` is about: that, or why there is none; None without any word.

    Args:
        args: What stands behind the command.
        aliases: Names of the projects.
        here: The context that holds where it was written: its project goes with a lone branch.
    """
    known = {alias.lower(): alias for alias in aliases}
    project: str | None = None
    branch: str | None = None
    words = args.split()
    if not words:
        return None
    for word in words:
        shown = one_line(word, 80)
        if word.startswith("@"):
            if branch is not None:
                return tr("A topic is for one branch, not for two.")
            branch = word[1:]
            wrong = check_branch(branch)
            if wrong is not None:
                return tr("{word} is no branch that takopi opens: {why}.", word=shown, why=wrong)
            continue
        if project is not None:
            return tr("A topic is for one project, not for two.")
        project = known.get(word.removeprefix("/").lower())
        if project is None:
            return _unknown(shown, word, aliases)
    project = project or here.project
    if project is None:
        return tr("No project holds here that @{branch} could belong to.", branch=branch or "")
    return RunContext(project, branch)


def _unknown(shown: str, word: str, aliases: Sequence[str]) -> str:
    if not aliases:
        return tr("There are no projects yet: `takopi init` in a repository makes one.")
    near = nearest_names(word.removeprefix("/"), aliases) or tuple(aliases)[:_NAMED_PROJECTS]
    return tr("{word} is no project here; there is {names}.", word=shown, names=", ".join(near))


def topic_name(context: RunContext) -> str:
    """Name the topic of a project and branch."""
    branch = f" @{context.branch}" if context.branch else ""
    return one_line(_visible(f"{context.project}{branch}"), MAX_NAME_UNITS)


def name_of_prompt(text: str) -> str:
    """Name a topic by the first words of the prompt that began its session."""
    for line in text.splitlines():
        words = _visible(_MARKS.sub("", "" if _FENCE.match(line) else line)).replace("`", "")
        if any(letter.isalnum() for letter in words):
            return _at_words(words)
    return tr("New session")


def name_of_title(title: str | None, engine: str) -> str | None:
    """Name a topic by what the engine calls the session; None when that says nothing.

    Args:
        title: As the engine reports it, if it does.
        engine: Its own name is no title.
    """
    words = _visible(title or "")
    if not any(letter.isalnum() for letter in words) or is_generic(words):
        return None
    return None if words.casefold() == engine.casefold() else _at_words(words)


def is_generic(name: str) -> bool:
    """Tell whether a topic's name says nothing, so that another may take its place."""
    return _GENERIC.fullmatch(name.strip()) is not None


def after_change(place: PlaceRecord, change: TopicChanged) -> PlaceRecord:
    """Say what is known of a topic after somebody changed it.

    Args:
        place: What was known.
        change: What happened.
    """
    if change.what == "created":
        return replace(place, gone=False, unnamed=change.implicit or is_generic(change.name))
    if change.what == "renamed" and change.name != place.topic:
        unnamed = is_generic(change.name)
        return replace(place, gone=False, topic="", topic_auto=False, unnamed=unnamed)
    return replace(place, gone=False)


def _visible(text: str) -> str:
    """Keep what can be seen, on one line: marks of direction could turn a list of topics around."""
    kept = (" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in text)
    return " ".join("".join(kept).split())


def _at_words(words: str) -> str:
    """Cut a name behind a word."""
    if utf16_len(words) <= _WORDS_UNITS:
        return words
    cut = one_line(words, _WORDS_UNITS)
    head, _, _ = cut.rpartition(" ")
    return f"{head}…" if utf16_len(head) > _WORDS_UNITS // 2 else cut
