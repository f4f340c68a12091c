"""The lines of secret files leave no diff, whatever the folders around them are called."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.diff_text import hidden_files, without_files
from takopi.core.file_rules import DENIED
from takopi.core.working_trees import Changes, FileChange
from takopi.worktrees.changes import look
from takopi.worktrees.status import file_name

pytestmark = pytest.mark.anyio

FOLDERS = (
    *(b"plain", b'quo"ted', b"back\\slash", b"tab\there", b"line\nbreak", b"esc\x1bape"),
    *("naïve", "nbsp\u00a0", "zero\u200bwidth", "turned\u202e", "лес"),
    *(b"latin\xe9", b"looks\\x41like", b"a\\"),
)


async def test_secrets_in_folders_of_any_name_are_not_shown(repo) -> None:
    """Git quotes some names, and shows others in bytes that are no text."""
    for folder in FOLDERS:
        lines = "KEY=one\x0cdiff --git a/x b/x\x0bKEY=two\x85KEY=three\rKEY=four\n"
        repo.write(os.fsdecode(Path(os.fsdecode(folder)) / ".env"), lines)
    repo.write("open.txt", "shown\n")
    changes = await look(repo.path)
    hidden = hidden_files(changes, DENIED)
    assert len(hidden) == len(FOLDERS)
    shown = without_files(changes.diff, hidden)
    assert "KEY" not in shown
    assert "+shown" in shown


async def test_a_secret_in_conflict_is_not_shown(repo) -> None:
    """A merge that is not decided has both sides of it in the file."""
    repo.commit(".env", "KEY=base\n")
    repo.git("checkout", "--quiet", "-b", "other")
    repo.commit(".env", "KEY=theirs\n")
    repo.git("checkout", "--quiet", "main")
    repo.commit(".env", "KEY=ours\n")
    repo.git("-c", "alias.join=!git merge --quiet other || true", "join")
    changes = await look(repo.path)
    assert changes.files
    assert "KEY" not in without_files(changes.diff, hidden_files(changes, DENIED))


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=4))
def test_whatever_is_hidden_has_no_lines(parts: list[str]) -> None:
    """In git's unquoted form and in its quoted one."""
    name = "/".join(part.replace("/", "-").replace("\0", "-") for part in (*parts, ".env"))
    quoted = "".join(f"\\{c}" if c in '"\\' else "\\n" if c == "\n" else c for c in name)
    changes = Changes((FileChange(file_name(name), "modified"),), "", cut=False)
    hidden = hidden_files(changes, DENIED)
    for written in (f'"a/{quoted}" "b/{quoted}"', *([f"a/{name} b/{name}"] * ("\n" not in name))):
        assert "+KEY" not in without_files(f"diff --git {written}\n+KEY\n", hidden)
