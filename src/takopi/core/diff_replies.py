"""What `/diff` says: a list of files, a short diff or a document, and what can be done about it."""

import msgspec
from msgspec.structs import replace

from takopi.context import RunContext
from takopi.core.chat import Button, ChatMessage, Document
from takopi.core.clean import clean_text
from takopi.core.commands import press_data
from takopi.core.file_rules import safe_name
from takopi.core.replies import Styled, bold, code, message
from takopi.core.richtext import RichText, utf16_len
from takopi.core.shorten import one_line, shorten_path
from takopi.core.texts import tr, tr_n
from takopi.core.working_trees import Changes, FileChange, Reverted

__all__ = [
    "DiffAsked",
    "DiffView",
    "commit_question",
    "commit_words",
    "committed_reply",
    "diff_reply",
    "diff_usage",
    "nothing_reply",
    "read_diff",
    "revert_question",
    "reverted_reply",
]

_MOST_FILES = 30
_PATH_UNITS = 70
_SHORT_UNITS = 2_000
_TITLE_UNITS = 120
_WORDS_UNITS = 68


class DiffAsked(msgspec.Struct, frozen=True):
    """Be what stands behind `/diff`.

    Args:
        branch: Without `@`; None for none.
        message: With which to commit; empty for changes that are only to be shown.
    """

    branch: str | None = None
    message: str = ""


class DiffView(msgspec.Struct, frozen=True, kw_only=True):
    """Say what is shown, and what its buttons name.

    Args:
        context: Project and branch.
        since: Since when these are the changes, in words.
        changes: What was changed.
        diff: Its diff, without what is kept private.
        hidden: How many files have lines that are not shown.
        target: What the buttons carry to find it again; nothing for no buttons.
        commits: Whether there is something to commit.
        back_to: To what files can be put back, in words; empty when there is nothing to.
        notes: What else is to be said of these changes, a line each.
    """

    context: RunContext
    since: str
    changes: Changes
    diff: str
    hidden: int = 0
    target: tuple[str, ...] = ()
    commits: bool = False
    back_to: str = ""
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Give project and branch in a few words."""
        branch = f" @{self.context.branch}" if self.context.branch else ""
        return one_line(f"{self.context.project or 'work_dir'}{branch}", _TITLE_UNITS)


def read_diff(args: str) -> DiffAsked | None:
    """Read what stands behind `/diff`; None when it cannot be meant."""
    first, rest = (*args.split(maxsplit=1), "", "")[:2]
    branch = first.removeprefix("@") if first.startswith("@") else None
    if branch is not None:
        first, rest = (*rest.split(maxsplit=1), "", "")[:2]
    if not first:
        return DiffAsked(branch)
    said = rest.strip()
    return DiffAsked(branch, said) if first.lower() == "commit" and said else None


def diff_usage() -> ChatMessage:
    """Say how `/diff` is used."""
    return message(
        code("/diff"),
        tr(" – what was changed here and is in no commit; as a reply to a turn, what was changed "
           "since it began"),
        "\n",
        code("/diff @branch"),
        tr(" – what a branch has changed since it began"),
        "\n",
        code("/diff commit fix the login"),
        tr(" – commit what is in no commit, with these words; of a branch "),
        code("/diff @branch commit fix the login"),
    )  # fmt: skip


def diff_reply(view: DiffView) -> tuple[ChatMessage | Document, ...]:
    """Show changes: one message, with a document behind it when the diff is long."""
    changes = view.changes
    if not changes.files:
        return (message(_title(view), "\n", tr("Nothing was changed.")),)
    pieces: list[str | Styled] = [_title(view), "\n", *_files(changes), *_notes(view)]
    if view.hidden:
        text = tr_n(
            "The lines of {count} file are not shown: its name looks like a secret.",
            "The lines of {count} files are not shown: their names look like secrets.",
            view.hidden,
        )
        pieces += [text, "\n"]
    if changes.cut:
        pieces += [tr("The diff is longer than takopi shows; this is its beginning."), "\n"]
    # A long one goes into the document as it is; cleaning megabytes would hold up other chats.
    brief = len(view.diff) <= 2 * _SHORT_UNITS
    shown = clean_text(view.diff).rstrip("\n") if brief else ""
    short = shown if utf16_len(shown) <= _SHORT_UNITS and not changes.cut else ""
    if short:
        pieces += ["\n", Styled(short, "pre")]
    said = message(*pieces, buttons=_buttons(view))
    said = replace(said, body=_as_diff(said.body))
    if short or not view.diff:
        return (said,)
    name = safe_name("-".join(view.name.replace("@", "").replace("/", "-").split()) + ".diff")
    return said, Document(name, view.diff.encode("utf-8", "replace"))


def _as_diff(body: RichText) -> RichText:
    entities = tuple(
        replace(entity, language="diff") if entity.kind == "pre" else entity
        for entity in body.entities
    )
    return RichText(body.text, entities)


def _title(view: DiffView) -> Styled:
    return bold(f"{view.name} · {view.since}")


def _files(changes: Changes) -> list[str | Styled]:
    count = tr_n("{count} file", "{count} files", len(changes.files))
    pieces: list[str | Styled] = [f"{count} +{changes.added} −{changes.removed}\n"]
    for file in changes.files[:_MOST_FILES]:
        pieces += [code(shorten_path(file.path, _PATH_UNITS)), f" {_what(file)}\n"]
    if len(changes.files) > _MOST_FILES:
        pieces += [tr("and {count} more", count=len(changes.files) - _MOST_FILES), "\n"]
    return pieces


def _notes(view: DiffView) -> list[str]:
    return [f"{note}\n" for note in view.notes]


def _what(file: FileChange) -> str:
    said = [tr("no text") if file.binary else f"+{file.added} −{file.removed}"]
    match file.kind:
        case "added":
            said.append(tr("new"))
        case "deleted":
            said.append(tr("deleted"))
        case "renamed":
            said.append(tr("was {name}", name=shorten_path(file.was or "", _PATH_UNITS)))
        case "conflict":
            said.append(tr("a merge is not decided"))
        case _:
            pass
    return " · ".join(said)


def _buttons(view: DiffView) -> tuple[tuple[Button, ...], ...]:
    row = []
    if not view.target:
        return ()
    if view.commits:
        row.append(Button(tr("Commit"), press_data("diff", "c", *view.target)))
    if view.back_to:
        row.append(Button(tr("Revert"), press_data("diff", "r", *view.target)))
    return (tuple(row),) if row else ()


def commit_words(prompt: str) -> str:
    """Make the message of a commit from a prompt's first words."""
    first = next((line for line in prompt.splitlines() if line.strip()), "")
    return one_line(first, _WORDS_UNITS)


