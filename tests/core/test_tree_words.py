"""What /worktrees and /diff say about what a bridge's test does not come across."""

from pathlib import PurePosixPath

import pytest

from takopi.context import RunContext
from takopi.core.chat import Document
from takopi.core.diff_replies import DiffView, commit_words, diff_reply, reverted_reply
from takopi.core.diff_text import changes_mark, hidden_files, without_files
from takopi.core.projects import Project, Projects
from takopi.core.richtext import utf16_len
from takopi.core.tree_replies import (
    TreeLine,
    losses_mark,
    no_project_reply,
    removal_question,
    trees_reply,
)
from takopi.core.working_trees import Changes, FileChange, Kept, Losses, Reverted, Worktree

SHOP = RunContext("shop", "fix/a")
KINDS = Changes(
    (
        FileChange("gone.txt", "deleted", 0, 7),
        FileChange("new.txt", "renamed", 0, 0, was="old.txt"),
        FileChange("merge.txt", "conflict", 2, 0),
    ),
    "diff --git a/gone.txt b/gone.txt\n",
)


def view(changes: Changes, **more: object) -> DiffView:
    fields = {"context": SHOP, "since": "in no commit", "changes": changes, "diff": changes.diff}
    return DiffView(**{**fields, **more})


def test_each_kind_of_change_is_named() -> None:
    (said,) = diff_reply(view(KINDS))
    for words in ("gone.txt +0 −7 · deleted", "new.txt +0 −0 · was old.txt", "not decided"):
        assert words in said.body.text


def test_a_view_without_a_name_for_it_has_no_buttons() -> None:
    for more in ({}, {"target": ("t", "1")}):
        assert diff_reply(view(KINDS, **more))[0].buttons == ()
    (row,) = diff_reply(view(KINDS, target=("t", "1"), commits=True, back_to="x"))[0].buttons
    assert [button.label for button in row] == ["Commit", "Revert"]


@pytest.mark.parametrize("count", [1, 31, 2000])
def test_what_is_shown_fits_into_a_message(count) -> None:
    """However many files there are, and however long their names and the diff."""
    files = tuple(FileChange(f"{number}{'é' * 300}.py", "added", 9, 0) for number in range(count))
    changes = Changes(files, "+x\n" * 60_000, cut=True)
    said, document = diff_reply(view(changes, hidden=3))
    assert utf16_len(said.body.text) <= 4096
    assert len(said.body.entities) <= 100
    assert isinstance(document, Document)
    assert document.filename == "shop-fix-a.diff"
    assert ("more" in said.body.text) == (count > 30)


def test_only_secrets_lose_their_lines() -> None:
    one = "diff --git a/keys/id_rsa b/keys/id_rsa\n+secret\n"
    two = "diff --git a/main.py b/main.py\n+public\n"
    changes = Changes((FileChange("keys/id_rsa"), FileChange("main.py"), FileChange("..\\x")), one)
    hidden = hidden_files(changes, ["id_rsa*"])
    assert hidden[0] == "keys/id_rsa"
    assert "main.py" not in hidden
    assert without_files(one + two, hidden) == one.splitlines()[0] + "\n" + two
    assert without_files(one + two, ()) == one + two


def test_a_secret_that_is_called_otherwise_now_is_one_still() -> None:
    changes = Changes((FileChange("plain.txt", "renamed", 1, 1, was=".env"),))
    assert hidden_files(changes, [".env*"]) == (".env",)


def test_marks_tell_apart_what_was_shown() -> None:
    """A button of one thing never does another."""
    marks = {
        changes_mark(Changes()),
        changes_mark(KINDS),
        changes_mark(KINDS, "words"),
        losses_mark(Losses()),
        losses_mark(Losses(files=("a",))),
    }
    assert len(marks) == 5


@pytest.mark.parametrize(
    ("prompt", "words"),
    [("", ""), ("\n \n fix it\nnow", "fix it"), ("x" * 100, "x" * 67 + "…")],
)
def test_the_first_words_of_a_prompt_are_the_message(prompt, words) -> None:
    assert commit_words(prompt) == words


def test_nothing_that_was_put_back_is_no_ref() -> None:
    assert "Nothing is changed" in reverted_reply("shop", Reverted()).body.text


def test_many_worktrees_fit_into_a_message() -> None:
    lines = [
        TreeLine(Worktree(f"feat/{number}{'x' * 180}", PurePosixPath("/t")), "codex " * 50)
        for number in range(60)
    ]
    said = trees_reply("shop", lines, 0.0)
    assert utf16_len(said.body.text) <= 4096
    assert said.body.text.endswith("and 35 more")
    assert len(said.buttons) == 10
    assert all(len(b.data.encode()) <= 64 for row in said.buttons for b in row)


def test_buttons_of_the_longest_project_fit() -> None:
    context = RunContext("p" * 32, "feat/x")
    kept = Kept("2 files are in no commit", Losses(changed=20, files=("f",) * 20))
    said = removal_question(context, kept)
    assert len(said.buttons[0][0].data.encode()) <= 64
    assert "and 12 more" in said.body.text


def test_the_only_worktree_says_how_to_make_another() -> None:
    main = Worktree("main", PurePosixPath("/t"), main=True, last_commit_s=100)
    said = trees_reply("shop", [TreeLine(main)], 130.0).body.text
    assert "last commit 0 min ago" in said
    assert said.endswith("A prompt that begins with @branch makes another one.")
    assert "takopi init" in no_project_reply(()).body.text


@pytest.mark.parametrize(
    ("path", "tree"),
    [
        ("/src/shop", "/src/shop"),
        ("/src/shop/lib", "/src/shop"),
        ("/src/shop/.worktrees", "/src/shop"),
        ("/src/shop/.worktrees/dev", "/src/shop/.worktrees/dev"),
        ("/src/shop/.worktrees/dev/lib", "/src/shop/.worktrees/dev"),
        ("/trees/dev/lib", "/trees/dev"),
        ("/src/api", "/src/api"),
        ("/elsewhere/x", "/elsewhere/x"),
    ],
)
def test_two_paths_are_in_one_tree_when_they_share_its_files(path, tree) -> None:
    """The worktrees of a project are in its folder and yet no part of its tree."""
    projects = Projects(
        (
            Project("shop", PurePosixPath("/src/shop")),
            Project("api", PurePosixPath("/src/api"), worktrees_dir="/trees"),
        )
    )
    assert projects.tree_of(PurePosixPath(path)) == PurePosixPath(tree)
