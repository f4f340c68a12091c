"""Laws of the renderer, for documents that nobody wrote by hand."""

import re
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.render.documents import DOCUMENTS, SENTENCES
from core.render.rules import assert_well_formed, covered
from takopi.core.markdown import is_web_link, render_markdown
from takopi.core.markdown.links import link_url


@given(DOCUMENTS)
def test_every_document_becomes_well_formed_rich_text(source: str) -> None:
    """Ranges lie inside, halve no character, never cross, and nothing styles code."""
    rich = render_markdown(source)
    assert_well_formed(rich)
    assert rich.text == rich.text.rstrip()
    for entity in rich.entities:
        assert (entity.kind == "text_link") == (entity.url is not None)
        assert entity.url is None or link_url(entity.url) == entity.url
        assert entity.kind == "pre" or entity.language is None


@given(DOCUMENTS)
def test_no_control_character_and_no_half_character_remains(source: str) -> None:
    """What is rendered can be encoded and holds no control character but line ends."""
    text = render_markdown(source).text
    text.encode("utf-8")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e]", text)


@given(st.text(st.sampled_from("ab \n*_#>-+.1|=\\\t"), max_size=200))
def test_no_letter_is_ever_lost(source: str) -> None:
    """Marks may go, letters stay, in their order."""
    assert re.findall("[ab]", render_markdown(source).text) == re.findall("[ab]", source)


@given(st.text(st.sampled_from("ab \n`~>-|[]:^!x"), max_size=200))
def test_no_letter_is_lost_to_fences_tables_and_definitions(source: str) -> None:
    """A letter is in the text or, behind the marks of a fence, in the code's language."""
    rich = render_markdown(source)
    languages = "".join(entity.language or "" for entity in rich.entities)
    shown = sorted(re.findall("[ab]", rich.text + languages))
    assert shown == sorted(re.findall("[ab]", source))


@given(st.lists(st.text(st.sampled_from("abc"), min_size=1, max_size=8), min_size=1, max_size=40))
def test_words_between_html_tags_keep_their_tags(words: list[str]) -> None:
    """HTML is text like any other."""
    source = " ".join(f"<b>{word}</b> <div> </{word}>" for word in words)
    assert render_markdown(source).text == source


@given(SENTENCES)
def test_links_are_kept_only_where_a_chat_takes_them(source: str) -> None:
    """A target that a chat would refuse is never in an entity, and stays readable."""
    rich = render_markdown(source)
    for entity in rich.entities:
        assert entity.url is None or is_web_link(entity.url)
    for target in ("src/main.py#L12", "file:///etc/passwd", "javascript:alert(1)"):
        assert (f"]({target})" in source) <= (target in rich.text)


# The full form makes 10,000 documents a law.
pytestmark = pytest.mark.timeout(1_800)

BOMBS = {
    "quotes": ">" * 20_000,
    "quotes with blanks": "> " * 20_000,
    "lists": "- " * 10_000,
    "numbers": "1. " * 10_000,
    "stairs": "".join("  " * n + "- word\n" for n in range(300)),
    "mixed": "".join("> - " * n + "word\n\n" for n in range(60)),
    "lazy": "> " * 90 + "a\n" + "b\n" * 8_000,
    "brackets": "[" * 20_000,
    "links": "[" * 2_000 + "](a)" * 2_000,
    "images": "![" * 2_000 + "](a)" * 2_000,
    "open images": "![[]()" * 4_000,
    "emphasis": "*a **b " * 3_000 + "c* d**" * 3_000,
    "stars": "*" * 20_000,
    "underscores": "_a __b " * 3_000,
    "backticks": "".join("`" * n + " " for n in range(200)),
    "pipes": "|a" * 100 + "\n" + "|-" * 100 + "\n" + "|\n" * 1_500,
    "definitions": "".join(f"[a{n}]: https://b.c/{n}\n" for n in range(2_000)),
    "references": "[a]: https://b.c\n\n" + "[a] " * 5_000,
    "entities": "&amp;" * 5_000,
    "blank lines": "\n" * 20_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_rendered_in_time(name: str) -> None:
    """Deep nesting and endless marks neither raise nor take long (generous: shared machines)."""
    started = time.process_time()
    assert_well_formed(render_markdown(BOMBS[name]))
    assert time.process_time() - started < 5


@pytest.mark.parametrize("depth", [5, 15, 40, 200])
@pytest.mark.parametrize("mark", ["> ", "- ", "1. ", "> - ", "- > 1. "])
def test_what_is_nested_too_deeply_stays_as_text(mark: str, depth: int) -> None:
    """However deep words stand, they are shown."""
    assert "deepest words" in render_markdown(mark * depth + "deepest words").text


ORDINARY = """## Part {n}

Fixed the **parser** in [`parser.py`](src/parser.py:12), see [docs](https://example.com/{n}).
It now handles *nested* lists, `code` and tables:

- one item with `code` and **bold** words
  - a nested one
- [x] another

```python
def function_{n}(value: int) -> int:
    return value + {n}
```

| name | count |
|------|------:|
| a{n} | {n}   |

"""


def test_100_kb_take_less_than_half_a_second() -> None:
    """An ordinary answer of 100 KB costs no more CPU than a person would notice."""
    source = ""
    while len(source) < 100_000:
        source += ORDINARY.format(n=len(source))
    render_markdown(source[:1_000])
    if _is_traced():
        assert _seconds(source) < 5
    else:
        assert any(_seconds(source) < 0.5 for _ in range(3))


def _seconds(source: str) -> float:
    started = time.process_time()
    render_markdown(source)
    return time.process_time() - started


def _is_traced() -> bool:
    """Tell whether coverage is measured, which slows every line down."""
    return sys.gettrace() is not None or "coverage" in sys.modules


def test_entities_mark_what_markdown_marked() -> None:
    """Offsets count UTF-16 units, also behind characters of two."""
    rich = render_markdown("😀😀 **bold 😀** and `code`")
    assert [covered(rich, entity) for entity in rich.entities] == ["bold 😀", "code"]
    assert [entity.offset for entity in rich.entities] == [5, 17]