def commit_question(view: DiffView, words: str, mark: str) -> ChatMessage:
    """Offer to commit with a message, or say how to write another one.

    Args:
        view: What is committed.
        words: The message; empty when nobody said anything that could be one.
        mark: What the button carries, so that it commits this and nothing else.
    """
    pieces: list[str | Styled] = [
        bold(tr("Commit in {name}?", name=view.name)),
        "\n",
        *_files(view.changes),
        *_notes(view),
    ]
    buttons: tuple[tuple[Button, ...], ...] = ()
    if words:
        pieces += [tr("As: "), code(words), "\n"]
        buttons = ((Button(tr("Commit so"), press_data("diff", "C", *view.target, mark)),),)
    # What is typed counts where it is typed, which may be elsewhere by now.
    branch = f"@{view.context.branch} " if view.context.branch else ""
    if view.target[:1] == ("t",):
        pieces += [tr("With other words, as a reply to a message of that turn: ")]
        branch = ""
    else:
        pieces += [tr("With other words: ")]
    pieces += [code(f"/diff {branch}commit fix the login")]
    return message(*pieces, buttons=buttons)


def committed_reply(name: str, commit_id: str, words: str) -> ChatMessage:
    """Say what was committed."""
    return message(
        tr("Committed in {name}: ", name=name), code(commit_id[:10]), f" {one_line(words, 200)}"
    )


def revert_question(view: DiffView, mark: str) -> ChatMessage:
    """Ask before files are put back."""
    label = tr_n("Put {count} file back", "Put {count} files back", len(view.changes.files))
    return message(
        bold(tr("Put files back in {name}?", name=view.name)),
        "\n",
        *_files(view.changes),
        tr("To {state}, whoever changed them since.", state=view.back_to),
        "\n",
        tr("What is there now is kept in the repository under "),
        code("refs/takopi/kept/"),
        tr("; the answer names the ref."),
        buttons=((Button(label, press_data("diff", "R", *view.target, mark)),),),
    )  # fmt: skip


def reverted_reply(name: str, reverted: Reverted) -> ChatMessage:
    """Say what was put back, and where the state before is kept."""
    if reverted.kept is None:
        return nothing_reply(name)
    count = tr_n("Put {count} file back", "Put {count} files back", len(reverted.files))
    return message(
        count,
        tr(" in {name}. What was there is kept as ", name=name),
        code(reverted.kept),
        tr("; to have it again: "),
        code(f"git checkout {reverted.kept} -- ."),
    )


def nothing_reply(name: str) -> ChatMessage:
    """Say that there is nothing to commit or to put back any more."""
    return message(tr("Nothing is changed in {name} any more; /diff shows what is.", name=name))
