"""Rows of what is chosen: /agent, /model, /reasoning, /mode, /trigger, /verbose."""

from collections.abc import Sequence
from pathlib import Path

from e2e.every_command.kinds import Kind
from e2e.every_command.row import Row
from e2e.every_command.talk import Talk
from takopi.core.preference_choices import PreferenceKind

__all__ = ["ROWS", "let_toy_choose"]

_CHOICES = """

from takopi.turn import EngineCapabilities

ToyRunner.capabilities = EngineCapabilities(
    models=("small", "large"), reasoning_levels=("low", "high"), permission_modes=("plan", "full")
)
"""


def let_toy_choose(home: Path) -> None:
    """Let the toy engine of a home know models, levels and modes."""
    module = home / "runners" / "toy.py"
    module.write_text(module.read_text("utf-8") + _CHOICES, "utf-8")


async def _choose(talk: Talk, kind: PreferenceKind, words: Sequence[str]) -> None:
    """Choose a word, another one by its button, and take that back."""
    one, other = words
    here = "this topic" if talk.thread else "this chat"
    chosen = await talk.ask(f"/{kind} {one}", f"{one} is chosen for {here}.")
    await talk.press(chosen, other, f"{other} is chosen for {here}.")
    await talk.press(chosen, "Take back", f"Nothing is chosen for {here} any more.")


async def agent(talk: Talk) -> None:
    """Another engine is chosen, and the first one again."""
    await _choose(talk, "agent", ("claude", "toy"))


async def model(talk: Talk) -> None:
    """One that the engine lists."""
    await _choose(talk, "model", ("small", "large"))


async def reasoning(talk: Talk) -> None:
    """A level of the engine."""
    await _choose(talk, "reasoning", ("low", "high"))


async def mode(talk: Talk) -> None:
    """A mode of the engine."""
    await _choose(talk, "mode", ("plan", "full"))


async def trigger(talk: Talk) -> None:
    """What counts in a group; in a private chat there is nothing to choose."""
    if talk.kind.private:
        await talk.ask("/trigger mentions", "In a private chat every message counts")
        return
    await _choose(talk, "trigger", ("mentions", "all"))


async def verbose(talk: Talk) -> None:
    """How much is shown; it holds for the next prompt."""
    await _choose(talk, "verbose", ("quiet", "full"))


def _no_trigger(kind: Kind) -> str:
    return "In a private chat" if kind.private else "/trigger does not take sometimes, so nothing"


ROWS = (
    Row("agent", "/agent toy", agent, "/agent nobody", "/agent does not take nobody, so nothing"),
    Row("model", "/model small", model, "/model a b", "Nothing was changed. One word says what"),
    Row("reasoning", "/reasoning low", reasoning, "/reasoning wild", "It takes: low, high."),
    Row("mode", "/mode plan", mode, "/mode wild", "It takes: plan, full."),
    Row("trigger", "/trigger all", trigger, "/trigger sometimes", _no_trigger),
    Row("verbose", "/verbose full", verbose, "/verbose loud", "It takes: quiet, normal, full."),
)
