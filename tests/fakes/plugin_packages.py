"""Packages with plug-ins, installed into a folder as pip would install them."""

from collections.abc import Mapping
from pathlib import Path

from markdown_it import MarkdownIt

__all__ = ["PLUGINS", "install_package", "page_block"]

PLUGINS = Path(__file__).parent.parent / "plugins"
"""Where the example packages of the tests have their modules."""


def install_package(site: Path, name: str, source: str, groups: Mapping[str, str]) -> None:
    """Install a package of one module.

    Args:
        site: A folder of `sys.path` or PYTHONPATH.
        name: Of the package; the module has it with `_` for `-`.
        source: Of the module.
        groups: Ids and objects of its entry points by group, such as `hello = HELLO`.
    """
    module = name.replace("-", "_")
    site.mkdir(parents=True, exist_ok=True)
    (site / f"{module}.py").write_text(source)
    info = site / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = []
    for group, entries in groups.items():
        lines.append(f"[{group}]")
        for entry in entries.split(", "):
            plugin_id, _, target = entry.partition(" = ")
            lines.append(f"{plugin_id} = {module}:{target}")
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


def page_block(page: Path, name: str) -> str:
    """Return the code block of a page that has this name behind its language."""
    for token in MarkdownIt().parse(page.read_text("utf-8")):
        if token.type == "fence" and token.info.split()[1:] == [name]:
            return token.content
    raise AssertionError(f"{page} has no block {name}")
