"""Promise 12: what is sent is valid, whatever the answer was.

Full: 10,000 documents, judged by our own rules and by an independent validator: at most 4,096
UTF-16 units and 100 counted entities, ranges inside, no character split, no broken link.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.render.documents import DOCUMENTS
from core.render.rules import assert_sendable
from core.render.test_oracles import telegram_accepts
from promises.forms import shards, share
from takopi.core.chat import Button, ChatMessage
from takopi.core.final_view import FinalView, render_final

__all__ = ["telegram_accepts"]

pytestmark = pytest.mark.timeout(300)

SAFE = ("http://", "https://", "mailto:", "tel:", "tg://")


@shards(10)
def test_every_final_is_valid(shard: int, telegram_accepts) -> None:
    """Each message of each final is one that Telegram takes."""

    @settings(max_examples=share(10_000, 10))
    @given(
        st.lists(DOCUMENTS, min_size=1, max_size=3).map("\n\n".join),
        st.sampled_from(("split", "split", "trim", "file")),
        st.sampled_from(("done", "error", "cancelled")),
    )
    def law(answer: str, overflow, status) -> None:
        view = FinalView(
            status=status, engine="codex", elapsed_s=3.0, answer=answer, error=answer[:500],
            resume_line="`codex resume abc`", notes=(answer[:300],),
        )  # fmt: skip
        for message in render_final(view, overflow).messages:
            assert_sendable(message.body)
            for entity in message.body.entities:
                assert entity.url is None or entity.url.startswith(SAFE), entity.url
            telegram_accepts(ChatMessage(message.body, ((Button("Cancel", "cancel:x"),),)))

    law()
