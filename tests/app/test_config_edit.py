"""Editing the configuration file: atomic, private, whole."""

import threading
import tomllib
from pathlib import Path

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from takopi.app.config_edit import (
    edit_document,
    flatten,
    get_value,
    parts_of,
    read_document,
    set_values,
    shown,
    typed_value,
    unset_value,
)
from takopi.errors import ConfigError, UsageError

KEYS = st.text(min_size=1, max_size=6)
VALUES = st.recursive(
    st.integers(-(2**53), 2**53)
    | st.booleans()
    | st.text(max_size=8)
    | st.floats(allow_nan=False)
    | st.dates(),
    lambda inner: (
        st.dictionaries(KEYS, inner, min_size=1, max_size=3) | st.lists(inner, max_size=3)
    ),
    max_leaves=3,
)


@given(st.dictionaries(KEYS, VALUES, max_size=3))
def test_every_listed_key_can_be_asked_for(document: dict) -> None:
    """What `list` prints as a key is what `get` takes, whatever its characters."""
    parsed = tomlkit.parse(tomlkit.dumps(document))
    for name, value in flatten(parsed):
        assert get_value(parsed, name) == value
        assert tomllib.loads(f"x = {shown('x', value, reveal=True)}") == {"x": value}


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=3), st.data())
def test_a_key_that_is_set_and_taken_out_leaves_nothing(document: dict, data) -> None:
    """Setting changes that key alone, and unsetting brings the others back as they were."""
    parsed = tomlkit.parse(tomlkit.dumps(document))
    before = dict(flatten(parsed))
    name = data.draw(st.sampled_from(list(before)))
    set_values(parsed, {name: "new"})
    again = tomlkit.parse(tomlkit.dumps(parsed))
    changed = {key: value for key, value in flatten(again) if key != name}
    assert changed == {key: value for key, value in before.items() if key != name}
    assert get_value(again, name) == "new"
    assert unset_value(again, name)
    assert get_value(again, name) is None
    assert not unset_value(again, name)


def test_secrets_are_masked_wherever_they_stand() -> None:
    """In tables of a list too, and what looks like a secret under any name."""
    value = [{"name": "x", "api_key": "shh"}, {"more": [{"password": "hush"}]}]
    assert shown("servers", value, reveal=False) == (
        '[{name = "x", api_key = "********"}, {more = [{password = "********"}]}]'
    )
    key = "sk-ant-" + "a" * 30
    assert shown("codex.extra_args", ["-c", f"key={key}"], reveal=False) == (
        '["-c", "key=[redacted]"]'
    )
    assert key in shown("codex.extra_args", [key], reveal=True)
    assert "shh" in shown("servers", value, reveal=True)


@pytest.mark.parametrize("name", ["", "a.", ".a", "a b", "a = 1", "[a]", "a\nb", "a#"])
def test_what_is_no_key_is_told(name: str) -> None:
    """Nothing but a dotted key is taken for one."""
    with pytest.raises(UsageError, match="is not a key"):
        parts_of(name)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("default_engine.of.my.own", "did you mean `default_engine`?"),
        ("plugins.enabled.mine", "`plugins.enabled` is a value, not a table"),
        ("projects", "`projects` is a table; set one of its keys, like `projects.NAME.path`"),
        ("projects.a", "`projects.a` is a table; set one of its keys, like `projects.a.path`"),
        ("transports.telegram", "like `transports.telegram.bot_token`"),
    ],
)
def test_no_key_takes_the_place_of_others(name: str, told: str) -> None:
    """A table where takopi reads a value, or a value for a table, would stop every start."""
    with pytest.raises(UsageError) as error:
        typed_value(name, "x", Path("takopi.toml"))
    assert told in str(error.value)


def test_a_whole_table_may_be_set() -> None:
    """It is written as TOML writes one on a line."""
    typed = typed_value("projects.a", '{path = "/a"}', Path("takopi.toml"))
    assert typed == {"path": "/a"}


def test_a_value_that_is_in_the_way_is_told() -> None:
    """What takopi knows nothing of may be a value or a table; it is not overwritten."""
    with pytest.raises(UsageError, match="`takopi config unset pi` takes it out"):
        set_values(tomlkit.parse("pi = 1"), {"pi.model": "m"})


def test_an_error_inside_writes_nothing(tmp_path: Path) -> None:
    """The file is as it was, and no draft is left."""
    path = tmp_path / "takopi.toml"
    with edit_document(path) as document:
        document["a"] = 1

    def fail() -> None:
        with edit_document(path) as document:
            document["a"] = 2
            raise UsageError("no")

    with pytest.raises(UsageError):
        fail()
    assert path.read_text() == "a = 1\n"
    assert [found.name for found in tmp_path.iterdir()] == ["takopi.toml"]


def test_two_editors_wait_for_each_other(tmp_path: Path) -> None:
    """No change is lost, however many write at once."""
    path = tmp_path / "takopi.toml"

    def count(name: str) -> None:
        for number in range(10):
            with edit_document(path) as document:
                document[name] = number + 1

    threads = [threading.Thread(target=count, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tomllib.loads(path.read_text()) == dict.fromkeys("abcd", 10)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Where there is no folder there is no file."""
    with pytest.raises(ConfigError, match="cannot be opened"), edit_document(tmp_path / "n" / "t"):
        pass


def test_a_file_that_cannot_be_replaced_is_told(tmp_path: Path) -> None:
    """A folder in its place stays, and no draft is left beside it."""
    path = tmp_path / "takopi.toml"

    def edit() -> None:
        with edit_document(path) as document:
            document["a"] = 1
            path.mkdir()

    with pytest.raises(ConfigError, match="cannot be written: Is a directory"):
        edit()
    assert [found.name for found in tmp_path.iterdir()] == ["takopi.toml"]
    path.chmod(0o700)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_document(path)


def test_a_folder_that_vanishes_is_told(tmp_path: Path) -> None:
    """The draft needs a place."""
    folder = tmp_path / "home"
    folder.mkdir()

    def edit() -> None:
        with edit_document(folder / "takopi.toml") as document:
            document["a"] = 1
            folder.rmdir()

    with pytest.raises(ConfigError, match="cannot be written"):
        edit()


@pytest.mark.parametrize(
    ("text", "told"),
    [(b"a = '\xff'", "not UTF-8"), (b"a = 1\na = 2\n", "not valid TOML")],
)
def test_a_file_that_is_no_toml_is_told(tmp_path: Path, text: bytes, told: str) -> None:
    """Whatever is wrong with it, the file is named."""
    path = tmp_path / "takopi.toml"
    path.write_bytes(text)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=told):
        read_document(path)
