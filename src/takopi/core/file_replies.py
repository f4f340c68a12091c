"""What takopi says about files: taken, refused, not to be had."""

from collections.abc import Sequence

from takopi.core.chat import Button, ChatMessage, IncomingFile
from takopi.core.commands import press_data
from takopi.core.file_rules import MB, FileRules, is_denied, safe_name
from takopi.core.replies import Styled, code, message
from takopi.core.shorten import one_line
from takopi.core.texts import tr, tr_n

__all__ = [
    "MAX_SEND_BUTTONS",
    "file_usage_reply",
    "kept_reply",
    "not_fetched_reply",
    "not_sent_reply",
    "put_reply",
    "refused_reply",
    "send_buttons",
    "why_not_taken",
]

MAX_SEND_BUTTONS = 3
_LABEL_UNITS = 40


def why_not_taken(files: Sequence[IncomingFile], rules: FileRules) -> str | None:
    """Say why files that somebody sent cannot be taken; None when they can.

    Args:
        files: What was sent.
        rules: What is taken.
    """
    for file in files:
        name = one_line(safe_name(file.name), _LABEL_UNITS)
        if not rules.enabled:
            return tr(
                "files from the chat are switched off here; files.enabled = true in the "
                "configuration switches them on"
            )
        if file.size is not None and file.size > rules.max_down:
            return tr(
                "{name} has {size} MB, and at most {limit} MB are taken",
                name=name,
                size=-(-file.size // MB),
                limit=rules.max_down // MB,
            )
        if is_denied(safe_name(file.name), rules.denied):
            return tr(
                "{name} looks like a secret by its name, and such files are not taken; send it "
                "under another name if it is none",
                name=name,
            )
    return None


def refused_reply(why: str) -> ChatMessage:
    """Say that a message with files was not taken, and nothing of it was sent on."""
    return message(tr("Not taken: {why}.", why=why))


def kept_reply(names: Sequence[str]) -> ChatMessage:
    """Say where files lie that came without a word, and how to use them.

    Args:
        names: Their paths in the project; at least one.
    """
    said: list[str | Styled] = [tr("Saved as ")]
    for number, name in enumerate(names):
        said += [", " if number else "", code(name)]
    how = tr_n(
        ". Reply to it with what to do.", ". Reply to one of them with what to do.", len(names)
    )
    return message(*said, how)


def not_fetched_reply(why: str) -> ChatMessage:
    """Say that files which came without a word could not be had."""
    return message(tr("Not saved: {why}. Send it again.", why=why.rstrip(".")))


def put_reply(names: Sequence[str]) -> ChatMessage:
    """Say where `/file put` has put files."""
    said: list[str | Styled] = [tr("Saved as ")]
    for number, name in enumerate(names):
        said += [", " if number else "", code(name)]
    return message(*said)


def not_sent_reply(name: str, why: str) -> ChatMessage:
    """Say that a file could not be sent to the chat."""
    return message(code(one_line(name, 120)), tr(" was not sent: {why}.", why=why))


def file_usage_reply() -> ChatMessage:
    """Say how `/file` is used."""
    return message(
        tr("Files between chat and project:"),
        "\n",
        code("/file get src/main.py"),
        tr(" – have a file sent; a folder comes as a zip file"),
        "\n",
        code("/file put docs/plan.pdf"),
        tr(" – as the caption of a file, or as a reply to one: put it there; without a path it "
           "goes where arriving files go"),
        "\n",
        code("/file put --replace docs/plan.pdf"),
        tr(" – the same, in place of a file that is there"),
    )  # fmt: skip


def send_buttons(turn_id: str, names: Sequence[str]) -> tuple[tuple[Button, ...], ...]:
    """Make a button for each file that an answer names.

    Args:
        turn_id: The turn; the paths stand in its record, a button has no room for them.
        names: Paths in the project.
    """
    return tuple(
        (
            Button(
                tr("Send {name}", name=one_line(name.rpartition("/")[2], _LABEL_UNITS)),
                press_data("file", turn_id, str(number)),
            ),
        )
        for number, name in enumerate(names[:MAX_SEND_BUTTONS])
    )
