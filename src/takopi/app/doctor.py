"""Look at everything that has to be right before the bot can work."""

import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from shlex import quote

import anyio
import anyio.to_thread

from takopi.app.chat_checks import check_access, check_telegram
from takopi.app.checks import Check
from takopi.app.command_plugins import open_commands
from takopi.app.config_edit import read_document
from takopi.app.engines import VERSION_TIMEOUT_S, EngineShelf, choose_default
from takopi.app.home import Home, is_directory
from takopi.app.node_need import node_fault
from takopi.app.service_checks import check_services
from takopi.app.settings_checks import check_named
from takopi.app.transport_setup import check_transport
from takopi.core.missing_engines import UNKNOWN_VERSION
from takopi.core.os_remedies import remedy
from takopi.engines import EngineCatalogue, find_engines
from takopi.errors import ConfigError, StoreError, TakopiError
from takopi.logging import add_secrets
from takopi.process.host import HostLimits
from takopi.settings import Settings, check_private, load_settings, parse_settings
from takopi.settings.former import former_key_told
from takopi.settings.keys import near_key, unknown_keys
from takopi.store.reading import journal_health, open_reading
from takopi.transports import find_transports

__all__ = ["examine"]

# What an engine does by its nature, whatever the configuration says.
NATURE = {"pi": "unrestricted: it never asks before it runs or writes anything"}


async def examine(
    home: Home,
    environment: Mapping[str, str] = os.environ,
    *,
    patience_s: float = VERSION_TIMEOUT_S,
) -> list[Check]:
    """Return everything that was found, in the order of a set-up.

    Args:
        home: takopi's folder.
        environment: The environment of takopi itself.
        patience_s: So long an engine may take to tell its version.
    """
    checks = [_check_home(home), *_check_space(home)]
    read, found = _check_config(home, environment)
    settings = read or parse_settings({}, home.config, {}, exists=False)
    checks += found
    catalogue = find_engines(home.path, settings.plugins.packages)
    shelf = EngineShelf(catalogue, settings, environment, patience_s=patience_s)
    telegram: list[Check] = []
    engines: dict[str, list[Check]] = {engine: [] for engine in catalogue.ids}

    async def ask_telegram() -> None:
        if settings.transport == "telegram":
            telegram.extend(await check_telegram(settings))
        else:
            telegram.extend(await anyio.to_thread.run_sync(check_transport, home, settings))

    async def ask_engine(engine: str) -> None:
        try:
            engines[engine].extend(await _check_engine(shelf, engine))
        except Exception as error:  # noqa: BLE001 - what a module gave may raise anything
            text = f"{catalogue.place(engine)} failed with {type(error).__name__}: {error}"
            engines[engine].append(Check(engine, "wrong", f"{text}; mend or remove it"))

    async with anyio.create_task_group() as tasks:
        if settings.exists:
            if settings.telegram.bot_token is not None:
                add_secrets([settings.telegram.bot_token])
            tasks.start_soon(ask_telegram)
        for engine in catalogue.ids:
            tasks.start_soon(ask_engine, engine)
    checks += telegram
    if settings.exists and settings.transport == "telegram":
        checks += check_access(settings)
    checks += await check_services(home, environment)
    if read is not None:
        checks += _check_resilience(settings)
    checks += _check_journal(home)
    if read is not None:  # of a file that cannot be read nobody knows what it says
        checks.append(_check_work_dir(settings))
        checks += await anyio.to_thread.run_sync(check_named, settings, catalogue.ids, environment)
    for lines in engines.values():
        checks += lines
    if read is not None:
        checks.append(_check_default(shelf, settings))
    plugins = await anyio.to_thread.run_sync(_check_plugins, catalogue, settings)
    return checks + plugins


def _check_home(home: Home) -> Check:
    try:
        status = home.path.stat()
    except FileNotFoundError:
        return Check("folder", "note", f"{home.path} does not exist yet; the first start makes it")
    except OSError as error:
        return Check("folder", "wrong", f"{home.path} cannot be looked at: {error.strerror}")
    if not stat.S_ISDIR(status.st_mode):
        return Check("folder", "wrong", f"{home.path} is not a folder; set TAKOPI_HOME to one")
    try:
        check_private(home.path, status)
    except TakopiError as error:
        return Check("folder", "wrong", str(error))
    return Check("folder", "ok", str(home.path))


def _check_space(home: Home) -> list[Check]:
    try:
        free_mb = shutil.disk_usage(home.path).free // 1_000_000
    except OSError:
        return []  # told about the folder itself
    least_mb = HostLimits().min_free_mb
    if free_mb >= least_mb:
        return [Check("space", "ok", f"{free_mb / 1000:.1f} GB are free")]
    text = f"{free_mb} MB are free, and no engine starts below {least_mb} MB; free some space"
    return [Check("space", "wrong", text)]


def _check_journal(home: Home) -> list[Check]:
    subject = "journal"
    try:
        health = journal_health(home.journal)
    except OSError as error:
        text = f"{home.journal} cannot be looked at: {error.strerror}"
        return [Check(subject, "wrong", f"{text}; {remedy(error.errno, home.journal)}")]
    checks = []
    if health.fault:
        checks.append(Check(subject, "wrong", health.fault))
    elif health.exists:
        checks.append(Check(subject, "ok", str(home.journal)))
        checks += _check_letters(home)
    else:
        checks.append(Check(subject, "note", "nothing is written down yet"))
    for path in health.damaged:
        text = (
            f"an earlier one was damaged and is kept as {path}; remove it when you do not need it"
        )
        checks.append(Check(subject, "warning", text))
    return checks


