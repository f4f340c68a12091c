"""Files that go with a prompt are named so that a path stays a path."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.attachments import image_type, looks_like_image, with_files
from takopi.core.permission_modes import accepted_modes, own_mode
from takopi.errors import UsageError


def test_files_stand_below_the_prompt() -> None:
    """One on the line that says so, more in a list."""
    one, two = PurePosixPath("/a b.txt"), PurePosixPath("/c.pdf")
    assert with_files("look", ()) == "look"
    assert with_files("look", (one,)) == "look\n\nAttached file: /a b.txt"
    assert with_files("look", (one, two)) == "look\n\nAttached files:\n- /a b.txt\n- /c.pdf"
    assert with_files(" \n", (one,)) == "Attached file: /a b.txt"


@given(st.text(), st.lists(st.text(min_size=1), min_size=1, max_size=4))
def test_no_name_adds_a_line(prompt: str, names: list[str]) -> None:
    """A name with a line feed could go on as if the person wrote it."""
    paths = [PurePosixPath("/in") / name.replace("/", "_") for name in names]
    told = with_files(prompt, paths)
    below = told.removeprefix(prompt).strip("\n").split("\n")
    assert len(below) == (1 if len(paths) == 1 else 1 + len(paths))
    assert all(line.isprintable() for line in below)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\r", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
        (b"RIFF\0\0\0\0WAVE", None),
        (b"<svg/>", None),
        (b"", None),
    ],
)
def test_a_picture_is_known_by_its_beginning(head: bytes, kind: str | None) -> None:
    """Names lie."""
    assert image_type(head) == kind


def test_a_picture_is_guessed_by_its_name() -> None:
    """In any case of letters."""
    assert looks_like_image(PurePosixPath("/a.JPG"))
    assert not looks_like_image(PurePosixPath("/a.svg"))


def test_modes_are_the_engines_own_words_in_the_end() -> None:
    """A word of the engine stays as it is; `default` is the mode that asks."""
    neutral = {"ask": "careful", "plan": "look"}
    assert accepted_modes(neutral, ("look", "ask")) == ("plan", "ask", "look")
    assert own_mode("toy", "plan", neutral) == "look"
    assert own_mode("toy", "default", neutral) == "careful"
    assert own_mode("toy", "default", neutral, ("default",)) == "default"
    with pytest.raises(UsageError, match="toy has no permission mode 'full'; use one of plan, ask"):
        own_mode("toy", "full", neutral)
