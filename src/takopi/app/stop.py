"""`takopi stop`: the bot and its runs are ended, also when no bot answers or none is there.

A bot that answers ends its runs itself and tells the chats. What is left after that is ended here,
under the bot's own lock, and written down: the next bot then tells those turns as cancelled.
"""

import signal
from collections.abc import Callable

import anyio
from msgspec.structs import replace

from takopi.app.bot_lock import RunningBot, running_bot, service_of
from takopi.app.home import Home
from takopi.app.journal import open_bot_journal
from takopi.app.leaving import STOP_REQUEST
from takopi.app.locks import Flock
from takopi.bridge.records import TurnPut
from takopi.errors import StoreError, TakopiError, UsageError
from takopi.file_lock import FileLock
from takopi.process.home import home_id
from takopi.process.host import LocalRunHost
from takopi.process.identity import is_alive, send_signal
from takopi.process.run_directory import RunDirectory
from takopi.process.run_views import RunView, list_runs
from takopi.store.reading import journal_health

__all__ = ["StopPatience", "stop_everything"]

REASON = "ended by `takopi stop`"
_LOOK_EVERY_S = 0.05

Tell = Callable[[str], None]


class StopPatience:
    """Say how long a bot may take.

    Args:
        orderly_s: To end by itself; it needs up to ten seconds.
        killed_s: To be gone after a SIGKILL, and for its lock to be free.
    """

    def __init__(self, orderly_s: float = 15.0, killed_s: float = 3.0) -> None:
        self.orderly_s = orderly_s
        self.killed_s = killed_s


async def stop_everything(home: Home, tell: Tell, patience: StopPatience | None = None) -> None:
    """End the bot of a folder and every run that it started.

    Args:
        home: The folder.
        tell: Is told each step in a line.
        patience: How long the bot may take.

    Raises:
        UsageError: The bot cannot be ended from here.
        TakopiError: Something is left that could not be ended.
    """
    patience = patience or StopPatience()
    bot = running_bot(home)
    if bot is not None:
        await _stop_bot(bot, tell, patience)
    lock = await _take_over(home, patience)
    try:
        ended = await _end_runs(home)
        if ended:
            await _write_down(home, ended, tell)
    finally:
        lock.release()
    for run in ended:
        tell(f"ended {run.engine} ({run.run_id})")
    if bot is None and not ended:
        tell("no bot runs, and no engine works")


async def _stop_bot(bot: RunningBot, tell: Tell, patience: StopPatience) -> None:
    service = service_of(bot.pid)
    tell(f"takopi (process {bot.pid}) ends its runs and itself")
    for number, limit_s in (
        (STOP_REQUEST, patience.orderly_s),
        (signal.SIGKILL, patience.killed_s),
    ):
        sent = send_signal(bot.pid, bot.start, number)
        if not sent and is_alive(bot.pid, bot.start):
            raise UsageError(
                f"process {bot.pid} belongs to another user; run `takopi stop` as that user"
            )
        if await _gone(bot, limit_s):
            break
        if number == STOP_REQUEST:
            tell("it does not answer, and is killed")
    else:
        raise TakopiError(
            f"process {bot.pid} does not end, not even killed; its disk or network may hang"
        )
    if service is not None:
        tell(
            f"it ran as {service.unit}; if systemd starts it again, "
            f"`{service.systemctl} stop {service.unit}` ends that"
        )


async def _gone(bot: RunningBot, limit_s: float) -> bool:
    with anyio.move_on_after(limit_s):
        while is_alive(bot.pid, bot.start):  # noqa: ASYNC110 - it is no child of this process
            await anyio.sleep(_LOOK_EVERY_S)
    return not is_alive(bot.pid, bot.start)


async def _take_over(home: Home, patience: StopPatience) -> Flock:
    """Take the bot's lock, so that none starts meanwhile."""
    lock = Flock(home.bot_lock)
    deadline = anyio.current_time() + patience.killed_s
    while (holder := lock.acquire()) is not None:
        if anyio.current_time() > deadline:
            again = running_bot(home)
            if again is None:
                raise UsageError(
                    f"{home.bot_lock} is held by a process that cannot be seen from here (another "
                    f"container?), which calls itself {holder}; end it where it runs"
                )
            service = service_of(again.pid)
            how = f"`{service.systemctl} stop {service.unit}`" if service else f"`kill {again.pid}`"
            raise UsageError(
                f"takopi was started again (process {again.pid}); end it with {how}, then call "
                "`takopi stop` once more"
            )
        await anyio.sleep(_LOOK_EVERY_S)
    return lock


async def _end_runs(home: Home) -> list[RunView]:
    """End the runs that nobody has any more; return those whose engines worked."""
    left = [run for run in list_runs(home.runs) if run.state in ("starting", "running")]
    if not left:
        return []
    host = LocalRunHost(home.runs, home_id(home.path))
    ended: list[RunView] = []

    async def end(view: RunView) -> None:
        owner = FileLock(RunDirectory(view.directory).owner)
        if not owner.acquire():
            return  # a takopi in a terminal has it
        try:
            run = host.attach(view.run_id)  # one that was not started yet never will be
            if run is not None:
                await run.cancel()
                ended.append(view)
        finally:
            owner.release()

    async with anyio.create_task_group() as tasks:
        for view in left:
            tasks.start_soon(end, view)
    return ended


async def _write_down(home: Home, ended: list[RunView], tell: Tell) -> None:
    """Note in the journal that the turns of these runs were cancelled."""
    health = journal_health(home.journal)
    if health.fault or not health.exists:
        if health.fault:
            tell(f"this is not written down: {health.fault}")
        return
    names = {run.run_id for run in ended}
    try:
        store = open_bot_journal(home)
        try:
            state = await store.load()
            await store.commit(
                [
                    TurnPut(replace(turn, cancelled=True, cancel_reason=REASON))
                    for turn in state.turns
                    if turn.run_id in names and turn.outcome is None
                ]
            )
        finally:
            await store.close()
    except StoreError as error:
        tell(f"this is not written down: {error}")
