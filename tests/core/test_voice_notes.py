"""Which voice notes are taken, how they are named for a server, and what counts as words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.voice_notes import (
    NoteFacts,
    VoiceLimits,
    objection,
    spoken_text,
    upload_name,
    upload_type,
    wait_s,
)

LIMITS = VoiceLimits(max_mb=1, max_minutes=2)


def facts(suffix=".oga", mime="audio/ogg", size_bytes=1000, duration_s=3.0):
    return NoteFacts(suffix, mime, size_bytes, duration_s)


@pytest.mark.parametrize(
    "taken",
    [
        facts(),
        facts(duration_s=None),
        facts(mime="audio/ogg; codecs=opus"),
        facts(mime="AUDIO/MPEG", suffix=".mp3"),
        facts(mime="video/mp4", suffix=".mp4"),
        facts(mime="application/ogg"),
        facts(mime="", suffix=".M4A"),
        facts(mime="application/octet-stream", suffix=".wav"),
        facts(size_bytes=1024 * 1024),
        facts(duration_s=120),
    ],
)
def test_sound_within_the_limits_is_taken(taken) -> None:
    assert objection(taken, LIMITS) is None


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        (facts(mime="image/png"), "a file of type image/png: send it as a file"),
        (facts(mime="", suffix=".txt"), "a file of type .txt:"),
        (facts(mime="", suffix=""), "a file of type ?:"),
        (facts(size_bytes=0), "is empty: record it again"),
        (facts(size_bytes=1024 * 1024 * 3 // 2), "has 1.5 MB, and 1 MB are the most: send it in"),
        (facts(duration_s=600), "lasts 10.0 minutes, and 2 are the most: send it in parts"),
    ],
)
def test_a_refusal_says_why_and_what_to_do(refused, why) -> None:
    assert why in (objection(refused, LIMITS) or "")


@pytest.mark.parametrize(
    ("suffix", "mime", "name"),
    [
        (".oga", "audio/ogg", "voice.ogg"),
        (".OPUS", "", "voice.ogg"),
        (".mp3", "audio/ogg", "voice.mp3"),
        ("", "audio/mpeg", "voice.mp3"),
        (".tmp", "audio/x-wav; rate=8", "voice.wav"),
        (".tmp", "audio/strange", "voice.ogg"),
    ],
)
def test_the_uploaded_name_is_one_that_servers_take(suffix, mime, name) -> None:
    assert upload_name(suffix, mime) == name


def test_a_type_that_is_none_does_not_reach_a_header() -> None:
    assert upload_type("Audio/OGG; codecs=opus") == "audio/ogg"
    assert upload_type("audio/ogg\r\nX: y") == "application/octet-stream"
    assert upload_type("") == "application/octet-stream"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (" Run the tests.\n", "Run the tests."),
        (" One line\n and more.\n\n A new one.", "One line and more.\n\nA new one."),
        ("[00:00:00.000 --> 00:00:02.5]  Run it.\n[00:02.5 --> 00:03.0] Now.", "Run it. Now."),
        ("\x1b[32mgreen\x1b[0m \x00words", "green words"),
        ("array[index] (twice)", "array[index] (twice)"),
        ("42", "42"),
        ("測試", "測試"),
        ("[BLANK_AUDIO]", ""),
        (" (silence)\n [ Music ] ♪♪ *sighs* ...", ""),
        ("", ""),
        (" \n\n ", ""),
    ],
)
def test_words_are_kept_and_noise_is_no_word(raw, words) -> None:
    assert spoken_text(raw) == words


@given(st.text())
def test_cleaning_again_changes_nothing(raw) -> None:
    """What was taken for words once stays the same words."""
    once = spoken_text(raw)
    assert spoken_text(once) == once
    assert once == once.strip()


def test_waits_grow_and_end() -> None:
    assert [wait_s(attempt, None, 120) for attempt in (1, 2, 3, 4)] == [1, 2, 4, None]


def test_the_servers_wish_counts_when_there_is_time_for_it() -> None:
    assert wait_s(1, 7, 120) == 7
    assert wait_s(1, 0, 120) == 0
    assert wait_s(1, 300, 120) is None
    assert wait_s(1, None, 0.5) is None
