"""Where rich text is cut, and what each part keeps."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.render.documents import MANY_MESSAGES, NOISE, SHORT_DOCUMENTS, SOME_BLOCKS
from core.render.rules import assert_sendable, assert_well_formed, squeezed, tagged, units
from takopi.core.markdown import render_markdown
from takopi.core.richtext import Entity, RichText, plain, utf16_len
from takopi.core.split import (
    MAX_UNITS,
    cap_entities,
    count_entities,
    is_blank,
    join,
    split_rich,
    whole_characters,
)

# The full form makes 10,000 documents a law.
pytestmark = pytest.mark.timeout(1_800)

LIMITS = st.tuples(st.integers(20, 500), st.integers(1, 8))


@given(st.one_of(SOME_BLOCKS, SHORT_DOCUMENTS, NOISE), LIMITS)
def test_every_part_is_sendable_and_nothing_is_lost(source: str, limits: tuple[int, int]) -> None:
    """Parts keep the limits and are together the text but for white space at the cuts."""
    max_units, max_entities = limits
    rich = render_markdown(source)
    parts = split_rich(rich, max_units=max_units, max_entities=max_entities)
    for part in parts:
        assert_sendable(part, max_units=max_units, max_entities=max_entities)
    if not is_blank(rich.text):
        assert squeezed("".join(part.text for part in parts)) == squeezed(rich.text)


@given(MANY_MESSAGES)
def test_messages_keep_telegrams_limits(source: str) -> None:
    """The default limits are those of a message."""
    for part in split_rich(render_markdown(source)):
        assert_sendable(part)


@given(SOME_BLOCKS, LIMITS)
def test_formatting_goes_on_in_the_next_part(source: str, limits: tuple[int, int]) -> None:
    """What a kind marks in the whole, it marks in the parts, language and target included."""
    rich = render_markdown(source)
    parts = split_rich(rich, max_units=limits[0])
    assert _marked((rich,)) == _marked(parts)


def _marked(texts: tuple[RichText, ...]) -> dict[tuple[str, str | None, str | None], str]:
    """Collect what each kind, with its target or language, marks."""
    found: dict[tuple[str, str | None, str | None], str] = {}
    for text in texts:
        data = units(text.text)
        for entity in text.entities:
            words = data[entity.offset * 2 : (entity.offset + entity.length) * 2]
            key = (entity.kind, entity.url, entity.language)
            found[key] = found.get(key, "") + squeezed(words.decode("utf-16-le"))
    return found


def test_short_text_stays_in_one_piece() -> None:
    """What fits is not touched."""
    rich = render_markdown("# Title\n\n**words** and `code`")
    assert split_rich(rich) == (rich,)


@pytest.mark.parametrize("text", ["", " \n ", "\u200b\u2060", "\u2800\n\u3164"])
def test_blank_text_has_no_parts(text: str) -> None:
    """A chat refuses blank messages, so none are made."""
    assert split_rich(plain(text)) == ()


def test_a_cut_goes_to_a_blank_line_first() -> None:
    """Paragraphs stay whole as long as a part is well filled."""
    rich = plain("a" * 30 + "\n" + "b" * 30 + "\n\n" + "c" * 30 + "\n" + "d" * 30)
    assert [part.text[0] for part in split_rich(rich, max_units=100)] == ["a", "c"]


def test_a_cut_goes_to_a_line_end_next() -> None:
    """Lines stay whole where no blank line is near."""
    rich = plain("\n".join("word " * 5 for _ in range(9)))
    parts = split_rich(rich, max_units=100)
    assert all(
        set(part.text.split("\n")) <= {"word " * 5, "word word word word word"} for part in parts
    )


def test_a_cut_goes_between_words_then() -> None:
    """Words stay whole in one long paragraph."""
    parts = split_rich(plain("word " * 100), max_units=48)
    assert {word for part in parts for word in part.text.split()} == {"word"}
    assert len(parts) == 12


def test_a_cut_goes_anywhere_at_last() -> None:
    """One endless word is cut at the limit."""
    parts = split_rich(plain("x" * 250), max_units=100)
    assert [len(part.text) for part in parts] == [100, 100, 50]


def test_code_is_not_cut_when_it_fits_a_part() -> None:
    """A code block goes as a whole to the next part, though its own blank line is nearer."""
    rich = render_markdown("words " * 10 + "\n\n```py\n" + "x = 1\n\n" * 8 + "```")
    first, second = split_rich(rich, max_units=100)
    assert first.entities == ()
    assert [entity.kind for entity in second.entities] == ["pre"]


def test_long_code_is_cut_at_line_ends_and_keeps_its_language_and_indent() -> None:
    """Every part of a long block is code of the same language; the first indent stays."""
    rich = render_markdown("```py\nif x:\n" + "    call()\n" * 40 + "```")
    parts = split_rich(rich, max_units=100)
    assert len(parts) > 3
    for part in parts:
        (entity,) = part.entities
        assert (entity.kind, entity.language, entity.offset) == ("pre", "py", 0)
        assert set(part.text.split("\n")) <= {"if x:", "    call()"}


def test_a_heading_goes_with_what_follows() -> None:
    """No part ends with a heading."""
    rich = render_markdown("one " * 10 + "\n\n" + "two " * 8 + "\n\n## Three\n\n" + "four " * 12)
    first, second = split_rich(rich, max_units=95)
    assert first.text.endswith("two")
    assert second.text.startswith("Three")


def test_entities_are_cut_with_the_text() -> None:
    """A range that a cut goes through ends and begins again."""
    parts = split_rich(render_markdown("**" + "bold " * 9 + "end**"), max_units=30)
    assert [tagged(part) for part in parts] == [
        "<b>bold bold bold bold bold bold</b>",
        "<b>bold bold bold end</b>",
    ]


def test_a_part_ends_before_an_entity_too_many() -> None:
    """The counted entities of a part stay below the limit; none is dropped."""
    rich = render_markdown(" ".join(f"`c{n}`" for n in range(250)))
    parts = split_rich(rich)
    assert [count_entities(part) for part in parts] == [100, 100, 50]


def test_entities_that_start_together_are_capped() -> None:
    """Should more than the limit start at one place, the surplus is dropped as Telegram does."""
    entities = tuple(Entity("code", 0, 5) for _ in range(5))
    (part,) = split_rich(RichText("words", entities), max_entities=3)
    assert len(part.entities) == 3


FAMILY = "👨\u200d👩\u200d👧\u200d👦"


@pytest.mark.parametrize(
    "character",
    ["😀", FAMILY, "👍🏽", "e\u0301\u0302", "🇩🇪", "❤\ufe0f", "नि", "🏴\U000e0067\U000e007f"],
)
@pytest.mark.parametrize("max_units", [12, 13, 14, 15])
def test_characters_stay_whole(character: str, max_units: int) -> None:
    """A cut breaks neither surrogate pairs nor what several code points show as one."""
    parts = split_rich(plain(character * 30), max_units=max_units)
    assert "".join(part.text for part in parts) == character * 30
    for part in parts:
        assert part.text.replace(character, "") == ""


def test_a_character_without_end_is_cut_all_the_same() -> None:
    """Endless combining marks do not stop the splitter."""
    text = "e" + "\u0301" * 300
    parts = split_rich(plain(text), max_units=50)
    assert "".join(part.text for part in parts) == text
    assert whole_characters("\r\nx", 0, 1) == 1
    assert whole_characters("ab", 0, 2) == 2
    assert whole_characters("ab\r\nx", 0, 3) == 2


def test_a_part_of_the_least_size_takes_a_whole_character() -> None:
    """Two units are room for any one code point."""
    assert [part.text for part in split_rich(plain("😀a😀"), max_units=2)] == ["😀", "a", "😀"]


def test_bytes_never_pass_the_limit() -> None:
    """A limit in units far beyond a message's still keeps 32,768 bytes."""
    parts = split_rich(plain("日" * 40_000), max_units=1_000_000)
    assert max(len(part.text.encode()) for part in parts) <= 32_768


