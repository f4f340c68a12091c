"""Names of branches and of their folders."""

import itertools
import re
import subprocess
from pathlib import PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from takopi.core.branches import MAX_BRANCH_BYTES, check_branch, worktree_folder

GOOD = [
    "main", "feature/login", "fix-123", "JIRA-7_a", "user@home", "a.b", "x/y/z", "фикс", "名前",
    "v1.x", "fix#12", "a+b", "é", "a=b", "50%", "a{b}", "h" * 40, "deadbeef", "head",
    "feature/HEAD", "a-", "@a", "a@", "x" * MAX_BRANCH_BYTES, "emoji-🎉",
]  # fmt: skip
BAD = [
    "", "-", "--force", "-b", "..", ".", "a/..", "../a", "a/../b", "a..b", "/a", "a/", "a//b", ".a",
    "a/.b", "a.lock", "a.LOCK", "a.lock/b", "a.", "@", "a@{b", "@{-1}", "HEAD", "refs/heads/a",
    "a b", "a\tb", "a\nb", "a\0", "a\x7f", "a~1", "a^", "a:b", "a?", "a*", "a[b", "a\\b",
    "a\u00a0b", "a\u202eb", "a\u2066b", "a\u200bb", "a\ufeffb", "a\u2028b", "a\u3164b", "a\ud800",
    "a\ufe0f", "x" * (MAX_BRANCH_BYTES + 1), "é" * MAX_BRANCH_BYTES, "a" * 40, "0" * 64,
    "a\x1b[31m", "a\u2800",
]  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_names_that_people_use_are_taken(name: str) -> None:
    """What git accepts and a person can read is a branch."""
    assert check_branch(name) is None


@pytest.mark.parametrize("name", BAD)
def test_other_names_are_refused_with_a_reason(name: str) -> None:
    """What is an option, an expression, a path outside or invisible is none."""
    why = check_branch(name)
    assert why
    assert why.isprintable()


def hostile_names() -> list[str]:
    """Make more than two thousand names out of what does harm in names."""
    seeds = [
        "..", ".", "/", "//", "-", "--", "@{", "@", "~", "^", ":", "?", "*", "[", "\\", " ", "\n",
        "\r", "\0", "\x1b", "\x7f", "\u202e", "\u200d", ".lock", ".git", "HEAD", "refs/", "$(id)",
        "`id`", ";id", "|id", "&", ">x", "'", '"', "%2e%2e", "%00", "a", "é", "\ud800",
        "\U000e0041", "\u2025", "C:", "nul", "~root", "${HOME}",
    ]  # fmt: skip
    pairs = {f"{a}{b}" for a, b in itertools.product(seeds, repeat=2)}
    around = {form.format(seed) for seed in seeds for form in ("x{}", "{}x", "x/{}/y", "x{}/y")}
    return sorted({*seeds, *pairs, *around})


def test_whatever_is_taken_of_hostile_names_is_a_branch_for_git_and_stays_inside() -> None:
    """Of 2,000 hostile names, git itself agrees with every one that is taken."""
    names = hostile_names()
    assert len(names) >= 2_000
    taken = [name for name in names if check_branch(name) is None]
    assert taken
    assert len(names) - len(taken) >= 1_000
    for name in taken:
        assert not name.startswith("-")
        assert ".." not in name
        assert PurePosixPath("/top", name).parts[:2] == ("/", "top")
    # One process for all: a ref that git cannot take makes the whole batch fail.
    assert_git_takes(taken)


def assert_git_takes(names: list[str]) -> None:
    """Ask real git about names, several at a time."""
    for start in range(0, len(names), 200):
        batch = names[start : start + 200]
        script = 'for name; do git check-ref-format --branch "$name" || exit 1; done'
        done = subprocess.run(["sh", "-c", script, "sh", *batch], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.decode().splitlines() == batch


def test_git_takes_the_good_and_refuses_most_of_the_bad() -> None:
    """The rules are git's: none of the good is ours alone."""
    assert_git_takes(GOOD)


BRANCHISH = st.text(
    alphabet=st.one_of(
        st.sampled_from("aAbBzZ09/.-_@{}+=%~#$é\u0130\u212a"), st.characters(codec="utf-8")
    ),
    max_size=60,
)


@given(BRANCHISH)
@example("a" * 300)
def test_a_folder_is_one_safe_name(branch: str) -> None:
    """Law: the folder of any text is one component that no tool takes for anything else."""
    folder = worktree_folder(branch)
    assert re.fullmatch(r"[a-z0-9_%+=~][a-z0-9._%+=~-]*", folder)
    assert len(folder) <= 100


def unfolded(folder: str) -> str:
    """Read a branch back from a folder's name that was not shortened."""
    parts: list[bytes] = []
    large = False
    for token in re.findall(r"%[0-9a-f]{2}|.", folder):
        if token == "=":
            large = not large
        elif token.startswith("%") and len(token) == 3:
            parts.append(bytes.fromhex(token[1:]))
        else:
            plain = "/" if token == "+" else token
            parts.append((plain.upper() if large else plain).encode())
    return b"".join(parts).decode("utf-8", "surrogatepass")


@given(BRANCHISH.filter(bool))
def test_a_branch_can_be_read_back_from_its_folder(branch: str) -> None:
    """Law: the folder says which branch it is for, so two branches never share one."""
    folder = worktree_folder(branch)
    assert folder == folder.lower()
    if "~" not in folder:
        assert unfolded(folder) == branch


@given(BRANCHISH, BRANCHISH)
@example("a/b", "a+b")
@example("A", "a")
@example("é", "e\u0301")
@example("x" * 150, "x" * 151)
@example("", "%")
@example("a/b", "a%2fb")
def test_two_branches_have_two_folders(one: str, two: str) -> None:
    """Law: different branches have different folders, whatever the file system folds."""
    assert (worktree_folder(one) == worktree_folder(two)) == (one == two)


@pytest.mark.parametrize(
    ("branch", "folder"),
    [
        ("main", "main"),
        ("feature/login", "feature+login"),
        ("JIRA-12-fix_it", "=jira-12-=fix_it"),
        ("a#1", "a%231"),
        ("é", "%c3%a9"),
        ("..", "%2e."),
        ("-x", "%2dx"),
        ("/x", "%2fx"),
        ("", "%"),
    ],
)
def test_a_folder_can_be_read(branch: str, folder: str) -> None:
    """Usual names stay as they are but for the slash."""
    assert worktree_folder(branch) == folder
