"""Sessions in the engines' own stores are found, whatever else lies there."""

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from takopi.desktop_sessions import DesktopSession
from takopi.model import ResumeToken
from takopi.runners._claude_sessions import claude_directory, list_claude_sessions
from takopi.runners._codex_sessions import codex_directory, list_codex_sessions
from takopi.runners._opencode_sessions import list_opencode_sessions, opencode_directory
from takopi.runners._pi_sessions import list_pi_sessions, pi_directory
from takopi.runners._session_files import HEAD_BYTES, moment, title_of

WHEN = "2026-11-21T17:08:14.600Z"
WHEN_S = 1795280894.6
WORK = Path("/home/user/my.project")
LISTS: dict[str, Callable[[Path, int], tuple[DesktopSession, ...]]] = {
    "claude": list_claude_sessions,
    "codex": list_codex_sessions,
    "opencode": list_opencode_sessions,
    "pi": list_pi_sessions,
}
DIRECTORIES: dict[str, Callable[[str], Path | None]] = {
    "claude": claude_directory,
    "codex": codex_directory,
    "opencode": opencode_directory,
    "pi": pi_directory,
}
FOLDERS = {
    "claude": ".claude/projects/-home-user-my-project/{id}.jsonl",
    "codex": ".codex/sessions/2026/11/21/rollout-2026-11-21T17-08-14-{id}.jsonl",
    "pi": ".pi/agent/sessions/--home-user-my.project--/2026_{id}.jsonl",
}


def session_id(number: int) -> str:
    """Give an id as the engines make them."""
    return f"01a1ff13-cbab-4891-84ac-{number:012d}"


def claude_lines(number: int, words: str, cwd: Path) -> list[dict[str, Any]]:
    common = {"sessionId": session_id(number), "timestamp": WHEN}
    user = {**common, "type": "user", "cwd": str(cwd)}
    return [
        {**common, "type": "queue-operation", "operation": "enqueue"},
        {**user, "isMeta": True, "message": {"role": "user", "content": "not the person"}},
        {**user, "message": {"role": "user", "content": "<command-name>/clear</command-name>"}},
        {**user, "message": {"role": "user", "content": [{"type": "text", "text": words}]}},
    ]


def codex_lines(number: int, words: str, cwd: Path) -> list[dict[str, Any]]:
    meta = {"id": session_id(number), "timestamp": WHEN, "cwd": str(cwd), "source": "cli"}
    around = {"type": "message", "role": "user", "content": [{"text": "<environment_context>"}]}
    item = {"type": "UserMessage", "content": [{"type": "local_image"}, {"text": words}]}
    return [
        {"type": "session_meta", "payload": meta},
        {"type": "response_item", "payload": around},
        {"type": "event_msg", "payload": {"type": "item_completed", "item": item}},
    ]


def pi_lines(number: int, words: str, cwd: Path) -> list[dict[str, Any]]:
    return [
        {"type": "session", "id": session_id(number), "timestamp": WHEN, "cwd": str(cwd)},
        {"type": "message", "message": {"role": "system", "content": "not the person"}},
        {"type": "message", "message": {"role": "user", "content": [{"text": words}]}},
    ]


LINES = {"claude": claude_lines, "codex": codex_lines, "pi": pi_lines}
by_files = pytest.mark.parametrize("engine", sorted(LINES))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a home in which no engine was used yet."""
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "PI_CODING_AGENT_DIR", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("OPENCODE_DB", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def write(path: Path, lines: list[dict[str, Any]], age_s: int = 0) -> Path:
    """Write a session's file, last used some time before now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(one)}\n" for one in lines), "utf-8")
    os.utime(path, (WHEN_S - age_s, WHEN_S - age_s))
    return path


def place(engine: str, home: Path, number: int) -> Path:
    """Say where an engine keeps a session of the project."""
    return home / FOLDERS[engine].format(id=session_id(number))


@pytest.mark.parametrize("engine", sorted(LISTS))
def test_without_a_store_there_is_nothing(engine: str, home: Path) -> None:
    """The engine was never used here; asking makes no folder."""
    assert LISTS[engine](WORK, 9) == ()
    assert list(home.iterdir()) == []


