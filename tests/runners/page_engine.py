"""The engine of the page that explains engines, taken from the page as it stands."""

import sys
from functools import cache
from pathlib import Path
from types import ModuleType

from markdown_it import MarkdownIt

from takopi.backends import EngineBackend

__all__ = ["PAGE_ENGINE", "block", "page_backend", "recorded"]

PAGE = Path(__file__).parent.parent.parent / "docs" / "how-to" / "add-an-engine.md"
PAGE_ENGINE = "parrot"


@cache
def block(*info: str) -> str:
    """Return the first code block of the page whose info string is this, word by word."""
    for token in MarkdownIt().disable("inline").parse(PAGE.read_text("utf-8")):
        if token.type == "fence" and token.info.split() == list(info):
            return token.content
    raise AssertionError(f"the page has no block {' '.join(info)}")


def recorded() -> bytes:
    """Return what the page says that the agent prints."""
    return block("jsonl").encode()


@cache
def page_backend() -> EngineBackend:
    """Load the module of the page, without a file."""
    module = ModuleType(f"the_page_on_{PAGE_ENGINE}")
    sys.modules[module.__name__] = module  # a dataclass looks its own module up
    exec(compile(block("python", "parrot.py"), str(PAGE), "exec"), vars(module))
    backend = module.BACKEND
    assert isinstance(backend, EngineBackend)
    return backend
