"""What takopi says about directives that name a project or a branch."""

from takopi.context import RunContext
from takopi.core.chat import ChatMessage
from takopi.core.contexts import format_context
from takopi.core.decisions import BadBranch, ContextExplained, ContextTwice
from takopi.core.markdown.builder import RichBuilder
from takopi.core.progress_view import write_words
from takopi.core.shorten import one_line
from takopi.core.texts import tr

__all__ = ["context_reply", "elsewhere_note", "lost_project_note"]

_NAME_UNITS = 80


def context_reply(decision: ContextExplained | ContextTwice | BadBranch) -> ChatMessage:
    """Answer directives that are no prompt."""
    match decision:
        case ContextExplained(context):
            words = _directives(context.project, context.branch)
            text = tr(
                "{words} goes before what is to be done there: `{words} run the tests`. /ctx set "
                "{words} keeps it for what is written here from now on.",
                words=words,
            )
        case ContextTwice(first, second):
            text = tr(
                "A prompt runs in one place: {first} or {second}? Send it again with one of them.",
                first=one_line(first, _NAME_UNITS),
                second=one_line(second, _NAME_UNITS),
            )
        case BadBranch(branch, ""):
            text = tr(
                "No project holds here that @{branch} could belong to: name one before it, as in "
                "/project @{branch}, or bind this chat with /ctx.",
                branch=one_line(branch, _NAME_UNITS),
            )
        case BadBranch(branch, why):
            text = tr(
                "@{branch} is no branch that takopi opens: {why}. If it was meant as a word of the "
                "prompt, put another word before it.",
                branch=one_line(branch, _NAME_UNITS),
                why=why,
            )
    out = RichBuilder()
    write_words(out, text)
    return ChatMessage(out.build())


def lost_project_note(project: str) -> str:
    """Say that a place belongs to a project that is in no configuration any more."""
    return tr("project {project} is not known any more", project=one_line(project, _NAME_UNITS))


def elsewhere_note(named: RunContext, kept: RunContext) -> str:
    """Say that directives do not count, because a session stays where it lives.

    Args:
        named: What they name.
        kept: Where the session lives.
    """
    return tr(
        "{words} does not count here: this session stays where it is ({held})",
        words=_directives(named.project, named.branch),
        held=format_context(kept) or tr("no project"),
    )


def _directives(project: str | None, branch: str | None) -> str:
    words = [f"/{project}" if project else "", f"@{branch}" if branch else ""]
    return " ".join(word for word in words if word)