@by_files
def test_the_sessions_of_a_directory_are_listed(engine: str, home: Path) -> None:
    """Those used last first, with the person's first words, and not more than wanted."""
    for number, words in ((1, "the first\nwords " + "x" * 200), (2, "two"), (3, "three")):
        write(place(engine, home, number), LINES[engine](number, words, WORK), 10 - number)
    other = LINES[engine](4, "elsewhere", WORK.parent / "my-project")
    write(place(engine, home, 4), other)
    found = LISTS[engine](WORK, 9)
    assert [one.token for one in found] == [
        ResumeToken(engine, session_id(number)) for number in (3, 2, 1)
    ]
    assert found[0] == DesktopSession(found[0].token, WHEN_S, "three", WORK)
    assert found[2].title == "the first words " + "x" * 103 + "…"
    assert LISTS[engine](WORK, 2) == found[:2]


@by_files
def test_the_directory_of_a_session_is_found_by_its_id(engine: str, home: Path) -> None:
    """Wherever one is now; of a file that tells nothing, and of no id, there is none."""
    for number, cwd in ((1, WORK), (2, Path("/elsewhere"))):
        write(place(engine, home, number), LINES[engine](number, "words", cwd))
    place(engine, home, 3).write_bytes(b"{")
    place(engine, home, 4).symlink_to(home / "nowhere")
    place(engine, home, 5).mkdir()
    write(place(engine, home, 6), LINES[engine](6, "words", Path("not/absolute")))
    look = DIRECTORIES[engine]
    assert [look(session_id(n)) for n in (1, 2)] == [WORK, Path("/elsewhere")]
    assert [look(session_id(n)) for n in (3, 4, 5, 6, 7)] == [None] * 5
    assert look("*") is look("../x") is look("") is None


@by_files
def test_what_cannot_be_read_is_skipped(engine: str, home: Path) -> None:
    """Half written, of another version, without rights, a folder, a link to nowhere."""
    good = LINES[engine](1, "good", WORK)
    write(place(engine, home, 1), good)
    for number, content in enumerate((b"", b"{", b"[1]\nnull\n", b"\xff\xfe\n", b'{"a":1}\n'), 2):
        place(engine, home, number).write_bytes(content)
    place(engine, home, 10).mkdir()
    place(engine, home, 11).symlink_to(home / "nowhere")
    strange = json.dumps(LINES[engine](12, "strange", WORK)).replace(session_id(12), "--option")
    write(place(engine, home, 12), json.loads(strange))
    assert [one.title for one in LISTS[engine](WORK, 9)] == ["good"]


@by_files
def test_only_the_beginning_of_a_file_is_read(engine: str, home: Path) -> None:
    """A session may be huge; where its words come late it has none."""
    first, *rest = LINES[engine](1, "late", WORK)
    first["filler"] = "x" * HEAD_BYTES
    write(place(engine, home, 1), [first, *rest])
    assert LISTS[engine](WORK, 9) == ()
    first["filler"] = "x"
    filler = {"type": "filler", "filler": "x" * HEAD_BYTES}
    if engine == "claude":  # whose first line does not say where it works
        first["cwd"] = str(WORK)
    write(place(engine, home, 1), [first, filler, *rest])
    assert [one.title for one in LISTS[engine](WORK, 9)] == [""]


