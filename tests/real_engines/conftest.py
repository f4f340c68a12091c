"""Run the real CLIs through the real runners and the real host, against a scripted model."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.engine_homes import ENGINES, find_program, prepare_home
from fakes.model_api import FakeModelApi
from real_engines.world import World

PARAMETERS = [
    pytest.param(
        engine, marks=[getattr(pytest.mark, engine), pytest.mark.xdist_group(f"real-{engine}")]
    )
    for engine in ENGINES
]


@pytest.fixture(scope="session")
def model() -> Iterator[FakeModelApi]:
    """Serve the scripted model."""
    with FakeModelApi() as api:
        yield api


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep the engines' homes for all tests: the first start in a new one is slow."""
    return tmp_path_factory.mktemp("engine-homes")


def make_world(engine: str, homes: Path, model: FakeModelApi, folders: tuple[Path, Path]) -> World:
    """Put a world together, or say visibly that its engine is missing."""
    if find_program(engine) is None:
        if os.environ.get("CI"):  # an assert would print the environment, and what is secret in it
            pytest.fail(f"{engine} is missing; run scripts/engines")
        pytest.skip(f"{engine} is not installed; run scripts/engines")
    tmp_path, takopi_home = folders
    work_dir = tmp_path / "project"
    work_dir.mkdir()
    home = prepare_home(engine, homes / engine, model.url)
    return World(home, model, work_dir, takopi_home)


@pytest.fixture(params=PARAMETERS)
def world(
    request: pytest.FixtureRequest,
    homes: Path,
    model: FakeModelApi,
    tmp_path: Path,
    takopi_home: Path,
) -> World:
    """Give each of the four engines in turn."""
    return make_world(request.param, homes, model, (tmp_path, takopi_home))


@pytest.fixture
def opencode(homes: Path, model: FakeModelApi, tmp_path: Path, takopi_home: Path) -> World:
    """Give opencode alone."""
    return make_world("opencode", homes, model, (tmp_path, takopi_home))


@pytest.fixture
def pi(homes: Path, model: FakeModelApi, tmp_path: Path, takopi_home: Path) -> World:
    """Give pi alone."""
    return make_world("pi", homes, model, (tmp_path, takopi_home))


@pytest.fixture(autouse=True)
def no_foreign_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the variables of an agent in which the tests may run."""
    for name in list(os.environ):
        if name.startswith(("CLAUDE", "CODEX", "ANTHROPIC", "OPENAI", "OPENCODE", "PI_")):
            monkeypatch.delenv(name)
