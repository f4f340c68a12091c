"""The engines of this machine, loaded when they are asked for."""

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.toy_engine import install_toy_engine
from takopi.app.engines import EngineShelf, choose_default, first_choices, parse_version
from takopi.app.runtime import EnginePasses, open_runtime
from takopi.core.missing_engines import MissingEngine
from takopi.engines import find_engines
from takopi.errors import ConfigError, PluginError, UsageError
from takopi.runner import current_runtime
from takopi.settings import parse_settings

pytestmark = pytest.mark.anyio
Shelf = Callable[..., EngineShelf]


@pytest.fixture
def bin_dir(takopi_home: Path, tmp_path: Path) -> Path:
    install_toy_engine(takopi_home, tmp_path / "bin")
    return tmp_path / "bin"


@pytest.fixture
def shelf(takopi_home: Path, bin_dir: Path) -> Shelf:
    def make(path: str = f"{bin_dir}:/usr/bin:/bin", **document: object) -> EngineShelf:
        settings = parse_settings(document, takopi_home / "takopi.toml", {})
        return EngineShelf(find_engines(takopi_home), settings, {"PATH": path, "X_API_KEY": "k"})

    return make


def program(bin_dir: Path, name: str, script: str) -> None:
    path = bin_dir / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def wrong_module(home: Path, build_runner: str) -> None:
    """Put an engine `odd` into the home."""
    source = f"""
from takopi.backends import EngineBackend

{build_runner}

BACKEND = EngineBackend("odd", build_runner)
"""
    path = home / "runners" / "odd.py"
    path.write_text(source)
    path.chmod(0o600)


def test_a_runner_is_built_once(shelf: Shelf) -> None:
    """It gets its table, and is the same one each time."""
    found = shelf()
    assert found.runner("toy") is found.runner("toy")
    assert "toy" in found.ids()
    assert found.backend("toy").install_cmd == "pip install toy"


@pytest.mark.parametrize(
    "raised",
    ["SystemExit('no licence')", "GeneratorExit('no licence')", "ValueError('no licence')"],
)
def test_whatever_build_runner_raises_is_told(shelf: Shelf, takopi_home: Path, raised: str) -> None:
    """A module that gives up with `sys.exit` ends its own engine, not takopi."""
    wrong_module(takopi_home, f"def build_runner(config, path): raise {raised}")
    name = raised.partition("(")[0]
    with pytest.raises(PluginError, match=f"failed in build_runner with {name}: no licence; mend"):
        shelf().runner("odd")


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ("None", "its build_runner returned a NoneType, which has no run()"),
        ("ToyRunner()", "its build_runner returned a runner whose engine is 'toy', not odd"),
    ],
)
def test_what_is_no_runner_of_the_engine_is_told(
    shelf: Shelf, takopi_home: Path, returned: str, told: str
) -> None:
    """Every turn would fail with words that name nobody."""
    wrong_module(
        takopi_home,
        "class ToyRunner:\n    engine = 'toy'\n    def run(self, prompt, resume): pass\n"
        f"def build_runner(config, path): return {returned}",
    )
    with pytest.raises(PluginError, match=re.escape(f"odd.py): {told}; mend or remove it")):
        shelf().runner("odd")


