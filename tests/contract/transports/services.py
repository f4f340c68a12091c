"""The transports under test, each with a person who uses it."""

import io
import json
import os
import sys
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import anyio
import anyio.to_thread

from fakes.plugin_packages import PLUGINS
from fakes.telegram_api import OWNER_ID, TOKEN, TelegramApi
from takopi.core.chat import IncomingFile, Scope
from takopi.telegram.backend import BACKEND as TELEGRAM
from takopi.terminal.backend import BACKEND as TERMINAL
from takopi.terminal.backend import ServedTerminal
from takopi.terminal.conversation import Beginnings
from takopi.terminal.screen import PlainScreen
from takopi.terminal.transport import CHAT_ID
from takopi.transport import MessageRef
from takopi.transports import ServedTransport, TransportBackend, TransportConfig

__all__ = ["FolderService", "Service", "TelegramService", "TerminalService"]


def config_of(home: Path, **table: Any) -> TransportConfig:
    """Make what a transport is made of."""
    return TransportConfig(table=table, path=home / "takopi.toml", home=home)


class Service(ABC):
    """Be one chat service, with one person in their private chat."""

    backend: TransportBackend
    config: TransportConfig
    bare: TransportConfig
    """A configuration in which everything that the service needs is missing."""
    other: TransportConfig
    """Another account."""
    answers: ClassVar[dict[str, str]] = {}
    """What the person answers to the questions of the set-up, by a word of the question."""
    chat_id: int
    takes_back = True

    def build(self) -> ServedTransport:
        """Make the transport."""
        return self.backend.build(self.config)

    @property
    def scope(self) -> Scope:
        """Name the private chat."""
        return Scope(self.backend.id, self.chat_id)

    @abstractmethod
    def say(self, text: str, reply_to: MessageRef | None = None) -> None:
        """Let the person write something."""

    @abstractmethod
    def press(self, ref: MessageRef, data: str) -> None:
        """Let the person press a Cancel button."""

    @abstractmethod
    def reads(self, text: str) -> bool:
        """Tell whether the person can read a message now."""

    def has_file(self, name: str, content: bytes) -> bool:
        """Tell whether the person got a file."""
        raise NotImplementedError

    def put_file(self, content: bytes) -> IncomingFile:
        """Let the person send a file."""
        raise NotImplementedError


class TelegramService(Service):
    """Be Telegram's stand-in."""

    backend = TELEGRAM
    chat_id = OWNER_ID
    answers: ClassVar = {"Token": TOKEN, "Id": str(OWNER_ID)}

    def __init__(self, home: Path, api: TelegramApi) -> None:
        self.api = api
        where = {"api_base_url": api.base_url}
        self.config = config_of(home, bot_token=TOKEN, chat_id=OWNER_ID, **where)
        self.bare = config_of(home, **where)
        self.other = config_of(home, bot_token="987:" + "x" * 30, chat_id=OWNER_ID, **where)

    def say(self, text: str, reply_to: MessageRef | None = None) -> None:
        number = int(reply_to.message_id) if reply_to else None
        self.api.owner.say(text, reply_to=number)

    def press(self, ref: MessageRef, data: str) -> None:
        message = self.api.owner.chat.messages[int(ref.message_id)]
        self.api.owner.press_data(message, data)

    def reads(self, text: str) -> bool:
        return any(message.text == text for message in self.api.bot_messages())

    def has_file(self, name: str, content: bytes) -> bool:
        files = [m.document for m in self.api.bot_messages() if m.document is not None]
        return any((file.name, file.content) == (name, content) for file in files)

    def put_file(self, content: bytes) -> IncomingFile:
        message = self.api.owner.send_file("a.bin", content)
        assert message.document is not None
        return IncomingFile(kind="document", file_id=message.document.id, name="a.bin")


class TerminalService(Service):
    """Be a terminal whose keyboard is a pipe."""

    backend = TERMINAL
    chat_id = CHAT_ID
    takes_back = False

    def __init__(self, home: Path) -> None:
        self.config = self.bare = self.other = config_of(home)
        self._shown = io.StringIO()
        self._read, self._write = os.pipe()

    def build(self) -> ServedTransport:
        screen = PlainScreen(self._shown, self._shown)
        self._terminal = ServedTerminal(Beginnings(), self._read, screen)
        return self._terminal

    def say(self, text: str, reply_to: MessageRef | None = None) -> None:
        os.write(self._write, f"{text}\n".encode())

    def press(self, ref: MessageRef, data: str) -> None:
        self._terminal.interrupt()  # Ctrl-C: a pipe brings no line before the one before is done

    def reads(self, text: str) -> bool:
        return text in self._shown.getvalue()

    async def close(self) -> None:
        """End the input, and wait for whoever reads it: it needs the event loop until then."""
        os.close(self._write)
        for thread in threading.enumerate():
            if thread.name == "takopi-stdin":
                await anyio.to_thread.run_sync(thread.join)
        os.close(self._read)


class FolderService(Service):
    """Be the example package."""

    chat_id = 1
    answers: ClassVar = {"Folder": "/a/folder"}

    def __init__(self, home: Path) -> None:
        if str(PLUGINS) not in sys.path:
            sys.path.insert(0, str(PLUGINS))
        import takopi_filechat

        self.backend = takopi_filechat.BACKEND
        self.folder = home / "chat"
        self.config = config_of(home, folder=str(self.folder))
        self.bare = config_of(home)
        self.other = config_of(home, folder=str(home / "other"))

    def say(self, text: str, reply_to: MessageRef | None = None) -> None:
        self._append(text=text, reply_to=None if reply_to is None else reply_to.message_id)

    def press(self, ref: MessageRef, data: str) -> None:
        self._append(press=data, on=ref.message_id)

    def _append(self, **said: Any) -> None:
        with (self.folder / "inbox.jsonl").open("a") as file:
            file.write(json.dumps(said) + "\n")

    def reads(self, text: str) -> bool:
        shown: dict[int, str] = {}
        for line in (self.folder / "outbox.jsonl").read_text().splitlines():
            record = json.loads(line)
            if "delete" in record:
                shown.pop(record["delete"])
            else:
                shown[record.get("id") or record["edit"]] = record["text"]
        return text in shown.values()

    def has_file(self, name: str, content: bytes) -> bool:
        return (self.folder / "files" / name).read_bytes() == content

    def put_file(self, content: bytes) -> IncomingFile:
        (self.folder / "files").mkdir(exist_ok=True)
        (self.folder / "files" / "a.bin").write_bytes(content)
        return IncomingFile(kind="document", file_id="a.bin", name="a.bin")
