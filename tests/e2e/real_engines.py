"""The four real engines as the end-to-end tests go through them."""

import os

import pytest

from fakes.engine_homes import ENGINES, find_program

__all__ = ["PARAMETERS", "RESUME_LINES", "engine_table", "needs"]

RESUME_LINES = {
    "codex": "codex resume ",
    "claude": "claude --resume ",
    "opencode": "opencode --session ",
    "pi": "pi --session ",
}

PARAMETERS = [
    pytest.param(
        engine, marks=[getattr(pytest.mark, engine), pytest.mark.xdist_group(f"real-{engine}")]
    )
    for engine in ENGINES
]


def needs(engine: str) -> None:
    """Leave a test whose engine is not installed; in CI that is a failure."""
    if find_program(engine) is None:
        # Not an assertion on the environment: its failure would print every key in it.
        leave = pytest.fail if os.environ.get("CI") else pytest.skip
        leave(f"{engine} is not installed; scripts/engines installs it")


def engine_table(engine: str, config: dict[str, object]) -> str:
    """Write an engine's configuration as TOML, with the default engine and its extra variables."""
    lines = [f'default_engine = "{engine}"', f"[{engine}]"]
    for key, value in config.items():
        shown = str(value).lower() if isinstance(value, bool) else f'"{value}"'
        lines.append(f"{key} = {shown}")
    return "\n".join(lines)
