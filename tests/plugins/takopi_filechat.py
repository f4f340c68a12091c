"""A chat that is a folder: people append lines to `inbox.jsonl`, takopi to `outbox.jsonl`."""

import json
import shutil
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import anyio

from takopi.api import (
    BaseTransport,
    ButtonPressed,
    ChatMessage,
    ChatUpdate,
    Document,
    FileTooLarge,
    IncomingFile,
    MessageReceived,
    MessageRef,
    OutboxLimits,
    RepliedTo,
    Scope,
    SendOptions,
    SetupIssue,
    TargetLost,
    TransportCapabilities,
    TransportConfig,
    TransportUnavailable,
)

PERSON = 1  # the one person, and the one chat, which is private


class FolderChat(BaseTransport):
    """Serve one folder. People's messages have even ids, the bot's have odd ones."""

    id = "filechat"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._inbox, self._outbox = folder / "inbox.jsonl", folder / "outbox.jsonl"
        self._position = folder / "position"  # how many lines of the inbox takopi has
        self._texts: dict[int, str] = {}
        self._stopped = anyio.Event()

    async def open(self) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._inbox.touch()
        self._outbox.touch()
        for line in self._outbox.read_text("utf-8").splitlines():
            self._note(json.loads(line))
        return str(self.folder)

    async def updates(self) -> AsyncIterator[Sequence[ChatUpdate]]:
        accepted = int(self._position.read_text()) if self._position.exists() else 0
        while not self._stopped.is_set():
            lines = self._inbox.read_text("utf-8").splitlines(keepends=True)
            self.last_poll_at = time.monotonic()
            whole = [line for line in lines if line.endswith("\n")]  # the last may be half written
            if len(whole) > accepted:
                numbered = list(enumerate(whole, start=1))[accepted:]
                yield [self._update(number, json.loads(line)) for number, line in numbered]
                # Whoever asks for more has written down what came before.
                accepted = len(whole)
                self._position.write_text(str(accepted))
            with anyio.move_on_after(0.05):
                await self._stopped.wait()

    def _update(self, number: int, said: dict[str, Any]) -> ChatUpdate:
        scope, message_id = Scope(self.id, PERSON), 2 * number
        if "press" in said:
            return ButtonPressed(
                update_id=number, scope=scope, chat_kind="private", press_id=str(number),
                message_id=said["on"], sender_id=PERSON, data=said["press"],
            )  # fmt: skip
        reply = said.get("reply_to")
        text = self._texts.get(reply, "")
        file = said.get("file")
        return MessageReceived(
            update_id=number,
            scope=scope,
            chat_kind="private",
            message_id=message_id,
            sender_id=said.get("from", PERSON),
            text=said.get("text", ""),
            reply=RepliedTo(reply, text, from_this_bot=reply % 2 == 1) if reply else None,
            date=time.time(),
            files=(IncomingFile(kind="document", file_id=file, name=file),) if file else (),
        )

    async def send(self, scope: Scope, message: ChatMessage, options: SendOptions) -> MessageRef:
        buttons = [[button.label, button.data] for row in message.buttons for button in row]
        ref = self._say(options, text=message.body.text, buttons=buttons)
        if options.replace is not None:
            await self.delete(options.replace)
        return ref

    async def send_document(
        self, scope: Scope, document: Document, options: SendOptions
    ) -> MessageRef:
        files = self.folder / "files"
        files.mkdir(exist_ok=True)
        target = files / Path(document.filename).name
        if document.path:
            shutil.copyfile(document.path, target)
        else:
            target.write_bytes(document.content)
        return self._say(options, text=document.caption.text, file=target.name)

    async def fetch(self, file: IncomingFile, into: BinaryIO, max_bytes: int) -> None:
        path = self.folder / "files" / Path(file.file_id).name
        if not path.exists():
            raise TransportUnavailable(f"{path} is not there yet; put it there")
        if path.stat().st_size > max_bytes:
            raise FileTooLarge(f"{file.name} is larger than {max_bytes} bytes")
        into.write(path.read_bytes())

    async def edit(self, ref: MessageRef, message: ChatMessage) -> None:
        number = int(ref.message_id)
        if number not in self._texts:
            raise TargetLost("that message is gone")
        self._write({"edit": number, "text": message.body.text})

    async def delete(self, ref: MessageRef) -> None:
        if int(ref.message_id) in self._texts:
            self._write({"delete": int(ref.message_id)})

    def stop(self) -> None:
        self._stopped.set()

    async def aclose(self) -> None:
        self.stop()

    def _say(self, options: SendOptions, **said: Any) -> MessageRef:
        number = max((one for one in self._texts if one % 2), default=-1) + 2
        reply_to = int(options.reply_to.message_id) if options.reply_to else None
        self._write({"id": number, "reply_to": reply_to, **said})
        return MessageRef(PERSON, number)

    def _write(self, record: dict[str, Any]) -> None:
        try:
            with self._outbox.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
        except OSError as error:
            raise TransportUnavailable(f"{self._outbox} cannot be written: {error}") from error
        self._note(record)

    def _note(self, record: dict[str, Any]) -> None:
        if "delete" in record:
            self._texts.pop(record["delete"], None)
        else:
            self._texts[record.get("id") or record["edit"]] = record["text"]


class FolderBackend:
    id = "filechat"
    description = "A chat that is a folder of files"
    capabilities = TransportCapabilities(
        files=True, limits=OutboxLimits(private_rate_s=0.01, private_gap_s=0.2, edits_per_min=300)
    )
    own_chat = PERSON

    def check_setup(self, config: TransportConfig) -> Sequence[SetupIssue]:
        if config.table.get("folder"):
            return ()
        step = "set it with `takopi config set transports.filechat.folder /a/folder`"
        return (SetupIssue("transports.filechat.folder is not set", (step,)),)

    def interactive_setup(self, config: TransportConfig, talk: Any) -> Mapping[str, Any]:
        return {"folder": talk.ask("Folder of the chat", str(config.home / "filechat"))}

    def lock_token(self, config: TransportConfig) -> str | None:
        return str(config.table.get("folder"))

    def build(self, config: TransportConfig) -> FolderChat:
        return FolderChat(Path(config.table["folder"]))


BACKEND = FolderBackend()
