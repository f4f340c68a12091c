"""Finding engines: three places, no import, problems as values."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from takopi.backends import EngineBackend
from takopi.core.commands import command_names
from takopi.engines import EngineCatalogue, find_engines
from takopi.errors import PluginError
from takopi.plugin_ids import (
    RESERVED_CHAT_WORDS,
    RESERVED_COMMAND_IDS,
    RESERVED_ENGINE_IDS,
    check_plugin_id,
)

GOOD = dedent(
    """
    from dataclasses import dataclass
    from takopi.backends import EngineBackend

    @dataclass(slots=True)
    class Marker:
        engine: str = "{id}"

    BACKEND = EngineBackend("{id}", lambda config, path: Marker())
    """
)


@pytest.fixture
def home(takopi_home: Path) -> Path:
    (takopi_home / "runners").mkdir(mode=0o700)
    return takopi_home


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder on sys.path for packages; what is imported from it is forgotten."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if name.startswith(("plug_", "takopi.runners.extra")):
            del sys.modules[name]


def drop(home: Path, name: str, source: str = GOOD, mode: int = 0o600) -> Path:
    """Put a drop-in file into the home."""
    path = home / "runners" / f"{name}.py"
    path.write_text(source.replace("{id}", name))
    path.chmod(mode)
    return path


def install(package: Path, entry: str, source: str = GOOD, dist: str = "plug") -> None:
    """Install a package that brings one engine, as pip would leave it."""
    engine, _, target = entry.partition("=")
    module = target.strip().partition(":")[0]
    (package / f"{module}.py").write_text(source.replace("{id}", engine.strip()))
    info = package / f"{dist.replace('-', '_')}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[takopi.engine_backends]\n{entry}\n")


def messages(catalogue: EngineCatalogue) -> str:
    """Return all problems, those of loading too, as one text."""
    return "\n".join(f"{p.id} {p.place} {p.message}" for p in catalogue.load_problems())


def test_a_drop_in_file_is_an_engine(home: Path) -> None:
    """Its id is the file's name; it is imported only when it is loaded, and once."""
    path = drop(home, "shiny")
    catalogue = find_engines(home)
    assert "shiny" in catalogue.ids
    assert catalogue.place("shiny") == str(path)
    assert "takopi_dropin_shiny" not in sys.modules
    backend = catalogue.load("shiny")
    assert isinstance(backend, EngineBackend)
    assert backend.build_runner({}, path).engine == "shiny"
    assert catalogue.load("shiny") is backend
    assert not (home / "runners" / "__pycache__").exists()
    assert catalogue.problems == ()
    # A new catalogue reads the file anew.
    drop(home, "shiny", GOOD + "BACKEND = EngineBackend('shiny', Marker, install_cmd='x')")
    assert find_engines(home).load("shiny").install_cmd == "x"


def test_an_entry_point_is_an_engine(home: Path, package: Path) -> None:
    """Its id is the entry point's name; the place names the package."""
    install(package, "plugged = plug_one:BACKEND")
    catalogue = find_engines(home)
    assert "plugged" in catalogue.ids
    assert "plug_one" not in sys.modules
    assert catalogue.place("plugged") == ("entry point plugged = plug_one:BACKEND of plug 1.2")
    assert catalogue.load("plugged").id == "plugged"


