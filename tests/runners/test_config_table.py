"""An engine's table of the configuration: what is read, and how a mistake is told."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.cases import CONFIG_PATH
from takopi.errors import ConfigError
from takopi.runners._config_table import ConfigTable

anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.lists(st.text() | st.integers()),
)


def table(**values: Any) -> ConfigTable:
    """Make the table of an engine called toy."""
    return ConfigTable("toy", values, CONFIG_PATH)


def test_what_is_missing_has_its_default() -> None:
    """An empty table is a whole configuration."""
    empty = table()
    assert empty.text("a") is None
    assert empty.choice("b", ("x",), "x") == "x"
    assert empty.flag("c", default=True)
    assert not empty.flag("d")
    assert empty.words("e", ("y",)) == ("y",)
    empty.done()


def test_what_is_there_is_read() -> None:
    """Values come in the form in which runners use them."""
    full = table(a="gpt", b="x", c=True, e=["Bash(git *)", "Read"], f=["--flag", "v"])
    assert full.text("a") == "gpt"
    assert full.choice("b", ("x", "y")) == "x"
    assert full.flag("c")
    assert full.words("e") == ("Bash(git *)", "Read")
    assert full.words("f", options=True) == ("--flag", "v")
    full.done()


@pytest.mark.parametrize("value", ["", " ", "-x", 3, True, ["a"]])
def test_a_text_is_not_empty_and_no_option(value: Any) -> None:
    """It ends up on a command line."""
    with pytest.raises(ConfigError, match="accepted is a text in quotes"):
        table(a=value).text("a")


@pytest.mark.parametrize("value", ["a", [1], ["-x"], [""], ["a\0b"], [["a"]]])
def test_a_list_holds_texts_that_are_no_options(value: Any) -> None:
    """The wrong item is shown, not the whole list."""
    with pytest.raises(ConfigError, match="a list of texts"):
        table(a=value).words("a")


@pytest.mark.parametrize("value", ["true", 1, []])
def test_a_flag_is_true_or_false(value: Any) -> None:
    """A word in quotes is no flag."""
    with pytest.raises(ConfigError, match="accepted is true or false"):
        table(a=value).flag("a")


def test_a_long_value_is_shown_in_part() -> None:
    """The text stays readable in a chat."""
    with pytest.raises(ConfigError) as error:
        table(a="x" * 500).choice("a", ("x",))
    assert len(str(error.value)) < 250


def test_an_unknown_key_names_all_that_are_known() -> None:
    """With or without a near one."""
    read = table(zzz=1)
    read.text("model")
    with pytest.raises(ConfigError) as error:
        read.done()
    assert str(error.value) == (
        f"{CONFIG_PATH}: `toy.zzz` is no key of toy; accepted keys: keep_background, model"
    )


@pytest.mark.timeout(600)
@given(value=anything)
def test_any_value_is_read_or_refused_with_its_key(value: Any) -> None:
    """No value of a TOML file escapes, and none makes another error."""
    for read in (
        lambda: table(a=value).text("a"),
        lambda: table(a=value).choice("a", ("x", "y")),
        lambda: table(a=value).flag("a"),
        lambda: table(a=value).words("a"),
    ):
        said = ""
        try:
            read()
        except ConfigError as error:
            said = str(error)
        assert not said or "`toy.a` is " in said
