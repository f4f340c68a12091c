"""A field of a wrong type costs that field, never the line."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.schemas._salvage import salvage, salvaging_decoder
from takopi.schemas.claude import ClaudeEvent
from takopi.schemas.claude import decode_event as decode_claude
from takopi.schemas.codex import CodexEvent
from takopi.schemas.codex import decode_event as decode_codex


class Part(msgspec.Struct):
    """Be a nested struct."""

    name: str = ""
    size: int = 0


class Whole(msgspec.Struct):
    """Be a line."""

    kind: str = ""
    part: Part | None = None
    parts: list[Part] = []
    more: tuple[Part, ...] = ()
    words: tuple[str, ...] = ()
    numbers: list[int] = []
    one: Part = msgspec.field(default_factory=Part)
    wire: str = msgspec.field(name="onWire", default="")
    any: Any = None


decode = salvaging_decoder(Whole)

plain = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=5)
names = st.sampled_from(["name", "size", "type", "text", "id", "message", "content"])
shallow = plain | st.lists(plain, max_size=3) | st.dictionaries(names, plain, max_size=3)
json_values = shallow | st.lists(shallow, max_size=3) | st.dictionaries(names, shallow, max_size=3)


def test_what_fits_is_read_as_it_is() -> None:
    """The fast way and the slow one give the same."""
    line = b'{"kind":"k","part":{"name":"n","size":1},"parts":[{"name":"a"}],"onWire":"w","new":1}'
    assert decode(line) == salvage(Whole, msgspec.json.decode(line))
    assert decode(line).wire == "w"


def test_only_what_does_not_fit_is_lost() -> None:
    """Nested structs and lists of them are saved as far as they go."""
    line = b"""{"kind":7,"part":{"name":"n","size":"big"},"parts":[{"name":1,"size":2},"x"],
        "more":[{"name":"m"},null,{"size":[]}],"words":["a",1,"b"],"numbers":[1,"x",2],
        "one":3,"any":{"deep":[1]}}"""
    assert decode(line) == Whole(
        part=Part("n"),
        parts=[Part("", 2)],
        more=(Part("m"), Part()),
        words=("a", "b"),
        numbers=[1, 2],
        any={"deep": [1]},
    )


@pytest.mark.parametrize("line", [b"[]", b"null", b"7", b'"x"'])
def test_what_is_no_object_is_refused(line: bytes) -> None:
    """Such a line is reported as it is."""
    with pytest.raises(msgspec.ValidationError, match="expected an object"):
        decode(line)


def test_what_is_no_json_is_refused() -> None:
    """Mending is the base's matter."""
    with pytest.raises(msgspec.DecodeError):
        decode(b'{"kind":')


@pytest.mark.timeout(600)
@given(
    fields=st.dictionaries(
        st.sampled_from(sorted({*CodexEvent.__struct_fields__, *ClaudeEvent.__struct_fields__})),
        json_values,
        max_size=4,
    )
)
def test_any_object_is_a_line_of_an_engine(fields: dict[str, Any]) -> None:
    """Whatever a field holds, the line is read."""
    line = msgspec.json.encode(fields)
    assert isinstance(decode_codex(line), CodexEvent)
    assert isinstance(decode_claude(line), ClaudeEvent)
