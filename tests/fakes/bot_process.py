"""The bot as a person starts it: a process of its own, with a home, against the stand-in."""

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from subprocess import DEVNULL
from types import TracebackType
from typing import Self

import anyio
import anyio.abc

from fakes.outside import holds
from fakes.telegram_api import OWNER_ID, TOKEN, TelegramApi
from takopi.process.home import home_id
from takopi.process.host import LocalRunHost
from takopi.process.run_views import list_runs

__all__ = ["BotProcess", "appears", "untraced", "write_config"]


def untraced(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which the tests' coverage is not measured."""
    return {name: value for name, value in environment.items() if not name.startswith("COV")}


async def appears(path: Path, limit_s: float = 30) -> None:
    """Wait for a file that an engine makes; a chat hears of its steps only seconds later."""
    await holds(path.exists, limit_s)


def write_config(home: Path, api: TelegramApi, work_dir: Path, extra: str = "") -> Path:
    """Write a configuration that leads the bot to the stand-in; `extra` comes first, as TOML."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = home / "takopi.toml"
    path.write_text(
        f'work_dir = "{work_dir}"\n{extra}\n'
        "[transports.telegram]\n"
        f'bot_token = "{TOKEN}"\nchat_id = {OWNER_ID}\napi_base_url = "{api.base_url}"\n',
        encoding="utf-8",
    )
    path.chmod(0o600)
    return path


class BotProcess:
    """Run `takopi` until the block ends; what it printed is in `output` afterwards.

    Args:
        home: TAKOPI_HOME, with its configuration.
        environment: Changes to the environment.
        arguments: What follows `takopi`.
        traced: Whether the tests' coverage is measured in it, which makes its start three times as
            long; worth it for what no other test reaches.
    """

    def __init__(
        self,
        home: Path,
        environment: Mapping[str, str] | None = None,
        *arguments: str,
        traced: bool = False,
    ) -> None:
        self._home = home
        self._environment = dict(environment or {})
        self._around = dict(os.environ) if traced else untraced(os.environ)
        self._arguments = arguments
        self._log = home.parent / "bot-output.txt"
        self.process: anyio.abc.Process

    @property
    def output(self) -> str:
        """Give everything that the bot printed so far."""
        return self._log.read_text("utf-8", "replace")

    async def __aenter__(self) -> Self:
        with self._log.open("ab") as log:
            self.process = await anyio.open_process(
                [sys.executable, "-m", "takopi", *self._arguments],
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                env=self._around | {"TAKOPI_HOME": str(self._home)} | self._environment,
                start_new_session=True,
            )
        return self

    async def stop(self, number: signal.Signals = signal.SIGTERM, limit_s: float = 20) -> int:
        """Send a signal and return the exit status that follows it."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        with anyio.fail_after(limit_s):
            return await self.process.wait()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with anyio.CancelScope(shield=True):
            try:
                await self.stop()
            except TimeoutError:
                self.process.kill()
                await self.process.wait()
        await self.process.aclose()
        if error is not None:
            error.add_note(f"the bot printed:\n{self.output}")
            with anyio.CancelScope(shield=True):
                await self._end_runs()

    async def _end_runs(self) -> None:
        """End the engines that a failed test would leave working for ever."""
        if (self._home / "runs").is_dir():
            host = LocalRunHost(self._home / "runs", home_id(self._home))
            for view in list_runs(self._home / "runs"):
                run = host.attach(view.run_id) if view.state == "running" else None
                if run is not None:
                    await run.cancel()
