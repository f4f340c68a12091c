"""What each construct of Markdown becomes, written down with tags.

`<b>`, `<i>`, `<s>`, `<code>`, `<pre language>`, `<quote>` and `<a target>` stand for entities.
"""

import pytest

from core.render.rules import assert_well_formed, tagged
from takopi.core.markdown import render_markdown

INLINE = {
    "plain words": ("plain words", "plain words"),
    "bold, italic, struck": ("**b** *i* ~~s~~", "<b>b</b> <i>i</i> <s>s</s>"),
    "nested emphasis": ("**a *b* c**", "<b>a <i>b</i> c</b>"),
    "bold in bold is said once": ("**a **b** c**", "<b>a b c</b>"),
    "code": ("run `make test` now", "run <code>make test</code> now"),
    "code ends emphasis and lets it go on": (
        "**see `x` there**",
        "<b>see</b> <code>x</code> <b>there</b>",
    ),
    "code alone in emphasis": ("*`x`*", "<code>x</code>"),
    "marks in code stay": ("`**a** <b>`", "<code>**a** <b></code>"),
    "line ends stay": ("one\ntwo  \nthree\\\nfour", "one\ntwo\nthree\nfour"),
    "HTML stays": ("<b>x</b> <!-- y -->", "<b>x</b> <!-- y -->"),
    "HTML blocks stay": ("<div>\n*x*\n</div>", "<div>\n<i>x</i>\n</div>"),
    "named characters": ("a &lt; b &amp;&nbsp;c", "a < b &\xa0c"),
    "escapes": (r"\*no\* 2 \> 1", "*no* 2 > 1"),
    "names with underscores": (
        "snake_case_name and __init__.py",
        "snake_case_name and <b>init</b>.py",
    ),
    "unclosed marks": ("2 * 3 ** 4 ` 5", "2 * 3 ** 4 ` 5"),
    "footnotes": ("a[^1]\n\n[^1]: see", "a[^1]\n\n[^1]: see"),
    "astral characters": ("😀 **b😀** c", "😀 <b>b😀</b> c"),
}

LINKS = {
    "web link": ("[docs](https://a.io/x)", "<a https://a.io/x>docs</a>"),
    "web link with styled words": (
        "[a **b** `c`](https://a.io)",
        "<a https://a.io>a <b>b</b> c</a>",
    ),
    "link without words": ("[](https://a.io/x)", "<a https://a.io/x>https://a.io/x</a>"),
    "blanks and umlauts are escaped": (
        "[x](<https://a.io/a b/ü>)",
        "<a https://a.io/a%20b/%C3%BC>x</a>",
    ),
    "tg link": ("[x](tg://resolve?domain=y)", "<a tg://resolve?domain=y>x</a>"),
    "address in angles": ("<https://a.io/x>", "<a https://a.io/x>https://a.io/x</a>"),
    "bare address": ("see https://a.io/x_y_z", "see https://a.io/x_y_z"),
    "types in angles": ("vector<std::string> v", "vector<std::string> v"),
    "mail in angles": ("<who@a.io>", "who@a.io"),
    "mail behind words": ("[mail](mailto:who@a.io)", "mail (who@a.io)"),
    "mail without words": ("[](mailto:who@a.io)", "who@a.io"),
    "local path behind words": ("[here](main.py#L12)", "here (<code>main.py#L12</code>)"),
    "local path that names itself": ("[main.py](src/main.py:12)", "<code>src/main.py:12</code>"),
    "local path that names itself as code": ("[`a.py`](/x/a.py#L1)", "<code>/x/a.py#L1</code>"),
    "file address": ("[x](file:///etc/passwd)", "x (<code>file:///etc/passwd</code>)"),
    "script": ("[x](javascript:alert(1))", "x (<code>javascript:alert(1)</code>)"),
    "host without a dot": ("[x](http://localhost:80)", "x (<code>http://localhost:80</code>)"),
    "link without target": ("[x]()", "x"),
    "reference": ("[x][1]\n\n[1]: https://a.io", "<a https://a.io>x</a>"),
    "unused definition": ("hi\n\n[1]: https://a.io 'T'", "hi\n\n[1]: https://a.io 'T'"),
    "log line that looks like a definition": ("[INFO]: done", "[INFO]: done"),
    "definition given twice": (
        "[1]\n\n[1]: https://a.io\n[1]: https://b.io",
        "<a https://a.io>1</a>\n\n<a https://a.io>1</a>: https://b.io",
    ),
    "web image": ("![alt](https://a.io/p.png)", "<a https://a.io/p.png>alt</a>"),
    "local image": ("![a plot](out/p.png)", "a plot (<code>out/p.png</code>)"),
    "image without words": ("![](p.png)", "<code>p.png</code>"),
    "badge": ("[![ok](https://a.io/b)](https://c.io)", "<a https://c.io>ok</a>"),
    "link in emphasis": ("**[x](https://a.io)!**", "<b><a https://a.io>x</a>!</b>"),
}

