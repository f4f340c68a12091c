"""Say in the person's language what the code says in English.

The English words are the keys of a catalogue: what a language does not have is said in English, so
a new text never breaks a chat. `scripts/texts.py` finds every text of the code and lists them in
`locales/en.toml`. A text is a literal at its call, because that is how it is found.

This stands below everything, because the texts of errors are told in chats too; most of the code
has it from `takopi.core.texts`.
"""

from collections.abc import Mapping

__all__ = ["language", "tr", "tr_later", "tr_n", "translated", "use_texts"]

_ENGLISH: Mapping[str, str] = {}


class _Spoken:
    """Hold the one language that this process speaks; it is chosen once, at the start."""

    language = "en"
    texts: Mapping[str, str] = _ENGLISH


def use_texts(code: str, texts: Mapping[str, str]) -> None:
    """Speak a language from now on.

    Args:
        code: Its name, such as `es`.
        texts: What it says for the English words; plurals as in `tr_n`.
    """
    _Spoken.language = code
    _Spoken.texts = texts


def language() -> str:
    """Name the language that is spoken."""
    return _Spoken.language


def tr(text: str, /, **values: object) -> str:
    """Return a text in the language that is spoken.

    Args:
        text: The English words, a literal, with `{name}` where a value goes.
        values: What goes there, by name.
    """
    return _filled(_Spoken.texts.get(text, text), text, values)


def tr_n(one: str, many: str, count: int, /, **values: object) -> str:
    """Return the singular or plural of a text; `{count}` is the number.

    Args:
        one: The English words for 1.
        many: Those for any other number; the catalogue has an entry for each of the two.
        count: How many.
        values: What goes into the text, by name.
    """
    text = one if count == 1 else many
    return _filled(_Spoken.texts.get(text, text), text, {"count": count, **values})


def tr_later(text: str, /) -> str:
    """Return a text as it is: it is a constant, and `translated` says it when it is used.

    Args:
        text: The English words, a literal.
    """
    return text


def translated(text: str, /, **values: object) -> str:
    """Return a text that is no literal here; `tr_later` or a table of the code has made it known.

    Args:
        text: The English words.
        values: What goes into the text, by name.
    """
    return _filled(_Spoken.texts.get(text, text), text, values)


def _filled(said: str, english: str, values: Mapping[str, object]) -> str:
    try:
        return said.format_map(values) if values else said
    except (KeyError, IndexError, ValueError):
        # A translation with a wrong placeholder must not cost the message.
        return english.format_map(values)
