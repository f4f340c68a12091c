"""The terminal's registration as a transport: whoever sits at it is served."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from takopi.backends import SetupIssue
from takopi.core.chat import ChatUpdate
from takopi.core.outbox_budget import OutboxLimits
from takopi.terminal.chat_screen import begin_reading, make_chat_screen, someone_watches
from takopi.terminal.conversation import NO_BEGINNINGS, Beginnings
from takopi.terminal.screen import Screen
from takopi.terminal.transport import CHAT_ID, TRANSPORT_ID, TerminalTransport
from takopi.transports import (
    ServedTransport,
    SetupTalk,
    TransportCapabilities,
    TransportConfig,
)

__all__ = ["BACKEND", "TERMINAL_LIMITS", "ServedTerminal", "TerminalBackend"]

# A terminal takes whatever is written to it; only a person's eyes set a limit.
TERMINAL_LIMITS = OutboxLimits(
    private_rate_s=0.001,
    private_burst=100,
    global_per_s=1000,
    private_gap_s=0.1,
    edits_per_min=600,
    beat_s=1.0,
    slow_beat_s=1.0,
)


class ServedTerminal(TerminalTransport):
    """Be the process's own terminal, for a bot.

    Args:
        beginnings: What begins a conversation of its own.
        descriptor: What is typed comes from it.
        screen: Shows the messages; None means the process's own streams.
    """

    def __init__(
        self,
        beginnings: Beginnings = NO_BEGINNINGS,
        descriptor: int = 0,
        screen: Screen | None = None,
    ) -> None:
        live = screen is None and someone_watches(descriptor)
        self._stack = ExitStack()
        # It takes the terminal over, warnings included, so not before the transport is opened.
        self._own_screen: AbstractContextManager[Screen] | None = None
        if screen is None:
            screen = self._own_screen = make_chat_screen()
        super().__init__(screen, beginnings, one_by_one=not live)
        self._descriptor = descriptor
        self._stopped = False

    @property
    def last_poll_at(self) -> float | None:
        """Give nothing: a terminal is there or gone."""
        return None

    async def open(self) -> str:
        """Begin to read what is typed."""
        if self._own_screen is not None:
            self._stack.enter_context(self._own_screen)
        begin_reading(self._screen, self._descriptor, self)
        return "this terminal"

    async def updates(self) -> AsyncIterator[Sequence[ChatUpdate]]:
        """Yield what the person typed until the end of the input, or `stop`."""
        async for batch in super().updates():
            if self._stopped:
                return
            yield batch

    def stop(self) -> None:
        """End the iteration over `updates`."""
        self._stopped = True
        self._end_chat()

    async def aclose(self) -> None:
        """Leave the terminal as it was."""
        self.stop()
        self._stack.close()


class TerminalBackend:
    """Register the terminal."""

    id = TRANSPORT_ID
    description = "The terminal in which takopi runs"
    capabilities = TransportCapabilities(replies=False, limits=TERMINAL_LIMITS)
    own_chat: int | None = CHAT_ID

    def check_setup(self, config: TransportConfig) -> Sequence[SetupIssue]:
        """Miss nothing."""
        del config
        return ()

    def interactive_setup(self, config: TransportConfig, talk: SetupTalk) -> Mapping[str, Any]:
        """Ask for nothing."""
        del config, talk
        return {}

    def lock_token(self, config: TransportConfig) -> str | None:
        """Name nothing: each terminal is a chat of its own."""
        del config
        return None

    def build(self, config: TransportConfig) -> ServedTransport:
        """Make the transport."""
        return ServedTerminal(Beginnings(config.engines, names_session=config.names_session))


BACKEND = TerminalBackend()
