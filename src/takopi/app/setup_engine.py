"""The step of the set-up that looks for engines."""

from collections.abc import Callable

import anyio
import msgspec

from takopi.app.asking import Asker
from takopi.app.engines import PREFERRED, EngineShelf, first_choices
from takopi.core.onboarding import Choice
from takopi.errors import TakopiError
from takopi.model import EngineId

__all__ = ["FoundEngine", "ask_engine", "engine_lines", "look_for_engines"]

UNKNOWN = "unknown"


class FoundEngine(msgspec.Struct, frozen=True):
    """Hold what was found of an engine.

    Args:
        id: Its name.
        version: What it says; None when it is not installed.
        install_cmd: The command that installs it.
    """

    id: EngineId
    version: str | None
    install_cmd: str | None = None


async def look_for_engines(shelf: EngineShelf) -> list[FoundEngine]:
    """Look at all engines at once; one whose module cannot be used is the doctor's matter."""
    found: dict[EngineId, FoundEngine] = {}

    async def look(engine: EngineId) -> None:
        try:
            installed = shelf.installed(engine)
            version = await shelf.version(engine)
        except TakopiError:
            return
        found[engine] = FoundEngine(engine, version, installed.install_cmd)

    order = first_choices(shelf.ids())
    async with anyio.create_task_group() as tasks:
        for engine in order:
            tasks.start_soon(look, engine)
    return [found[engine] for engine in order if engine in found]


def engine_lines(found: list[FoundEngine]) -> tuple[list[str], list[str]]:
    """Say what is installed, and how to install the best known of what is not."""
    here = [
        f"{one.id}, whose version is unknown"
        if one.version == UNKNOWN
        else f"{one.id} {one.version}"
        for one in found
        if one.version is not None
    ]
    missing = [
        one.install_cmd
        for one in found
        if one.version is None and one.install_cmd and one.id in PREFERRED
    ]
    return here, missing


def ask_engine(
    asker: Asker, shelf: Callable[[], EngineShelf], present: EngineId | None
) -> EngineId | None:
    """Ask which engine answers when none is named; None as long as none is installed.

    Args:
        shelf: Looks for engines, each time anew.
        present: The one that is configured.
    """
    asker.say("An engine is the coding agent that does the work. One is enough.")
    while True:
        found = anyio.run(look_for_engines, shelf())
        here, missing = engine_lines(found)
        for line in here:
            asker.say(line, "good")
        if missing:
            asker.say("Not installed. To install one, in another terminal:", "hint")
            for line in missing:
                asker.show(f"  {line}")
            asker.say("Start it once by itself and log in there, then look again.", "hint")
        if not here:
            asker.say("None is installed yet, and the bot needs one.", "warning")
        ids = [one.id for one in found if one.version is not None]
        again, without = Choice("look again"), Choice("go on without an engine")
        extra = ([again] if missing else []) + ([] if ids else [without])
        default = ids.index(present) if present in ids else 0
        choices = [*(Choice(engine) for engine in ids), *(extra or [again])]
        question = "Which one answers when you name none?" if ids else "And now?"
        chosen = asker.choose(question, choices, default)
        if chosen < len(ids):
            return ids[chosen]
        if choices[chosen] is without:
            return None
