"""Texts in the language that is spoken, and the catalogues that have them."""

import ast
import importlib.util
import re
import string
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from takopi.core.texts import language, tr, tr_later, tr_n, translated, use_texts
from takopi.locale_files import LOCALES, languages, load_texts, speak
from takopi.settings.kinds import CHOICES

ROOT = Path(__file__).parents[2]


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("texts_script", ROOT / "scripts" / "texts.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = _script()
OTHERS = [code for code in languages() if code != "en"]


@pytest.fixture(autouse=True)
def _english_again():
    yield
    use_texts("en", {})


@cache
def found() -> dict[str, dict[str, str]]:
    """Find the texts of the code; one that is put together is an error here."""
    return SCRIPT.found_texts()


def placeholders(text: str) -> set[str]:
    """Name the values that go into a text."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_what_a_language_lacks_is_said_in_english() -> None:
    use_texts("es", {"Nothing waits.": "Nada espera."})
    assert language() == "es"
    assert tr("Nothing waits.") == "Nada espera."
    assert tr("Nothing runs {where}.", where="here") == "Nothing runs here."


def test_one_and_many_are_texts_of_their_own() -> None:
    use_texts("es", {"{count} run": "{count} ejecución", "{count} runs": "{count} ejecuciones"})
    assert tr_n("{count} run", "{count} runs", 1) == "1 ejecución"
    assert tr_n("{count} run", "{count} runs", 0) == "0 ejecuciones"


def test_a_constant_is_said_in_the_language_of_its_use() -> None:
    constant = tr_later("Cancel {what}")
    assert constant == "Cancel {what}"
    use_texts("es", {"Cancel {what}": "Cancelar {what}"})
    assert translated(constant, what="1") == "Cancelar 1"


@pytest.mark.parametrize("broken", ["{nobody}", "{0}", "{", "{name.nothing"])
def test_a_broken_translation_costs_no_message(broken) -> None:
    use_texts("es", {"Hello {name}": broken})
    assert tr("Hello {name}", name="Ann") == "Hello Ann"


def test_braces_of_a_text_without_values_stay() -> None:
    assert tr("write {like this}") == "write {like this}"


def test_the_english_catalogue_is_what_the_code_says() -> None:
    """Translators get every text and none that is gone; scripts/texts.py writes it anew."""
    assert (LOCALES / "en.toml").read_text("utf-8") == SCRIPT.written(found())


@pytest.mark.parametrize("code", OTHERS)
def test_a_catalogue_has_every_text_and_every_value(code) -> None:
    """A language that is offered is complete; scripts/texts.py lists what is missing."""
    said = SCRIPT.said_in(LOCALES / f"{code}.toml")
    english = SCRIPT.said_in(LOCALES / "en.toml")
    assert set(said) == set(english)
    for text, translation in said.items():
        assert translation.strip(), text
        assert placeholders(translation) == placeholders(text), text
        assert translation.count("`") == text.count("`"), text
        # What is put together from pieces keeps the spaces between them.
        assert translation[:1].isspace() == text[:1].isspace(), text
        assert translation[-1:].isspace() == text[-1:].isspace(), text


@pytest.mark.parametrize("code", OTHERS)
def test_a_catalogue_is_what_the_script_would_write(code) -> None:
    path = LOCALES / f"{code}.toml"
    assert path.read_text("utf-8") == SCRIPT.written(found(), SCRIPT.said_in(path))


def test_commands_and_code_stand_in_translations_as_they_are() -> None:
    """What a person types or reads in the configuration has no translation."""
    for code in OTHERS:
        for text, said in load_texts(code).items():
            for word in ("/help", "/sessions", "/worktrees", "/ctx", "takopi doctor", "takopi ps"):
                assert (word in text) == (word in said), text


def test_the_configuration_offers_the_languages_that_there_are() -> None:
    assert set(CHOICES["language"]) == set(languages())


def test_english_needs_no_catalogue_and_a_missing_one_costs_nothing() -> None:
    assert load_texts("en") == {}
    assert load_texts("nowhere") == {}


def test_a_language_is_loaded_and_spoken() -> None:
    speak("es")
    assert language() == "es"
    assert tr("Cancel") == "Cancelar"
    speak("en")
    assert tr("Cancel") == "Cancel"


def said_at_import(tree: ast.Module) -> list[str]:
    """List the texts that are said before anybody has chosen a language."""
    late = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    found, waiting = [], list(ast.iter_child_nodes(tree))
    while waiting:
        node = waiting.pop()
        if isinstance(node, late):
            continue  # defaults of arguments count too, but nobody writes a text there
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"tr", "tr_n", "translated"}:
            found.append(ast.unparse(node))
        waiting += ast.iter_child_nodes(node)
    return found


def test_no_text_is_said_before_the_language_is_known() -> None:
    """A constant is marked with `tr_later`, and said with `translated` where it is used."""
    for path in sorted(SCRIPT.SOURCE.rglob("*.py")):
        source = path.read_text("utf-8")
        if re.search(r"\b(tr|tr_n|translated)\b", source):
            assert said_at_import(ast.parse(source)) == [], path
    assert said_at_import(ast.parse("A = {1: tr('x')}\nclass B:\n    c = tr_n('a', 'b', 1)")) != []


def test_a_text_that_is_no_literal_is_refused() -> None:
    with pytest.raises(SCRIPT.NoLiteral, match="here:1"):
        list(SCRIPT.texts_of(ast.parse("tr(f'{name} runs')"), "here"))


def test_texts_are_found_wherever_they_stand() -> None:
    code = """
class A:
    words = tr_later("constant")
    spec = CommandSpec(name="x", description="what it does", group="Look", example="/x")
def f(count):
    with border("doing it"), border(f"{count}"):
        return tr("one", a=tr("inner")) + tr_n("{count} a", "{count} b", count) + other("not this")
"""
    assert set(SCRIPT.texts_of(ast.parse(code), "here")) == {
        "constant", "what it does", "doing it", "one", "inner", "{count} a", "{count} b"
    }  # fmt: skip


def test_a_catalogue_keeps_what_is_said_and_lists_what_is_missing() -> None:
    groups = {"a.b": {'say "{x}"\n': 'say "{x}"\n', "new": "new"}}
    text = SCRIPT.written(groups, {'say "{x}"\n': 'di "{x}"\n', "gone": "ido"})
    assert text.splitlines()[-2:] == [
        '"say \\"{x}\\"\\n" = "di \\"{x}\\"\\n"',
        '# missing: "new" = ""',
    ]
    assert "gone" not in text
