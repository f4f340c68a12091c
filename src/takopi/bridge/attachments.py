"""Files that people sent, on their way to the engine: from the chat into the project.

Where a file is to lie is written down before anything of it is there, and it gets its name only
when it is whole. So a start after a crash finds it in its place, or fetches it into that place:
never twice.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from dataclasses import replace as with_changes
from functools import partial
from pathlib import Path

import anyio
from anyio.abc import TaskGroup
from msgspec.structs import replace

from takopi.bridge.answers import destination_of, marks
from takopi.bridge.border import border
from takopi.bridge.ending import Ending
from takopi.bridge.outbox import Outbox
from takopi.bridge.ports import Clock, ProjectFiles, Store, Transport, Workspaces
from takopi.bridge.records import (
    AcceptedUpdate,
    Change,
    MessageBound,
    OfferRecord,
    TurnPut,
    TurnRecord,
)
from takopi.bridge.turn import Turn
from takopi.bridge.turn_journal import TurnJournal
from takopi.core.chat import IncomingFile
from takopi.core.file_replies import (
    MAX_SEND_BUTTONS,
    kept_reply,
    not_fetched_reply,
    send_buttons,
)
from takopi.core.file_rules import path_below
from takopi.core.named_files import files_named_in
from takopi.core.offers import offer_buttons, offer_name
from takopi.core.texts import tr
from takopi.errors import FloodLimited, TakopiError, TransportUnavailable

__all__ = [
    "Arrivals",
    "FileKeeper",
    "KeeperPorts",
    "attach_files",
    "keep_places",
    "offer_files",
]

_PAUSES_S = (1.0, 4.0, 15.0)
_LONGEST_PAUSE_S = 60.0

_Planned = Callable[[tuple[IncomingFile, ...]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Fetch files into projects.

    Args:
        transport: Has them.
        files: Writes them.
        clock: Tells when to try again.
    """

    transport: Transport
    files: ProjectFiles
    clock: Clock

    async def bring(
        self, root: Path, files: tuple[IncomingFile, ...], planned: _Planned
    ) -> tuple[IncomingFile, ...]:
        """Fetch what is not there yet, and return the files with the places in which they lie.

        Args:
            root: Directory of the project.
            files: What is wanted.
            planned: Writes down where each is to lie, before anything of it is fetched.

        Raises:
            FileRefused: A file cannot lie in the project.
            TransportError: The chat service did not give a file.
            StoreError: The places could not be written down; nothing was fetched.
        """
        wanted = await self._planned(root, files)
        if wanted != files:
            await planned(wanted)
        for file in wanted:
            name = path_below(str(root), file.path)
            if name is not None and not await self.files.has(file.path):
                await self._fetch(root, name, file)
        return wanted

    async def arrived(self, files: tuple[IncomingFile, ...]) -> tuple[IncomingFile, ...]:
        """Return files that are not brought any more, without the places that they did not get."""
        there = await self.files.free([file.path for file in files if file.path])
        return tuple(file if file.path in there else replace(file, path="") for file in files)

    async def _planned(
        self, root: Path, files: tuple[IncomingFile, ...]
    ) -> tuple[IncomingFile, ...]:
        """Give a place to each file that has none, or whose place is gone and was elsewhere."""
        homeless = []
        for file in files:
            inside = file.path and path_below(str(root), file.path) is not None
            if not inside and not (file.path and await self.files.has(file.path)):
                homeless.append(file)
        given = [file.path for file in files if file.path and file not in homeless]
        places = iter(await self.files.places(root, [file.name for file in homeless], given))
        return tuple(
            replace(file, path=next(places)) if file in homeless else file for file in files
        )

    async def _fetch(self, root: Path, name: str, file: IncomingFile) -> None:
        limit = self.files.rules.max_down
        fill = partial(self.transport.fetch, file, max_bytes=limit)
        for pause_s in _PAUSES_S:
            try:
                await self.files.write(root, name, fill)
            except FloodLimited as error:
                pause_s = max(pause_s, error.retry_after_s)
            except TransportUnavailable:
                pass
            else:
                return
            wait_s = min(pause_s, _LONGEST_PAUSE_S)
            await self.clock.sleep_until(self.clock.now() + wait_s)
        await self.files.write(root, name, fill)


async def attach_files(arrivals: Arrivals, journal: TurnJournal, turn: Turn) -> Ending | None:
    """Bring the files of a turn that is about to start into its directory, which is decided.

    Returns:
        How the turn ends when a file is not to be had; None when all are there, or when takopi
        goes, or somebody cancelled the turn, before that.
    """
    root = turn.cwd
    if root is None or not turn.record.files:
        return None
    found: list[Ending] = []

    async def planned(files: tuple[IncomingFile, ...]) -> None:
        turn.record = replace(turn.record, files=files)
        await journal.still_waits(turn)

    async def bring() -> None:
        try:
            await arrivals.bring(root, turn.record.files, planned)
        except TakopiError as error:
            found.append(_not_had(turn, error))

    async with anyio.create_task_group() as group:
        for event in (turn.cancelled, turn.left):
            group.start_soon(_end_when, event, group.cancel_scope)
        await bring()
        group.cancel_scope.cancel()
    if found or turn.cancelled.is_set():
        # Whoever asks again must not take for it what comes to its place meanwhile.
        turn.record = replace(turn.record, files=await arrivals.arrived(turn.record.files))
    return found[0] if found else None


