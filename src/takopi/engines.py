"""Know the engines that are there, without importing them before they are needed.

A module that cannot be used is a value, `PluginProblem`, for `takopi doctor` and
`takopi plugins`; it never stops the rest.
"""

import stat
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from takopi.backends import EngineBackend
from takopi.core.texts import tr
from takopi.engine_sources import (
    DropIn,
    EngineSource,
    builtin_sources,
    check_owned,
    declares_backend,
    dropin_files,
    entry_point_sources,
)
from takopi.errors import AccessError, ConfigError, PluginError
from takopi.plugin_catalogue import PluginProblem
from takopi.plugin_ids import check_plugin_id

__all__ = ["EngineCatalogue", "find_engines"]

DROPIN_FOLDER = "runners"


class EngineCatalogue:
    """Hold the engines that were found; made by `find_engines`."""

    def __init__(
        self, sources: Iterable[EngineSource], problems: Iterable[PluginProblem] = ()
    ) -> None:
        self._sources: dict[str, EngineSource] = {}
        self._loaded: dict[str, EngineBackend] = {}
        found = list(problems)
        for source in sources:
            wrong = check_plugin_id(source.id)
            first = self._sources.get(source.id)
            if wrong is None and first is not None:
                wrong = (
                    f"two engines have the id `{source.id}`: {first.place} is used, "
                    f"{source.place} is not; rename or remove one of them"
                )
            if wrong is None:
                self._sources[source.id] = source
            else:
                found.append(PluginProblem(source.id, source.place, wrong))
        self.ids: tuple[str, ...] = tuple(sorted(self._sources))
        """Ids of the engines that may be loaded."""
        self.problems: tuple[PluginProblem, ...] = tuple(found)
        """What was found but cannot be used; `load_problems` adds what only loading shows."""

    def place(self, engine_id: str) -> str:
        """Return where an engine was found, for a person.

        Raises:
            PluginError: There is no such engine.
        """
        return self._source(engine_id).place

    def load(self, engine_id: str) -> EngineBackend:
        """Import an engine, once, and return its registration.

        Raises:
            PluginError: There is no such engine, or its module cannot be used.
        """
        backend = self._loaded.get(engine_id)
        if backend is None:
            backend = self._loaded[engine_id] = _load(self._source(engine_id))
        return backend

    def load_problems(self) -> tuple[PluginProblem, ...]:
        """Import every engine and return all that cannot be used."""
        problems = list(self.problems)
        for engine_id in self.ids:
            try:
                self.load(engine_id)
            except PluginError as error:
                problems.append(PluginProblem(engine_id, self.place(engine_id), str(error)))
        return tuple(problems)

    def _source(self, engine_id: str) -> EngineSource:
        source = self._sources.get(engine_id)
        if source is None:
            known = ", ".join(self.ids) or tr("none")
            raise PluginError(
                tr(
                    "there is no engine `{engine}`; there are: {known}; `takopi plugins` says why "
                    "one is missing",
                    engine=engine_id,
                    known=known,
                )
            )
        return source


def _load(source: EngineSource) -> EngineBackend:
    # Importing runs the code of a plug-in's author, who may raise anything: SystemExit, and the
    # panics of extensions written in Rust, which are no Exception either.
    try:
        backend = source.load()
    except (AccessError, PluginError, ConfigError) as error:
        raise PluginError(
            tr("engine {engine} ({place}): {why}",
               engine=source.id, place=source.place, why=error)
        ) from error  # fmt: skip
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise PluginError(
            tr(
                "engine {engine} ({place}) failed to load with {kind}: {why}; mend or remove it",
                engine=source.id,
                place=source.place,
                kind=type(error).__name__,
                why=error,
            )
        ) from error
    if not isinstance(backend, EngineBackend):
        raise PluginError(
            tr(
                "engine {engine} ({place}): BACKEND is of type {kind}; it has to be a "
                "takopi.backends.EngineBackend",
                engine=source.id,
                place=source.place,
                kind=type(backend).__name__,
            )
        )
    if backend.id != source.id:
        raise PluginError(
            tr(
                "engine {engine} ({place}): its BACKEND has the id `{other}`; the id has to be "
                "`{engine}`, the name of the module, file or entry point",
                engine=source.id,
                place=source.place,
                other=backend.id,
            )
        )
    for field, accepted in _wrong_fields(backend):
        raise PluginError(
            tr(
                "engine {engine} ({place}): {field} of its BACKEND is {found}; it has to be "
                "`{accepted}`",
                engine=source.id,
                place=source.place,
                field=field,
                found=repr(getattr(backend, field))[:80],
                accepted=accepted,
            )
        )
    return backend


def _wrong_fields(backend: EngineBackend) -> Iterator[tuple[str, str]]:
    """Find what is of a wrong type, and what it has to be: a dataclass takes anything."""
    found: Any = backend
    if not callable(found.build_runner):
        yield "build_runner", "Callable"
    for field in ("cli_cmd", "install_cmd"):
        value = getattr(found, field)
        if value is not None and not (isinstance(value, str) and "\0" not in value):
            yield field, "str | None"
    names = found.env_pass  # a text would pass letter by letter
    if not (isinstance(names, tuple | list) and all(isinstance(name, str) for name in names)):
        yield "env_pass", "tuple[str, ...]"


def find_engines(home: Path, enabled: Collection[str] | None = None) -> EngineCatalogue:
    """Find all engines, importing none.

    Args:
        home: takopi's folder; drop-in files are those of its `runners` folder.
        enabled: Names of the packages that may bring engines; None means all.
    """
    dropins, problems = _dropins(home)
    return EngineCatalogue([*builtin_sources(), *dropins, *entry_point_sources(enabled)], problems)


def _dropins(home: Path) -> tuple[list[EngineSource], list[PluginProblem]]:
    folder = home / DROPIN_FOLDER
    sources: list[EngineSource] = []
    problems: list[PluginProblem] = []
    try:
        if folder.exists():
            check_owned(home, home.stat())  # whoever can write there can put another folder here
        paths = dropin_files(folder)
    except AccessError as error:
        return [], [PluginProblem(DROPIN_FOLDER, str(folder), str(error))]
    for path in paths:
        try:
            status = path.stat()
            check_owned(path, status)
            if not stat.S_ISREG(status.st_mode):  # reading a pipe would wait for ever
                raise PluginError(f"{path} is no file; remove it, or begin its name with _")
            check_owned(path.resolve().parent, path.resolve().parent.stat())
            if not declares_backend(path):
                raise PluginError(
                    f"{path} has no BACKEND; end it with `BACKEND = EngineBackend(...)`, or begin "
                    "its name with _ if it is no engine"
                )
        except (AccessError, PluginError) as error:
            problems.append(PluginProblem(path.stem, str(path), str(error)))
        except OSError as error:
            message = f"{path} cannot be read: {error.strerror}; check the file"
            problems.append(PluginProblem(path.stem, str(path), message))
        else:
            sources.append(DropIn(path))
    return sources, problems
