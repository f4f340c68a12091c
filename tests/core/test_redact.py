"""No secret survives redaction, wherever in a value it stands."""

import json
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.redact import REDACTED, Redactor, secrets_of_environment

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFake_-x"
CANARY = 'cana"ry\\ß-1'


class Opaque:
    """Hold a secret that only `repr` shows."""

    def __repr__(self) -> str:
        return f"<opaque {CANARY} {TOKEN}>"


def nested(leaf: st.SearchStrategy) -> st.SearchStrategy:
    return st.recursive(
        leaf,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(max_size=5), inner, max_size=3)
            | st.tuples(inner, inner)
            | st.dictionaries(st.sampled_from([CANARY, TOKEN, "a"]), inner, max_size=2)
        ),
        max_leaves=12,
    )


SECRETS = st.sampled_from([CANARY, TOKEN])
LEAVES = (
    st.builds(lambda a, s, b: a + s + b, st.text(max_size=20), SECRETS, st.text(max_size=20))
    | st.builds(lambda s: s.encode(), SECRETS)
    | st.integers()
    | st.none()
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.just(Opaque())
)


@given(nested(LEAVES))
def test_a_secret_is_found_at_any_depth(value: object) -> None:
    """Nothing that is written of a value contains a known secret or a bot token."""
    written = json.dumps(Redactor([CANARY]).value({"field": value}), ensure_ascii=False)
    assert json.dumps(CANARY, ensure_ascii=False)[1:-1] not in written
    assert TOKEN not in written


@given(st.text(), st.text())
def test_text_without_a_secret_stays_as_it_is(before: str, after: str) -> None:
    """Redaction changes the secret and nothing around it."""
    clean = Redactor().text(before + after)
    if clean == before + after:
        assert Redactor([CANARY]).text(f"{before}{CANARY}{after}") == f"{before}{REDACTED}{after}"


@given(st.text())
def test_redaction_twice_is_redaction_once(text: str) -> None:
    """What was redacted is left alone."""
    redactor = Redactor(["abcdef"])
    assert redactor.text(redactor.text(text)) == redactor.text(text)


@pytest.mark.parametrize(
    "secret",
    [
        TOKEN,
        TOKEN.replace(":", "%3A"),
        "sk-ant-api03-" + "a" * 40,
        "ghp_" + "a" * 36,
        "github_pat_" + "a" * 30,
        "AIza" + "b" * 35,
        "xoxb-1234567890-abc",
    ],
)
def test_a_secret_is_known_by_its_shape(secret: str) -> None:
    """Keys that nobody told us about are found by what they look like."""
    text = Redactor().text(f"GET /{secret}/getMe x={secret}&y")
    assert secret not in text
    assert text.count(REDACTED) == 2


def test_a_bearer_loses_its_token_only() -> None:
    """The word that names the scheme stays."""
    assert (
        Redactor().text("Authorization: Bearer abcdefgh12") == f"Authorization: Bearer {REDACTED}"
    )


def test_words_that_look_alike_stay() -> None:
    """Times, addresses and names with `sk-` inside are no secrets."""
    text = (
        "12:30:45 http://127.0.0.1:8081/x task-management-for-everybody-here 2026-11-21T08:00:00Z"
    )
    assert Redactor().text(text) == text


def test_a_field_named_like_a_secret_is_blanked() -> None:
    """What stands under `api_key` is not written, whatever it looks like."""
    value = Redactor().value({"api_key": "short", "bot_token": "x", "resume_token": "keep"})
    assert value == {"api_key": REDACTED, "bot_token": REDACTED, "resume_token": "keep"}


def test_a_number_can_be_a_secret() -> None:
    """A secret made of digits is found in an int too, other numbers stay numbers."""
    assert Redactor(["12345678"]).value([12345678, 7, True, 1.5]) == [REDACTED, 7, True, 1.5]


def test_short_values_are_passed_over() -> None:
    """A secret of two letters would blank every line."""
    assert Redactor(["on", ""]).text("on and on") == "on and on"


def test_the_longest_secret_wins() -> None:
    """A secret inside another leaves no rest of it."""
    assert Redactor(["abcdef", "abcdefghij"]).text("abcdefghij") == REDACTED


def test_what_lies_too_deep_becomes_a_text() -> None:
    """A cycle ends, and its text is searched as well."""
    loop: list[object] = [CANARY]
    loop.append(loop)
    assert "cana" not in json.dumps(Redactor([CANARY]).value(loop))


@pytest.mark.parametrize("quoted", [repr(CANARY), ascii(CANARY), json.dumps(CANARY), quote(CANARY)])
def test_a_quoted_secret_is_found(quoted: str) -> None:
    """Somebody may have quoted a secret before it came to us."""
    assert "cana" not in Redactor([CANARY]).text(f"x {quoted} y")


def test_a_million_digits_cost_no_more_than_a_moment() -> None:
    """The shapes are searched in linear time."""
    began = time.perf_counter()
    Redactor().text("1" * 1_000_000 + "sk-" * 100_000 + "a" * 1_000_000)
    assert time.perf_counter() - began < 10


def test_secrets_of_the_environment_are_known_by_name() -> None:
    """Keys, tokens and passwords count; other variables do not."""
    environment = {
        "OPENAI_API_KEY": "one",
        "TAKOPI_TELEGRAM_TOKEN": "two",
        "DB_PASSWORD": "three",
        "HOME": "/home/ann",
        "EMPTY_API_KEY": "",
    }
    assert secrets_of_environment(environment) == ("one", "two", "three")
