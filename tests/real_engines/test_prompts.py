"""Prompts reach the model as they were written, whatever is in them."""

import pytest

from real_engines.world import World

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

LINES = """\
- begin with a dash, "double" and 'single' quotes, `back` $HOME $(ticks) \\n %s
-- two dashes, @file, #tag, !bang, ~tilde, * star, <b>tags</b> & more
Grüße, 日本語, 👩‍👩‍👧, e\u0301 (combining), \u2028 line separator, \ttab

    indented, after a blank line"""

PROMPTS = {
    "lines": LINES,
    "two dashes": "--",
    "option": "--help",
    "path": "/etc/hosts is a file: what is in it?",
    "at": "@README.md what does it say?",
    "long": "long " + "0123456789 " * 14_000 + "end",
}


@pytest.mark.parametrize("name", PROMPTS)
async def test_the_model_reads_the_prompt_word_by_word(world: World, name: str) -> None:
    """Neither options, nor quotes, nor size, nor the engine's own commands change a prompt."""
    prompt = PROMPTS[name]
    before = len(world.model.main_requests)
    outcome = await world.run(prompt)
    assert outcome.end.ok, outcome.end.error
    (asked, *_) = world.asked_since(before)
    texts = asked.user_texts
    if world.engine == "claude" and prompt.startswith("/"):
        # A blank before it keeps it from being one of claude's own commands.
        texts = [text.removeprefix(" ") for text in texts]
    assert prompt in texts, [text[-200:] for text in texts]
