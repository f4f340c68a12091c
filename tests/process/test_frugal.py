"""JSON without the json package: the same results as with it."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.process.frugal import decode_json, encode_json, write_atomically

texts = st.text(max_size=8) | st.text(st.characters(categories=["Cs"]), max_size=3)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)


@given(st.dictionaries(texts, values, max_size=3))
def test_what_is_written_reads_as_the_json_package_reads_it(value: dict[str, object]) -> None:
    """Both readers give back what was written, lone surrogates included."""
    text = encode_json(value)
    expected = json.loads(json.dumps(value))
    assert json.loads(text) == expected
    assert decode_json(text) == expected
    assert decode_json(json.dumps(value, indent=1), frugal=False) == expected


@pytest.mark.parametrize("frugal", [True, False])
@pytest.mark.parametrize("text", ["", "{", "[1]", '{"a":}', "x", "1"])
def test_what_is_no_object_is_refused(text: str, frugal: bool) -> None:
    """Damaged lines raise ValueError, with the C scanner and without."""
    with pytest.raises(ValueError):
        decode_json(text, frugal=frugal)


def test_damage_is_refused_in_a_program_without_the_json_package() -> None:
    """The C scanner cannot raise the package's own error there; the holder must go on."""
    script = (
        "from takopi.process.frugal import decode_json\n"
        "for text in ('{\"a\": \"b', '{', '', '[]', '{1: 2}'):\n"
        "    try: decode_json(text)\n"
        "    except ValueError: print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.split() == [b"refused"] * 5


def test_constants_are_read_as_numbers() -> None:
    """NaN and Infinity, which Python's own writer makes, do not break the reader."""
    found = decode_json('{"a": NaN, "b": -Infinity}')
    assert math.isnan(found["a"])
    assert found["b"] == -math.inf


def test_what_has_no_json_form_is_refused() -> None:
    """A programming error shows at once."""
    with pytest.raises(TypeError, match="PosixPath has no JSON form"):
        encode_json({"a": Path("/")})


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    """The file is private, whole, and nothing is left beside it."""
    path = tmp_path / "x.json"
    write_atomically(str(path), {"n": 1})
    write_atomically(str(path), {"n": (True, None)})
    assert json.loads(path.read_text()) == {"n": [True, None]}
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
