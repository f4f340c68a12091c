"""The command `takopi` itself: its options, its sub-commands, and how errors become texts."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from takopi.cli.chat import chat
from takopi.cli.chat_id import chat_id
from takopi.cli.config import config_app
from takopi.cli.doctor import doctor
from takopi.cli.init import init
from takopi.cli.logs import logs
from takopi.cli.plugins import plugins
from takopi.cli.ps import ps
from takopi.cli.service import service_app
from takopi.cli.stop import stop
from takopi.cli.update_check import update_check
from takopi.errors import (
    AccessError,
    ConfigError,
    PluginError,
    TakopiError,
    Unauthorized,
    UsageError,
)

if TYPE_CHECKING:
    from takopi.engines import EngineCatalogue

__all__ = ["app", "exit_status", "run"]

EXIT_CONFIG = 78
EXIT_USAGE = 2


class EngineGroup(TyperGroup):
    """Offer every engine as a command, by its id alone: no engine is imported for it."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the commands, then the engines."""
        return [*super().list_commands(ctx), *_engine_ids()]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Find a command, or make one for an engine."""
        command = super().get_command(ctx, cmd_name)
        if command is None and cmd_name in _engine_ids():
            from takopi.cli.engine import engine_command

            return engine_command(cmd_name)
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that was asked for, or name the nearest one."""
        name = args[0]
        if name.startswith("-") or self.get_command(ctx, name) is not None:
            return super().resolve_command(ctx, args)
        problem = next((item for item in _engines().problems if item.id == name), None)
        if problem is not None:
            raise PluginError(problem.told)
        from takopi.settings.keys import nearest

        close = nearest(name, self.list_commands(ctx))
        advice = f"did you mean `takopi {close}`?" if close else "`takopi --help` lists them"
        raise UsageError(f"there is no command or engine `{name}`; {advice}")


def _engine_ids() -> tuple[str, ...]:
    return _engines().ids


def _engines() -> "EngineCatalogue":
    from takopi.engines import find_engines
    from takopi.settings import home_directory

    return find_engines(home_directory())


app = typer.Typer(
    cls=EngineGroup,
    name="takopi",
    help="Chat with coding agents from Telegram and the terminal.",
    epilog='`takopi codex "fix the tests"` runs one turn here; `takopi` alone starts the bot.',
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
# The list of commands cuts a text at 50 characters; these say the thing in fewer.
app.command(short_help="Chat with an engine here, without Telegram.")(chat)
app.command(short_help="List what runs and waits.")(ps)
app.command(short_help="Show what an engine did.")(logs)
app.command(short_help="End the bot and its engines.")(stop)
app.command(short_help="Make this directory a project.")(init)
app.command("chat-id", short_help="Learn the id of a chat or group.")(chat_id)
app.command(short_help="Say what is right, wrong and missing.")(doctor)
app.command(short_help="List the engines and the plug-ins that fail.")(plugins)
app.command("update-check", short_help="Ask whether there is a newer takopi.")(update_check)
app.add_typer(config_app)
app.add_typer(service_app)


@app.callback()
def takopi(
    context: typer.Context,
    *,
    version: Annotated[
        bool, typer.Option("--version", "-V", help="Print the version and end.")
    ] = False,
    debug: Annotated[
        bool,
        typer.Option(
            "--debug/--no-debug",
            help="Write everything to logs/debug.log of takopi's folder.",
            show_default=False,
        ),
    ] = False,
    onboard: Annotated[
        bool,
        typer.Option(
            "--onboard/--no-onboard",
            help="Go through the set-up (again), then start the bot.",
            show_default=False,
        ),
    ] = False,
    transport: Annotated[str | None, typer.Option("--transport", metavar="ID", hidden=True)] = None,
    final_notify: Annotated[
        bool | None, typer.Option("--final-notify/--no-final-notify", hidden=True)
    ] = None,
) -> None:
    """Start the bot, or run a command."""
    if version:
        from takopi import __version__

        print(f"takopi {__version__}")
        raise typer.Exit
    if debug:
        from takopi.cli.debug_log import start_debug_log

        start_debug_log()
    if context.invoked_subcommand is None:
        from takopi.cli.bot import BotWish, run_bot

        wish = BotWish(onboard=onboard, transport=transport, final_notify=final_notify)
        raise typer.Exit(run_bot(wish))
    if onboard:
        raise UsageError("--onboard starts the bot; leave the command out: `takopi --onboard`")


def exit_status(error: TakopiError) -> int:
    """Return the exit status that goes with an error."""
    if isinstance(error, (ConfigError, AccessError, Unauthorized)):
        return EXIT_CONFIG
    return EXIT_USAGE if isinstance(error, UsageError) else 1


def run(arguments: list[str]) -> int:
    """Run the command line and return the exit status; no mistake of a person shows a traceback."""
    from takopi.cli.streams import settled, steady_streams

    steady_streams()
    return settled(_status(arguments))


def _status(arguments: list[str]) -> int:
    from takopi.cli.streams import output_error, tell
    from takopi.logging import redact

    try:
        app(args=arguments, prog_name="takopi")
    except TakopiError as error:
        tell(f"takopi: {redact(str(error))}")
        return exit_status(error)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except Exception as error:  # noqa: BLE001 - the border of the process
        return 1 if error is output_error() else _fault(error)
    return 0


def _fault(error: Exception) -> int:
    from takopi.cli.streams import tell
    from takopi.logging import get_logger, redact

    get_logger("takopi.cli").debug("fault", exc_info=error)
    tell(
        f"takopi: this is a fault of takopi: {redact(f'{type(error).__name__}: {error}')}\n"
        "Run the same command as `takopi --debug ...` and report what the log file says."
    )
    return 1
