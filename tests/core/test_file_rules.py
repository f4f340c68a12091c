"""Names of files: made safe, refused, found in an answer."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.file_rules import (
    FileCommandWords,
    free_name,
    is_denied,
    name_parts,
    path_below,
    read_file_command,
    safe_name,
)
from takopi.core.named_files import files_named_in, is_image
from takopi.errors import FileRefused

HOSTILE = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from('./\\~-:*?"<>| \t\n\0\u202e\u200b\u2066．／con'),
    ),
    max_size=300,
)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("report (1).pdf", "report (1).pdf"),
        ("größe und 日本語.txt", "größe und 日本語.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\plan.docx", "plan.docx"),
        (".env", "env"),
        ("-rf", "rf"),
        ("~root", "root"),
        ("con.txt", "_con.txt"),
        ("NUL", "_NUL"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("line\nbreak.md", "line break.md"),
        ("`id`;$(x).sh", "_id___(x).sh"),
        ("name.", "name"),
        ("", "file"),
        ("...", "file"),
        ("/", "file"),
        ("\u200b.png", "png"),
        ("e\u0301.txt", "é.txt"),
    ],
)
def test_a_name_is_made_safe(sent, kept):
    """What it says stays as far as it can; what hides, leads away or means more goes."""
    assert safe_name(sent) == kept


def test_a_long_name_keeps_what_kind_of_file_it_is():
    """It is cut in the middle of no letter, and in front of its suffix."""
    found = safe_name("ä" * 300 + ".tar.gz")
    assert found.endswith("ä.tar.gz")
    assert len(found.encode()) <= 120
    assert safe_name("x." + "y" * 300) == ("x." + "y" * 300)[:120]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("pattern_form", ["NFC", "NFD"])
def test_a_private_name_is_private_however_its_accents_are_written(form, pattern_form):
    """Macs write them in two characters, keyboards in one."""
    patterns = [unicodedata.normalize(pattern_form, "Gehälter*"), "résumés/**"]
    for name in ("gehälter.xlsx", "a/GEHÄLTER", "RÉSUMÉS/ada.txt"):
        assert is_denied(unicodedata.normalize(form, name), patterns)
    for name in ("gehalter.xlsx", "behälter", "resumes/ada.txt"):
        assert not is_denied(unicodedata.normalize(form, name), patterns)


@given(HOSTILE)
def test_a_safe_name_is_one_plain_component(sent):
    """Whatever was sent, its safe name is accepted as it is, hidden nowhere, and stays the same."""
    found = safe_name(sent)
    assert name_parts(found) == [found]
    assert not found.startswith((".", "-", "~", " "))
    assert len(found.encode()) <= 130
    assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs"} for c in found)
    assert safe_name(found) == found


@given(HOSTILE, st.sets(st.integers(1, 40)))
def test_a_free_name_is_free(sent, numbers):
    """A number goes between name and suffix until nothing is called so."""
    name = safe_name(sent)
    taken = {name}
    for _ in numbers:
        found = free_name(name, taken.__contains__)
        assert found not in taken
        taken.add(found)


def test_numbers_stand_in_front_of_the_suffix():
    """`name-2.ext`, also for suffixes of two parts; and there is an end."""
    assert free_name("a.tar.gz", {"a.tar.gz"}.__contains__) == "a-2.tar.gz"
    assert free_name("a", {"a", "a-2"}.__contains__) == "a-3"
    with pytest.raises(FileRefused, match="too many files"):
        free_name("a", lambda name: True)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/work/shop/out/a.png", "out/a.png"),
        ("file:///work/shop/a.png", "a.png"),
        ("./a.png", "a.png"),
        ("a.png", "a.png"),
        ("/work/shopping/a.png", None),
        ("/etc/passwd", None),
        ("/work/shop/", None),
    ],
)
def test_a_path_is_taken_relative_to_the_project(path, found):
    """One that lies elsewhere is none of the project."""
    assert path_below("/work/shop", path) == found


ANSWER = """
I wrote the report to `out/report.pdf` and [the plot](out/plot.png), see also
/work/shop/data/table.csv and `src/main.py`. The old one (old/summary.md) is unchanged.

- **docs/guide.md**
- ![chart](<my charts/chart 1.svg>)
- secrets: `server.pem`, `.env`, `../other/x.png`, /etc/motd.txt, `.git/logs/x.log`, ~/a.png
- https://example.com/picture.png stays a link, out/report.pdf came before.
"""


def test_files_of_an_answer_are_found_in_their_order():
    """Images and documents of the project, each once; no code, no secret, nothing from outside."""
    assert files_named_in(ANSWER, "/work/shop") == (
        "out/report.pdf",
        "out/plot.png",
        "data/table.csv",
        "old/summary.md",
        "docs/guide.md",
        "my charts/chart 1.svg",
    )
    assert files_named_in("`a.png`", "/work", ("*.png",)) == ()


@given(st.text(max_size=400))
def test_what_is_found_lies_in_the_project(answer):
    """Whatever an agent says, what is offered leads straight down and is no secret."""
    for name in files_named_in(answer + "`../x.png` a/../b.png", "/work"):
        assert name_parts(name)
        assert ".." not in name.split("/")


def test_an_answer_full_of_files_is_bounded():
    """Nobody looks for ten thousand files."""
    assert len(files_named_in(" ".join(f"a{n}.png" for n in range(10_000)), "/work")) == 40
    assert files_named_in(" ".join(f"id_rsa{n}.png" for n in range(10_000)), "/work") == ()


@pytest.mark.parametrize(
    ("args", "found"),
    [
        ("get src/main.py", FileCommandWords("get", "src/main.py")),
        ("GET  my file.txt ", FileCommandWords("get", "my file.txt")),
        ('get "a b.txt"', FileCommandWords("get", "a b.txt")),
        ("get `a.txt`", FileCommandWords("get", "a.txt")),
        ("put", FileCommandWords("put", "")),
        ("put docs/", FileCommandWords("put", "docs/")),
        ("put --replace docs/a.md", FileCommandWords("put", "docs/a.md", replace=True)),
        ("put --force docs/a.md", FileCommandWords("put", "docs/a.md", replace=True)),
        ("put --forced", FileCommandWords("put", "--forced")),
        ("put --replace", FileCommandWords("put", "", replace=True)),
        ("get", None),
        ("get --replace a", None),
        ("", None),
        ("delete a", None),
    ],
)
def test_the_words_of_the_command(args, found):
    """A verb and a path, which may be quoted and have spaces."""
    assert read_file_command(args) == found


def test_images_are_known_by_their_names():
    """The case of a suffix does not count."""
    assert is_image("a/B.PNG")
    assert not is_image("a.svg")
