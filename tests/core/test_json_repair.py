"""Broken JSON of real engines: half surrogate pairs and bytes that are no UTF-8."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.json_repair import repair_json


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (rb'{"a":"x\ud83d"}', "x\ufffd"),
        (rb'{"a":"\ude00y"}', "\ufffdy"),
        (rb'{"a":"\ud83d\ud83d\ude00"}', "\ufffd😀"),
        (rb'{"a":"\\\ud83d"}', "\\\ufffd"),
        (b'{"a":"\xff\xfe"}', "\ufffd\ufffd"),
    ],
)
def test_what_breaks_a_strict_parser_is_replaced(line: bytes, value: str) -> None:
    """Half a pair or a stray byte becomes U+FFFD, and the line is readable."""
    mended = repair_json(line)
    assert mended is not None
    assert msgspec.json.decode(mended) == {"a": value}


@pytest.mark.parametrize("line", [rb'{"a":"\ud83d\ude00"}', rb'{"a":"\\ud83d"}', b"{", b""])
def test_what_has_no_such_fault_is_left_alone(line: bytes) -> None:
    """Whole pairs, and an escaped backslash before `ud83d`, are no fault."""
    assert repair_json(line) is None


@given(st.text(st.characters(categories=["Cs", "L", "Po"]), max_size=20))
def test_whatever_a_javascript_engine_writes_can_be_read(text: str) -> None:
    """A text with lone surrogates, as JSON.stringify writes it, never costs its line."""
    line = json.dumps({"a": text}).encode()
    decoded = msgspec.json.decode(repair_json(line) or line)
    pairs = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert decoded["a"].replace("\ufffd", "") == pairs.replace("\ufffd", "")
