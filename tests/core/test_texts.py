"""Texts in the language that is spoken."""

import pytest

from takopi.core.texts import language, tr, tr_n, use_texts


@pytest.fixture(autouse=True)
def _english_again():
    yield
    use_texts("en", {})


def test_what_a_language_lacks_is_said_in_english() -> None:
    use_texts("es", {"Nothing waits.": "Nada espera."})
    assert language() == "es"
    assert tr("Nothing waits.") == "Nada espera."
    assert tr("Nothing runs {where}.", where="here") == "Nothing runs here."


def test_one_and_many_are_texts_of_their_own() -> None:
    use_texts("es", {"{count} run": "{count} ejecución", "{count} runs": "{count} ejecuciones"})
    assert tr_n("{count} run", "{count} runs", 1) == "1 ejecución"
    assert tr_n("{count} run", "{count} runs", 0) == "0 ejecuciones"


@pytest.mark.parametrize("broken", ["{nobody}", "{0}", "{", "{name.nothing"])
def test_a_broken_translation_costs_no_message(broken) -> None:
    use_texts("es", {"Hello {name}": broken})
    assert tr("Hello {name}", name="Ann") == "Hello Ann"


def test_braces_of_a_text_without_values_stay() -> None:
    assert tr("write {like this}") == "write {like this}"
