"""Know the plug-ins of one kind that installed packages bring, without importing them before use.

A plug-in that cannot be used is a value, `PluginProblem`, for `takopi doctor` and
`takopi plugins`; it never stops the rest.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from importlib import metadata
from typing import Generic, Protocol, TypeVar

import msgspec

from takopi.core.texts import tr
from takopi.errors import PluginError
from takopi.plugin_entry_points import entry_points_of
from takopi.plugin_ids import RESERVED_COMMAND_IDS, check_plugin_id

__all__ = [
    "InstalledPlugin",
    "PluginCatalogue",
    "PluginProblem",
    "PluginSource",
    "installed_plugins",
    "package_enabled",
]

_Backend = TypeVar("_Backend")


class PluginProblem(msgspec.Struct, frozen=True):
    """Describe a plug-in, or a place of plug-ins, that cannot be used.

    Args:
        id: Its id; the name of the place when there is none.
        place: The file or entry point.
        message: What is wrong and what to do about it.
    """

    id: str
    place: str
    message: str

    @property
    def told(self) -> str:
        """Give the message with the place, which is in most messages already."""
        return self.message if self.place in self.message else f"{self.place}: {self.message}"


class PluginSource(Protocol):
    """Be a place from which a plug-in can be loaded."""

    @property
    def id(self) -> str:
        """Give the id that the place names."""
        ...

    @property
    def place(self) -> str:
        """Name the place, for a person."""
        ...

    @property
    def package(self) -> str:
        """Name the package that brings it; empty when nobody knows."""
        ...

    def load(self) -> object:
        """Run the author's code and return what it registers."""
        ...


class InstalledPlugin:
    """Be an entry point of an installed package.

    Args:
        entry: The entry point.
    """

    def __init__(self, entry: metadata.EntryPoint) -> None:
        package = entry.dist
        self.id = entry.name
        self.package = package.name if package else ""
        version = f" of {package.name} {package.version}" if package else ""
        self.place = f"entry point {entry.name} = {entry.value}{version}"
        self._entry = entry

    def load(self) -> object:
        """Import the module and return what the entry point names."""
        return self._entry.load()


def installed_plugins(group: str) -> list[PluginSource]:
    """Find the entry points of a group, in order of ids and packages, importing none."""
    unique = {(e.name, e.value, e.dist.name if e.dist else ""): e for e in entry_points_of(group)}
    return [InstalledPlugin(unique[key]) for key in sorted(unique)]


def package_enabled(package: str, enabled: Collection[str] | None) -> bool:
    """Tell whether a package may bring plug-ins.

    Args:
        package: Its name.
        enabled: Names of those that may, in any spelling that pip takes; None means all.
    """
    return enabled is None or _spelled(package) in {_spelled(name) for name in enabled}


def _spelled(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


class PluginCatalogue(Generic[_Backend]):
    """Hold the plug-ins of one kind that were found.

    Args:
        kind: What they are, in one word for a person: "command".
        sources: Where they are; the first of one id counts.
        accept: Returns what was loaded when it is of the right type, with the id in the second
            place; raises `PluginError` otherwise.
        taken: Ids that mean something else already, and what.
        enabled: Names of the packages that may bring plug-ins; None means all.
    """

    def __init__(
        self,
        kind: str,
        sources: Iterable[PluginSource],
        accept: Callable[[object, str], _Backend],
        *,
        taken: Mapping[str, str] | None = None,
        enabled: Collection[str] | None = None,
    ) -> None:
        self._kind = kind
        self._accept = accept
        self._sources: dict[str, PluginSource] = {}
        self._loaded: dict[str, _Backend] = {}
        problems: list[PluginProblem] = []
        left_out: list[PluginProblem] = []
        for source in sources:
            if not package_enabled(source.package, enabled):
                why = f"not loaded: plugins.enabled does not name {source.package or 'its package'}"
                left_out.append(PluginProblem(source.id, source.place, why))
                continue
            wrong = self._wrong(source, taken or {})
            if wrong is None:
                self._sources[source.id] = source
            else:
                problems.append(PluginProblem(source.id, source.place, wrong))
        self.ids: tuple[str, ...] = tuple(sorted(self._sources))
        """Ids of the plug-ins that may be loaded."""
        self.problems: tuple[PluginProblem, ...] = tuple(problems)
        """What was found but cannot be used; `load_problems` adds what only loading shows."""
        self.left_out: tuple[PluginProblem, ...] = tuple(left_out)
        """What the configuration does not let load."""

    def _wrong(self, source: PluginSource, taken: Mapping[str, str]) -> str | None:
        wrong = check_plugin_id(source.id, RESERVED_COMMAND_IDS)
        first = self._sources.get(source.id)
        if wrong is None and source.id in taken:
            wrong = f"`{source.id}` is {taken[source.id]} already; rename one of the two"
        if wrong is None and first is not None:
            wrong = (
                f"two plug-ins have the id `{source.id}`: {first.place} is used, {source.place} "
                "is not; remove one of them, or name the other package in plugins.enabled"
            )
        return wrong

    def place(self, plugin_id: str) -> str:
        """Return where a plug-in was found, for a person.

        Raises:
            PluginError: There is no such plug-in.
        """
        return self._source(plugin_id).place

    def package(self, plugin_id: str) -> str:
        """Return the package that brings a plug-in.

        Raises:
            PluginError: There is no such plug-in.
        """
        return self._source(plugin_id).package

    def known(self, plugin_id: str) -> _Backend | None:
        """Return a plug-in that was loaded before; None for any other."""
        return self._loaded.get(plugin_id)

    def load(self, plugin_id: str) -> _Backend:
        """Import a plug-in, once, and return what it registers.

        Raises:
            PluginError: There is no such plug-in, or it cannot be used.
        """
        backend = self._loaded.get(plugin_id)
        if backend is None:
            backend = self._loaded[plugin_id] = self._load(self._source(plugin_id))
        return backend

    def load_problems(self) -> tuple[PluginProblem, ...]:
        """Import every plug-in and return all that cannot be used."""
        problems = list(self.problems)
        for plugin_id in self.ids:
            try:
                self.load(plugin_id)
            except PluginError as error:
                problems.append(PluginProblem(plugin_id, self.place(plugin_id), str(error)))
        return tuple(problems)

    def working(self) -> tuple[str, ...]:
        """List the ids of those that were loaded."""
        return tuple(sorted(self._loaded))

    def _source(self, plugin_id: str) -> PluginSource:
        source = self._sources.get(plugin_id)
        if source is None:
            raise PluginError(
                tr(
                    "no package brings the {kind} `{plugin}`; install one, or check its spelling; "
                    "`takopi plugins` says why one is missing",
                    kind=self._kind,
                    plugin=plugin_id,
                )
            )
        return source

    def _load(self, source: PluginSource) -> _Backend:
        place = f"{self._kind} {source.id} ({source.place})"
        # Importing runs the author's code, which may raise anything, as `engines` says.
        try:
            backend = source.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise PluginError(
                tr(
                    "{place} failed to load with {kind}: {why}; mend or remove it",
                    place=place,
                    kind=type(error).__name__,
                    why=error,
                )
            ) from error
        try:
            return self._accept(backend, source.id)
        except PluginError as error:
            raise PluginError(f"{place} {error}") from error
