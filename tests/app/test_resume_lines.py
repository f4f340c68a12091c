"""Which lines of a person resume a session."""

import pytest

from takopi.app.resume_lines import names_session
from takopi.core.missing_engines import MissingEngine
from takopi.errors import PluginError
from takopi.runner import Runner
from takopi.runners.mock import MockRunner


class Engines:
    """Know one engine that works and one that does not."""

    def __init__(self) -> None:
        self.loaded: list[str] = []

    def ids(self) -> list[str]:
        return ["broken", "mock"]

    def runner(self, engine: str) -> Runner:
        self.loaded.append(engine)
        if engine != "mock":
            raise PluginError("it cannot be used; remove it")
        return MockRunner()

    async def version(self, engine: str) -> str | None:
        return None

    def missing(self, engine: str) -> MissingEngine | None:
        return None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("mock --resume mock-7", True),
        ("go on with\n`mock --resume mock-7`", True),
        ("mock - is it installed?", False),
        ("mock resume the work", False),
        ("broken --resume 7", False),
        ("\n`` `", False),
    ],
)
def test_the_engine_says_what_resumes_its_sessions(text: str, names: bool) -> None:
    """One that cannot be loaded has none."""
    assert names_session(Engines(), text) is names


def test_no_engine_is_loaded_for_a_line_that_does_not_name_it() -> None:
    """Most lines name none."""
    engines = Engines()
    assert not names_session(engines, "what does mock --resume mock-7 do?")
    assert engines.loaded == []
