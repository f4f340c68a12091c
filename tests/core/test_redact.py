"""No secret survives redaction, wherever in a value it stands."""

import json
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

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


QUOTED_AGAIN = [
    quote(CANARY, safe="").replace("C3", "c3").replace("9F", "9f").replace("5C", "5c"),
    quote_plus(CANARY),
    json.dumps(json.dumps(CANARY)),
    repr(repr(CANARY)),
    repr(CANARY.encode()),
    quote(quote(CANARY, safe=""), safe=""),
    str(URL("http://x").with_query(key=CANARY)),
]


@pytest.mark.parametrize("quoted", QUOTED_AGAIN)
def test_a_secret_is_found_however_it_was_quoted(quoted: str) -> None:
    """Twice, as bytes, in a URL with small letters, or as an HTTP client writes it."""
    clean = Redactor([CANARY]).text(f"x {quoted} y")
    assert "cana" not in clean
    assert REDACTED in clean


@pytest.mark.parametrize("colon", [":", "%3A", "%3a"])
@pytest.mark.parametrize("left", [1, 5, 20, 34, 35])
def test_a_token_that_was_cut_short_is_found(colon: str, left: int) -> None:
    """What a limit on lines has left of a token says too much already; so does its second half."""
    number, _, rest = TOKEN.partition(":")
    text = f"{number}{colon}{rest[:left]}"
    assert Redactor([TOKEN]).text(f"see {text}… or") == f"see {REDACTED}… or"
    assert Redactor([TOKEN]).text(f"{rest}!") == f"{REDACTED}!"
    assert rest[:left] not in Redactor().text(f"http://h/bot{text}").replace("http", "")


def test_a_strange_token_that_was_cut_short_is_known_by_its_shape() -> None:
    """The second half of a bot's token begins with AA; a time or a port does not."""
    assert Redactor().text("987654321:AAFx_-9") == REDACTED
    kept = "at 20261121:30 port 443:AAx 1234567890:30"
    assert Redactor().text(kept) == kept


@pytest.mark.parametrize(
    "text", ["http://ann:pass@proxy:3128/x", "https://ann%40x:p%3A@h", "socks5://u:p@[::1]:1"]
)
def test_a_proxys_password_is_found(text: str) -> None:
    """Addresses with a name and a password lose both."""
    clean = Redactor().text(text)
    assert f"://{REDACTED}@" in clean
    assert Redactor().text("https://host:443/@x git@host:a/b") == "https://host:443/@x git@host:a/b"


def test_whatever_stands_under_a_secret_name_is_blanked() -> None:
    """Bytes, numbers and lists as well; what says that there is none stays."""
    names = ("api_key", "API-Key", "access_token", "credentials", "aws_secret", "x-api-key")
    for name in names:
        for item in ("x", b"x", 12, ["x"], {"a": "x"}):
            assert Redactor().value({name: item}) == {name: REDACTED}
        for item in ("", b"", None, True, False):
            assert Redactor().value({name: item})[name] != REDACTED


class Broken:
    """Cannot say what it is."""

    def __repr__(self) -> str:
        raise RuntimeError(CANARY)


def test_an_object_that_cannot_be_shown_is_no_failure() -> None:
    """A record is written all the same, also when the object is a key or lies deep."""
    value = Redactor([CANARY]).value({Broken(): [Broken()], "x": {"y": Broken()}})
    shown = "<Broken whose repr raised RuntimeError>"
    assert value == {shown: [shown], "x": {"y": shown}}


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
        "API_KEY": "four",
        "TOKEN": "five",
        "AWS_SECRET_ACCESS_KEY": "six",
        "ANTHROPIC_AUTH_TOKEN": "seven",
        "TOKENIZERS_PARALLELISM": "false",
        "MONKEY": "x",
    }
    found = secrets_of_environment(environment)
    assert found == ("one", "two", "three", "four", "five", "six", "seven")