@pytest.mark.parametrize(
    ("engine", "variable"),
    [("claude", "CLAUDE_CONFIG_DIR"), ("codex", "CODEX_HOME"), ("pi", "PI_CODING_AGENT_DIR")],
)
def test_the_engines_own_variables_lead_to_the_store(
    engine: str, variable: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for the engine itself."""
    moved = home / "elsewhere"
    below = Path(FOLDERS[engine].format(id=session_id(1)))
    depth = 2 if engine == "pi" else 1
    write(moved.joinpath(*below.parts[depth:]), LINES[engine](1, "words", WORK))
    assert LISTS[engine](WORK, 9) == ()
    monkeypatch.setenv(variable, str(moved))
    assert [one.title for one in LISTS[engine](WORK, 9)] == ["words"]


def test_a_directory_behind_a_link_is_the_same_one(home: Path) -> None:
    """Engines write down where the link leads."""
    real, link = home / "real", home / "link"
    real.mkdir()
    link.symlink_to(real)
    name = str(real.resolve()).replace("/", "-").replace("_", "-").replace(".", "-")
    folder = home / ".claude" / "projects" / name
    write(folder / f"{session_id(1)}.jsonl", claude_lines(1, "words", real))
    assert [one.cwd for one in list_claude_sessions(link, 9)] == [real]


def test_a_long_directory_of_claude_is_found_by_its_beginning(home: Path) -> None:
    """claude cuts the name and adds a hash of its own."""
    work = Path("/home") / ("d" * 150) / ("e" * 150)
    name = str(work).replace("/", "-")[:200] + "-abc123"
    file = home / ".claude" / "projects" / name / f"{session_id(1)}.jsonl"
    write(file, claude_lines(1, "words", work))
    write(file.with_name(f"{session_id(2)}.jsonl"), claude_lines(2, "x", work.with_name("f")))
    assert [one.title for one in list_claude_sessions(work, 9)] == ["words"]


def test_sub_agents_are_no_sessions(home: Path) -> None:
    """They cannot be continued by a person."""
    lines = claude_lines(1, "words", WORK)
    lines[0]["isSidechain"] = True
    write(place("claude", home, 1), lines)
    assert list_claude_sessions(WORK, 9) == ()
    lines = codex_lines(1, "words", WORK)
    lines[0]["payload"]["source"] = {"subagent": "review"}
    write(place("codex", home, 1), lines)
    assert list_codex_sessions(WORK, 9) == ()


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "user_message", "message": "words"},
        {"type": "message", "role": "user", "content": [{"text": "<x>"}, {"text": "words"}]},
    ],
)
def test_older_codex_wrote_the_prompt_elsewhere(home: Path, payload: dict[str, Any]) -> None:
    """Sessions outlive versions."""
    lines = codex_lines(1, "", WORK)
    odd = [{"payload": "x"}, {"payload": {"type": "item_completed", "item": {"type": "Reasoning"}}}]
    write(place("codex", home, 1), [*lines, *odd, {"type": "x", "payload": payload}])
    assert [one.title for one in list_codex_sessions(WORK, 9)] == ["words"]


def test_the_folders_of_codex_days_are_read_backwards(home: Path) -> None:
    """What is no day is no folder of sessions."""
    days = home / ".codex" / "sessions"
    name = f"rollout-x-{session_id(1)}.jsonl"
    write(days / "2025" / "02" / "03" / name, codex_lines(1, "old", WORK))
    write(days / "notes" / "02" / "03" / name, codex_lines(1, "none", WORK))
    write(days / "2026", [])
    assert [one.title for one in list_codex_sessions(WORK, 9)] == ["old"]


# opencode keeps a database


def make_store(path: Path) -> sqlite3.Connection:
    """Make opencode's tables, as far as they matter."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute(
        "CREATE TABLE session (id TEXT, parent_id TEXT, directory TEXT, title TEXT,"
        " time_created INTEGER, time_updated INTEGER, time_archived INTEGER)"
    )
    db.execute("CREATE TABLE part (id TEXT, session_id TEXT, time_created INTEGER, data TEXT)")
    return db


def add(db: sqlite3.Connection, value: str, title: str, **more: Any) -> None:
    """Add a session of the project."""
    row = {"parent": None, "cwd": str(WORK), "updated": 1, "archived": None} | more
    db.execute(
        "INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?)",
        (value, row["parent"], row["cwd"], title, 1000, row["updated"], row["archived"]),
    )


