"""/new: the next prompt begins a new session, or the one behind it does at once."""

from dataclasses import dataclass, replace

from msgspec.structs import replace as with_changes

from takopi.bridge.commands.call import Buttonless, CommandCall
from takopi.bridge.following import Where
from takopi.bridge.sent_files import NO_FILES
from takopi.bridge.taking_up import ask, begun_anew
from takopi.core.chat import ChatMessage
from takopi.core.contexts import HeldContext, read_context
from takopi.core.decisions import Command, Prompt, RouteTable
from takopi.core.directives import Opening, read_opening
from takopi.core.file_replies import refused_reply, why_not_taken
from takopi.core.places import SessionPoint
from takopi.core.replies import route_reply
from takopi.core.route import last_resume, route
from takopi.core.session_replies import names_session_reply, new_reply, new_usage_reply

__all__ = ["NewCommand"]

# Stands for a prompt where only its directives are known.
_ANY_WORD = "new"


@dataclass(frozen=True, slots=True)
class NewCommand(Buttonless):
    """Leave the session of a place behind.

    Args:
        ports: What commands work with.
    """

    names: tuple[str, ...] = ("new",)

    async def answer(self, call: CommandCall) -> None:
        """Let the next prompt of a place, project, branch and engine begin a session."""
        ports = self.ports
        decision = self._read(call)
        if isinstance(decision, ChatMessage):
            await ports.answers.give(call.destination, decision, [call.handled])
            return
        prompt, is_asked = decision
        if is_asked:
            await ask(ports, call, prompt)
            return
        context, mode = prompt.where.context, ports.settings.session_mode
        handled = [call.handled]
        if mode == "chat":
            where = Where(call.received.scope, context, prompt.engine)
            point = SessionPoint(call.arrived_at, None, call.received.message_id)
            await ports.places.put(await begun_anew(ports, where, point), handled)
            handled = []
        await ports.answers.give(call.destination, new_reply(mode, prompt.engine, context), handled)

    def _read(self, call: CommandCall) -> tuple[Prompt, bool] | ChatMessage:
        """Read what stands behind the command: the prompt, and whether it is one to be asked."""
        args, received, table = call.command.args, call.received, self._table(call)
        opening = read_opening(args, table) if args else Opening()
        if isinstance(opening, Command):
            return new_usage_reply()
        if isinstance(opening, Opening):
            if last_resume(opening.rest, table.codecs) is not None:
                return names_session_reply()
            if not opening.rest:
                if received.files:
                    return new_usage_reply()
                args = f"{args} {_ANY_WORD}".strip()
        decision = route(with_changes(received, text=args, reply=None), table)
        if not isinstance(decision, Prompt):
            return route_reply(decision, table.default_engine) or new_usage_reply()
        files = self.ports.files
        why = why_not_taken(received.files, files.rules if files is not None else NO_FILES)
        if why is not None:
            return refused_reply(why)
        return decision, isinstance(opening, Opening) and bool(opening.rest)

    def _table(self, call: CommandCall) -> RouteTable:
        """Say what is known here; the message that is replied to says where and by whom."""
        table, reply = self.ports.router.table(call.received.scope), call.received.reply
        if call.bound is not None:
            here = HeldContext(call.bound.context, "reply")
            return replace(table, here=here, engine_here=call.bound.engine)
        line = read_context(reply.text, table.projects) if reply and reply.from_this_bot else None
        return table if line is None else replace(table, here=HeldContext(line, "line"))
