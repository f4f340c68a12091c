"""What a benchmark says: a number, what it is compared with, and what we ask of it."""

from dataclasses import dataclass

__all__ = ["Figure", "table"]


@dataclass(frozen=True, slots=True)
class Figure:
    """Be one measured number.

    Args:
        name: What was measured.
        value: The number.
        limit: What it may be at most, or at least where `at_least` is true.
        unit: Unit of both; empty for a ratio.
        detail: The numbers behind it.
        at_least: Whether more is better.
    """

    name: str
    value: float
    limit: float
    unit: str = ""
    detail: str = ""
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Tell whether the figure is what we ask for."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def table(figures: list[Figure]) -> str:
    """Lay the figures out as a Markdown table."""
    rows = ["| figure | measured | asked | met | behind it |", "|---|---|---|---|---|"]
    for figure in figures:
        bound = ">=" if figure.at_least else "<="
        unit = f" {figure.unit}" if figure.unit else ""
        met = "yes" if figure.met else "NO"
        rows.append(
            f"| {figure.name} | {figure.value:.3g}{unit} | {bound} {figure.limit:g}{unit} "
            f"| {met} | {figure.detail} |"
        )
    return "\n".join(rows)
