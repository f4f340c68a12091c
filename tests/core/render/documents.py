"""Markdown documents for hypothesis.

A document grows from two numbers, its seed and its size: drawing every word one by one would make
10,000 documents an hour's work, and the size still shrinks.
"""

from random import Random

from hypothesis import strategies as st

WORDS = [
    *("apple", "größe", "日本語", "слово", "😀emoji", "x", "a1", "_under_score_", "3.14", "naïve"),
    *("مرحبا", "<b>bold</b>", "&", "👨\u200d👩\u200d👧", "e\u0301clair", "🇩🇪", "main.py"),
]
TARGETS = [
    "https://example.com/a?b=c",
    "http://localhost:8000",
    "src/main.py#L12",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "mailto:who@example.com",
    "tg://resolve?domain=x",
    "https://nodot/",
    "/abs/path.py:3",
]
LANGUAGES = ["", "python", "rust,ignore", "c++", "sh x.sh"]
CODE = [
    *(
        "x = 1",
        "\tif a:\n\t\tb",
        "",
        "  lead",
        "a\n\n\nb",
        "`tick`",
        "**no**",
        "λ → 😀",
        "x\n" * 40,
    ),
]
MARKS = ["- ", "* ", "1. ", "7) ", "- [ ] ", "- [x] "]
ODD = [
    *(
        "---",
        "    indented",
        "[1]: https://a.b/c",
        "[x]: y",
        "|",
        "text\n===",
        "[1]",
        "<!-- no -->",
    ),
]


def inline(random: Random, depth: int = 2) -> str:
    """Make words with marks in them."""
    words = random.choices(WORDS, k=random.randint(1, 5))
    if not depth:
        return " ".join(words)
    inner = inline(random, depth - 1)
    target = random.choice(TARGETS)
    marked = [
        f"**{inner}**",
        f"*{inner}*",
        f"~~{inner}~~",
        f"***{inner}***",
        f"[{inner}]({target})",
        f"![{inner}]({target})",
        f"[{inner} <{target}>]({target})",
        f"<{target}>",
        f"**a `{words[0]}` {inner}**",
        f"*{words[0]} `co de`*",
        f"{inner}  \nnext",
        f"{inner}\nnext",
    ]
    return " ".join([*words, random.choice(marked)])


def table(random: Random) -> str:
    """Make a table, narrow or wide, some with too many or too few cells."""
    count = random.randint(1, 4)
    rows = [[inline(random, 1).replace("\n", " ") for _ in range(count)] for _ in range(2)]
    marks = random.choices(["---", ":-:", "--:"], k=count)
    lines = ["| " + " | ".join(row) + " |" for row in (rows[0], marks, rows[1])]
    return "\n".join(lines) + random.choice(["", " more |", ""])


def block(random: Random, depth: int) -> str:
    """Make a block, which may hold others."""
    kind = random.randint(0, 9 if depth else 5)
    if kind <= 1:
        return inline(random)
    if kind == 2:
        return "#" * random.randint(1, 6) + " " + inline(random).replace("\n", " ")
    if kind == 3:
        return f"```{random.choice(LANGUAGES)}\n{random.choice(CODE)}\n```"
    if kind == 4:
        return table(random)
    if kind == 5:
        return random.choice(ODD)
    inner = document(random.randrange(2**32), random.randint(1, 3), depth - 1)
    if kind == 6:
        return "\n".join("> " + line for line in inner.split("\n"))
    mark = random.choice(MARKS)
    indent = " " * mark.index(" ") + " "
    return mark + inner.replace("\n", "\n" + indent)


def document(seed: int, size: int, depth: int = 2) -> str:
    """Make a document of `size` blocks, always the same for the same numbers."""
    random = Random(seed)
    return random.choice(["\n\n", "\n"]).join(block(random, depth) for _ in range(size))


# Sixteen blocks fill no message. This fills some and costs next to nothing to lay out: in words, in
# entities, in lines, in bytes, and in one word without an end.
FILLINGS = [
    *(
        "plain words " * 250,
        "`c` " * 110,
        f"{'a line ' * 20}\n" * 20,
        "日本語 😀 " * 400,
        "x" * 5_000,
    ),
]


def long_document(seed: int, size: int, fillings: int) -> str:
    """Make a document for several messages, with a filling behind each of its first blocks."""
    random = Random(seed)
    parts = [document(random.randrange(2**32), 1) for _ in range(size)]
    for place in range(fillings):
        parts.insert(2 * place + 1, random.choice(FILLINGS))
    return "\n\n".join(parts)


SEEDS = st.integers(0, 2**32)
SENTENCES = SEEDS.map(lambda seed: inline(Random(seed), 3))

# Characters that mean something to Markdown, to Telegram or to UTF-16, in any order.
NOISE = st.text(
    st.one_of(
        st.sampled_from("*_~`[]()<>#-+|!\\&:;=.1 \n\t\"'/ab"),
        st.sampled_from("\u200d\ufe0f\u0301\ud83d\ude00\x00\x1b\r\u2028"),
        st.characters(),
    ),
    max_size=80,
)

SHORT_DOCUMENTS = st.builds(document, SEEDS, st.integers(1, 5))
SOME_BLOCKS = st.builds(document, SEEDS, st.integers(3, 10))
LONG_DOCUMENTS = st.builds(document, SEEDS, st.integers(6, 16))
# Every limit is missed by documents that are far from it, so some just fit or just do not.
ABOUT_ONE_MESSAGE = st.builds(
    lambda words, units: words + "\n\n" + ("words " * 750)[: max(0, units - len(words))],
    SHORT_DOCUMENTS,
    st.integers(3_700, 4_500),
)
MANY_MESSAGES = ABOUT_ONE_MESSAGE | st.builds(
    long_document, SEEDS, st.integers(1, 4), st.integers(0, 7)
)
DOCUMENTS = st.one_of(
    SHORT_DOCUMENTS, NOISE, st.tuples(SHORT_DOCUMENTS, NOISE).map("\n\n".join), LONG_DOCUMENTS
)