def test_a_person_who_interrupts_build_runner_is_obeyed(shelf: Shelf, takopi_home: Path) -> None:
    """Ctrl-C is no fault of the engine."""
    wrong_module(takopi_home, "def build_runner(config, path): raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        shelf().runner("odd")


def test_an_unknown_engine_is_told(shelf: Shelf) -> None:
    """With those that there are."""
    with pytest.raises(PluginError, match=r"no engine `nosuch`; known engines: .*toy"):
        shelf().runner("nosuch")


def test_the_key_that_is_ours_is_not_the_engines(shelf: Shelf) -> None:
    """`keep_background` is read by takopi; a wrong value is told."""
    found = shelf(toy={"keep_background": True}, pi={"keep_background": False})
    assert found.keeps_background() == {"toy"}
    with pytest.raises(ConfigError, match=r"toy.keep_background is 3; accepted: true or false"):
        shelf(toy={"keep_background": 3}).keeps_background()


async def test_a_version_is_asked_for_once(shelf: Shelf, bin_dir: Path, tmp_path: Path) -> None:
    """The CLI runs once, in the environment of an engine."""
    program(bin_dir, "toy", f'echo "toy $TOY_X 1.2.3-rc.1 ($X_API_KEY)" | tee -a {tmp_path}/asked')
    found = shelf()
    assert await found.version("toy") == "1.2.3-rc.1"
    assert await found.version("toy") == "1.2.3-rc.1"
    assert (tmp_path / "asked").read_text() == "toy  1.2.3-rc.1 ()\n"


@pytest.mark.parametrize("script", ["exit 1", "echo nothing of the kind", "echo 1.2; exit 1"])
async def test_a_cli_that_does_not_say_is_unknown(shelf: Shelf, bin_dir, script: str) -> None:
    """It is installed all the same."""
    program(bin_dir, "toy", script)
    assert await shelf().version("toy") == "unknown"


async def test_a_file_that_is_no_program_is_unknown(shelf: Shelf, bin_dir: Path) -> None:
    """What cannot be executed does not raise."""
    (bin_dir / "toy").write_bytes(b"\x7fELF nonsense")
    assert await shelf().version("toy") == "unknown"


async def test_a_missing_cli_has_no_version(shelf: Shelf, bin_dir: Path) -> None:
    """None says that it is not installed."""
    (bin_dir / "toy").unlink()
    found = shelf()
    assert await found.version("toy") is None
    installed = found.installed("toy")
    assert (installed.program, installed.path, installed.install_cmd) == (
        "toy",
        None,
        "pip install toy",
    )
    assert found.missing("toy") == MissingEngine("toy", "pip install toy")


def test_an_engine_whose_module_is_broken_is_missing(shelf: Shelf) -> None:
    """One that can run is not."""
    found = shelf()
    assert found.missing("nobody") == MissingEngine("nobody", broken=True)
    assert found.missing("toy") is None


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("codex-cli 0.150.0", "0.150.0"),
        ("2.1.3 (Claude Code)", "2.1.3"),
        ("1.0.207\n", "1.0.207"),
        ("pi v0.87.1.", "0.87.1"),
        ("", ""),
        ("dev build", ""),
    ],
)
def test_versions_are_read(said: str, version: str) -> None:
    """Whatever a CLI writes around the number."""
    assert parse_version(said) == version


def test_the_default_engine_is_chosen(shelf: Shelf, bin_dir: Path) -> None:
    """The command line goes before the configuration, that before what is installed."""
    program(bin_dir, "pi", "")
    found = shelf(default_engine="toy")
    assert choose_default(found, found._settings, "codex") == "codex"
    assert choose_default(found, found._settings, None) == "toy"
    bare = shelf()
    assert choose_default(bare, bare._settings, None) == "pi"
    (bin_dir / "pi").unlink()
    assert choose_default(bare, bare._settings, None) == "toy"


def test_a_broken_plug_in_is_not_chosen(shelf: Shelf, takopi_home: Path) -> None:
    """What cannot be loaded is passed over when takopi chooses itself."""
    (takopi_home / "runners" / "aaa.py").write_text("BACKEND = 1 / 0")
    found = shelf()
    assert choose_default(found, found._settings, None) == "toy"


def test_without_any_engine_there_is_no_default(shelf: Shelf) -> None:
    """The text says how to install one."""
    found = shelf(path="/nowhere")
    with pytest.raises(ConfigError, match="no engine is installed; install one"):
        choose_default(found, found._settings, None)


def test_an_unknown_default_is_told(shelf: Shelf) -> None:
    """Of the command line with the nearest, of the configuration with all."""
    found = shelf(default_engine="tyo")
    with pytest.raises(UsageError, match="did you mean `toy`"):
        choose_default(found, found._settings, "tyo")
    with pytest.raises(ConfigError, match=r'default_engine is "tyo"; accepted: .*toy'):
        choose_default(found, found._settings, None)


def test_the_known_engines_come_first() -> None:
    """takopi's own choice does not hang on the alphabet."""
    assert first_choices(["aaa", "claude", "codex", "pi"]) == ["codex", "claude", "pi", "aaa"]


def test_what_an_engine_may_see_is_bound(
    takopi_home: Path, bin_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the engine declares and what the person adds; and how each is installed."""
    module = takopi_home / "runners" / "toy.py"
    module.write_text(module.read_text().replace('id="toy",', 'id="toy", env_pass=("OWN_*",),'))
    config = takopi_home / "takopi.toml"
    config.write_text('[env.toy]\npass = ["CARGO_HOME"]\n[env.gone]\npass = ["A"]\n')
    config.chmod(0o600)
    monkeypatch.setenv("PATH", f"{bin_dir}:{os.environ['PATH']}")
    with open_runtime() as runtime:
        passes = current_runtime().env_pass
        commands = current_runtime().install_cmd
        assert current_runtime().host is runtime.host
    assert isinstance(passes, EnginePasses)
    assert passes["toy"] == ("OWN_*", "CARGO_HOME")
    assert passes["gone"] == ("A",)
    assert set(passes) == set(runtime.shelf.ids())
    assert len(passes) == len(runtime.shelf.ids())
    assert commands["toy"] == "pip install toy"
    assert "gone" not in commands
    assert set(commands) == set(runtime.shelf.ids())
    assert len(commands) == len(runtime.shelf.ids())