def test_opencode_sessions_are_listed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Main ones of the directory; the name that the model gave, or else the first words."""
    store = home / ".local" / "share" / "opencode" / "opencode.db"
    db = make_store(store)
    add(db, "ses_a", "A title", updated=2)
    add(db, "ses_b", "New session - 2026-11-21T17:07:47.021Z", updated=3)
    add(db, "ses_c", "New session - 2026-11-21T17:07:47.021Z", updated=1)
    add(db, "ses_d", "child", parent="ses_a")
    add(db, "ses_e", "archived", archived=5)
    add(db, "ses_f", "elsewhere", cwd="/elsewhere")
    add(db, "--option", "strange")
    parts = [{"type": "text", "synthetic": True, "text": "no"}, {"type": "text", "text": "first"}]
    for number, data in enumerate(["{", *map(json.dumps, parts)]):
        db.execute("INSERT INTO part VALUES (?, 'ses_b', ?, ?)", (str(number), number, data))
    db.commit()
    found = list_opencode_sessions(WORK, 9)
    assert [(one.token.value, one.title) for one in found] == [
        ("ses_b", "first"),
        ("ses_a", "A title"),
        ("ses_c", ""),
    ]
    assert found[1] == DesktopSession(ResumeToken("opencode", "ses_a"), 1.0, "A title", WORK)
    db.close()
    before = sorted(path.name for path in store.parent.iterdir())
    assert list_opencode_sessions(WORK, 2) == found[:2]
    assert sorted(path.name for path in store.parent.iterdir()) == before, "nothing was written"
    monkeypatch.setenv("OPENCODE_DB", "other.db")
    assert list_opencode_sessions(WORK, 9) == ()


def test_opencode_says_where_a_session_works(home: Path) -> None:
    """Its database does, and did a file a session before."""
    store = home / ".local" / "share" / "opencode" / "opencode.db"
    assert opencode_directory("ses_a") is None
    older = store.parent / "storage" / "session" / "project" / "ses_a.json"
    write(older, [{"id": "ses_a", "directory": "/older"}])
    write(older.with_name("ses_b.json"), [{"id": "ses_b"}])
    assert [opencode_directory(one) for one in ("ses_a", "ses_b")] == [Path("/older"), None]
    with closing(make_store(store)) as db:
        add(db, "ses_a", "A title", cwd="/elsewhere")
        add(db, "ses_b", "Not absolute", cwd="x")
        db.commit()
    found = [opencode_directory(one) for one in ("ses_a", "ses_b", "ses_c", "*")]
    assert found == [Path("/elsewhere"), None, None, None]
    store.write_bytes(b"not a database" * 100)
    assert opencode_directory("ses_a") is None


def test_a_store_of_opencode_that_is_none_gives_nothing(home: Path) -> None:
    """Damaged, or of a version to come."""
    store = home / ".local" / "share" / "opencode" / "opencode.db"
    store.parent.mkdir(parents=True)
    store.write_bytes(b"not a database" * 100)
    assert list_opencode_sessions(WORK, 9) == ()
    store.unlink()
    sqlite3.connect(store).close()
    store.write_bytes(b"")
    assert list_opencode_sessions(WORK, 9) == ()


def test_older_opencode_kept_a_file_a_session(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They can still be continued."""
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    folder = home / "data" / "opencode" / "storage" / "session" / "project"
    about = {"directory": str(WORK), "title": "A title", "time": {"created": 2000}}
    for name, more in {
        "ses_1": {},
        "ses_2": {"parentID": "ses_1"},
        "ses_3": {"directory": "/elsewhere"},
        "ses_4": {"id": 7},
        "ses_5": {"time": "x", "title": None},
    }.items():
        write(folder / f"{name}.json", [{"id": name, **about, **more}], int(name[-1]))
    (folder / "ses_6.json").write_text("[")
    (folder / "ses_7.json").mkdir()
    found = list_opencode_sessions(WORK, 9)
    assert [(one.token.value, one.started_at, one.title) for one in found] == [
        ("ses_1", 2.0, "A title"),
        ("ses_5", 0.0, ""),
    ]


def test_moments_and_titles_are_read_from_anything() -> None:
    """The files are not ours."""
    assert moment(WHEN) == WHEN_S
    assert [moment(value) for value in (None, 7, "", "soon", "2026-11-21T17:08:14")] == [0.0] * 5
    assert title_of([1, {"text": 2}, {"text": " "}, {"text": "a\n b"}]) == "a b"
    assert title_of(None) == title_of({}) == title_of("<x>", ("<",)) == ""
