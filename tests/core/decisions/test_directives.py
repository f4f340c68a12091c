"""The words at the start of a message: who is asked, and where."""

import string
from pathlib import Path, PurePosixPath
from random import Random
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decisions.chat_updates import TABLE, bot_message, message
from takopi.context import RunContext
from takopi.core.branches import worktree_folder
from takopi.core.contexts import HeldContext, format_context
from takopi.core.decisions import (
    BadBranch,
    BoundTurn,
    Command,
    ContextExplained,
    ContextTwice,
    EngineConflict,
    EngineExplained,
    Prompt,
    RouteTable,
    UnknownCommand,
)
from takopi.core.route import route

pytestmark = pytest.mark.timeout(300)

PROJECTS = RouteTable(
    default_engine="codex",
    engines=TABLE.engines,
    commands=TABLE.commands,
    codecs=TABLE.codecs,
    projects=("zed", "api-2"),
    here=HeldContext(RunContext("api-2", "held"), "chat"),
    project_engines={"zed": "claude"},
)

ENGINES = (None, "codex", "claude")
ALIASES = ("zed", "api-2")
BRANCHES = (None, "main", "fix/login", "UPPER", "é", "a-b_c.d", "1")
# Its first word begins with a letter, so it is neither a directive nor an escape.
TEXTS = st.builds(
    lambda first, rest: f"{first}{rest}".strip(),
    st.sampled_from(string.ascii_letters),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=30),
)
SPACES = (" ", "  ", "\t", " \t ")

Opening: TypeAlias = tuple[str | None, str | None, str | None, str]


def opening_of(engine: str | None, project: str | None, branch: str | None, seed: int) -> Opening:
    """Write directives in any order and case, each perhaps again, with any space between them.

    A seed decides, as each decision that is drawn by itself costs more than to route the message.
    """
    random = Random(seed)
    words = [f"/{name}" for name in (engine, project) if name]
    words += [f"@{branch}"] if branch else []
    words += random.choices(words, k=random.randint(0, 2)) if words else []
    random.shuffle(words)
    cased = [word.upper() if word[0] == "/" and random.random() < 0.5 else word for word in words]
    return engine, project, branch, "".join(word + random.choice(SPACES) for word in cased)


OPENINGS = st.builds(
    opening_of,
    st.sampled_from(ENGINES),
    st.sampled_from((None, *ALIASES)),
    st.sampled_from(BRANCHES),
    st.integers(0, 2**32),
)


@given(OPENINGS, TEXTS)
def test_order_case_and_space_say_nothing(opening, text) -> None:
    """What is asked, of whom and where, depends on the words alone."""
    engine, project, branch, written = opening
    context = RunContext(project or "api-2", branch)
    held = HeldContext(context, "directive") if project or branch else PROJECTS.here
    by_itself = "claude" if held.context.project == "zed" else "codex"
    expected = Prompt(text=text, engine=engine or by_itself, where=held)
    assert route(message(written + text), PROJECTS) == expected


@given(OPENINGS, OPENINGS, TEXTS)
def test_directives_stand_on_the_first_line_and_before_any_other_word(first, second, text) -> None:
    """Behind a word, or on a later line, the same words are content."""
    _, _, _, written = first
    _, _, _, later = second
    alone = route(message(written + text), PROJECTS)
    assert isinstance(alone, Prompt)
    for gap in (" ", "\n"):
        content = f"{text}{gap}{later}".strip()
        found = route(message(written + content), PROJECTS)
        assert found == Prompt(text=content, engine=alone.engine, where=alone.where)
    if written:
        below = f"{written.rstrip()}\n{later}{text}"
        found = route(message(below), PROJECTS)
        content = f"{later}{text}"
        assert found == Prompt(text=content, engine=alone.engine, where=alone.where)


@given(st.text(string.ascii_lowercase + string.digits + "_-", min_size=1, max_size=12), OPENINGS)
def test_a_word_that_nobody_knows_is_answered_wherever_it_stands(word, opening) -> None:
    """It is never sent on, and neither is what stands around it."""
    known = {*PROJECTS.engines, *PROJECTS.projects, *PROJECTS.commands}
    _, _, _, written = opening
    if word in known or not (word[0].isalnum() or word[0] == "_"):
        return
    found = route(message(f"{written}/{word} do it"), PROJECTS)
    assert isinstance(found, UnknownCommand)
    assert found.word == word
    assert set(found.nearest) <= known


@given(OPENINGS, st.sampled_from(PROJECTS.commands))
def test_a_command_stands_alone(opening, name) -> None:
    """Behind a directive it is none, and nothing is done."""
    _, _, _, written = opening
    found = route(message(f"{written}/{name}"), PROJECTS)
    assert isinstance(found, UnknownCommand if written else Command)


