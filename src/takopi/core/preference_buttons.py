"""The buttons below what is said about a preference, and what a press on one means.

A button has room for 64 bytes, and an engine may have hundreds of models with long names: they are
shown in pages, and a name that is too long is named by a digest of it.
"""

import hashlib
from collections.abc import Iterable

import msgspec

from takopi.core.chat import Button
from takopi.core.commands import press_data
from takopi.core.preference_choices import DEFAULT, PLACES, PreferenceWish, is_of_engine
from takopi.core.preference_views import PreferenceView, place_name
from takopi.core.shorten import line_end
from takopi.core.texts import tr

__all__ = [
    "DigestPressed",
    "PagePressed",
    "all_have_buttons",
    "buttons_of",
    "page_count",
    "page_of",
    "pressed_choice",
    "word_of_digest",
]

PAGE_SIZE = 24
_ROW = 3
_ROW_CHARS = 42
_LABEL_UNITS = 40
# Begins the data of what is no choice; no choice can be called so.
_SIGN = "-"
_BACK, _PAGE, _DIGEST = "back", "page", "word"


class PagePressed(msgspec.Struct, frozen=True):
    """Be a press that asks for other buttons and chooses nothing."""

    page: int


class DigestPressed(msgspec.Struct, frozen=True):
    """Be a press that chooses a word which is too long for its button."""

    digest: str


def pressed_choice(args: tuple[str, ...]) -> PreferenceWish | PagePressed | DigestPressed | None:
    """Read what a button carries behind the engine; None when it cannot be meant.

    Args:
        args: As `press_data` got them. A word may have colons of its own.
    """
    match args:
        case ():
            return None
        case (sign, verb, place) if (sign, verb) == (_SIGN, _BACK):
            known = next((known for known in PLACES if known == place), None)
            return None if known is None else PreferenceWish(DEFAULT, known)
        case (sign, verb, number) if (sign, verb) == (_SIGN, _PAGE):
            return PagePressed(int(number)) if number.isdecimal() and len(number) < 5 else None
        case (sign, verb, digest) if (sign, verb) == (_SIGN, _DIGEST):
            return DigestPressed(digest)
        case (sign, *_) if sign == _SIGN:
            return None
    word = ":".join(args)
    return PreferenceWish(word) if word else None


def word_of_digest(digest: str, words: Iterable[str]) -> str | None:
    """Find the word that a button names by its digest."""
    return next((word for word in words if _digest(word) == digest), None)


def buttons_of(view: PreferenceView) -> tuple[tuple[Button, ...], ...]:
    """Make the buttons that choose, turn pages, and take a choice back."""
    rows = _choice_rows(view)
    row = []
    # A button chooses for the nearest place, so it takes back what was chosen there.
    if view.lines and view.lines[0].value is not None:
        row.append((tr("Take back"), _data(view, DEFAULT)))
    change = view.change
    if change is not None and change.value is not None and not change.nearest:
        place = place_name(change.place, view.project)
        label = line_end(tr("Take back for {place}", place=place), _LABEL_UNITS)
        row.append((label, _data(view, _SIGN, _BACK, change.place)))
    back = tuple(Button(label, data) for label, data in row if data is not None)
    return (*rows, *_turning(view), *((back,) if back else ()))


def all_have_buttons(view: PreferenceView) -> bool:
    """Tell whether every choice is a button on one of the pages."""
    return len(_words(view)) == len(view.accepted)


def page_count(view: PreferenceView) -> int:
    """Count the pages of buttons."""
    return max(1, -(-len(_words(view)) // PAGE_SIZE))


def page_of(view: PreferenceView) -> int:
    """Say which page is shown, from 0; without a wish the one with what holds."""
    if view.page is not None:
        return min(max(view.page, 0), page_count(view) - 1)
    words, held = _words(view), view.held
    at = words.index(held.value) if held is not None and held.value in words else 0
    return at // PAGE_SIZE


def _words(view: PreferenceView) -> tuple[str, ...]:
    """List what can be a button: an engine may list what nobody could type."""
    if view.kind == "trigger" and view.private:
        return ()  # a button chooses for the chat, where there is nothing to choose
    return tuple(w for w in view.accepted if w.isprintable() and w.split() == [w])


def _choice_rows(view: PreferenceView) -> tuple[tuple[Button, ...], ...]:
    held, first = view.held, page_of(view) * PAGE_SIZE
    buttons: list[Button] = []
    for word in _words(view)[first : first + PAGE_SIZE]:
        mark = "✓ " if held is not None and held.value == word else ""
        data = _data(view, word) or _data(view, _SIGN, _DIGEST, _digest(word))
        if data is not None:
            buttons.append(Button(mark + _label(word), data))
    longest = max((len(button.label) for button in buttons), default=0)
    # A phone cuts labels that have no room.
    row = max(1, _ROW_CHARS // max(longest, _ROW_CHARS // _ROW))
    return tuple(tuple(buttons[n : n + row]) for n in range(0, len(buttons), row))


def _turning(view: PreferenceView) -> tuple[tuple[Button, ...], ...]:
    page, pages, row = page_of(view), page_count(view), []
    if page:
        row.append((tr("Back"), _data(view, _SIGN, _PAGE, str(page - 1))))
    if page + 1 < pages:
        row.append((tr("More"), _data(view, _SIGN, _PAGE, str(page + 1))))
    turning = tuple(Button(label, data) for label, data in row if data is not None)
    return (turning,) if turning else ()


def _label(word: str) -> str:
    """Shorten a word at its front: names of models begin alike and differ at their ends."""
    return line_end(word, _LABEL_UNITS)


def _digest(word: str) -> str:
    return hashlib.sha256(word.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _data(view: PreferenceView, *words: str) -> str | None:
    engine = (view.engine,) if is_of_engine(view.kind) else ()
    try:
        return press_data(view.kind, *engine, *words)
    except ValueError:
        return None
