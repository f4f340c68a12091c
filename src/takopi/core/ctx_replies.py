"""What `/ctx` asks for, and what it says."""

from collections.abc import Sequence

import msgspec

from takopi.context import RunContext
from takopi.core.branches import check_branch
from takopi.core.chat import Button, ChatMessage
from takopi.core.commands import nearest_names, press_data
from takopi.core.contexts import ContextSource, HeldContext, format_context
from takopi.core.decisions import BadBranch
from takopi.core.projects import is_alias
from takopi.core.replies import Styled, code, message
from takopi.core.shorten import one_line
from takopi.core.texts import tr

__all__ = [
    "ContextAsked",
    "bound_reply",
    "branch_wrong",
    "context_shown",
    "context_usage",
    "project_unknown",
    "read_ctx",
]

_NAME_UNITS = 80
_MAX_BUTTONS = 8


class ContextAsked(msgspec.Struct, frozen=True):
    """Be what stands behind `/ctx`.

    Args:
        verb: What is asked for; None for nothing that there is.
        project: As it was typed, without a slash.
        branch: Without `@`.
    """

    verb: str | None = "show"
    project: str | None = None
    branch: str | None = None


def read_ctx(args: str) -> ContextAsked:
    """Read what stands behind `/ctx`; a project or a branch alone is as with `set` before it."""
    verb, *words = args.split() or ["show"]
    verb = verb.lower()
    if verb in {"show", "clear"}:
        return ContextAsked(None if words else verb)
    if verb != "set":
        words = args.split()
    projects = [word.removeprefix("/") for word in words if not word.startswith("@")]
    branches = [word.removeprefix("@") for word in words if word.startswith("@")]
    # What no project could be called was meant as something else.
    stray = verb != "set" and not all(is_alias(name.lower()) for name in projects)
    if not words or stray or len(projects) > 1 or len(branches) > 1:
        return ContextAsked(None)
    return ContextAsked("set", next(iter(projects), None), next(iter(branches), None))


def branch_wrong(branch: str) -> BadBranch | None:
    """Say why a branch cannot be bound; None when it can."""
    why = check_branch(branch)
    return None if why is None else BadBranch(branch, why)


def context_usage() -> ChatMessage:
    """Say how `/ctx` is used."""
    return message(
        tr("Where prompts run that are written here:"),
        "\n",
        code("/ctx"),
        tr(" – what holds here, and why"),
        "\n",
        code("/ctx set /project @branch"),
        tr(" – from now on in this project, and in the worktree of this branch; each may be left "
           "out"),
        "\n",
        code("/ctx clear"),
        tr(" – bind this place to nothing"),
    )  # fmt: skip


def project_unknown(word: str, aliases: Sequence[str]) -> ChatMessage:
    """Say that nobody knows a project, which ones there are, and how to register one."""
    near = nearest_names(word, aliases)
    pieces: list[str | Styled] = [tr("No project is called "), code(one_line(word, 64)), ". "]
    if near:
        pieces.append(tr("Did you mean {names}? ", names=", ".join(near)))
    if aliases:
        pieces.append(tr("Known: {names}. ", names=one_line(", ".join(aliases), 600)))
    pieces += [
        tr("To register one, run "),
        code("takopi init"),
        tr(" in its folder on the computer where takopi runs."),
    ]
    return message(*pieces)


def context_shown(
    here: HeldContext, aliases: Sequence[str], *, topic: bool, begun_here: bool = False
) -> ChatMessage:
    """Say which context holds, and why, with buttons that change it.

    Args:
        here: What holds.
        aliases: The projects that are known.
        topic: Whether the place is a topic.
        begun_here: Whether prompts run where takopi was started as long as nobody says otherwise.
    """
    line = format_context(here.context)
    pieces: list[str | Styled] = [code(line) if line else tr("No project holds here.")]
    pieces += ["\n", _why(here.source, begun_here=begun_here)]
    if aliases:
        pieces += ["\n", tr("To bind this place: "), code("/ctx set /project @branch")]
    else:
        pieces += [
            "\n",
            tr("No project is registered; run "),
            code("takopi init"),
            tr(" in its folder."),
        ]
    return message(*pieces, buttons=_buttons(here, aliases, topic=topic))


def bound_reply(
    here: HeldContext, aliases: Sequence[str], *, topic: bool, begun_here: bool = False
) -> ChatMessage:
    """Say what holds after something was bound or cleared; the arguments are as above."""
    line = format_context(here.context)
    said: list[str | Styled]
    if line:
        said = [tr("Prompts that are written here run in "), code(line), tr(" from now on.")]
    else:
        said = [tr("Prompts that are written here run in no project from now on.")]
    if here.source in {"chat", "project chat", "default"} and (topic or here.source != "chat"):
        said += ["\n", _why(here.source, begun_here=begun_here)]
    return message(*said, buttons=_buttons(here, aliases, topic=topic))


def _buttons(
    here: HeldContext, aliases: Sequence[str], *, topic: bool
) -> tuple[tuple[Button, ...], ...]:
    others = [alias for alias in aliases if RunContext(alias) != here.context]
    rows = [
        tuple(Button(f"/{alias}", press_data("ctx", "set", alias)) for alias in others[at : at + 2])
        for at in range(0, min(len(others), _MAX_BUTTONS), 2)
    ]
    if here.context.project is not None:
        label = tr("Worktrees of {project}", project=here.context.project)
        rows.append((Button(label, press_data("worktrees", "l", here.context.project)),))
    if here.source == ("topic" if topic else "chat"):
        rows.append((Button(tr("Clear"), press_data("ctx", "clear")),))
    return tuple(rows)


def _why(source: ContextSource, *, begun_here: bool) -> str:
    match source:
        case "default" | "none" if begun_here:
            return tr("Prompts run where this chat was started.")
        case "topic":
            return tr("This topic is bound to it.")
        case "chat":
            return tr("This chat is bound to it.")
        case "project chat":
            return tr("This chat is the project's own: `chat_id` in the configuration says so.")
        case "default":
            return tr("It is `default_project` in the configuration.")
        case "reply" | "line":
            return tr("That is where the message belongs that you reply to.")
        case _:
            return tr("Prompts run in `work_dir` of the configuration.")