BLOCKS = {
    "heading": ("# One *two*\ntext", "<b>One <i>two</i></b>\n\ntext"),
    "underlined heading": ("One\n---\ntext", "<b>One</b>\n\ntext"),
    "heading with code": ("## Use `x` now", "<b>Use</b> <code>x</code> <b>now</b>"),
    "paragraphs": ("one\n\n\n\ntwo", "one\n\ntwo"),
    "rule": ("one\n\n***\n\ntwo", "one\n\n———\n\ntwo"),
    "fence": ("a\n```py\nif x:\n    y\n```\nb", "a\n\n<pre py>if x:\n    y</pre>\n\nb"),
    "fence without end": ("```\nx\n", "<pre>x</pre>"),
    "fence keeps its first indent": ("```\n\n  x\n y\n\n```", "<pre>  x\n y</pre>"),
    "fence with tabs": ("```go\n\tx\n```", "<pre go>    x</pre>"),
    "fence with a title": ("```py a.py\nx\n```", "a.py\n\n<pre py>x</pre>"),
    "fence with odd language": ("```{.r}\nx\n```", "{.r}\n\n<pre>x</pre>"),
    "empty fence": ("a\n```py\n```\nb", "a\n\npy\n\nb"),
    "empty fence without language": ("a\n```\n```\nb", "a\n\nb"),
    "indented code": ("a\n\n    x\n      y", "a\n\n<pre>x\n  y</pre>"),
    "quote": ("> a **b**\n> c", "<quote>a <b>b</b>\nc</quote>"),
    "nested quotes are one": ("> a\n> > b\n\nc", "<quote>a\n\nb</quote>\n\nc"),
    "quote with code": ("> a\n> ```\n> x\n> ```", "<quote>a\n\n<pre>x</pre></quote>"),
    "two quotes": ("> a\n\n> b", "<quote>a</quote>\n\n<quote>b</quote>"),
    "empty quote": ("a\n\n>\n\nb", "a\n\nb"),
}

LISTS = {
    "bullets": ("- a\n- b\n\nc", "• a\n• b\n\nc"),
    "numbers go on": ("3. a\n3. b", "3. a\n4. b"),
    "numbers with brackets": ("1) a\n2) b", "1) a\n2) b"),
    "nested": (
        "- a\n  - b\n    - c\n      - d\n- e",
        "• a\n    ◦ b\n        ▪ c\n            • d\n• e",
    ),
    "bullets in numbers": ("1. a\n   - b\n2. c", "1. a\n    • b\n2. c"),
    "loose": ("- a\n\n- b", "• a\n\n• b"),
    "paragraphs of an item": ("1. a\n\n   b\n2. c", "1. a\n\n    b\n\n2. c"),
    "lines of an item": ("- a\n  b", "• a\n    b"),
    "tasks": ("- [ ] a\n- [x] **b**\n- [X] c", "☐ a\n☑ <b>b</b>\n☑ c"),
    "no task": ("- [y] a\n- [x]b", "• [y] a\n• [x]b"),
    "empty item": ("- a\n-\n- b", "• a\n•\n• b"),
    "code in an item": ("- a\n  ```\n  x\n  ```\n- b", "• a\n\n<pre>x</pre>\n• b"),
    "item that starts with code": ("- ```\n  x\n  ```", "•\n<pre>x</pre>"),
    "item that starts with a quote": ("- > a\n  > b", "•\n<quote>a\nb</quote>"),
    "item that starts with a list": ("- - a", "•\n    ◦ a"),
    "list in a quote": ("> - a\n>   - b", "<quote>• a\n    ◦ b</quote>"),
    "quote in a list": ("- a\n  > b\n  - c", "• a\n\n<quote>b</quote>\n    ◦ c"),
}

