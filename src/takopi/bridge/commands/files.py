"""`/file`: files go into projects and come out; and the buttons that send what answers name."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath

from msgspec.structs import replace

from takopi.bridge.border import border
from takopi.bridge.commands.call import CommandCall, CommandPorts, PressCall
from takopi.bridge.letters import Destination
from takopi.bridge.ports import ProjectFiles
from takopi.bridge.records import UpdateHandled
from takopi.core.chat import ChatMessage, Document, IncomingFile
from takopi.core.file_replies import (
    file_usage_reply,
    not_sent_reply,
    put_reply,
    refused_reply,
    why_not_taken,
)
from takopi.core.file_rules import path_below, read_file_command, safe_name
from takopi.core.named_files import is_image
from takopi.core.texts import tr
from takopi.errors import FileRefused

__all__ = ["FileCommand"]


@dataclass(frozen=True, slots=True)
class FileCommand:
    """Put files into projects, and send those that are asked for.

    Args:
        ports: What commands work with.
    """

    ports: CommandPorts
    names: tuple[str, ...] = ("file",)

    async def answer(self, call: CommandCall) -> None:
        """Begin with what is asked for, or say how it is asked for."""
        asked, handled = read_file_command(call.command.args), call.marks
        if self.ports.files is None or not self.ports.files.rules.enabled:
            off = tr("files are switched off here")
            await self.ports.answers.give(call.destination, refused_reply(off), handled)
            return
        if asked is None:
            await self.ports.answers.give(call.destination, file_usage_reply(), handled)
            return
        work: Callable[[], Awaitable[ChatMessage | Document]]
        if asked.verb == "get":
            work = partial(self._get, call, asked.path)
        else:
            work = partial(self._put, call, asked.path, replace=asked.replace)
        self.ports.group.start_soon(self._say, call.destination, handled, asked.path, work)

    async def press(self, call: PressCall) -> str:
        """Send a file that an answer named, to whoever is served there, as often as they want."""
        turn_id, number = (*call.args, "", "")[:2]
        turn = await self.ports.store.turn(turn_id)
        # Button data can be forged, chats are checked.
        known = turn is not None and turn.scope.chat_id == call.pressed.scope.chat_id
        names = turn.sendable if turn is not None and known and self.ports.files else ()
        name = names[int(number)] if number in _numbers(names) else None
        if turn is None or turn.cwd is None or name is None:
            await self.ports.answers.mark([call.handled])
            return tr("This button does nothing any more")
        work = partial(self._shown, Path(turn.cwd), name)
        self.ports.group.start_soon(self._say, call.destination, [call.handled], name, work)
        return tr("Sending {name}", name=name.rpartition("/")[2][:100])

    async def _say(
        self,
        destination: Destination,
        handled: Sequence[UpdateHandled],
        name: str,
        work: Callable[[], Awaitable[ChatMessage | Document]],
    ) -> None:
        """Do what takes time, and say what came of it."""
        outbox, answers = self.ports.outbox, self.ports.answers
        body: ChatMessage | Document | None = None
        with border("handling a file") as found:
            body = await work()
        if body is None:
            with border("telling of a file"):
                await answers.give(destination, refused_reply(_why(found.error)), handled)
            return
        with border("sending a file"):
            delivery = await outbox.say(destination, body, notify=False, changes=handled)
            await delivery.over.wait()
            if isinstance(body, Document):
                await self.files.sent(body)
                if delivery.refs == [None]:
                    why = tr("the chat did not take it")
                    await outbox.say(destination, not_sent_reply(name, why), notify=False)

    @property
    def files(self) -> ProjectFiles:
        """Give the files of the projects; there are some when anything is done."""
        assert self.ports.files is not None, "without files nothing gets here"
        return self.ports.files

    async def _get(self, call: CommandCall, path: str) -> Document:
        return await self.files.read(await self._root(call), path)

    async def _shown(self, root: Path, name: str) -> Document:
        document = await self.files.read(root, name)
        small = not document.path
        return replace(document, photo=is_image(name) and small)

    async def _put(self, call: CommandCall, path: str, *, replace: bool) -> ChatMessage:
        received = call.received
        # The caption of a file, or a reply to one; also to one that went with a prompt.
        files = received.files or (received.reply.files if received.reply else ())
        if not files:
            return file_usage_reply()
        why = why_not_taken(files, self.files.rules)
        if why is not None:
            return refused_reply(why)
        root = await self._root(call)
        put: list[str] = []
        targets = await self._targets(root, path, files) if path else ("",) * len(files)
        for file, name in zip(files, targets, strict=True):
            fill = partial(self.ports.transport.fetch, file, max_bytes=self.files.rules.max_down)
            # A takopi that died may have put it there, and come to no answer.
            known = name or f"{self.files.rules.incoming}/{PurePath(safe_name(file.name)).stem}*"
            before = partial(self.files.put_since, root, [known], fill, call.arrived_at)
            there = name or await before()
            if there is None:
                (there,) = await self._targets(root, "", (file,))
            elif not name:
                put.append(there)
                continue
            try:
                await self.files.write(root, there, fill, replace=replace)
            except FileRefused:
                if await before() is None:
                    raise
            put.append(there)
        return put_reply(put)

    async def _targets(
        self, root: Path, path: str, files: tuple[IncomingFile, ...]
    ) -> tuple[str, ...]:
        """Name the places of files in the project: a path, a folder, or where arriving ones go."""
        if not path:
            places = await self.files.places(root, [file.name for file in files])
            return tuple(path_below(str(root), place) or place for place in places)
        inside = (path_below(str(root), path) or path).rstrip("/")
        folder = path.endswith("/") or len(files) > 1 or await self.files.is_folder(root, inside)
        if not folder:
            return (inside,)
        return tuple(f"{inside}/{safe_name(file.name)}" for file in files)

    async def _root(self, call: CommandCall) -> Path:
        ports = self.ports
        if call.bound is not None and call.bound.context.project is not None:
            context = call.bound.context
        else:
            context = ports.router.context_here(call.received.scope).context
        return await ports.workspaces.directory(context)


def _numbers(names: Sequence[str]) -> list[str]:
    return [str(number) for number in range(len(names))]


def _why(error: str | None) -> str:
    return (error or "").rstrip(".")
