"""/ctx: which project and branch a place belongs to."""

from dataclasses import dataclass

from msgspec.structs import replace

from takopi.bridge.commands.call import CommandCall, CommandPorts, PressCall
from takopi.context import RunContext
from takopi.core.chat import ChatMessage, Scope
from takopi.core.context_replies import context_reply
from takopi.core.contexts import NO_CONTEXT, HeldContext
from takopi.core.ctx_replies import (
    bound_reply,
    branch_wrong,
    context_shown,
    context_usage,
    project_unknown,
    read_ctx,
)
from takopi.core.decisions import BadBranch
from takopi.core.texts import tr
from takopi.transport import MessageRef

__all__ = ["ContextCommand", "bind_place"]


async def bind_place(ports: CommandPorts, scope: Scope, context: RunContext) -> None:
    """Bind a topic, or a chat outside of topics, to a context.

    Doing it twice is the same as doing it once, so the mark of the update goes with the answer.

    Raises:
        StoreError: The journal did not take it, so nothing changed.
    """
    place = ports.places.of(scope)
    if (place.project, place.branch) != (context.project, context.branch):
        await ports.places.put(replace(place, project=context.project, branch=context.branch))


@dataclass(frozen=True, slots=True)
class ContextCommand:
    """Show, set and clear what holds in a place.

    Args:
        ports: What commands work with.
    """

    ports: CommandPorts
    names: tuple[str, ...] = ("ctx",)

    async def answer(self, call: CommandCall) -> None:
        """Say what holds, or change it."""
        asked, scope = read_ctx(call.command.args), call.received.scope
        if asked.verb is None:
            words = context_usage()
        elif asked.verb == "set":
            words = await self._set(scope, asked.project, asked.branch)
        elif asked.verb == "clear":
            words = await self._clear(scope)
        else:
            here = self.ports.router.context_here(scope)
            if call.bound is not None and call.bound.context.project is not None:
                here = HeldContext(call.bound.context, "reply")
            words = context_shown(
                here,
                self._aliases,
                topic=scope.thread_id is not None,
                begun_here=self.ports.settings.begun_here,
            )
        await self.ports.answers.give(call.destination, words, [call.handled])

    async def press(self, call: PressCall) -> str:
        """Bind the place to a project, or clear it, and show what holds then."""
        verb, alias = (*call.args, "", "")[:2]
        scope = call.pressed.scope
        if verb == "set" and self.ports.settings.projects.find(alias) is not None:
            words = await self._set(scope, alias, None)
        elif verb == "clear":
            words = await self._clear(scope)
        else:
            await self.ports.answers.mark([call.handled])
            return tr("This button does nothing any more")
        ref = MessageRef(scope.chat_id, call.pressed.message_id)
        await self.ports.outbox.correct(call.destination, ref, words, changes=[call.handled])
        return tr("Done")

    @property
    def _aliases(self) -> tuple[str, ...]:
        return self.ports.settings.projects.aliases

    async def _set(self, scope: Scope, project: str | None, branch: str | None) -> ChatMessage:
        alias: str | None
        if project is None:
            alias = self.ports.router.context_here(scope).context.project
            if alias is None:
                return context_reply(BadBranch(branch or ""))
        else:
            found = self.ports.settings.projects.find(project)
            if found is None:
                return project_unknown(project, self._aliases)
            alias = found.alias
        wrong = None if branch is None else branch_wrong(branch)
        if wrong is not None:
            return context_reply(wrong)
        await bind_place(self.ports, scope, RunContext(alias, branch))
        return self._bound(scope)

    async def _clear(self, scope: Scope) -> ChatMessage:
        await bind_place(self.ports, scope, NO_CONTEXT)
        return self._bound(scope)

    def _bound(self, scope: Scope) -> ChatMessage:
        here = self.ports.router.context_here(scope)
        return bound_reply(
            here,
            self._aliases,
            topic=scope.thread_id is not None,
            begun_here=self.ports.settings.begun_here,
        )
