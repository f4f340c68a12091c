"""Name what an agent may do without asking, the same way for every engine.

Each engine has words of its own; the neutral ones mean the same everywhere, so that a person can
choose a mode before the engine. A run cannot ask: what a mode would ask about is refused.

| mode | the agent may |
|---|---|
| `plan` | read, and change nothing |
| `ask` (also `default`) | do what needs no permission |
| `edit` | change files in its directory as well |
| `full` | do everything |
"""

from collections.abc import Mapping, Sequence

from takopi.core.texts import tr
from takopi.errors import UsageError

__all__ = ["NEUTRAL_MODES", "accepted_modes", "own_mode"]

NEUTRAL_MODES = ("plan", "ask", "edit", "full")
"""From the least to the most."""

_SAME = {"default": "ask"}


def accepted_modes(neutral: Mapping[str, str], own: Sequence[str] = ()) -> tuple[str, ...]:
    """List the modes that an engine accepts: the neutral ones first, then its own words."""
    known = [mode for mode in NEUTRAL_MODES if mode in neutral]
    return tuple(dict.fromkeys([*known, *own]))


def own_mode(engine: str, asked: str, neutral: Mapping[str, str], own: Sequence[str] = ()) -> str:
    """Return the engine's own word for a mode.

    Args:
        engine: Its id, for the text of the error.
        asked: A neutral mode, or a word of the engine.
        neutral: For each neutral mode that the engine has, its own word.
        own: The engine's own words.

    Raises:
        UsageError: The engine has no such mode; the text lists those it has.
    """
    if asked in own:
        return asked
    word = neutral.get(_SAME.get(asked, asked))
    if word is None:
        accepted = ", ".join(accepted_modes(neutral, own))
        raise UsageError(
            tr(
                "{engine} has no permission mode {mode}; use one of {accepted}",
                engine=engine,
                mode=repr(asked),
                accepted=accepted,
            )
        )
    return word