TABLES = {
    "narrow": (
        "| a | b |\n|---|--:|\n| `x` | 10 |\n| yy | |",
        "<pre>a  |  b\n---+---\nx  | 10\nyy |</pre>",
    ),
    "centred, wide characters": (
        "|名前|n|\n|:-:|---|\n|x|1|",
        "<pre>名前 | n\n-----+--\n x   | 1</pre>",
    ),
    "header only": ("|a|b|\n|-|-|", "<pre>a | b\n--+--</pre>"),
    "cells broken between words": (
        "|file|what|\n|---|---|\n|a.py|renders all the progress and final messages|\n|b|no|",
        "<pre>file | what\n-----+----------------------------------\n"
        "a.py | renders all the progress and\n     | final messages\n"
        "-----+----------------------------------\nb    | no</pre>",
    ),
    "links make it a list": (
        "| PR | state |\n|---|---|\n| [#1](https://a.io/1) | open |\n| [#2](https://a.io/2) | |",
        "<b>PR: <a https://a.io/1>#1</a></b>\n• state: open\n\n<b>PR: <a https://a.io/2>#2</a></b>",
    ),
    "too wide makes it a list": (
        "| file | |\n|---|---|\n| src/takopi/core/markdown/blocks.py | src/takopi/core/tables.py |",
        "<b>file: src/takopi/core/markdown/blocks.py</b>\n• src/takopi/core/tables.py",
    ),
    "too wide and nothing but a header": (
        "| [a](https://a.io) | b |\n|---|---|",
        "<a https://a.io><b>a</b></a>\n• b",
    ),
    "more cells than the header": ("|a|\n|-|\n|x|y|", "<pre>a\n-----\nx | y</pre>"),
    "after words": ("hi\n\n|a|\n|-|\n|b|\n\nbye", "hi\n\n<pre>a\n-\nb</pre>\n\nbye"),
}

CASES = {**INLINE, **LINKS, **BLOCKS, **LISTS, **TABLES}


@pytest.mark.parametrize("name", CASES)
def test_markdown_becomes_what_a_reader_expects(name: str) -> None:
    """Each construct has one form in the chat."""
    source, expected = CASES[name]
    rich = render_markdown(source)
    assert_well_formed(rich)
    assert tagged(rich) == expected


@pytest.mark.parametrize("source", ["", " \n\t", "\x00", "\u2028", "\x1b[31m\x1b[0m", "[]()"])
def test_nothing_becomes_nothing(source: str) -> None:
    """Blank sources make blank text and no entity."""
    rich = render_markdown(source)
    assert rich.text.strip() == ""
    assert rich.entities == ()


def test_a_link_definition_is_found_wherever_it_stands() -> None:
    """A definition in a quote or list is used and, once used, not shown."""
    rich = render_markdown("[x][1]\n\n> - [1]: https://a.io\n\n![p][2]\n\n[2]: https://b.io/p.png")
    assert tagged(rich).startswith("<a https://a.io>x</a>")
    assert tagged(rich).endswith("<a https://b.io/p.png>p</a>")


def test_too_many_brackets_are_read_as_text() -> None:
    """Beyond thousands of brackets links are not looked for, and every word stays."""
    source = "[a](https://b.io) " * 6_000
    assert render_markdown(source).text == source.strip()