async def keep_places(files: ProjectFiles, turns: Iterable[TurnRecord]) -> None:
    """Keep the places that an earlier takopi chose for files which it may not have brought.

    Args:
        files: Chooses the places.
        turns: Those that are not over.
    """
    given = [file.path for turn in turns for file in turn.files if file.path]
    if given:
        with border("keeping the places of files"):
            await files.places(Path(), (), given)


async def offer_files(arrivals: Arrivals, turn: Turn, ending: Ending) -> Ending:
    """Put a button under a final for each of the first files that its answer names."""
    root, rules = turn.cwd, arrivals.files.rules
    if root is None or ending.outcome != "done" or not rules.enabled:
        return ending
    found: tuple[str, ...] = ()
    with border("looking for files in an answer", turn=turn.id):
        named = files_named_in(ending.answer, str(root), rules.denied)
        # Who sent a file has it.
        names = [name for name in named if not name.startswith(f"{rules.incoming}/")]
        if names:
            found = await arrivals.files.there(root, names, MAX_SEND_BUTTONS)
    if not found:
        return ending
    turn.record = replace(turn.record, sendable=found)
    return with_changes(ending, buttons=(*ending.buttons, *send_buttons(turn.id, found)))


async def _end_when(event: anyio.Event, scope: anyio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


def _not_had(turn: Turn, error: TakopiError) -> Ending:
    """Make the end of a turn whose file is not to be had; its prompt can be sent anew."""
    offer_id = offer_name("interrupted", turn.id)
    offer = OfferRecord(
        offer_id=offer_id, kind="interrupted", scope=turn.record.scope, turn_id=turn.id
    )
    why = str(error).rstrip(".")
    return Ending(
        "failed",
        error=tr(
            "a file of this prompt could not be had, so nothing was started: {why}. Ask again "
            "tries it anew.",
            why=why,
        ),
        buttons=offer_buttons(offer_id, "interrupted", without=("continue",)),
        offer=offer,
    )


@dataclass(frozen=True, slots=True)
class KeeperPorts:
    """Bind what keeping files needs.

    Args:
        store: Remembers which message brought which file.
        outbox: Says where they lie.
        workspaces: Knows the directories.
        arrivals: Fetches them.
        group: Fetching runs in it: no message waits for a file.
    """

    store: Store
    outbox: Outbox
    workspaces: Workspaces
    arrivals: Arrivals
    group: TaskGroup


class FileKeeper:
    """Keep files that came without a word, for whoever replies to them.

    Args:
        ports: What keeping needs.
    """

    def __init__(self, ports: KeeperPorts) -> None:
        self._ports = ports
        self._under_way: set[int] = set()

    def keep(self, record: TurnRecord, updates: tuple[AcceptedUpdate, ...]) -> None:
        """Begin to fetch the files of some messages; the updates are marked once that is over.

        Args:
            record: Of origin `files`: where they were sent, by whom, and what was sent.
            updates: The messages.
        """
        if updates[0].id not in self._under_way:
            self._under_way.add(updates[0].id)
            self._ports.group.start_soon(self._keep, record, updates)

    async def _keep(self, record: TurnRecord, updates: tuple[AcceptedUpdate, ...]) -> None:
        ports = self._ports
        destination = destination_of(updates[0].update, record.messages[0])
        with border("keeping files", turn=record.turn_id) as found:
            record, root = await self._brought(record)
            names = [path_below(str(root), file.path) or file.path for file in record.files]
            answer, turn_id = kept_reply(names), record.turn_id
            await ports.outbox.say(
                destination, answer, notify=False, turn_id=turn_id, changes=marks(updates)
            )
        if found.error is not None:
            with border("telling of files that were not kept"):
                answer = not_fetched_reply(found.error[:1000])
                await ports.outbox.say(destination, answer, notify=False, changes=marks(updates))
        self._under_way.discard(updates[0].id)

    async def _brought(self, record: TurnRecord) -> tuple[TurnRecord, Path]:
        ports, chat = self._ports, record.scope.chat_id
        # What an earlier takopi had planned stays where it was to be.
        known = await ports.store.turn_of_message(chat, record.messages[0])
        if known is not None and known.origin == "files":
            record = known
        root = await ports.workspaces.directory(record.context)
        record = replace(record, cwd=str(root))

        async def planned(files: tuple[IncomingFile, ...]) -> None:
            put = replace(record, files=files)
            bound = (MessageBound(chat, number, put.turn_id, "prompt") for number in put.messages)
            changes: tuple[Change, ...] = (TurnPut(put), *bound)
            await ports.store.commit(changes)

        files = await ports.arrivals.bring(root, record.files, planned)
        return replace(record, files=files), root