def _check_letters(home: Home) -> list[Check]:
    try:
        journal = open_reading(home.journal)
    except StoreError as error:
        return [Check("journal", "wrong", str(error))]
    if journal is None:
        return []
    with journal:
        waiting = journal.letters_waiting()
    if not waiting:
        return []
    letters = "1 message waits" if waiting == 1 else f"{waiting} messages wait"
    text = f"{letters} to be sent; a running bot sends them as soon as Telegram takes them"
    return [Check("journal", "note", text)]


def _check_resilience(settings: Settings) -> list[Check]:
    stops = {
        "detach": "engines go on working when takopi is told to end, and the next one goes on",
        "cancel": "engines are ended when takopi is told to end",
    }
    backlogs = {
        "answer": "prompts that came while takopi was away are answered",
        "ask": "prompts that came while takopi was away are shown with buttons",
        "drop": "prompts that came while takopi was away are not answered, and that is told",
    }
    return [
        Check("on_stop", "note", f"{settings.on_stop}: {stops[settings.on_stop]}"),
        Check("backlog", "note", f"{settings.backlog}: {backlogs[settings.backlog]}"),
    ]


def _check_config(
    home: Home, environment: Mapping[str, str]
) -> tuple[Settings | None, list[Check]]:
    subject = "configuration"
    try:
        settings = load_settings(home.config, environment)
    except TakopiError as error:
        return None, [Check(subject, "wrong", str(error)), *_former_keys(home.config)]
    if not settings.exists:
        text = f"there is none at {home.config}; run `takopi` in a terminal to make one"
        return settings, [Check(subject, "wrong", text)]
    checks = [Check(subject, "ok", str(home.config))]
    engines = find_engines(home.path).ids
    for key in unknown_keys(settings.document, engines):
        close = near_key(key, engines)
        meant = f"; did you mean `{close}`?" if close else ""
        told = former_key_told(key) or f"nothing reads the key `{key}`{meant}"
        checks.append(Check(subject, "warning", told))
    return settings, checks


def _former_keys(config: Path) -> list[Check]:
    """Name the command that rewrites a file of the public takopi: more may not be wrong."""
    try:
        document = read_document(config).unwrap()
    except TakopiError:
        return []
    if not any(former_key_told(key) for key in unknown_keys(document, ())):
        return []
    text = "keys of the public takopi stand in it; `takopi config migrate` rewrites them"
    return [Check("configuration", "warning", text)]


def _check_work_dir(settings: Settings) -> Check:
    path = settings.work_dir
    if path is None:
        return Check("work_dir", "note", "not set: new sessions start where takopi is started")
    if not is_directory(path):
        make = f"mkdir -p {quote(str(path))}"
        text = f"{path} is not a directory; make it with `{make}`, or set another"
        return Check("work_dir", "wrong", text)
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return Check("work_dir", "wrong", f"{path} cannot be written; set another work_dir")
    return Check("work_dir", "ok", str(path))


async def _check_engine(shelf: EngineShelf, engine: str) -> list[Check]:
    try:
        installed = shelf.installed(engine)
        shelf.runner(engine)
    except TakopiError as error:
        return [Check(engine, "wrong", str(error))]
    if installed.path is None:
        remedy = f"; install it with `{installed.install_cmd}`" if installed.install_cmd else ""
        return [Check(engine, "note", f"`{installed.program}` is not on PATH{remedy}")]
    version = await shelf.version(engine)
    if version == UNKNOWN_VERSION and shelf.answered(engine):
        text = f"{installed.path} answers to --version, but does not tell a version"
        return [Check(engine, "warning", f"{text}; run it once by hand to see what it says")]
    if version == UNKNOWN_VERSION:
        fault = await node_fault(installed.path, shelf.environment(engine))
        advice = f": {fault}" if fault else "; run it once by hand"
        text = f"{installed.path} does not answer to --version{advice}"
        return [Check(engine, "wrong" if fault else "warning", text)]
    checks = [Check(engine, "ok", f"{version}  {installed.path}")]
    if engine in NATURE:
        checks.append(Check(engine, "note", NATURE[engine]))
    return checks


def _check_default(shelf: EngineShelf, settings: Settings) -> Check:
    subject = "default engine"
    try:
        engine = choose_default(shelf, settings, None)
        if shelf.installed(engine).path is None:
            text = f"{engine} is the default engine but is not installed"
            return Check(subject, "wrong", f"{text}; install it, or set another default_engine")
    except ConfigError as error:
        nothing = "no engine is installed; the lines above say how to install one"
        return Check(subject, "wrong", str(error) if settings.default_engine else nothing)
    except TakopiError as error:
        return Check(subject, "wrong", str(error))
    return Check(subject, "ok", engine)


def _check_plugins(catalogue: EngineCatalogue, settings: Settings) -> list[Check]:
    """Load what packages bring: only that shows whether it can be used."""
    commands = open_commands(settings, catalogue.ids)
    transports = find_transports(settings.plugins.packages)
    problems = (
        *catalogue.problems,
        *commands.load_problems(),
        *transports.load_problems(),
    )
    checks = [Check(f"command {one}", "ok", commands.place(one)) for one in commands.working()]
    return checks + [Check("plug-in", "wrong", problem.told) for problem in problems]
