"""The useful end of standard error."""

from takopi.core.stderr_text import useful_end


def test_the_reason_survives_and_the_noise_does_not() -> None:
    """Colours, Node's warnings, stack frames, progress and repeats go; the reason stays."""
    tail = (
        "Reading prompt from stdin...\n"
        "(node:42) ExperimentalWarning: SQLite is experimental\n"
        "(Use `node --trace-warnings ...` to show where the warning was created)\n"
        "npm warn config production\n"
        "2026-11-20T10:00:00.123Z  INFO codex: started\n"
        "10%\r50%\r100%\n"
        "\x1b[31mError: no rollout found for thread id 42\x1b[0m\n"
        "Error: no rollout found for thread id 42\n"
        "    at load (file:///x/y.js:10:5)\n"
        "    at async main (/x/y.js:1:1)\n"
        "    ^\n"
        "\n"
    )
    assert useful_end(tail) == "100%\nError: no rollout found for thread id 42"


def test_a_line_that_only_begins_like_a_stack_frame_stays() -> None:
    """`at least one ...` is a sentence."""
    assert useful_end("at least one argument is needed\n") == "at least one argument is needed"


def test_only_the_end_is_taken() -> None:
    """Twelve lines and 1,500 characters at most, the last ones."""
    lines = useful_end("\n".join(f"line {n}" for n in range(100))).splitlines()
    assert lines == [f"line {n}" for n in range(88, 100)]
    long = useful_end("x" * 5000 + "end")
    assert len(long) == 1500
    assert long.startswith("…")
    assert long.endswith("end")


def test_silence_stays_silence() -> None:
    """Nothing useful gives an empty text."""
    assert useful_end("") == ""
    assert useful_end("\n\x1b[2K\n") == ""
