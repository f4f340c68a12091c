"""HTML of plug-ins: its tags become marks, and whatever else it is stays readable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.html_text import read_html
from takopi.core.richtext import Entity, utf16_len


@pytest.mark.parametrize(
    ("html", "text", "marks"),
    [
        ("<b>a</b> &lt;x&gt; &amp; b", "a <x> & b", [Entity("bold", 0, 1)]),
        ("🐙<i>é</i>", "🐙é", [Entity("italic", 2, 1)]),
        (
            "<strong>a<u>b</u></strong>",
            "ab",
            [Entity("bold", 0, 2), Entity("underline", 1, 1)],
        ),
        (
            '<a href="https://x.org/?a=1&amp;b=2">x</a>',
            "x",
            [Entity("text_link", 0, 1, url="https://x.org/?a=1&b=2")],
        ),
        ('<a href="javascript:x">x</a><a>y</a>', "xy", []),
        (
            '<pre><code class="language-py">a = <b>1</b></code></pre>',
            "a = 1",
            [Entity("pre", 0, 5, language="py")],
        ),
        ("<code>a<s>b</s></code>", "ab", [Entity("code", 0, 2)]),
        ("a<br>b<br/>c", "a\nb\nc", []),
        (
            "<blockquote expandable>a</blockquote><blockquote>b</blockquote>",
            "ab",
            [Entity("expandable_blockquote", 0, 1), Entity("blockquote", 1, 1)],
        ),
        ('<span class="tg-spoiler">a</span><h1>b</h1>', "ab", []),
        ("<b><i>a</b>b", "ab", [Entity("bold", 0, 1), Entity("italic", 0, 1)]),
        ("</b>a<b>", "a", []),
        ("<b>a", "a", [Entity("bold", 0, 1)]),
        ("1 < 2 > 0", "1 < 2 > 0", []),
    ],
)
def test_tags_become_marks(html: str, text: str, marks: list[Entity]) -> None:
    """In units of UTF-16."""
    rich = read_html(html)
    assert rich.text == text
    assert sorted(rich.entities, key=str) == sorted(marks, key=str)


TAGS = ("<b>", "</b>", "<i>", "</i>", "<pre>", "</pre>", "<code>", "</code>", "<br>")
PIECES = st.sampled_from((*TAGS, "<a href='tg://x'>", "</a>", "a", "🐙", "<", "&amp", "<!--", "</"))


@given(st.lists(PIECES, max_size=20).map("".join) | st.text(max_size=40))
def test_marks_of_any_text_lie_in_it_and_in_each_other(html: str) -> None:
    """Nothing is refused, whatever stands there."""
    rich = read_html(html)
    spans = [(one.offset, one.offset + one.length) for one in rich.entities]
    assert all(0 <= start < end <= utf16_len(rich.text) for start, end in spans)
    for first in spans:
        for second in spans:
            assert second[0] >= first[1] or second[0] <= first[0] or second[1] <= first[1]
    assert [start for start, _ in spans] == sorted(start for start, _ in spans)
