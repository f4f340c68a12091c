"""Telegram as a transport of the bridge.

transport = TelegramTransport(TelegramConfig(token))
identity = await transport.connect()     # Unauthorized: end with exit status 78
async for batch in transport.updates(): ...
await transport.aclose()
"""

import importlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import anyio
import anyio.to_thread
import msgspec
from msgspec.structs import replace

from takopi.bridge.clock import SystemClock
from takopi.bridge.ports import Clock, MenuCommand
from takopi.core.chat import ChatMessage, ChatUpdate, Document, IncomingFile, Scope
from takopi.core.texts import tr
from takopi.errors import (
    ChatMoved,
    FloodLimited,
    TargetLost,
    TransportError,
    TransportUnavailable,
)
from takopi.logging import get_logger
from takopi.telegram.api import BotApi, BotIdentity, TelegramConfig, identify
from takopi.telegram.errors import NotModified, PressTooOld
from takopi.telegram.fast_import import import_aiogram
from takopi.telegram.outgoing import (
    document_params,
    edit_params,
    menu_params,
    press_params,
    reaction_params,
    send_params,
    target_params,
)
from takopi.telegram.pace import Pace
from takopi.telegram.poll import PollLoop
from takopi.telegram.poll_client import STUCK_AFTER_S, PollClient
from takopi.telegram.topics import (
    cannot_have,
    create_params,
    link_of,
    rename_params,
    thread_of,
)
from takopi.telegram.updates import TRANSPORT_ID
from takopi.telegram.wire import BotCommand, FilePath, SentMessage
from takopi.transport import MessageRef, SendOptions

if TYPE_CHECKING:
    from takopi.telegram.downloads import Downloads

__all__ = ["BotIdentity", "TelegramConfig", "TelegramTransport"]

logger = get_logger(__name__)

UPLOAD_TIMEOUT_S = 300
CLOSE_TIMEOUT_S = 3


