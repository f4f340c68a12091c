"""Find engines without importing any of them.

Three places: modules of `takopi.runners`, files of `<home>/runners/`, entry points of installed
packages. A module counts as an engine when its source assigns `BACKEND` at module level; looking
at the text costs less than a thousandth of importing it.
"""

import os
import re
import shlex
import stat
import sys
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from importlib import import_module, metadata
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from takopi.core.texts import tr
from takopi.errors import AccessError, PluginError
from takopi.plugin_catalogue import package_enabled
from takopi.plugin_entry_points import entry_points_of

__all__ = [
    "ENTRY_POINT_GROUP",
    "EngineSource",
    "builtin_sources",
    "check_owned",
    "dropin_files",
    "entry_point_sources",
]

ENTRY_POINT_GROUP = "takopi.engine_backends"
_BACKEND = re.compile(
    rb"^(?:BACKEND\b[^=\n]*=|from\s+\S+\s+import\b[^\n]*\bBACKEND\b)", re.MULTILINE
)


class EngineSource(ABC):
    """Be a place in which an engine was found.

    Args:
        id: Id of the engine, by the name of the place.
        place: What a person reads: a file, or an entry point and its package.
    """

    def __init__(self, engine_id: str, place: str) -> None:
        self.id = engine_id
        self.place = place

    @abstractmethod
    def load(self) -> Any:
        """Import the place and return what stands there as backend; may raise anything."""


class _Builtin(EngineSource):
    def __init__(self, engine_id: str, path: Path) -> None:
        super().__init__(engine_id, str(path))

    def load(self) -> Any:
        return import_module(f"takopi.runners.{self.id}").BACKEND


class _EntryPoint(EngineSource):
    def __init__(self, entry: metadata.EntryPoint) -> None:
        package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "a package"
        super().__init__(entry.name, f"entry point {entry.name} = {entry.value} of {package}")
        self._entry = entry

    def load(self) -> Any:
        return self._entry.load()


class DropIn(EngineSource):
    """Be a file of the drop-in folder; its source is checked and compiled at each load.

    No bytecode is read or written: a folder `__pycache__` that others can write to would
    otherwise run their code.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path.stem, str(path))
        self.path = path

    def load(self) -> Any:
        """Run the file as a module of its own and return its BACKEND.

        Raises:
            AccessError: Others can write to it.
            PluginError: It has no BACKEND.
        """
        with self.path.open("rb") as file:
            check_owned(self.path, os.fstat(file.fileno()))
            source = file.read()
        # Dataclasses look the module of a class up by name.

        name = f"takopi_dropin_{self.id}"
        module = ModuleType(name)
        module.__file__ = str(self.path)
        module.__spec__ = ModuleSpec(name, None, origin=str(self.path))
        before = sys.modules.get(name)
        sys.modules[name] = module
        try:
            exec(compile(source, str(self.path), "exec"), vars(module))  # noqa: S102 - its purpose
            if not hasattr(module, "BACKEND"):
                raise PluginError(tr("it has no BACKEND"))
        except BaseException:
            if before is None:
                del sys.modules[name]
            else:
                sys.modules[name] = before
            raise
        return module.BACKEND


def declares_backend(path: Path) -> bool:
    """Say whether a source file assigns BACKEND at module level."""
    return _BACKEND.search(path.read_bytes()) is not None


def builtin_sources() -> Iterator[EngineSource]:
    """Find the engines among the modules of `takopi.runners`, in order of their names."""
    package = import_module("takopi.runners")
    found: dict[str, Path] = {}
    for folder in package.__path__:
        for path in sorted(Path(folder).iterdir()):
            source = path / "__init__.py" if path.is_dir() else path
            name = path.stem
            if source.suffix != ".py" or name.startswith("_") or not source.is_file():
                continue
            if declares_backend(source):
                found.setdefault(name, source)
    for name in sorted(found):
        yield _Builtin(name, found[name])


def dropin_files(folder: Path) -> list[Path]:
    """List the files of the drop-in folder, in order of their names.

    Raises:
        AccessError: Others can write to the folder, or it cannot be read.
    """
    try:
        check_owned(folder, folder.stat())
        return sorted(
            path
            for path in folder.iterdir()
            if path.suffix == ".py" and not path.name.startswith(("_", "."))
        )
    except FileNotFoundError:
        return []
    except OSError as error:
        raise AccessError(
            f"{folder} cannot be read: {error.strerror}; make it a folder of yours with "
            f"`chmod 700 {shlex.quote(str(folder))}`"
        ) from error


def check_owned(path: Path, status: os.stat_result) -> None:
    """Refuse what somebody else could have written; its code would run as this user.

    Raises:
        AccessError: With the command that mends it.
    """
    shown = shlex.quote(str(path))
    if status.st_uid not in (os.getuid(), 0):
        raise AccessError(
            tr("{path} belongs to another user (id {user}), so its code is not run; check it, "
               "then take it over with `sudo chown $(id -u) {shown}`",
               path=path, user=status.st_uid, shown=shown)
        )  # fmt: skip
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise AccessError(
            tr("{path} can be written by other users (mode {mode}), so its code is not run; check "
               "it, then close it with `chmod go-w {shown}`",
               path=path, mode=f"{stat.S_IMODE(status.st_mode):04o}", shown=shown)
        )  # fmt: skip


def entry_point_sources(enabled: Collection[str] | None = None) -> list[EngineSource]:
    """Find the entry points of installed packages, in order of ids and packages.

    Args:
        enabled: Names of the packages that may bring engines; None means all.
    """
    unique = {
        (e.name, e.value, e.dist.name if e.dist else ""): e
        for e in entry_points_of(ENTRY_POINT_GROUP)
        if package_enabled(e.dist.name if e.dist else "", enabled)
    }
    return [_EntryPoint(unique[key]) for key in sorted(unique)]
