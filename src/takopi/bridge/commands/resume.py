"""/resume: go on with a session that a person names."""

from dataclasses import dataclass

from takopi.bridge.commands.call import Buttonless, CommandCall
from takopi.bridge.sent_files import NO_FILES
from takopi.bridge.session_search import context_of_session, first_words, named_session
from takopi.bridge.taking_up import Found, ask, engine_here, take_up
from takopi.core.chat import ChatMessage
from takopi.core.contexts import HeldContext, read_context
from takopi.core.decisions import Prompt
from takopi.core.file_replies import refused_reply, why_not_taken
from takopi.core.route import last_resume
from takopi.core.session_args import ResumeWish, UnknownEngine, looks_like_id, read_resume
from takopi.core.session_replies import (
    bad_session_reply,
    no_session_yet_reply,
    resume_usage_reply,
    unknown_engine_reply,
)
from takopi.errors import UsageError
from takopi.model import EngineId, ResumeToken
from takopi.resume_tokens import check_token

__all__ = ["ResumeCommand"]


@dataclass(frozen=True, slots=True)
class ResumeCommand(Buttonless):
    """Take up a session by its id, by its resume line, or by a reply to one of its messages.

    Args:
        ports: What commands work with.
    """

    names: tuple[str, ...] = ("resume",)

    async def answer(self, call: CommandCall) -> None:
        """Take a session up, or ask in it what stands behind its name."""
        ports, received = self.ports, call.received
        table = ports.router.table(received.scope)
        wish = read_resume(call.command.args, table)
        found: Found | ChatMessage
        if isinstance(wish, UnknownEngine):
            found, prompt = unknown_engine_reply(wish.word, table.engines), ""
        else:
            found, prompt = await self._find(call, wish)
        if isinstance(found, ChatMessage):
            await ports.answers.give(call.destination, found, [call.handled])
            return
        files = ports.files
        why = why_not_taken(received.files, files.rules if files is not None else NO_FILES)
        if prompt and why is not None:
            await ports.answers.give(call.destination, refused_reply(why), [call.handled])
        elif prompt:
            where = HeldContext(found.context, "line" if found.context.project else "none")
            engine = found.session.engine
            await ask(
                ports, call, Prompt(text=prompt, engine=engine, resume=found.session, where=where)
            )
        else:
            await take_up(ports, call, found)

    async def _find(self, call: CommandCall, wish: ResumeWish) -> tuple[Found | ChatMessage, str]:
        """Find the session that is meant, and the prompt for it."""
        ports, scope = self.ports, call.received.scope
        if wish.session is not None:
            found = await self._checked(call, wish.session)
            return found or bad_session_reply(wish.session.engine, wish.session.value), wish.prompt
        known = None
        if wish.value:
            known = await named_session(ports, scope, wish.engine, wish.value)
        if known is not None:
            return known, wish.prompt
        engine = wish.engine or engine_here(ports, scope, ports.router.context_here(scope).context)
        if wish.engine is not None or looks_like_id(wish.value):
            found = await self._checked(call, ResumeToken(engine, wish.value))
            if found is not None:
                return found, wish.prompt
        # No id: by a reply to a message the session is named, and all of it is the prompt.
        replied = await self._replied(call) if wish.engine is None else None
        if replied is not None:
            return replied, call.command.args
        if not wish.value:
            return resume_usage_reply(ports.engines.ids()), ""
        return bad_session_reply(engine, wish.value), ""

    async def _replied(self, call: CommandCall) -> Found | ChatMessage | None:
        """Find the session of the message that was replied to; None where it has none to it."""
        ports, reply, bound = self.ports, call.received.reply, call.bound
        if bound is not None:
            if bound.session is None:
                return no_session_yet_reply()
            first = await first_words(ports, call.received.scope, bound.session)
            return Found(bound.session, bound.context, first)
        if reply is None or not reply.from_this_bot:
            return None
        table = ports.router.table(call.received.scope)
        session = last_resume(reply.text, table.codecs)
        if session is None:
            return None
        line = read_context(reply.text, table.projects)
        return Found(session, line) if line is not None else await self._checked(call, session)

    async def _checked(self, call: CommandCall, session: ResumeToken) -> Found | None:
        """Find out where a session lives; None when its engine has no such sessions."""
        if not self._is_possible(session.engine, session):
            return None
        return await context_of_session(self.ports, call.received.scope, session)

    def _is_possible(self, engine: EngineId, session: ResumeToken) -> bool:
        """Tell whether an id reads as one of its engine: it ends up in an argument list.

        Raises:
            PluginError: The engine cannot be used.
            ConfigError: Its table of the configuration is wrong.
        """
        runner = self.ports.engines.runner(engine)
        try:
            check_token(engine, session)
            return runner.extract_resume(runner.format_resume(session)) == session
        except UsageError:
            return False