class TelegramTransport:
    """Send to and hear from Telegram as one bot.

    Polls and messages have connections of their own, so that neither waits for the other. What goes
    to a group that has become a supergroup arrives there, and its `MessageRef` names the new chat.

    Args:
        config: Token and server.
        clock: Time to wait by after failures.
        jitter: Returns a number from 0 up to 1.
        stuck_after_s: When no poll was completed for so long, the connections are given up.
    """

    def __init__(
        self,
        config: TelegramConfig,
        *,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
        stuck_after_s: float = STUCK_AFTER_S,
    ) -> None:
        self._config = config
        self._stuck_after_s = stuck_after_s
        self._clock: Clock = clock if clock is not None else SystemClock()
        self._pace = Pace(jitter)
        self._identity: BotIdentity | None = None
        self._sender: BotApi | None = None
        self._poller: BotApi | None = None
        self._polls: PollLoop | None = None
        self._menu: list[dict[str, str]] | None = None
        self._moved: dict[int, int] = {}
        self._downloads: Downloads | None = None

    @property
    def id(self) -> str:
        """Give the transport's id."""
        return TRANSPORT_ID

    @property
    def identity(self) -> BotIdentity:
        """Give who the bot is; known once `connect` has returned."""
        assert self._identity is not None, "connect() comes first"
        return self._identity

    @property
    def last_poll_at(self) -> float | None:
        """Give the clock's time of the last completed poll; None before the first."""
        return None if self._polls is None else self._polls.last_poll_at

    @property
    def newest_update(self) -> int | None:
        """Give the greatest number of the answer behind the batch that was yielded last."""
        return None if self._polls is None else self._polls.newest

    async def connect(self) -> BotIdentity:
        """Load the client and learn who the bot is; waits for a network that is not there yet.

        Raises:
            Unauthorized: The token is wrong or revoked.
        """
        if self._sender is None:
            self._sender, self._poller = await anyio.to_thread.run_sync(self._load)
        while self._identity is None:
            try:
                self._identity = await identify(self._api)
            except (TransportUnavailable, FloodLimited) as error:
                pause_s = self._pace.after_failure(error)
                report = logger.warning if self._pace.worth_telling else logger.info
                report("telegram.connect_failed", error=str(error), again_in_s=round(pause_s, 1))
                await self._clock.sleep_until(self._clock.now() + pause_s)
        self._pace.after_success()
        return self._identity

    async def open(self) -> str:
        """Connect, as `connect` does, and return the bot's name.

        Raises:
            Unauthorized: The token is wrong or revoked.
        """
        return f"@{(await self.connect()).username}"

    def updates(self) -> AsyncIterator[Sequence[ChatUpdate]]:
        """Yield batches of updates until `stop`."""
        assert self._poller is not None, "connect() comes first"
        self._polls = PollLoop(self._poller, self.identity, self._clock, self._pace)
        return self._polls

    def stop(self) -> None:
        """End the iteration over `updates`; sending goes on."""
        if self._polls is not None:
            self._polls.stop()

    async def aclose(self) -> None:
        """Confirm what was accepted and close the connections, within three seconds."""
        self.stop()
        with anyio.CancelScope(shield=True, deadline=anyio.current_time() + CLOSE_TIMEOUT_S):
            if self._polls is not None:
                await self._polls.confirm()
            for api in (self._poller, self._sender, self._downloads):
                if api is not None:
                    await api.aclose()

    async def send(self, scope: Scope, message: ChatMessage, options: SendOptions) -> MessageRef:
        """Send a message; `options.replace` goes away once this one is accepted."""

        async def call(there: Scope) -> msgspec.Raw:
            return await self._api.call("sendMessage", send_params(there, message, options))

        return await self._send(scope, options, call)

    async def send_document(
        self, scope: Scope, document: Document, options: SendOptions
    ) -> MessageRef:
        """Send a file; what is no picture to Telegram goes as a document all the same."""

        async def call(there: Scope) -> msgspec.Raw:
            if document.photo:
                try:
                    return await upload(there, document)
                except TransportError as error:
                    if type(error) is not TransportError:
                        raise
            return await upload(there, replace(document, photo=False))

        async def upload(there: Scope, what: Document) -> msgspec.Raw:
            method = "sendPhoto" if what.photo else "sendDocument"
            params = document_params(there, what, options)
            return await self._api.call(method, params, timeout_s=UPLOAD_TIMEOUT_S)

        return await self._send(scope, options, call)

    async def fetch(self, file: IncomingFile, into: BinaryIO, max_bytes: int) -> None:
        """Write the content of a file that somebody sent.

        Raises:
            FileTooLarge: It is larger than `max_bytes`, or than what the server hands out.
            TransportError: Another leaf.
        """
        answer = await self._api.call("getFile", {"file_id": file.file_id})
        found = msgspec.json.decode(answer, type=FilePath)
        if found.file_path is None:
            raise TransportUnavailable(
                tr("Telegram does not say where the file is; try again later")
            )
        if self._downloads is None:
            downloads = importlib.import_module("takopi.telegram.downloads").Downloads
            self._downloads = cast("Downloads", downloads(self._config))
        await self._downloads.fetch(found.file_path, into, max_bytes)

    async def edit(self, ref: MessageRef, message: ChatMessage) -> None:
        """Put `message` in place of an earlier one; without buttons the old ones go away."""
        try:
            await self._touch("editMessageText", ref, edit_params(ref, message))
        except NotModified:
            return

    async def delete(self, ref: MessageRef) -> None:
        """Take back a message; one that is gone already is no error."""
        try:
            await self._touch("deleteMessage", ref, target_params(ref))
        except TargetLost as error:
            if "not found" not in str(error):
                raise

    async def create_topic(self, scope: Scope, name: str) -> int:
        """Make a topic in a forum group, or in a private chat that has topics."""
        there = self._now_at(scope)
        params = create_params(there, name)
        return thread_of(await self._on_topic("createForumTopic", there, params))

    async def rename_topic(self, scope: Scope, name: str) -> None:
        """Give a topic another name; one that is called so already is no error."""
        try:
            await self._on_topic("editForumTopic", scope, rename_params(scope, name))
        except NotModified:
            return

    def topic_link(self, scope: Scope) -> str | None:
        """Return the address of a topic of a supergroup; topics of private chats have none."""
        return link_of(scope)

    async def react(self, ref: MessageRef, emoji: str | None) -> None:
        """Put a reaction on a message, in place of the one that the bot put there before."""
        await self._touch("setMessageReaction", ref, reaction_params(ref, emoji))

    async def answer_press(self, press_id: str, text: str = "") -> None:
        """Stop the spinner on a button; a press too old for it is no error."""
        try:
            await self._api.call("answerCallbackQuery", press_params(press_id, text))
        except PressTooOld:
            return

    async def set_menu(self, commands: Sequence[MenuCommand]) -> None:
        """Publish the command menu when it differs from the published one."""
        wanted = menu_params(commands)
        if self._menu is None:
            published = await self._api.call("getMyCommands", {})
            found = msgspec.json.decode(published, type=list[BotCommand])
            self._menu = [msgspec.structs.asdict(command) for command in found]
        if self._menu != wanted:
            await self._api.call("setMyCommands", {"commands": wanted})
            self._menu = wanted

    @property
    def _api(self) -> BotApi:
        assert self._sender is not None, "connect() comes first"
        return self._sender

    def _load(self) -> tuple[BotApi, BotApi]:
        """Import aiogram, which takes a while, and make the two clients."""
        import_aiogram()
        client = importlib.import_module("takopi.telegram.aiogram_api").AiogramApi
        sender = cast("BotApi", client(self._config))
        poller = partial(client, self._config, connections=2)
        return sender, PollClient(poller, self._clock, stuck_after_s=self._stuck_after_s)

    async def _send(
        self, scope: Scope, options: SendOptions, call: Callable[[Scope], Awaitable[msgspec.Raw]]
    ) -> MessageRef:
        """Send, once more when the server says that the group has another id."""
        there = self._now_at(scope)
        try:
            answer = await call(there)
        except ChatMoved as moved:
            self._note_move(there.chat_id, moved)
            there = self._now_at(scope)
            answer = await call(there)
        return await self._accepted(answer, there, options)

    async def _on_topic(self, method: str, scope: Scope, params: dict[str, Any]) -> msgspec.Raw:
        try:
            return await self._api.call(method, params)
        except TransportError as error:
            refused = cannot_have(scope, error)
            if refused is None:
                raise
            raise refused from error

    async def _touch(self, method: str, ref: MessageRef, params: dict[str, Any]) -> None:
        """Change a message; those of a group that has moved are out of reach for good."""
        try:
            await self._api.call(method, params)
        except ChatMoved as moved:
            self._note_move(int(ref.channel_id), moved)
            raise TargetLost(f"{moved}; its older messages cannot be changed") from None

    def _now_at(self, scope: Scope) -> Scope:
        chat = scope.chat_id
        for _ in self._moved:
            chat = self._moved.get(chat, chat)
        return scope if chat == scope.chat_id else Scope(scope.transport, chat)

    def _note_move(self, chat: int, moved: ChatMoved) -> None:
        if chat not in self._moved:
            logger.warning("telegram.group_moved", chat=chat, now=moved.new_chat_id)
        self._moved[chat] = moved.new_chat_id

    async def _accepted(
        self, answer: msgspec.Raw, scope: Scope, options: SendOptions
    ) -> MessageRef:
        sent = msgspec.json.decode(answer, type=SentMessage)
        if options.replace is not None:
            try:
                await self.delete(options.replace)
            except TransportError as error:  # the new message stands: raising would send it again
                logger.info("telegram.replaced_message_stays", error=str(error))
        return MessageRef(
            scope.chat_id,
            sent.message_id,
            thread_id=scope.thread_id,
            sender_id=self.identity.id,
        )