@given(OPENINGS, TEXTS)
def test_forwarded_text_is_never_a_directive(opening, text) -> None:
    """All of it is content, and it runs where anything runs here."""
    _, _, _, written = opening
    words = (written + text).strip()
    found = route(message(words, forwarded=True), PROJECTS)
    assert found == Prompt(text=words, engine="codex", where=PROJECTS.here)


@given(OPENINGS, TEXTS, st.sampled_from(ALIASES), st.sampled_from(BRANCHES))
def test_a_reply_stays_where_its_turn_ran_whatever_directives_say(
    opening, text, alias, branch
) -> None:
    """By the journal, or by the line of a message of this bot; what does not count is noted."""
    engine, project, named, written = opening
    held = RunContext(alias, branch)
    turn = BoundTurn(turn_id="t", conversation="t", engine=engine or "codex", context=held)
    by_journal = route(message(written + text), PROJECTS, turn)
    line = bot_message(f"✓ done\n`{format_context(held)}`")
    by_line = route(message(written + text, reply=line), PROJECTS)
    for found, source in ((by_journal, "reply"), (by_line, "line")):
        assert isinstance(found, Prompt)
        assert found.where == HeldContext(held, source)
        elsewhere = (project or alias) != alias or named not in (None, branch)
        assert (found.elsewhere is not None) == elsewhere


@given(OPENINGS)
def test_directives_alone_are_explained_and_start_nothing(opening) -> None:
    engine, project, branch, written = opening
    found = route(message(written), PROJECTS)
    if project or branch:
        assert found == ContextExplained(RunContext(project or "api-2", branch))
    elif engine:
        assert found == EngineExplained(engine)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/zed /api-2 go", ContextTwice("/zed", "/api-2")),
        ("@a /zed @b go", ContextTwice("@a", "@b")),
        ("/codex /zed /claude go", EngineConflict("claude", "codex", in_session=False)),
    ],
)
def test_two_places_or_engines_are_asked_about(text, expected) -> None:
    assert route(message(text), PROJECTS) == expected


@given(st.text(max_size=40))
def test_where_there_are_no_projects_at_signs_are_text(text) -> None:
    """Somebody may be spoken to."""
    found = route(message(f"@{text}x"), TABLE)
    assert isinstance(found, Prompt)
    assert found.where.context == RunContext()


HOSTILE = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30),
    st.text("./-~^:?*[\\@{}$;&|`'\"<>()! \t\n\0abcHEADreflocks", min_size=1, max_size=30),
    st.builds(
        "".join,
        st.lists(
            st.sampled_from(
                ["../", "..", "/", "-", "--", "@{", "~1", "^", ":", ".lock", ".git", "refs/heads/",
                 "HEAD", "--upload-pack=x", "-c", "$(id)", "`id`", ";id", "\u202e", "\u200b",
                 "\x00", "\r", "%2e%2e%2f", "C:\\", "con", "a", "main", "0" * 40, "x" * 300,
                 "é", "．．／"]
            ),
            min_size=1,
            max_size=6,
        ),
    ),
)  # fmt: skip


@given(HOSTILE)
def test_a_hostile_branch_is_no_option_and_leaves_no_project(name) -> None:
    """It is refused or text, or else a name that git and a disk take as it stands."""
    found = route(message(f"/zed @{name} do it"), PROJECTS)
    if isinstance(found, BadBranch | ContextTwice | UnknownCommand | EngineConflict):
        return
    context = found.context if isinstance(found, ContextExplained) else found.where.context
    branch = context.branch
    assert context.project in {"zed", "api-2"}
    if branch is None or branch == "held":
        return
    assert f"@{branch}" in f"@{name} do it".split() or branch in name
    assert not branch.startswith(("-", "/", ".", "refs/"))
    assert not any(part in {"", ".", ".."} for part in branch.split("/"))
    assert branch.isprintable()
    assert not set(branch) & set(" ~^:?*[\\\0")
    folder = worktree_folder(branch)
    place = Path("/src/zed/.worktrees") / folder
    assert PurePosixPath(folder).parts == (folder,)
    assert folder not in {".", "..", ".git"}
    assert not folder.startswith("-")
    assert place.parent == Path("/src/zed/.worktrees")
    # The line that names it is read back as it was written: a reply gets to the same place.
    line = bot_message(format_context(context))
    back = route(message("go on", reply=line), PROJECTS)
    assert isinstance(back, Prompt)
    assert back.where == HeldContext(context, "line")
