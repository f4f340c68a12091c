"""What updates are routed by: the engines, and their readers of resume lines."""

from takopi.bridge.border import border
from takopi.bridge.ports import EngineDirectory
from takopi.bridge.records import TurnRecord
from takopi.core.commands import command_names
from takopi.core.route import BoundTurn, ResumeCodec, RouteTable
from takopi.errors import ConfigError, PluginError
from takopi.logging import get_logger
from takopi.model import EngineId

__all__ = ["Router", "bound_to"]

_log = get_logger(__name__)


class Router:
    """Say what is known in the chats.

    Args:
        engines: Knows the engines.
        default_engine: Runs what names no engine.
    """

    def __init__(self, engines: EngineDirectory, default_engine: EngineId) -> None:
        self.default_engine = default_engine
        self._engines = engines
        self._codecs: dict[EngineId, ResumeCodec | None] = {}

    def table(self) -> RouteTable:
        """Make the table that messages are routed by now."""
        engines = tuple(self._engines.ids())
        codecs = (self._codec(engine) for engine in engines)
        return RouteTable(
            default_engine=self.default_engine,
            engines=engines,
            commands=command_names(),
            codecs=tuple(codec for codec in codecs if codec is not None),
        )

    def load(self, engine: EngineId) -> None:
        """Load an engine now, so that the first message does not wait for that."""
        self._codec(engine)

    def _codec(self, engine: EngineId) -> ResumeCodec | None:
        """Load what reads an engine's resume lines; an engine that is broken reads none."""
        if engine not in self._codecs:
            codec: ResumeCodec | None = None
            with border("loading an engine", engine=engine):
                try:
                    codec = self._engines.runner(engine)
                except (PluginError, ConfigError) as error:
                    _log.warning("engine.unusable", engine=engine, error=str(error))
            self._codecs[engine] = codec
        return self._codecs[engine]


def bound_to(record: TurnRecord) -> BoundTurn:
    """Say of a turn what a reply to one of its messages needs."""
    return BoundTurn(
        turn_id=record.turn_id,
        conversation=record.conversation or record.turn_id,
        engine=record.engine,
        session=record.session or record.asked,
    )
