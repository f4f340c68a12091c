"""The engines of this machine: found by name, loaded when they are asked for."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import msgspec

from takopi.backends import EngineBackend, EngineConfig
from takopi.core.engine_env import engine_environment
from takopi.core.missing_engines import UNKNOWN_VERSION, MissingEngine
from takopi.core.texts import tr
from takopi.engines import EngineCatalogue
from takopi.errors import ConfigError, PluginError, TakopiError, UsageError
from takopi.logging import adopt_structlog, get_logger
from takopi.model import EngineId
from takopi.runner import Runner
from takopi.settings import Settings
from takopi.settings.keys import nearest
from takopi.settings.kinds import ACCEPTED
from takopi.settings.values import wrong_value
from takopi.utils.subprocess import manage_subprocess

__all__ = ["VERSION_TIMEOUT_S", "EngineShelf", "Installed", "choose_default", "parse_version"]

_log = get_logger(__name__)

VERSION_TIMEOUT_S = 15
MAX_SAID_BYTES = 10_000
PREFERRED = ("codex", "claude", "opencode", "pi")
KEEP_BACKGROUND = "keep_background"


class Installed(msgspec.Struct, frozen=True):
    """Say whether and where an engine's CLI is installed.

    Args:
        program: The executable that was looked for.
        path: Where it is; None when it is not on PATH.
        install_cmd: The command that installs it.
    """

    program: str
    path: Path | None
    install_cmd: str | None = None


class EngineShelf:
    """Be the bridge's engine directory over what was found.

    Args:
        catalogue: What was found.
        settings: Has a table for each engine.
        environment: The environment of takopi itself.
        patience_s: So long an engine may take to tell its version.
    """

    def __init__(
        self,
        catalogue: EngineCatalogue,
        settings: Settings,
        environment: Mapping[str, str] = os.environ,
        *,
        patience_s: float = VERSION_TIMEOUT_S,
    ) -> None:
        self._catalogue = catalogue
        self._settings = settings
        self._environment = environment
        self._patience_s = patience_s
        self._runners: dict[EngineId, Runner] = {}
        self._versions: dict[EngineId, str] = {}
        self._answered: set[EngineId] = set()

    def ids(self) -> Sequence[EngineId]:
        """List the engines, without loading one."""
        return self._catalogue.ids

    def backend(self, engine: EngineId) -> EngineBackend:
        """Load an engine's registration.

        Raises:
            PluginError: Nobody knows the engine, or its module cannot be used.
        """
        if engine not in self._catalogue.ids:
            known = ", ".join(self._catalogue.ids) or tr("none")
            raise PluginError(
                tr("there is no engine `{engine}`; known engines: {known}",
                   engine=engine, known=known)
            )  # fmt: skip
        backend = self._catalogue.load(engine)
        adopt_structlog()
        return backend

    def runner(self, engine: EngineId) -> Runner:
        """Return an engine's runner, the same one each time.

        Raises:
            PluginError: Nobody knows the engine, or its module cannot be used.
            ConfigError: Its table of the configuration is wrong.
        """
        found = self._runners.get(engine)
        if found is None:
            table = self._settings.engine_table(engine)
            # The one key of an engine's table that is takopi's own business.
            table.pop(KEEP_BACKGROUND, None)
            found = self._runners[engine] = self._build(engine, table)
        return found

    def _build(self, engine: EngineId, table: EngineConfig) -> Runner:
        backend = self.backend(engine)
        try:
            runner = backend.build_runner(table, self._settings.path)
            wrong = _wrong_runner(runner, engine)
        except (TakopiError, KeyboardInterrupt):
            raise
        except BaseException as error:  # an engine's module may raise anything
            _log.debug("engine.build_failed", engine=engine, exc_info=error)
            raise PluginError(
                tr("engine {engine} ({place}) failed in build_runner with {kind}: {why}; mend or "
                   "remove it", engine=engine, place=self._catalogue.place(engine),
                   kind=type(error).__name__, why=error)
            ) from error  # fmt: skip
        if wrong is not None:
            raise PluginError(
                tr("engine {engine} ({place}): its build_runner returned {wrong}; mend or remove "
                   "it", engine=engine, place=self._catalogue.place(engine), wrong=wrong)
            )  # fmt: skip
        return runner

    def installed(self, engine: EngineId) -> Installed:
        """Look for an engine's CLI on PATH.

        Raises:
            PluginError: Nobody knows the engine, or its module cannot be used.
        """
        backend = self.backend(engine)
        program = backend.cli_cmd or backend.id
        found = shutil.which(program, path=self._environment.get("PATH"))
        return Installed(program, Path(found) if found else None, backend.install_cmd)

    def missing(self, engine: EngineId) -> MissingEngine | None:
        """Say that an engine cannot run here, and what mends that; None when it can."""
        try:
            found = self.installed(engine)
        except PluginError:
            return MissingEngine(engine, broken=True)
        return None if found.path is not None else MissingEngine(engine, found.install_cmd)

    async def version(self, engine: EngineId) -> str | None:
        """Return what the engine's CLI says about its version; None when it is not installed."""
        known = self._versions.get(engine)
        if known is not None:
            return known
        path = self.installed(engine).path
        if path is None:
            return None
        said = await self._ask_version(engine, path)
        (self._answered.add if said.strip() else self._answered.discard)(engine)
        version = parse_version(said)
        if version:
            self._versions[engine] = version
        return version or UNKNOWN_VERSION

    def answered(self, engine: EngineId) -> bool:
        """Say whether an engine's CLI printed anything when it was last asked for its version."""
        return engine in self._answered

    async def _ask_version(self, engine: EngineId, path: Path) -> str:
        streams = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.STDOUT,
        }
        said = b""
        try:
            with anyio.fail_after(self._patience_s):
                async with manage_subprocess(
                    [str(path), "--version"], env=self.environment(engine), **streams
                ) as process:
                    assert process.stdout is not None
                    async for chunk in process.stdout:
                        said = (said + chunk)[:MAX_SAID_BYTES]
                    status = await process.wait()
        except (TimeoutError, OSError):
            return ""
        return said.decode("utf-8", "replace") if status == 0 else ""

    def environment(self, engine: EngineId) -> dict[str, str]:
        """Return the environment in which an engine's CLI runs."""
        passes = (*self.backend(engine).env_pass, *self._settings.env_pass.get(engine, ()))
        return engine_environment(self._environment, engine=engine, passes=passes)

    def keeps_background(self) -> frozenset[EngineId]:
        """Name the engines whose background processes are left alone.

        Raises:
            ConfigError: The key is neither true nor false.
        """
        names = set()
        for engine in self._catalogue.ids:
            value: Any = self._settings.engine_table(engine).get(KEEP_BACKGROUND, False)
            if not isinstance(value, bool):
                raise wrong_value(
                    self._settings.path, f"{engine}.{KEEP_BACKGROUND}", value, ACCEPTED["bool"]
                )
            if value:
                names.add(engine)
        return frozenset(names)


