"""Read the catalogues of texts that go with takopi: one TOML file a language."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from takopi.texts import use_texts

__all__ = ["LOCALES", "languages", "load_texts", "speak"]

LOCALES = Path(__file__).parent / "locales"
"""Where the catalogues lie; `en.toml` is the list of all texts."""


def languages() -> tuple[str, ...]:
    """List the languages that have a catalogue."""
    return tuple(sorted(path.stem for path in LOCALES.glob("*.toml")))


def load_texts(code: str) -> Mapping[str, str]:
    """Return what a language says for the English texts; empty for English.

    A catalogue that is not there or cannot be read costs no message: English is spoken then.

    Args:
        code: Its name, such as `es`.
    """
    if code == "en":
        return {}
    try:
        with (LOCALES / f"{code}.toml").open("rb") as file:
            groups = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError):
        return {}
    found: dict[str, str] = {}
    for texts in groups.values():
        if isinstance(texts, dict):
            found |= {key: text for key, text in texts.items() if isinstance(text, str) and text}
    return found


def speak(code: str) -> None:
    """Speak a language from now on.

    Args:
        code: Its name, such as `es`.
    """
    use_texts(code, load_texts(code))
