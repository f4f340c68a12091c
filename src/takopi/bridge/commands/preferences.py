"""/agent, /model, /reasoning, /mode, /trigger and /verbose: how prompts are run from now on."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio
from msgspec.structs import replace

from takopi.bridge.border import border
from takopi.bridge.commands.call import CommandCall, CommandPorts, PressCall
from takopi.bridge.commands.slowly import Bodies, answer_slowly
from takopi.bridge.records import UpdateHandled
from takopi.bridge.waiting import wait_until
from takopi.core.chat import ChatKind, ChatMessage, Scope
from takopi.core.places import PlaceRecord
from takopi.core.preference_buttons import (
    DigestPressed,
    PagePressed,
    pressed_choice,
    word_of_digest,
)
from takopi.core.preference_choices import (
    DEFAULT,
    KINDS,
    PreferenceKind,
    PreferenceWish,
    chosen_in,
    is_of_engine,
    plain_words,
    read_wish,
    with_choice,
    word_of,
)
from takopi.core.preference_replies import (
    chosen_toast,
    no_place_reply,
    preference_reply,
    private_trigger_reply,
    refused_word_reply,
    usage_reply,
)
from takopi.core.preference_views import LayerLine, PreferenceChange, PreferenceView
from takopi.core.preferences import Held, PreferenceSource, held
from takopi.core.texts import tr, tr_later
from takopi.model import EngineId
from takopi.runner import capabilities_of, list_models

__all__ = ["PreferenceCommand", "preference_commands"]

LIST_WITHIN_S = 10.0
"""How long an answer waits for an engine to say which models it has; the next one may know."""

LIST_LIMIT_S = 60.0
LISTED_FOR_S = 600.0


@dataclass(slots=True)
class _Models:
    """Remember which models the engines said they have, and when; and who is being asked."""

    known: dict[EngineId, tuple[float, tuple[str, ...]]] = field(default_factory=dict)
    asked: dict[EngineId, anyio.Event] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Here:
    """Say where a preference is asked for, and whose words it has."""

    scope: Scope
    chat_kind: ChatKind
    project: str | None
    engine: EngineId


@dataclass(frozen=True, slots=True)
class PreferenceCommand:
    """Show and change one preference.

    Args:
        ports: What commands work with.
        kind: Which.
        models: What the engines listed; one for all commands.
    """

    ports: CommandPorts
    kind: PreferenceKind
    models: _Models = field(default_factory=_Models)

    @property
    def names(self) -> tuple[str, ...]:
        """List what it answers."""
        return (self.kind,)

    async def answer(self, call: CommandCall) -> None:
        """Show what holds, or change it."""
        wish = read_wish(self.kind, call.command.args, self.ports.engines.ids())
        if wish is None:
            await self.ports.answers.give(call.destination, usage_reply(self.kind), [call.handled])
            return
        received = call.received
        here = self._here(received.scope, received.chat_kind, wish.engine)
        if wish.value is None:
            self._show(call, here)
            return
        done = await self._change(here, wish, call.handled)
        if isinstance(done, ChatMessage):
            await self.ports.answers.give(call.destination, done, [call.handled])
            return
        self._show(call, here, done)

    async def press(self, call: PressCall) -> str:
        """Choose what a button says for the nearest place, as often as somebody presses it."""
        pressed, engine = call.pressed, None
        args = call.args
        if is_of_engine(self.kind):
            engine, args = args[0] if args else "", args[1:]
        meant = pressed_choice(args)
        if meant is None or (engine is not None and engine not in self.ports.engines.ids()):
            return await self._refuse(call)
        here = self._here(pressed.scope, pressed.chat_kind, engine)
        if isinstance(meant, PagePressed):
            await self.ports.answers.mark([call.handled])
            self._show(call, here, page=meant.page)
            return ""
        if isinstance(meant, DigestPressed):
            word = word_of_digest(meant.digest, self._ever_listed(here.engine))
            if word is None:
                await self._refuse(call)
                return tr("This list is too old; send /{command} anew", command=self.kind)
            meant = PreferenceWish(word)
        done = await self._change(here, meant, call.handled)
        if not isinstance(done, PreferenceChange):
            return await self._refuse(call)
        self._show(call, here, done)
        return chosen_toast(done)

    async def _refuse(self, call: PressCall) -> str:
        await self.ports.answers.mark([call.handled])
        return tr("This button does nothing any more")

    def _here(self, scope: Scope, kind: ChatKind, engine: EngineId | None) -> _Here:
        router = self.ports.router
        project = router.context_here(scope).context.project
        found: Held[EngineId] | None = held(
            router.layers(scope, project), lambda chosen: chosen.engine
        )
        holds = self.ports.default_engine if found is None else found.value
        return _Here(scope, kind, project, engine or holds)

    async def _change(
        self, here: _Here, wish: PreferenceWish, handled: UpdateHandled
    ) -> PreferenceChange | ChatMessage:
        """Write a choice down, with the mark; or say why that cannot be, and mark nothing.

        Raises:
            StoreError: The journal did not take it, so nothing happened.
        """
        nearest: PreferenceSource = "topic" if _is_topic(here.scope) else "chat"
        place = wish.place or nearest
        record = self._record(here, place)
        if record is None:
            return no_place_reply(self.kind, place)
        if self.kind == "trigger" and here.chat_kind == "private" and place != "project":
            return private_trigger_reply()
        said, word = wish.value or "", None
        if said.lower() != DEFAULT:
            accepted = self._accepted(here.engine)
            word = word_of(self.kind, said, accepted)
            if word is None:
                return refused_word_reply(self._view(here, accepted), said)
        chosen = with_choice(record.preferences, self.kind, here.engine, word)
        await self.ports.places.put(replace(record, preferences=chosen), [handled])
        return PreferenceChange(word, place, place == nearest)

    def _record(self, here: _Here, place: PreferenceSource) -> PlaceRecord | None:
        """Find what is known of a place; None where there is no such place."""
        places = self.ports.places
        if place == "chat":
            return places.of_chat(here.scope)
        if place == "topic":
            return places.of(here.scope) if _is_topic(here.scope) else None
        return None if here.project is None else places.of_project(here.project)

    def _accepted(self, engine: EngineId) -> tuple[str, ...]:
        """List what can be chosen, as far as it is known without asking an engine.

        Raises:
            PluginError: The engine cannot be used.
            ConfigError: Its table of the configuration is wrong.
        """
        if self.kind == "agent":
            return tuple(self.ports.engines.ids())
        if not is_of_engine(self.kind):
            return plain_words(self.kind)
        can = capabilities_of(self.ports.engines.runner(engine))
        if self.kind == "model":
            return self._listed(engine) or can.models
        words = can.reasoning_levels if self.kind == "reasoning" else can.permission_modes
        # As a word of the command it takes a choice back.
        return tuple(word for word in words if word != DEFAULT)

    def _listed(self, engine: EngineId) -> tuple[str, ...]:
        at, models = self.models.known.get(engine, (0.0, ()))
        return models if self.ports.clock.now() - at < LISTED_FOR_S else ()

    def _ever_listed(self, engine: EngineId) -> tuple[str, ...]:
        _, models = self.models.known.get(engine, (0.0, ()))
        return (*models, *self._accepted(engine))

    def _view(
        self,
        here: _Here,
        accepted: Sequence[str],
        change: PreferenceChange | None = None,
        page: int | None = None,
    ) -> PreferenceView:
        layers = self.ports.router.layers(here.scope, here.project)
        engines = self.ports.engines
        found = map(engines.missing, engines.ids()) if self.kind == "agent" else ()
        missing = tuple(one for one in found if one is not None)
        absent = {one.engine for one in missing}
        lines = tuple(
            LayerLine(layer.source, chosen_in(layer.chosen, self.kind, here.engine))
            for layer in layers
            # Models, levels and modes of the configuration are the engine's own business.
            if not (is_of_engine(self.kind) and layer.source == "configuration")
        )
        return PreferenceView(
            kind=self.kind,
            engine=here.engine,
            lines=lines,
            project=here.project,
            accepted=tuple(word for word in accepted if word not in absent),
            private=here.chat_kind == "private",
            unlisted=self.kind == "model" and not accepted,
            change=change,
            missing=missing,
            page=page,
        )

    # What takes time.

    def _show(
        self,
        call: CommandCall | PressCall,
        here: _Here,
        change: PreferenceChange | None = None,
        page: int | None = None,
    ) -> None:
        """Show what holds: in place of the message whose button was pressed, if one was."""

        async def work() -> Bodies:
            accepted = await self._ask(here.engine)
            return [preference_reply(self._view(here, accepted, change, page))]

        what = tr_later("showing what can be chosen")
        answer_slowly(self.ports, call, what, work, instead=isinstance(call, PressCall))

    async def _ask(self, engine: EngineId) -> tuple[str, ...]:
        """List what can be chosen; an engine is asked for its models, for as long as that goes."""
        ports = self.ports
        with border("looking for what can be chosen", engine=engine):
            if self.kind == "model" and not self._listed(engine):
                answered = self.models.asked.get(engine)
                if answered is None:
                    answered = self.models.asked[engine] = anyio.Event()
                    ports.group.start_soon(self._list, engine, answered)
                await wait_until(answered.wait, ports.clock, ports.clock.now() + LIST_WITHIN_S)
            return self._accepted(engine)
        return ()  # an engine that is broken says so when it is asked for something

    async def _list(self, engine: EngineId, answered: anyio.Event) -> None:
        clock = self.ports.clock

        async def ask() -> None:
            models = await list_models(self.ports.engines.runner(engine))
            self.models.known[engine] = (clock.now(), models)

        with border("asking an engine what it has", engine=engine):
            await wait_until(ask, clock, clock.now() + LIST_LIMIT_S)
        del self.models.asked[engine]
        answered.set()


def preference_commands(ports: CommandPorts) -> tuple[PreferenceCommand, ...]:
    """Make the commands of all preferences."""
    models = _Models()
    return tuple(PreferenceCommand(ports, kind, models) for kind in KINDS)


def _is_topic(scope: Scope) -> bool:
    return scope.thread_id is not None