def test_a_module_of_runners_is_an_engine(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No list to edit: its source has a BACKEND; one without, or with _, is none."""
    import takopi.runners

    folder = tmp_path / "more"
    (folder / "extrapack").mkdir(parents=True)
    (folder / "notapackage").mkdir()
    (folder / "extra.py").write_text(GOOD.replace("{id}", "extra"))
    (folder / "extrapack" / "__init__.py").write_text(GOOD.replace("{id}", "extrapack"))
    (folder / "_hidden.py").write_text(GOOD)
    (folder / "plain.py").write_text("# BACKEND = nothing\n    BACKEND = 1\n")
    monkeypatch.setattr(takopi.runners, "__path__", [*takopi.runners.__path__, str(folder)])
    catalogue = find_engines(home)
    assert {"extra", "extrapack"} <= set(catalogue.ids)
    assert not {"_hidden", "plain", "tool_actions", "run_options", "mock"} & set(catalogue.ids)
    assert catalogue.load("extra").id == "extra"
    assert catalogue.load("extrapack").id == "extrapack"
    for name in ("extra", "extrapack"):
        del sys.modules[f"takopi.runners.{name}"]


def test_no_home_and_no_folder_are_no_problem(takopi_home: Path) -> None:
    """A fresh machine has neither."""
    assert find_engines(takopi_home).problems == ()
    assert find_engines(takopi_home / "nothing").problems == ()


@pytest.mark.parametrize("which", ["file", "folder", "home", "target"])
def test_what_others_can_write_is_not_run(home: Path, tmp_path: Path, which: str) -> None:
    """The text has the command that mends it."""
    path = drop(home, "shiny")
    target = tmp_path / "elsewhere"
    target.mkdir(mode=0o700)
    if which == "target":
        path.rename(target / "shiny.py")
        path.symlink_to(target / "shiny.py")
        assert find_engines(home).load("shiny").id == "shiny"
    loose = {"file": path, "folder": path.parent, "home": home, "target": target}[which]
    loose.chmod(loose.stat().st_mode | 0o020)
    catalogue = find_engines(home)
    assert "shiny" not in catalogue.ids
    assert f"chmod go-w {loose}" in messages(catalogue)
    assert "can be written by other users" in messages(catalogue)


def test_a_file_that_was_opened_to_others_after_it_was_found_is_not_run(home: Path) -> None:
    """The check is repeated on what is really read."""
    path = drop(home, "shiny")
    catalogue = find_engines(home)
    path.chmod(0o666)
    with pytest.raises(PluginError, match="chmod go-w"):
        catalogue.load("shiny")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_not_run(home: Path) -> None:
    """Whoever it is could change it at any time."""
    os.chown(drop(home, "shiny"), 65534, -1)
    assert "belongs to another user (id 65534)" in messages(find_engines(home))


def test_unusable_files_are_problems_not_crashes(home: Path) -> None:
    """Each says what is wrong; the good one beside them stays."""
    drop(home, "good")
    drop(home, "none", "x = 1\n")
    drop(home, "Bad-Name")
    drop(home, "doctor")
    drop(home, "syntax", "BACKEND = (\n")
    drop(home, "raises", "raise SystemExit(3)\nBACKEND = 1\n")
    drop(home, "wrong", "BACKEND = 42\n")
    drop(home, "other", GOOD.replace("{id}", "another"))
    drop(home, "deleted", "BACKEND = 1\ndel BACKEND\n")
    drop(home, "_private", "1 / 0")
    (home / "runners" / "loop.py").symlink_to("loop.py")
    (home / "runners" / "dir.py").mkdir(mode=0o700)
    catalogue = find_engines(home)
    text = messages(catalogue)
    assert "good" in catalogue.ids
    assert "none.py has no BACKEND" in text
    assert "`Bad-Name` cannot be an id" in text
    assert "`doctor` is a name that takopi itself uses" in text
    assert "failed to load with SyntaxError" in text
    assert "failed to load with SystemExit: 3" in text
    assert "BACKEND is of type int; it has to be a takopi.backends.EngineBackend" in text
    assert "its BACKEND has the id `another`; the id has to be `other`" in text
    assert "it has no BACKEND" in text
    assert "loop.py cannot be read" in text
    assert "dir.py is no file" in text
    assert "_private" not in text
    assert catalogue.load("good").id == "good"
    assert "takopi_dropin_raises" not in sys.modules


PANIC = """
class PanicException(BaseException):
    pass

raise {raised}
BACKEND = 1
"""


@pytest.mark.parametrize("raised", ["PanicException('poisoned')", "GeneratorExit('poisoned')"])
def test_what_is_no_exception_is_a_problem_too(home: Path, raised: str) -> None:
    """Panics of extensions written in Rust pass by every `except Exception`."""
    drop(home, "good")
    drop(home, "panics", PANIC.format(raised=raised))
    catalogue = find_engines(home)
    name = raised.partition("(")[0]
    assert f"failed to load with {name}: poisoned; mend or remove it" in messages(catalogue)
    assert catalogue.load("good").id == "good"


def test_a_person_who_interrupts_an_import_is_obeyed(home: Path) -> None:
    """Ctrl-C is no fault of the engine."""
    drop(home, "slow", PANIC.format(raised="KeyboardInterrupt"))
    with pytest.raises(KeyboardInterrupt):
        find_engines(home).load("slow")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("build_runner=None", "build_runner of its BACKEND is None; it has to be `Callable`"),
        ("cli_cmd=5", "cli_cmd of its BACKEND is 5; it has to be `str | None`"),
        (r"cli_cmd='a\0b'", r"cli_cmd of its BACKEND is 'a\x00b'; it has to be `str | None`"),
        ("install_cmd=7", "install_cmd of its BACKEND is 7; it has to be `str | None`"),
        ("env_pass=None", "env_pass of its BACKEND is None; it has to be `tuple[str, ...]`"),
        ("env_pass='SEED'", "env_pass of its BACKEND is 'SEED'; it has to be `tuple[str, ...]`"),
        ("env_pass=(1,)", "env_pass of its BACKEND is (1,); it has to be `tuple[str, ...]`"),
    ],
)
def test_a_field_of_a_wrong_type_is_a_problem(home: Path, wrong: str, told: str) -> None:
    """It would break whoever looks at all engines, or pass a text letter by letter."""
    end = f"import dataclasses; BACKEND = dataclasses.replace(BACKEND, {wrong})\n"
    path = drop(home, "odd", GOOD + end)
    catalogue = find_engines(home)
    assert f"engine odd ({path}): {told}" in messages(catalogue)
    drop(home, "odd", GOOD + "BACKEND = EngineBackend('odd', Marker, env_pass=['A'])")
    assert find_engines(home).load("odd").env_pass == ["A"]


def test_a_pipe_among_the_files_is_a_problem(home: Path) -> None:
    """Nobody waits for what will never be written into it."""
    os.mkfifo(home / "runners" / "pipe.py", 0o600)
    (home / "runners" / "link.py").symlink_to("pipe.py")
    drop(home, "good")
    catalogue = find_engines(home)
    assert catalogue.load("good").id == "good"
    for name in ("pipe", "link"):
        path = home / "runners" / f"{name}.py"
        assert f"{path} is no file; remove it, or begin its name with _" in messages(catalogue)


def test_a_failed_reload_keeps_the_module_of_the_running_engine(home: Path) -> None:
    """Its runner may still look itself up."""
    drop(home, "shiny")
    find_engines(home).load("shiny")
    module = sys.modules["takopi_dropin_shiny"]
    drop(home, "shiny", "BACKEND = 1 / 0\n")
    with pytest.raises(PluginError, match="ZeroDivisionError"):
        find_engines(home).load("shiny")
    assert sys.modules["takopi_dropin_shiny"] is module


def test_a_folder_that_is_a_file_is_a_problem(takopi_home: Path) -> None:
    """One line instead of a traceback."""
    (takopi_home / "runners").write_text("")
    (takopi_home / "runners").chmod(0o600)
    assert "cannot be read: Not a directory" in messages(find_engines(takopi_home))


def test_two_engines_of_one_id_name_both_places(home: Path, package: Path) -> None:
    """The drop-in goes before the package, and the problem says so."""
    path = drop(home, "twice")
    install(package, "twice = plug_twice:BACKEND")
    catalogue = find_engines(home)
    (problem,) = [p for p in catalogue.problems if p.id == "twice"]
    assert str(path) in problem.message
    assert "entry point twice = plug_twice:BACKEND of plug 1.2" in problem.message
    assert catalogue.place("twice") == str(path)


def test_an_entry_point_that_leads_nowhere_is_a_problem(home: Path, package: Path) -> None:
    """It stands in the list with its reason."""
    install(package, "lost = plug_lost:NOTHING")
    assert "failed to load with AttributeError" in messages(find_engines(home))


def test_a_damaged_package_does_not_hide_the_others(home: Path, package: Path) -> None:
    """Whoever broke it: takopi starts, and the engines of the others are there."""
    install(package, "plugged = plug_two:BACKEND")
    broken = package / "broken-1.0.dist-info"
    broken.mkdir()
    (broken / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (broken / "entry_points.txt").write_text("[takopi.engine_backends]\nno equals sign\n")
    assert find_engines(home).load("plugged").id == "plugged"


def test_an_unknown_engine_is_an_error_that_lists_the_known(home: Path) -> None:
    """For a typing error in the configuration."""
    drop(home, "shiny")
    with pytest.raises(PluginError, match=r"there is no engine `shniy`; there are: .*shiny"):
        find_engines(home).load("shniy")
    with pytest.raises(PluginError, match="there are: none"):
        EngineCatalogue([]).place("x")


def test_ids_have_a_form_and_do_not_clash() -> None:
    """Every command of the CLI and every table of the configuration is taken."""
    from takopi.settings.keys import KEYS

    assert check_plugin_id("codex_2") is None
    for bad in ("", "Codex", "a-b", "x" * 33, "ü"):
        assert "cannot be an id" in str(check_plugin_id(bad))
    assert {spec.name.partition(".")[0] for spec in KEYS} <= set(RESERVED_ENGINE_IDS)
    assert len(set(RESERVED_ENGINE_IDS)) == len(RESERVED_ENGINE_IDS)
    assert set(command_names()) <= set(RESERVED_CHAT_WORDS)
    assert set(RESERVED_CHAT_WORDS) < set(RESERVED_COMMAND_IDS) < set(RESERVED_ENGINE_IDS)
    assert check_plugin_id("run", RESERVED_COMMAND_IDS) is None


def test_every_command_of_the_cli_is_reserved() -> None:
    """An engine of that name could never be called."""
    import typer

    from takopi.cli.root import app

    group = typer.main.get_command(app)
    names = {name.replace("-", "_") for name in group.commands}  # type: ignore[attr-defined]
    assert names <= set(RESERVED_ENGINE_IDS)
