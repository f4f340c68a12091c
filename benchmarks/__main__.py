"""Run the benchmarks and print the table that stands in docs/reference/performance.md."""

import importlib
import sys

from benchmarks.figure import Figure, table

NAMES = (
    "startup",
    "bot",
    "translation",
    "long_stream",
    "rendering",
    "many_runs",
    "journal",
    "durability",
)


def main() -> int:
    """Measure what was asked for, or everything; fail when a figure is not met."""
    wanted = sys.argv[1:] or list(NAMES)
    unknown = [name for name in wanted if name not in NAMES]
    if unknown:
        print(f"no benchmark {unknown[0]!r}; there are: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    for name in wanted:
        figures += importlib.import_module(f"benchmarks.{name}").measure()
    print(table(figures))
    return 0 if all(figure.met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
