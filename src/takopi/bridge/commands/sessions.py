"""/sessions: which sessions there are, with a button each to go on with it."""

from dataclasses import dataclass, field
from functools import partial

from msgspec.structs import replace

from takopi.bridge.commands.call import CommandCall, CommandPorts, PressCall
from takopi.bridge.commands.slowly import Bodies, answer_slowly
from takopi.bridge.session_lists import Listed, list_sessions, listed_by_key, turn_of_chat
from takopi.bridge.session_search import first_words
from takopi.bridge.taking_up import Found, take_up
from takopi.core.chat import ChatMessage
from takopi.core.decisions import Command, Prompt
from takopi.core.directives import Opening, read_opening
from takopi.core.replies import route_reply
from takopi.core.route import route
from takopi.core.session_list import SessionView, entry_key, sessions_reply, view_key
from takopi.core.session_replies import sessions_usage_reply
from takopi.core.texts import tr, tr_later

__all__ = ["SessionsCommand"]

# Stands for a prompt where only its directives are known.
_ANY_WORD = "sessions"
_MOST_SHOWN = 500


@dataclass(frozen=True, slots=True)
class SessionsCommand:
    """List sessions, and take up the one that somebody picks.

    Args:
        ports: What commands work with.
        shown: The sessions of the desktop that were shown, by list and session: to find one again
            takes the engines' time.
    """

    ports: CommandPorts
    names: tuple[str, ...] = ("sessions",)
    shown: dict[tuple[str, str], Found] = field(default_factory=dict)

    async def answer(self, call: CommandCall) -> None:
        """List the sessions of the context that holds here, or that directives name."""
        ports = self.ports
        wanted = self._read(call)
        if isinstance(wanted, ChatMessage):
            await ports.answers.give(call.destination, wanted, [call.handled])
            return
        self._show(call, wanted)

    async def press(self, call: PressCall) -> str:
        """Take up a session, or turn the page, as often as somebody presses it."""
        kind, name, rest = (*call.args, "", "", "")[:3]
        if kind == "t":
            return await self._take_up_of_turn(call, name)
        wanted = await listed_by_key(self.ports, call.destination.scope, name)
        if wanted is None or kind not in ("d", "p"):
            await self.ports.answers.mark([call.handled])
            return tr("This button does nothing any more")
        if kind == "d":
            found = self.shown.get((name, rest))
            if found is not None:
                await take_up(self.ports, call, found)
                return _taken()
        page = int(rest) if kind == "p" and rest.isdecimal() and len(rest) < 4 else 0
        await self.ports.answers.mark([call.handled])
        self._show(call, wanted, page)
        return "" if kind == "p" else tr("The list was old; look at it again, and press again")

    async def _take_up_of_turn(self, call: PressCall, turn_id: str) -> str:
        ports, scope = self.ports, call.destination.scope
        turn = await turn_of_chat(ports, scope, turn_id)
        if turn is None or turn.session is None:
            await ports.answers.mark([call.handled])
            return tr("This button does nothing any more")
        first = await first_words(ports, scope, turn.session)
        await take_up(ports, call, Found(turn.session, turn.context, first or turn.prompt))
        return _taken()

    def _read(self, call: CommandCall) -> Listed | ChatMessage:
        """Read whose sessions are meant."""
        args, scope = call.command.args, call.received.scope
        table = self.ports.router.table(scope)
        opening = read_opening(args, table) if args else Opening()
        if isinstance(opening, Command) or (isinstance(opening, Opening) and opening.rest):
            return sessions_usage_reply()
        asked = replace(call.received, text=f"{args} {_ANY_WORD}".strip(), reply=None)
        decision = route(asked, table)
        if not isinstance(decision, Prompt):
            return route_reply(decision, table.default_engine) or sessions_usage_reply()
        engine = opening.engine if isinstance(opening, Opening) else None
        return Listed(scope, decision.where.context, engine)

    def _show(self, call: CommandCall | PressCall, wanted: Listed, page: int = 0) -> None:
        """Show a page: in place of the message whose button was pressed, if one was."""
        what, work = tr_later("listing sessions"), partial(self._page, wanted, page)
        answer_slowly(self.ports, call, what, work, instead=isinstance(call, PressCall))

    async def _page(self, wanted: Listed, page: int) -> Bodies:
        entries = await list_sessions(self.ports, wanted)
        key = view_key(wanted.context, wanted.engine)
        for entry in entries:
            if not entry.turn_id:
                self._remember(
                    (key, entry_key(entry.session)),
                    Found(entry.session, wanted.context, entry.first),
                )
        now = self.ports.clock.wall()
        view = SessionView(
            context=wanted.context, engine=wanted.engine, entries=entries, page=page, now=now
        )
        return [sessions_reply(view)]

    def _remember(self, key: tuple[str, str], found: Found) -> None:
        self.shown.pop(key, None)
        self.shown[key] = found
        if len(self.shown) > _MOST_SHOWN:
            del self.shown[next(iter(self.shown))]


def _taken() -> str:
    return tr("Taken up: see below")