def _wrong_runner(runner: Any, engine: EngineId) -> str | None:
    """Say what a module returned in the place of a runner of this engine; None when it is one."""
    if not callable(getattr(runner, "run", None)):
        return tr("a {kind}, which has no run()", kind=type(runner).__name__)
    other = getattr(runner, "engine", None)
    if other != engine:
        return tr("a runner whose engine is {other}, not {engine}", other=repr(other)[:80],
                  engine=engine)  # fmt: skip
    return None


def parse_version(said: str) -> str:
    """Return the version in what a CLI printed, like `0.150.0`; empty when there is none."""
    found = re.search(r"\d+\.\d+[0-9A-Za-z.+-]*", said)
    return found[0].rstrip(".") if found else ""


def choose_default(shelf: EngineShelf, settings: Settings, asked: str | None) -> EngineId:
    """Decide which engine runs prompts that name none.

    Args:
        shelf: The engines.
        settings: May name one.
        asked: What the command line names.

    Raises:
        UsageError: The command line names an engine that nobody knows.
        ConfigError: The configuration does, or it names none and none is installed.
    """
    ids = list(shelf.ids())
    if asked is not None:
        if asked not in ids:
            close = nearest(asked, ids)
            advice = f"did you mean `{close}`?" if close else f"known engines: {', '.join(ids)}"
            raise UsageError(f"there is no engine `{asked}`; {advice}")
        return asked
    if settings.default_engine is not None:
        if settings.default_engine not in ids:
            raise wrong_value(
                settings.path, "default_engine", settings.default_engine, ", ".join(ids)
            )
        return settings.default_engine
    for engine in first_choices(ids):
        try:
            if shelf.installed(engine).path is not None:
                return engine
        except PluginError:
            continue  # told by the doctor; another engine may do
    raise ConfigError(
        tr("no engine is installed; install one, for example with "
           "`npm install -g @openai/codex`; `takopi doctor` names the others")
    )  # fmt: skip


def first_choices(ids: Sequence[EngineId]) -> list[EngineId]:
    """Order engines as takopi would choose one itself."""
    preferred = [engine for engine in PREFERRED if engine in ids]
    return preferred + [engine for engine in ids if engine not in PREFERRED]
