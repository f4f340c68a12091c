"""/usage: what turns cost, by day, engine and project."""

from dataclasses import dataclass

from takopi.bridge.commands.call import CommandCall, CommandPorts, PressCall
from takopi.bridge.commands.slowly import Bodies, answer_slowly
from takopi.core.budget import NO_BUDGET
from takopi.core.chat import ChatKind, ChatMessage, Scope
from takopi.core.replies import code, message
from takopi.core.texts import tr, tr_later
from takopi.core.usage import read_usage
from takopi.core.usage_view import Period, Spent, period_of, period_start, usage_reply

__all__ = ["UsageCommand"]


@dataclass(frozen=True, slots=True)
class UsageCommand:
    """Say what turns cost: in a private chat all of them, in a group its own.

    Args:
        ports: What commands work with.
    """

    ports: CommandPorts
    names: tuple[str, ...] = ("usage",)

    async def answer(self, call: CommandCall) -> None:
        """Sum up a period; today unless another is named."""
        period = period_of(call.command.args or "today")
        if period is None:
            words = message(
                tr("/usage takes nothing or a period: "),
                code("/usage today"),
                ", ",
                code("/usage week"),
                ", ",
                code("/usage month"),
            )
        else:
            received = call.received
            words = await self._words(period, received.scope, received.chat_kind)
        await self.ports.answers.give(call.destination, words, [call.handled])

    async def press(self, call: PressCall) -> str:
        """Show another period in the same message."""
        await self.ports.answers.mark([call.handled])
        period = period_of(call.args[0] if call.args else "")
        if period is None:
            return tr("This button does nothing any more")
        scope, kind = call.pressed.scope, call.pressed.chat_kind

        async def work() -> Bodies:
            return [await self._words(period, scope, kind)]

        answer_slowly(self.ports, call, tr_later("answering /usage"), work, instead=True)
        return ""

    async def _words(self, period: Period, scope: Scope, kind: ChatKind) -> ChatMessage:
        ports, settings = self.ports, self.ports.settings
        now = ports.clock.wall()
        rows = await ports.store.usage_since(period_start(period, now, settings.zone))
        turns = [
            Spent(row.ended_at, row.engine, row.project, read_usage(row.usage))
            for row in rows
            if kind == "private" or row.chat_id == scope.chat_id
        ]
        # What a group spent says little about a budget that is everybody's.
        budget = settings.budget if kind == "private" else NO_BUDGET
        return usage_reply(turns, period, settings.zone, budget)
