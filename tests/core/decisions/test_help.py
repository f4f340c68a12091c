"""/help fits into one message, whatever is installed and whichever language is spoken."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.again import again_and_again
from takopi.core.command_help import examples_of
from takopi.core.commands import COMMANDS, CommandSpec
from takopi.core.help_replies import (
    Engines,
    command_help,
    help_reply,
    no_such_command,
    takes_nothing,
)
from takopi.core.richtext import utf16_len
from takopi.core.split import MAX_ENTITIES, MAX_UNITS, count_entities
from takopi.core.texts import translated, use_texts
from takopi.locale_files import languages, load_texts

TEXTS = {code: load_texts(code) for code in languages()}
CODEX = Engines(("codex",), "codex")
IDS = st.text(string.ascii_lowercase + string.digits + "_", min_size=1, max_size=32)
INSTALLED = again_and_again(IDS, 60)


@pytest.fixture(autouse=True)
def _english_again():
    yield
    use_texts("en", {})


def fits(message) -> bool:
    """Tell whether a chat takes a message as it is."""
    text = message.body
    return utf16_len(text.text) <= MAX_UNITS and count_entities(text) <= MAX_ENTITIES


def plugin(name: str, description: str) -> CommandSpec:
    """Be a command that a package brings."""
    return CommandSpec(name=name, description=description, group="Plug-ins", example=f"/{name}")


@given(
    code=st.sampled_from(languages()),
    engines=INSTALLED,
    names=INSTALLED,
    projects=INSTALLED,
    description=st.text(max_size=300),
)
def test_help_is_one_message_whatever_is_installed(
    code, engines, names, projects, description
) -> None:
    use_texts(code, TEXTS[code])
    plugins = [plugin(name, description) for name in names]
    assert fits(
        help_reply(
            Engines(tuple(engines), (engines or ["codex"])[0], tuple(names)), plugins, projects
        )
    )
    for spec in dict.fromkeys(plugins):
        assert fits(command_help(spec))


@pytest.mark.parametrize("code", languages())
def test_takopis_own_commands_leave_room_for_what_is_installed(code) -> None:
    """An addition that does not fit is to be noticed here, and not in a chat."""
    use_texts(code, TEXTS[code])
    engines = [f"engine_with_a_long_name_{n:06}" for n in range(40)]
    text = help_reply(
        Engines(tuple(engines), engines[0], tuple(engines)), [plugin("tree", "Show a tree")]
    ).body.text
    for spec in COMMANDS:
        assert f"/{spec.name} – {translated(spec.description)}" in text
        assert spec.example in text
    assert "/tree – Show a tree" in text
    for spec in COMMANDS:
        assert 1 <= len(translated(spec.description)) <= 256
        assert fits(command_help(spec))


def test_what_has_no_room_is_counted() -> None:
    engines = [f"engine_with_a_long_name_{n:06}" for n in range(40)]
    plugins = [plugin(f"plugin_with_a_long_name_{n:06}", "x" * 60) for n in range(40)]
    text = help_reply(Engines(tuple(engines), engines[1]), plugins).body.text
    assert "/engine_with_a_long_name_000001 (default)" in text
    listed = next(line for line in text.splitlines() if "(default)" in line)
    assert listed.endswith(f" and {40 - listed.count('/')} more")
    shown = text.count("/plugin_with_a_long_name_")
    assert shown < 40
    assert f"and {40 - shown} more: takopi plugins lists them all" in text


def test_engines_that_cannot_run_here_are_told_apart() -> None:
    text = help_reply(Engines(("codex",), "codex", ("pi", "opencode"))).body.text
    assert "Engines\n/codex (default)\nNot here: pi, opencode. /help pi tells more.\n" in text
    none = help_reply(Engines((), "codex", ("codex",))).body.text
    assert "Engines\nNot here: codex. /help codex tells more.\n" in none


def test_help_names_projects_when_there_are_any() -> None:
    assert "@feat/login add a test" not in help_reply(CODEX).body.text
    text = help_reply(CODEX, (), ["shop", *"abcdef"]).body.text
    assert "/shop @feat/login add a test – or /a, /b, /c\n" in text
    alone = help_reply(CODEX, (), ["shop"]).body.text
    assert "/shop @feat/login add a test\n" in alone


def test_help_leaves_out_what_a_chat_service_has_not() -> None:
    """A terminal has no topics, takes no files, and nobody can reply to a message there."""
    text = help_reply(CODEX, absent=("topic", "file"), replies=False).body.text
    assert not {"Reply", "/topic", "/file", "Files"} & set(text.split())
    assert "/help cancel" in text
    assert {"Reply", "/topic", "/file", "Files"} <= set(help_reply(CODEX).body.text.split())


def test_each_group_has_its_heading_once() -> None:
    lines = help_reply(CODEX, [plugin("tree", "Show a tree")]).body.text.splitlines()
    for heading in {spec.group for spec in COMMANDS} | {"Plug-ins", "Engines", "Examples"}:
        assert lines.count(heading) == 1


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: spec.name)
def test_a_command_is_explained_with_what_to_type(spec) -> None:
    text = command_help(spec).body.text
    assert text.startswith(f"/{spec.name} – {spec.description}\n")
    assert examples_of(spec)
    for example in examples_of(spec):
        assert example.startswith(f"/{spec.name}")
        assert example in text.splitlines()


@given(word=st.text(max_size=5_000), near=st.lists(IDS, max_size=3))
def test_words_that_are_no_command_are_answered_in_one_message(word, near) -> None:
    answer = no_such_command(word, near)
    assert fits(answer)
    assert "/help" in answer.body.text
    assert fits(takes_nothing("status"))
