"""Find the native program behind npm's wrapper, which would only stand between it and signals."""

import platform
import sys
from pathlib import Path

__all__ = ["claude_binary", "codex_binary"]

_ARCHITECTURES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


def codex_binary(found: Path) -> Path | None:
    """Return codex's program for this machine, given what is on the PATH.

    None when `found` is no npm wrapper, or when the program is not where npm puts it.
    """
    wrapper = _resolve(found)
    if wrapper is None or wrapper.name != "codex.js":
        return None
    package = wrapper.parent.parent
    for root in _platform_packages(package, "codex"):
        for program in sorted(root.glob("vendor/*/bin/codex")):
            if program.is_file():
                return program
    return None


def claude_binary(found: Path) -> Path | None:
    """Return claude's program for this machine, given what is on the PATH.

    None when `found` is not from npm, or when the program is not where npm puts it. npm links the
    program over its wrapper after the install, unless it was told to run no scripts.
    """
    wrapper = _resolve(found)
    if wrapper is None or wrapper.parent.parent.name != "claude-code":
        return None
    for root in _platform_packages(wrapper.parent.parent, "claude-code"):
        program = root / "claude"
        if program.is_file():
            return program
    return None


def _resolve(path: Path) -> Path | None:
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError):
        return None


def _platform_packages(package: Path, name: str) -> list[Path]:
    """List where npm may have put the package for this machine: beside, inside, or the same."""
    system = {"linux": "linux", "darwin": "darwin"}.get(sys.platform, sys.platform)
    cpu = _ARCHITECTURES.get(platform.machine().lower(), platform.machine().lower())
    own = f"{name}-{system}-{cpu}"
    scope = package.parent
    inside = package / "node_modules" / scope.name
    # On Alpine claude's package has a suffix; where both are there, the one without is right.
    names = (own, f"{own}-musl")
    return [*(scope / n for n in names), *(inside / n for n in names), package]
