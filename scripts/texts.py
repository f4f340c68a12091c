"""Find every text of the chat in the code, and bring the catalogues up to date.

`locales/en.toml` is written anew: the complete list, grouped by the module that says a text first.
Every other catalogue gets the same order; its translations stay, those of texts that are gone go,
and those that are missing are listed as comments.

Run it as `.venv/bin/python scripts/texts.py` after a text was changed. A code such as `fr` begins
the catalogue of that language; with `--check` it only says what differs.
"""

import ast
import json
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src" / "takopi"
LOCALES = SOURCE / "locales"

# For each call how many of its first arguments are texts; of a CommandSpec it is the description.
# What stands in `border(...)` is told when takopi fails at it.
ELSEWHERE = {"border", "CommandSpec"}
CALLS = {"tr": 1, "tr_n": 2, "tr_later": 1, "border": 1}

Catalogue = dict[str, dict[str, str]]


class NoLiteral(Exception):
    """Say where a text is made instead of written, so that it cannot be found."""


def texts_of(tree: ast.AST, where: str) -> Iterator[str]:
    """List the texts of a module.

    Args:
        tree: The module.
        where: Its name, for the error.

    Raises:
        NoLiteral: A text is no literal.
    """
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        found: list[ast.expr] = node.args[: CALLS.get(node.func.id, 0)]
        if node.func.id == "CommandSpec":
            found = [keyword.value for keyword in node.keywords if keyword.arg == "description"]
        for text in found:
            if not isinstance(text, ast.Constant) or not isinstance(text.value, str):
                if node.func.id in ELSEWHERE:
                    continue  # a plug-in's, say
                raise NoLiteral(f"{where}:{text.lineno}: `{ast.unparse(text)}` is no literal")
            yield text.value


def found_texts(source: Path = SOURCE) -> Catalogue:
    """Find the texts of the code, by the module that says them first."""
    groups: Catalogue = {}
    known: set[str] = set()
    for path in sorted(source.rglob("*.py")):
        name = ".".join(path.relative_to(source).with_suffix("").parts)
        if name == "texts":
            continue
        texts = dict.fromkeys(texts_of(ast.parse(path.read_text("utf-8")), name))
        new = {text: text for text in texts if text not in known}
        known.update(new)
        if new:
            groups[name] = new
    return groups


def written(groups: Catalogue, said: Mapping[str, str] | None = None) -> str:
    """Write a catalogue.

    Args:
        groups: What `found_texts` found.
        said: What the language says; None for English.
    """
    lines = [
        "# Made by scripts/texts.py: every text of the chat, the English words and what is said.",
        "# How to translate: docs/how-to/translate.md",
    ]
    for group, texts in groups.items():
        lines += ["", f"[{_quoted(group)}]"]
        for text in texts:
            translation = text if said is None else said.get(text, "")
            mark = "" if translation else "# missing: "
            lines.append(f"{mark}{_quoted(text)} = {_quoted(translation)}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    # A basic string of TOML escapes as JSON does, but for DEL, which no text has.
    return json.dumps(text, ensure_ascii=False)


def said_in(path: Path) -> dict[str, str]:
    """Read a catalogue, whatever its groups are called."""
    groups = tomllib.loads(path.read_text("utf-8"))
    return {key: text for texts in groups.values() for key, text in texts.items()}


def main(words: list[str]) -> int:
    """Write or check the catalogues; return the exit status."""
    check, groups, status = "--check" in words, found_texts(), 0
    new = {LOCALES / f"{word}.toml" for word in words if word.isalpha()}
    for path in sorted({LOCALES / "en.toml", *new, *LOCALES.glob("*.toml")}):
        said = None if path.stem == "en" else said_in(path) if path.exists() else {}
        text = written(groups, said)
        same = path.exists() and path.read_text("utf-8") == text
        if check and not same:
            print(f"{path.name} is not up to date; run scripts/texts.py")
            status = 1
        elif not same:
            path.write_text(text, "utf-8")
        missing = text.count("\n# missing: ")
        if missing:
            print(f"{path.name}: {missing} texts are missing")
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