def test_ranges_lose_white_space_at_their_ends() -> None:
    """Text that others made is trimmed like our own."""
    (part,) = split_rich(RichText("ab  cd  e", (Entity("bold", 0, 4), Entity("italic", 6, 2))))
    assert tagged(part) == "<b>ab</b>  cd  e"
    (part,) = split_rich(RichText("ab  cd", (Entity("code", 2, 4),)))
    assert tagged(part) == "ab  <code>cd</code>"


def test_blank_stretches_are_left_out() -> None:
    """A stretch of white space longer than a part makes no part."""
    parts = split_rich(plain("a" + "\n" * 300 + "b" + "\u200b" * 50 + " c"), max_units=20)
    assert squeezed("".join(part.text for part in parts)).replace("\u200b", "") == "abc"


def test_splitting_takes_linear_time() -> None:
    """A megabyte is cut in far less than a second a part."""
    rich = render_markdown("word `code` 😀\n" * 4_000)
    parts = split_rich(rich)
    assert len(parts) >= 4_000 // 100
    assert sum(utf16_len(part.text) for part in parts) >= 4_000 * 12
    assert max(utf16_len(part.text) for part in parts) <= MAX_UNITS


def test_joined_texts_keep_their_formatting() -> None:
    """Offsets move by UTF-16 units."""
    whole = join(plain("😀 "), render_markdown("**b**"), plain(" "), render_markdown("`c`"))
    assert tagged(whole) == "😀 <b>b</b> <code>c</code>"
    assert_well_formed(whole)
    assert join() == RichText("")


def test_capped_entities_keep_what_is_not_counted() -> None:
    """Only counted kinds are capped."""
    rich = render_markdown("`a` **b** `c` `d` **e**")
    assert tagged(cap_entities(rich, 2)) == "<code>a</code> <b>b</b> <code>c</code> d <b>e</b>"
    assert cap_entities(rich, 3) is rich


def test_rich_text_survives_its_wire_form() -> None:
    """Parts can be stored and read back."""
    (part,) = split_rich(render_markdown("[a](https://b.io) `c`"))
    assert msgspec.json.decode(msgspec.json.encode(part), type=RichText) == part
