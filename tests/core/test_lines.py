r"""The line splitter: what went in comes out, cut at ``\n`` only, whatever the chunks."""

from hypothesis import given
from hypothesis import strategies as st

from takopi.core.lines import MAX_LINE_BYTES, LineSplitter, Oversized

STREAMS = st.lists(
    st.sampled_from([b"\n", b"a", b"\r", b"\xe2\x80\xa8", b"\x85", b"{}", b"\x00", b"bcdef"])
).map(b"".join)


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """Cut data into chunks of the sizes, the rest in one."""
    chunks, at = [], 0
    for size in sizes:
        chunks.append(data[at : at + size])
        at += size
    return [*chunks, data[at:]]


def split(chunks: list[bytes], limit: int = MAX_LINE_BYTES) -> list[bytes | Oversized]:
    """Feed the chunks to a splitter and return all lines."""
    splitter = LineSplitter(limit)
    lines = [line for chunk in chunks for line in splitter.feed(chunk)]
    return lines + splitter.finish()


@given(STREAMS, st.lists(st.integers(0, 7)))
def test_the_lines_joined_are_the_stream(data: bytes, sizes: list[int]) -> None:
    """Nothing is lost or added, and the chunks do not matter."""
    lines = split(cut(data, sizes))
    assert lines == split([data])
    assert b"\n".join(lines) == data.removesuffix(b"\n")  # type: ignore[arg-type]


@given(STREAMS, st.lists(st.integers(0, 7)), st.integers(1, 5))
def test_a_line_over_the_cap_becomes_a_mark_with_its_size(
    data: bytes, sizes: list[int], limit: int
) -> None:
    """Lines up to the cap stay, longer ones are counted, however they were cut."""
    expected = [line if len(line) <= limit else Oversized(len(line)) for line in split([data])]  # type: ignore[arg-type]
    assert split(cut(data, sizes), limit) == expected


def test_feeding_byte_by_byte_gives_the_same_lines() -> None:
    """One-byte chunks are the hardest cut."""
    data = b"one\n\n\xe2\x80\xa8two\r\nthree"
    assert split([data[i : i + 1] for i in range(len(data))]) == [
        b"one",
        b"",
        b"\xe2\x80\xa8two\r",
        b"three",
    ]


def test_a_line_of_exactly_the_cap_stays() -> None:
    """The cap itself is allowed, with and without newline."""
    assert split([b"abc\n"], 3) == [b"abc"]
    assert split([b"ab", b"c"], 3) == [b"abc"]
    assert split([b"abcd"], 3) == [Oversized(4)]


def test_a_long_line_in_small_chunks_costs_linear_time() -> None:
    """Copying the line for each of 131,072 chunks would take hours, not a blink."""
    splitter, chunk = LineSplitter(), b"x" * 64
    for _ in range(131_072):
        assert splitter.feed(chunk) == []
    assert splitter.finish() == [b"x" * 8 * 1024 * 1024]


def test_a_line_of_several_chunks_is_bytes_of_its_own() -> None:
    """Hooks decode it as bytes, and it keeps none of the chunks that it came in alive."""
    splitter = LineSplitter()
    assert splitter.feed(b"one\ntw") == [b"one"]
    (line,) = splitter.feed(b"o\n")
    assert type(line) is bytes
    assert splitter._tail == []
    splitter.feed(b"end")
    assert type(splitter.finish()[0]) is bytes


def test_nothing_is_kept_of_a_line_that_was_given_up() -> None:
    """Beyond the cap memory does not grow."""
    splitter = LineSplitter(10)
    for _ in range(100):
        assert splitter.feed(b"x" * 8) == []
    assert len(splitter._tail) == 0
    assert splitter.feed(b"\nok\n") == [Oversized(800), b"ok"]
    assert splitter.finish() == []
