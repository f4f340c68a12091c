"""Put together what handles updates: each desk with the ports that it needs."""

from collections.abc import Callable
from dataclasses import dataclass

from anyio.abc import TaskGroup

from takopi.bridge.answers import Answers
from takopi.bridge.asking import Asking, AskingPorts
from takopi.bridge.attachments import Arrivals, FileKeeper, KeeperPorts
from takopi.bridge.commands.call import CommandPorts
from takopi.bridge.commands.registry import Commands, make_handlers
from takopi.bridge.commands.schedules import turns_of
from takopi.bridge.door import Door
from takopi.bridge.following import Follower
from takopi.bridge.intake import Intake, IntakePorts
from takopi.bridge.offer_desk import OfferDesk, OfferPorts, WhoDecides
from takopi.bridge.outbox import Outbox
from takopi.bridge.places import Places
from takopi.bridge.ports import (
    Clock,
    CommandPlugins,
    EngineDirectory,
    RunHost,
    Store,
    Transport,
    Workspaces,
)
from takopi.bridge.prompt_desk import PromptDesk, PromptPorts
from takopi.bridge.routing import Router, RouterPorts
from takopi.bridge.schedule_book import ScheduleBook
from takopi.bridge.schedule_turns import ScheduleTurns
from takopi.bridge.scheduler import Scheduler
from takopi.bridge.sent_files import NO_FILES
from takopi.bridge.topic_desk import TopicDesk
from takopi.core.backlog import Backlog
from takopi.core.chat_settings import PLAIN_CHATS, ChatSettings
from takopi.model import EngineId
from takopi.transcription import Transcriber

__all__ = ["Desks", "DispatcherOptions", "DispatcherPorts", "make_desks"]


@dataclass(frozen=True, slots=True)
class DispatcherPorts:
    """Bind what updates need.

    Args:
        transport: Answers presses.
        store: Takes what is decided.
        engines: Knows the engines.
        outbox: Sends.
        scheduler: Runs turns.
        clock: Tells the time.
        places: Knows what was chosen where.
        workspaces: Knows projects and their working trees.
        schedules: What is asked at certain times.
        arrivals: Fetches files; None where there are none.
        transcriber: Turns voice notes into words; None when nothing does.
        plugins: The commands that packages bring; None where there are none.
        host: Knows where sessions live; None where nobody does.
    """

    transport: Transport
    store: Store
    engines: EngineDirectory
    outbox: Outbox
    scheduler: Scheduler
    clock: Clock
    places: Places
    workspaces: Workspaces
    schedules: ScheduleBook
    arrivals: Arrivals | None = None
    transcriber: Transcriber | None = None
    plugins: CommandPlugins | None = None
    host: RunHost | None = None
    topics: TopicDesk | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatcherOptions:
    """Say how updates are handled.

    Args:
        access: Who is served.
        default_engine: Runs what names no engine and no session.
        new_id: Makes ids of turns and offers.
        version: Of takopi, for `/status`.
        backlog: What becomes of prompts that were sent while takopi was away.
        decide: Who may take an offer: the person whose prompt it is about, or all who are served.
        chats: What holds in chats where nothing else was chosen.
        serving_since: As in `BridgeOptions`.
    """

    access: Door
    default_engine: EngineId
    new_id: Callable[[], str]
    version: str
    backlog: Backlog = "answer"
    decide: WhoDecides = "asker"
    chats: ChatSettings = PLAIN_CHATS
    serving_since: float | None = None


@dataclass(frozen=True, slots=True)
class Desks:
    """Hold what the dispatcher hands updates to."""

    answers: Answers
    router: Router
    keeper: FileKeeper | None
    intake: Intake
    prompts: PromptDesk
    offers: OfferDesk
    commands: Commands
    schedule_turns: ScheduleTurns


def make_desks(ports: DispatcherPorts, options: DispatcherOptions, group: TaskGroup) -> Desks:
    """Make every desk.

    Args:
        ports: What updates need.
        options: How they are handled.
        group: What takes time runs in it.
    """
    store, outbox, clock, new_id = ports.store, ports.outbox, ports.clock, options.new_id
    scheduler, answers = ports.scheduler, Answers(store, outbox)
    found = () if ports.plugins is None else ports.plugins.catalogue.ids
    router = Router(
        RouterPorts(ports.engines, ports.places, options.chats, options.default_engine, found)
    )
    follower = Follower(store, ports.places, options.chats.session_mode)
    arrivals = ports.arrivals
    files = None if arrivals is None else arrivals.files
    rules = NO_FILES if files is None else files.rules
    keeper = None
    if arrivals is not None:
        keeper = FileKeeper(KeeperPorts(store, outbox, ports.workspaces, arrivals, group))
    commands = CommandPorts(
        answers=answers,
        outbox=outbox,
        scheduler=scheduler,
        engines=ports.engines,
        store=store,
        places=ports.places,
        router=router,
        follower=follower,
        settings=options.chats,
        workspaces=ports.workspaces,
        transport=ports.transport,
        asking=Asking(AskingPorts(store, scheduler, router, clock, new_id)),
        schedules=ports.schedules,
        clock=clock,
        default_engine=options.default_engine,
        version=options.version,
        new_id=new_id,
        group=group,
        files=files,
        host=ports.host,
        plugins=ports.plugins,
        topics=ports.topics,
    )
    offering = OfferPorts(store, scheduler, outbox, answers, ports.places, clock, new_id)
    return Desks(
        answers=answers,
        router=router,
        keeper=keeper,
        intake=Intake(
            IntakePorts(store, scheduler, router, follower, clock, options.access, new_id, rules),
            options.serving_since,
        ),
        prompts=PromptDesk(PromptPorts(store, scheduler, outbox, clock, new_id), options.backlog),
        offers=OfferDesk(offering, options.decide),
        commands=Commands(commands, make_handlers(commands)),
        schedule_turns=turns_of(commands),
    )
