"""Every choice has a button, whatever it is called, and each button means its choice."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.commands import read_press
from takopi.core.preference_buttons import (
    DigestPressed,
    PagePressed,
    all_have_buttons,
    buttons_of,
    page_count,
    page_of,
    pressed_choice,
    word_of_digest,
)
from takopi.core.preference_choices import PreferenceWish
from takopi.core.preference_views import LayerLine, PreferenceChange, PreferenceView

# As engines name models; a word that begins like an option is none.
LETTERS = string.ascii_letters + string.digits + "é😀"
# Some have no room in a button, and some lists are for several pages.
NAMES = st.builds(
    lambda first, rest, times: first + (rest * times)[:120],
    st.sampled_from(LETTERS),
    st.text(LETTERS + ":/._-", max_size=20),
    st.integers(1, 12),
)
LISTS = st.builds(
    lambda names, more: list(dict.fromkeys([*names, *(f"m{n}" for n in range(more))])),
    st.lists(NAMES, max_size=12),
    st.integers(0, 60),
)


def view(words: list[str], **more: object) -> PreferenceView:
    lines = (LayerLine("chat", None), LayerLine("project", None))
    given: dict[str, object] = {"kind": "model", "engine": "opencode", "lines": lines, **more}
    return PreferenceView(accepted=tuple(words), **given)  # type: ignore[arg-type]


@given(LISTS)
def test_each_word_is_behind_a_button_of_one_page(words: list[str]) -> None:
    """Within the 64 bytes that a button has, and in the order in which they were listed."""
    shown = view(words)
    assert all_have_buttons(shown)
    found = []
    for page in range(page_count(shown)):
        for row in buttons_of(view(words, page=page)):
            for button in row:
                assert len(button.data.encode()) <= 64
                read = read_press(button.data)
                assert read is not None
                assert (read[0], read[1][0]) == ("model", "opencode")
                meant = pressed_choice(read[1][1:])
                if isinstance(meant, DigestPressed):
                    found.append(word_of_digest(meant.digest, words))
                elif isinstance(meant, PreferenceWish):
                    found.append(meant.value)
                else:
                    assert isinstance(meant, PagePressed)
                    assert abs(meant.page - page) == 1
    assert found == words


@pytest.mark.parametrize(
    ("args", "meant"),
    [
        ((), None),
        (("",), None),
        (("-",), None),
        (("-", "back"), None),
        (("-", "back", "nowhere"), None),
        (("-", "page", "x"), None),
        (("-", "page", "99999"), None),
        (("-", "word", "0"), DigestPressed("0")),
        (("-", "back", "project"), PreferenceWish("default", "project")),
        (("-", "page", "3"), PagePressed(3)),
        (("gpt-7", "free"), PreferenceWish("gpt-7:free")),
        (("default",), PreferenceWish("default")),
    ],
)
def test_what_a_button_carries_is_read(args: tuple[str, ...], meant: object) -> None:
    assert pressed_choice(args) == meant


def test_a_page_that_is_not_there_is_the_last_one() -> None:
    words = [f"m{n}" for n in range(30)]
    assert page_of(view(words, page=9)) == 1
    assert page_of(view([], page=9)) == 0


def test_what_is_taken_back_elsewhere_names_the_place() -> None:
    change = PreferenceChange("o3", "project", nearest=False)
    rows = buttons_of(view(["o3"], change=change, project="zed"))
    assert [button.label for button in rows[-1]] == ["Take back for project zed"]
    assert rows[-1][0].data == "x:model:opencode:-:back:project"


def test_what_nobody_could_type_is_no_button() -> None:
    shown = view(["a b", "o3", "x\n"])
    assert not all_have_buttons(shown)
    assert [button.label for row in buttons_of(shown) for button in row] == ["o3"]
