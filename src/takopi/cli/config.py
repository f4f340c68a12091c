"""`takopi config`: look into the configuration file and change it."""

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from takopi.app.home import Home

__all__ = ["config_app"]

config_app = typer.Typer(
    name="config",
    help="Look into the configuration file and change it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def complete_key(incomplete: str) -> list[str]:
    """List the keys that begin so, for the shell."""
    from takopi.settings.keys import KEYS

    names = (spec.name for spec in KEYS)
    return [name for name in names if "*" not in name and name.startswith(incomplete)]


Key = Annotated[
    str,
    typer.Argument(
        help="Dotted key, like transports.telegram.chat_id.", autocompletion=complete_key
    ),
]
Reveal = Annotated[bool, typer.Option("--reveal", help="Show secrets.")]


@config_app.command("path")
def print_path() -> None:
    """Print where the file is."""
    from takopi.app.home import locate_home

    print(locate_home().config)


@config_app.command("list")
def list_values(
    *,
    reveal: Reveal = False,
    every: Annotated[
        bool, typer.Option("--all", help="Add the keys that are not set, with their defaults.")
    ] = False,
) -> None:
    """Print every key that is set."""
    from takopi.app import config_edit
    from takopi.app.home import locate_home
    from takopi.settings.keys import KEYS

    document = config_edit.read_document(locate_home().config)
    names = set()
    for name, value in config_edit.flatten(document):
        names.add(name)
        print(f"{name} = {config_edit.shown(name, value, reveal=reveal)}")
    if not names and not every:
        print("takopi: nothing is set; --all shows what there is", file=sys.stderr)
    for spec in KEYS if every else ():
        if spec.name in names or "*" in spec.name:
            continue
        default = config_edit.get_value({}, spec.name)
        text = "not set" if default is None else config_edit.shown(spec.name, default, reveal=True)
        print(f"# {spec.name} = {text}")


@config_app.command("get")
def get_value(key: Key, *, reveal: Reveal = False) -> None:
    """Print the value of a key; a string comes without quotes."""
    from takopi.app import config_edit
    from takopi.app.home import locate_home

    value = config_edit.get_value(config_edit.read_document(locate_home().config), key)
    if value is None:
        print(f"takopi: `{key}` is not set", file=sys.stderr)
        raise typer.Exit(1)
    if isinstance(value, dict):
        for name, item in config_edit.flatten(value, key + "."):
            print(f"{name} = {config_edit.shown(name, item, reveal=reveal)}")
        return
    if not isinstance(value, str):
        print(config_edit.shown(key, value, reveal=reveal))
    else:
        print(value if reveal or not config_edit.is_secret(key) else config_edit.MASK)


@config_app.command("set", context_settings={"ignore_unknown_options": True})
def set_value(
    key: Key,
    value: Annotated[
        str,
        typer.Argument(
            help="The value; - reads it from standard input, so that it stays out "
            "of the shell's history."
        ),
    ],
) -> None:
    """Set a key; comments and everything else stay as they are."""
    from takopi.app import config_edit
    from takopi.app.home import open_home

    home = open_home()
    text = sys.stdin.readline().strip() if value == "-" else value
    typed = config_edit.typed_value(key, text, home.config)
    with config_edit.edit_document(home.config) as document:
        config_edit.set_values(document, {key: typed})
    print(f"{key} = {config_edit.shown(key, typed, reveal=False)}")
    _tell_what_is_missing(home, key)


def _tell_what_is_missing(home: "Home", key: str) -> None:
    """Say what the bot would refuse now: a value may be right, and yet want another one.

    What may stand in the table of an engine, only the engine knows.
    """
    from takopi.app.config_edit import parts_of
    from takopi.app.engines import EngineShelf, choose_default
    from takopi.cli.streams import tell
    from takopi.engines import find_engines
    from takopi.errors import TakopiError
    from takopi.settings import load_settings

    try:
        settings = load_settings(home.config)
        catalogue = find_engines(home.path, settings.plugins.packages)
        shelf = EngineShelf(catalogue, settings)
        if parts_of(key)[0] in catalogue.ids:
            shelf.runner(parts_of(key)[0])
        if settings.default_engine is not None:
            choose_default(shelf, settings, None)
    except TakopiError as error:
        tell(f"takopi: not yet right: {error}")


@config_app.command("unset")
def unset_value(key: Key) -> None:
    """Take a key out, so that its default holds again."""
    from takopi.app import config_edit
    from takopi.app.home import open_home

    home = open_home()
    with config_edit.edit_document(home.config) as document:
        found = config_edit.unset_value(document, key)
    if not found:
        print(f"takopi: `{key}` was not set", file=sys.stderr)
        raise typer.Exit(1)
    _tell_what_is_missing(home, key)


@config_app.command("migrate")
def migrate(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
) -> None:
    """Rewrite the keys of an older takopi; a copy of the file is kept."""
    from takopi.app import config_edit
    from takopi.app.home import open_home
    from takopi.app.migration import keep_copy, migrate_document
    from takopi.engines import find_engines

    home = open_home()
    catalogue = find_engines(home.path)
    copy = None
    if dry_run:
        document = config_edit.read_document(home.config)
        report = migrate_document(document, home.config, catalogue, os.environ)
    else:
        with config_edit.edit_document(home.config) as document:
            report = migrate_document(document, home.config, catalogue, os.environ)
            copy = keep_copy(home.config) if report.changes else None
    for line in report.changes:
        print(f"✓ {line}")
    for line in report.left:
        print(f"! {line}")
    if not report.changes:
        print("Nothing is to be rewritten.")
    elif copy is None:
        print("Nothing was written.")
    else:
        print(f"The file as it was: {copy}")
    _foretell(home.config, document, catalogue.ids)


def _foretell(config: "Path", document: "Mapping[str, Any]", engines: tuple[str, ...]) -> None:
    """Say what the next start takes over of what the public takopi kept beside the file."""
    from takopi.app.public_import import Configured, foresee_public_state
    from takopi.errors import TakopiError
    from takopi.settings import parse_settings

    try:
        settings = parse_settings(document, config, {})
    except TakopiError:
        return  # told already, and what is known of projects would be wrong
    configured = Configured(settings.projects, engines, settings.default_project)
    forecast = foresee_public_state(config.parent, configured)
    for line in forecast.left:
        print(f"! stays in its file: {line}")
    if forecast.directory and str(settings.work_dir) != forecast.directory:
        print(
            f"! work_dir: sessions outside of projects work in {forecast.directory}; start takopi "
            "there, or set the key to it"
        )
    if forecast.places:
        print(f"The next start takes over what held in chats and topics: {forecast.places}.")
