"""The README's picture shows what the bot says today."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_the_picture_is_what_takopi_renders() -> None:
    """Drawing the conversation again gives the committed picture."""
    drawn = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "draw_conversation.py")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    kept = (ROOT / "docs" / "images" / "conversation.svg").read_text("utf-8")
    assert drawn == kept, (
        "run `python scripts/draw_conversation.py docs/images/conversation.svg` and look at it"
    )
