"""`takopi --version` against an import of typer alone."""

import sys
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.processes import alternate, median_ms, seconds_of

__all__ = ["measure"]


def measure(rounds: int = 15) -> list[Figure]:
    """Compare the two as whole processes."""
    takopi = str(Path(sys.executable).parent / "takopi")
    ours, typer = alternate(
        lambda: seconds_of([takopi, "--version"]),
        lambda: seconds_of([sys.executable, "-c", "import typer"]),
        rounds,
    )
    a, b = median_ms(ours), median_ms(typer)
    detail = f"{a:.0f} ms against {b:.0f} ms"
    return [Figure("takopi --version / import typer", a / b, 2, detail=detail)]
