"""The chat service that the configuration chooses: found, checked, and made."""

from dataclasses import replace
from functools import partial

import msgspec

from takopi.app.engines import EngineShelf
from takopi.app.home import Home
from takopi.app.resume_lines import names_session
from takopi.errors import ConfigError
from takopi.settings import Settings
from takopi.transports import (
    ServedTransport,
    TransportBackend,
    TransportConfig,
    find_transports,
)

__all__ = ["ChosenTransport", "choose_transport"]


class ChosenTransport(msgspec.Struct, frozen=True):
    """Hold a transport's registration and what it is made of.

    Args:
        backend: The registration.
        config: Its table and its places.
        chat_id: The chat that is served first; None when nobody knows it yet.
    """

    backend: TransportBackend
    config: TransportConfig
    chat_id: int | None

    @property
    def account(self) -> str | None:
        """Name what only one takopi of this person may serve at a time."""
        name = self.backend.lock_token(self.config)
        return None if name is None else f"{self.backend.id} {name}"

    def build(self) -> ServedTransport:
        """Make the transport."""
        return self.backend.build(self.config)

    def missing(self) -> tuple[str, ...]:
        """Say what is missing before it can be served, each with the step that mends it."""
        issues = self.backend.check_setup(self.config)
        told = [": ".join((issue.title, *issue.lines)) for issue in issues]
        if self.chat_id is None and not told:
            key = f"transports.{self.backend.id}.chat_id"
            told.append(f"{key} is not set: it says which chat is served")
        return tuple(told)

    def must_be_set_up(self) -> None:
        """Refuse to serve what is not set up.

        Raises:
            ConfigError: Something is missing.
        """
        if told := self.missing():
            raise ConfigError(f"{self.config.path}: {'; '.join(told)}")


def choose_transport(
    home: Home, settings: Settings, shelf: EngineShelf | None = None
) -> ChosenTransport:
    """Load the transport that the configuration names.

    Args:
        home: takopi's folder.
        settings: The configuration.
        shelf: Knows the engines that a person can name there.

    Raises:
        PluginError: No package brings it, or it cannot be used.
    """
    backend = find_transports(settings.plugins.packages).load(settings.transport)
    table = settings.transport_table(settings.transport)
    if settings.transport == "telegram":
        # What the environment or a former key says stands here alone.
        table |= msgspec.structs.asdict(settings.telegram)
    config = TransportConfig(table=table, path=settings.path, home=home.path)
    if shelf is not None:
        named = partial(names_session, shelf)
        config = replace(config, engines=tuple(shelf.ids()), names_session=named)
    chat_id = settings.chat.chat_id
    return ChosenTransport(backend, config, backend.own_chat if chat_id is None else chat_id)
