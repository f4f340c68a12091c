"""Every code block of the README and of docs/ is true: parsed, loaded or looked up."""

import re
import shlex
import tomllib
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from markdown_it import MarkdownIt

from takopi.settings import parse_settings

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

# Programs a reader is told to run that are not ours.
FOREIGN = {
    ".venv/bin/python",
    "chmod", "chown", "claude", "codex", "echo", "git", "npm", "opencode", "pi", "pip", "python",
    "cat", "mkdir", "cp", "kill", "export",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Block:
    """Be one fenced code block of a page."""

    page: Path
    line: int
    language: str
    code: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@cache
def every_block() -> tuple[Block, ...]:
    """Collect the blocks of all pages, at the collection of tests: so not what is in the lines."""
    parser = MarkdownIt().disable("inline")
    return tuple(
        Block(page, token.map[0] + 1 if token.map else 0, token.info.split(" ")[0], token.content)
        for page in PAGES
        for token in parser.parse(page.read_text("utf-8"))
        if token.type == "fence"
    )


def blocks(*languages: str) -> list[Block]:
    """List the blocks of these languages."""
    return [block for block in every_block() if block.language in languages]


KNOWN = {
    "console", "json", "jsonl", "markdown", "mermaid", "python", "sh", "text", "toml",
}  # fmt: skip


def test_every_block_names_a_known_language() -> None:
    """A block without a language, or with one that no test here checks, is a mistake."""
    for block in every_block():
        assert block.language in KNOWN, f"{block}: {block.language!r}"


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_toml_blocks_are_accepted(block: Block) -> None:
    """A piece of configuration that the documents show is one that takopi takes."""
    document = tomllib.loads(block.code)
    if "project" not in document:
        parse_settings(document, Path("takopi.toml"), {})


@pytest.mark.parametrize("block", blocks("json", "jsonl"), ids=str)
def test_json_blocks_parse(block: Block) -> None:
    """JSON that the documents show is JSON."""
    texts = block.code.splitlines() if block.language == "jsonl" else [block.code]
    for text in texts:
        msgspec.json.decode(text)


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_blocks_compile(block: Block) -> None:
    """Python that the documents show is Python, and what it imports of takopi exists."""
    compile(block.code, str(block), "exec")
    for name in re.findall(r"^(?:from|import) (takopi(?:\.\w+)*)\s", block.code, re.M):
        __import__(name)


@pytest.mark.parametrize("block", blocks("sh", "console"), ids=str)
def test_commands_exist(block: Block) -> None:
    """Each command that a reader is told to type exists, with its sub-command."""
    for line in block.code.splitlines():
        text = line.removeprefix("$ ")
        if not text.strip() or (block.language == "console" and not line.startswith("$ ")):
            continue
        for command in re.split(r"\s(?:\||&&)\s", text):
            check(shlex.split(command, comments=True), block)


def check(words: list[str], block: Block) -> None:
    """Look one command up."""
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    if not words:
        return
    program, arguments = words[0], [w for w in words[1:] if not w.startswith("-")]
    if program.startswith("scripts/"):
        assert (ROOT / program).exists(), f"{block}: {program}"
        if program != "scripts/run":
            return
    elif program != "takopi":
        assert program in FOREIGN, f"{block}: {program}"
        return
    if arguments:
        import typer.main

        from takopi.cli.root import app
        from takopi.engines import find_engines

        known = set(typer.main.get_command(app).commands) | set(find_engines(Path("/nowhere")).ids)
        assert arguments[0] in known, f"{block}: takopi {arguments[0]}"


def anchors(page: Path) -> set[str]:
    """Name the headings of a page as links do."""
    tokens = MarkdownIt().parse(page.read_text("utf-8"))
    titles = (text.content for opening, text in pairwise(tokens) if opening.type == "heading_open")
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """A link to another page, heading or picture of the project leads to one."""
    for token in MarkdownIt().parse(page.read_text("utf-8")):
        for child in token.children or []:
            target = str(child.attrs.get("href") or child.attrs.get("src") or "")
            if not target or re.match(r"[a-z]+:", target):
                continue
            path, _, heading = target.partition("#")
            there = page.parent / path if path else page
            assert there.exists(), f"{page.name}: {target}"
            assert not heading or heading in anchors(there), f"{page.name}: {target}"


def test_the_readme_leads_to_every_page() -> None:
    """Nothing that is written is out of sight."""
    readme = (ROOT / "README.md").read_text("utf-8")
    for page in PAGES:
        if page.is_relative_to(ROOT / "docs"):
            assert f"({page.relative_to(ROOT)}" in readme, page
