"""What a run's start is refused with, in words for the person."""

from pathlib import Path

from takopi.core.os_remedies import remedy
from takopi.core.texts import tr
from takopi.errors import RunFailed, RunIdTaken

__all__ = [
    "disk_full",
    "has_nul",
    "holder_failed",
    "holder_silent",
    "no_holder",
    "not_looked_into",
    "not_made",
    "not_started",
    "run_taken",
]


def holder_silent(engine: str, said: list[str], folder: Path) -> RunFailed:
    """Say that a holder ended without starting the engine.

    Args:
        engine: Its id.
        said: What stands in the holder's log.
        folder: The run directory.
    """
    return RunFailed(
        tr(
            "{engine}: its holder did not start it ({why}); try again, and look into {folder} if "
            "it stays so",
            engine=engine,
            why=said[-1] if said else tr("it said nothing"),
            folder=folder,
        )
    )


def not_looked_into(folder: Path, error: OSError) -> RunFailed:
    """Say that a run directory cannot be read."""
    return RunFailed(
        tr(
            "{folder} could not be looked into: {why}; mend that, then start takopi again",
            folder=folder,
            why=error.strerror,
        )
    )


def has_nul(engine: str) -> RunFailed:
    """Say that what the program would get cannot be given to any."""
    return RunFailed(
        tr(
            "{engine}: an argument or variable has a NUL character, which no program can get; take "
            "it out and try again",
            engine=engine,
        )
    )


def disk_full(free_mb: int, least_mb: int, folder: Path) -> RunFailed:
    """Say that there is no room for a run."""
    return RunFailed(
        tr(
            "only {free} MB are free where {folder} is, and a run needs {least} MB; free some "
            "space, then try again",
            free=free_mb,
            folder=folder,
            least=least_mb,
        )
    )


def run_taken(folder: Path) -> RunIdTaken:
    """Say that a run of this name was started before."""
    return RunIdTaken(
        tr(
            "{folder} is there already, and a run is never started twice; send the prompt again to "
            "start a new one",
            folder=folder,
        )
    )


def not_made(folder: Path, error: OSError) -> RunFailed:
    """Say that a run directory could not be made."""
    return RunFailed(
        tr(
            "{folder} could not be made: {why}; {remedy}",
            folder=folder,
            why=error.strerror,
            remedy=remedy(error.errno, folder),
        )
    )


def no_holder(engine: str, error: OSError, folder: Path) -> RunFailed:
    """Say that there is no pipe to a holder."""
    return RunFailed(
        tr(
            "{engine}: no holder can be started: {why}; {remedy}",
            engine=engine,
            why=error.strerror,
            remedy=remedy(error.errno, folder),
        )
    )


def holder_failed(engine: str, error: Exception, python: str, folder: Path) -> RunFailed:
    """Say that the holder itself did not start.

    Args:
        engine: Its id.
        error: What happened.
        python: The program that runs the holder.
        folder: The run directory.
    """
    if not isinstance(error, OSError):
        return RunFailed(tr("{engine}: the holder did not start: {why}", engine=engine, why=error))
    cure = remedy(error.errno, folder)
    if error.filename == python:
        cure = tr("check that {python} is there and that you may run it", python=python)
    return RunFailed(
        tr(
            "{engine}: the holder did not start: {why}; {remedy}",
            engine=engine,
            why=error.strerror,
            remedy=cure,
        )
    )


def not_started(engine: str, program: str, cwd: Path, why: object) -> RunFailed:
    """Say that the engine's program was refused by the system."""
    return RunFailed(
        tr(
            "{engine}: {program} could not be started in {folder}: {why}; check the program, its "
            "interpreter and the permissions",
            engine=engine,
            program=program,
            folder=cwd,
            why=why,
        )
    )
