"""Read what a turn asks for beyond its prompt, and refuse what the engine does not know."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from takopi.core.permission_modes import own_mode
from takopi.core.texts import tr
from takopi.errors import UsageError
from takopi.runners.run_options import get_run_options
from takopi.turn_context import current_request

__all__ = ["asked_files", "asked_mode", "asked_model", "asked_reasoning"]


def asked_model(engine: str, configured: str | None) -> str | None:
    """Return the model of this turn.

    Raises:
        UsageError: It could be taken for an option.
    """
    options = get_run_options()
    model = (options.model if options else None) or configured
    if model and (model.startswith("-") or not model.isprintable()):
        raise UsageError(
            tr("{model} cannot be a model of {engine}; name one without a dash",
               model=repr(model), engine=engine)
        )  # fmt: skip
    return model


def asked_reasoning(engine: str, configured: str | None, levels: Sequence[str]) -> str | None:
    """Return the reasoning level of this turn.

    Raises:
        UsageError: The engine has no such level; the text lists those it has.
    """
    options = get_run_options()
    level = (options.reasoning if options else None) or configured
    if level is not None and level not in levels:
        accepted = ", ".join(levels)
        raise UsageError(
            tr("{engine} has no reasoning level {level}; use one of {accepted}",
               engine=engine, level=repr(level), accepted=accepted)
        )  # fmt: skip
    return level


def asked_mode(engine: str, neutral: Mapping[str, str], own: Sequence[str] = ()) -> str | None:
    """Return the engine's word for the permission mode that this turn asks for; None for none.

    Raises:
        UsageError: The engine has no such mode; the text lists those it has.
    """
    request = current_request()
    asked = request.permission_mode if request else None
    return None if asked is None else own_mode(engine, asked, neutral, own)


def asked_files() -> tuple[Path, ...]:
    """Return the files that this turn hands to the engine."""
    request = current_request()
    return request.attachments if request else ()
