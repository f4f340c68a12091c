"""What is said of a session that is gone."""

import pytest

from takopi.core.session_replies import unknown_session_words

CODEX = """\
codex failed with exit status 1 without a result
thread/resume failed: no rollout found for thread id 0199 (code -32600)
Send the prompt without the resume line to start a new one.
"""


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (CODEX, "thread/resume failed: no rollout found for thread id 0199 (code -32600)"),
        ("no conversation\nat all", "no conversation"),
        ("\n  \n", ""),
    ],
)
def test_one_line_of_the_engine_says_why(said, told) -> None:
    """That with the session, where there is one; takopi itself says what to do."""
    words = unknown_session_words("codex", "0199", said)
    assert f"nothing was done ({told})." in words
    assert "without the resume line" not in words
