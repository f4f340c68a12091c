"""What updates are routed by: the engines and their resume lines, the projects, what was chosen."""

from dataclasses import dataclass

from msgspec.structs import replace

from takopi.bridge.border import border
from takopi.bridge.places import Places
from takopi.bridge.ports import EngineDirectory
from takopi.bridge.records import TurnRecord
from takopi.context import RunContext
from takopi.core.chat import Scope
from takopi.core.chat_settings import ChatSettings
from takopi.core.commands import command_names
from takopi.core.context_replies import elsewhere_note, lost_project_note
from takopi.core.contexts import HeldContext, first_context
from takopi.core.decisions import BoundTurn, Prompt, ResumeCodec, RouteTable
from takopi.core.preferences import Held, Layer, Trigger, Verbosity, choices_for, held
from takopi.core.topics import wants_topic
from takopi.errors import ConfigError, PluginError
from takopi.logging import get_logger
from takopi.model import EngineId

__all__ = ["Router", "RouterPorts", "bound_to"]

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RouterPorts:
    """Bind what routing needs.

    Args:
        engines: Knows the engines.
        places: Knows what was chosen where.
        settings: What holds where nothing was chosen.
        default_engine: Runs what names no engine.
        plugins: Names of the commands that packages bring.
    """

    engines: EngineDirectory
    places: Places
    settings: ChatSettings
    default_engine: EngineId
    plugins: tuple[str, ...] = ()


class Router:
    """Say what is known in the chats.

    Args:
        ports: What routing needs.
    """

    def __init__(self, ports: RouterPorts) -> None:
        self._ports = ports
        self._codecs: dict[EngineId, ResumeCodec | None] = {}

    def table(self, scope: Scope) -> RouteTable:
        """Make the table that messages of a place are routed by now."""
        ports = self._ports
        engines = tuple(ports.engines.ids())
        codecs = (self._codec(engine) for engine in engines)
        chosen = held(ports.places.layers(scope, None), lambda found: found.engine)
        return RouteTable(
            default_engine=ports.default_engine,
            engines=engines,
            commands=(*command_names(), *ports.plugins),
            codecs=tuple(codec for codec in codecs if codec is not None),
            projects=ports.settings.projects.aliases,
            here=self.context_here(scope),
            engine_here=None if chosen is None else chosen.value,
            project_engines=self._project_engines(),
        )

    def context_here(self, scope: Scope) -> HeldContext:
        """Say which context holds in a place without any directive, and why."""
        places, settings = self._ports.places, self._ports.settings
        topic = None if scope.thread_id is None else places.of(scope)
        chat = places.of_chat(scope)
        # The configuration may know a group by the id that it had before it moved.
        guises = places.guises(replace(scope, thread_id=None))
        found = (settings.projects.of_chat(guise.chat_id) for guise in guises)
        bound = next((project for project in found if project is not None), None)
        standing = settings.default_project
        return first_context(
            (
                ("topic", None if topic is None else self._known(topic.project, topic.branch)),
                ("chat", self._known(chat.project, chat.branch)),
                ("project chat", None if bound is None else RunContext(bound.alias)),
                ("default", self._known(standing)),
            )
        )

    def engine_here(self, scope: Scope) -> EngineId:
        """Say which engine holds in a place for prompts that name none."""
        table = self.table(scope)
        return table.engine_of(table.here.context)

    def layers(self, scope: Scope, project: str | None) -> tuple[Layer, ...]:
        """List what was chosen for a prompt, the nearest place first, the configuration last."""
        ports = self._ports
        configured = ports.settings.preferences(ports.default_engine)
        if project is not None:
            own = ports.settings.projects.find(project)
            if own is not None and own.default_engine:
                configured = replace(configured, engine=own.default_engine)
        return (*ports.places.layers(scope, project), Layer("configuration", configured))

    def trigger(self, scope: Scope) -> Trigger:
        """Say which messages of a group count."""
        project = self.context_here(scope).context.project
        layers = self.layers(scope, project)
        found: Held[Trigger] | None = held(layers, lambda chosen: chosen.trigger)
        return self._ports.settings.trigger if found is None else found.value

    def verbosity(self, scope: Scope, project: str | None) -> Verbosity:
        """Say how much the messages of a turn show."""
        found: Held[Verbosity] | None = held(
            self.layers(scope, project), lambda chosen: chosen.verbosity
        )
        return self._ports.settings.verbosity if found is None else found.value

    def placed(self, turn: TurnRecord, prompt: Prompt) -> TurnRecord:
        """Write down with a new turn where it runs, and what was chosen for it."""
        turn = self._followed(turn, prompt)
        context = prompt.where.context
        layers = self.layers(turn.scope, context.project)
        note = turn.note
        if prompt.elsewhere is not None:
            note = elsewhere_note(prompt.elsewhere, context)
        elif prompt.where.source in ("chat", "project chat", "default", "none"):
            note = note or self._forgotten(turn.scope)
        return replace(
            turn,
            project=context.project,
            branch=context.branch,
            choices=choices_for(layers, turn.engine),
            verbosity=self.verbosity(turn.scope, context.project),
            note=note,
            wants_topic=self._wants_topic(turn, prompt),
        )

    def _forgotten(self, scope: Scope) -> str:
        """Say that a place is bound to a project that nobody knows, so that another one holds."""
        places = self._ports.places
        for place in (places.of(scope), places.of_chat(scope)):
            if place.project is not None:
                known = self._known(place.project) is not None
                return "" if known else lost_project_note(place.project)
        return ""

    def _followed(self, turn: TurnRecord, prompt: Prompt) -> TurnRecord:
        """Let a turn live in the topic that its session got, wherever it was asked for."""
        topic = None if prompt.follows is None else prompt.follows.topic
        if topic is None or turn.scope.thread_id is not None or self._ports.places.of(topic).gone:
            return turn
        same_chat = topic.chat_id == turn.scope.chat_id
        return replace(turn, scope=topic, asked_in=turn.scope) if same_chat else turn

    def _wants_topic(self, turn: TurnRecord, prompt: Prompt) -> bool:
        """Tell whether a message begins a session that gets a topic of its own."""
        goes_on = prompt.resume is not None or prompt.follows is not None
        if goes_on or turn.silent or turn.after or turn.origin != "prompt":
            return False
        settings = self._ports.settings
        place = self._ports.places.of(turn.scope)
        return wants_topic(settings.topics, turn.scope, place, settings.projects)

    def _known(self, project: str | None, branch: str | None = None) -> RunContext | None:
        """Return a context whose project is still in the configuration."""
        found = None if project is None else self._ports.settings.projects.find(project)
        return None if found is None else RunContext(found.alias, branch)

    def _project_engines(self) -> dict[str, EngineId]:
        found: dict[str, EngineId] = {}
        for project in self._ports.settings.projects.all:
            chosen = self._ports.places.of_project(project.alias).preferences.engine
            engine = chosen or project.default_engine
            if engine is not None:
                found[project.alias] = engine
        return found

    def load(self, engine: EngineId) -> None:
        """Load an engine now, so that the first message does not wait for that."""
        self._codec(engine)

    def _codec(self, engine: EngineId) -> ResumeCodec | None:
        """Load what reads an engine's resume lines; an engine that is broken reads none."""
        if engine not in self._codecs:
            codec: ResumeCodec | None = None
            with border("loading an engine", engine=engine):
                try:
                    codec = self._ports.engines.runner(engine)
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
        context=record.context,
        topic=None if record.asked_in is None else record.scope,
    )
