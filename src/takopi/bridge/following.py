"""Which turn a prompt goes on from that replies to nothing: the last one of its place, if any."""

from collections.abc import Iterable

from msgspec.structs import replace

from takopi.bridge.places import Places
from takopi.bridge.ports import Store, TurnFilter
from takopi.bridge.records import TurnRecord
from takopi.bridge.routing import bound_to
from takopi.core.chat import Scope
from takopi.core.chat_settings import SessionMode
from takopi.core.places import SessionPoint, session_key
from takopi.core.route import Prompt

__all__ = ["Follower"]

# Turns that nobody asked for in the chat stand between those that somebody did.
_LOOKED_AT = 10


class Follower:
    """Let prompts go on by themselves where the person wants that.

    Args:
        store: Knows the turns.
        places: Know where sessions begin anew.
        mode: Whether prompts go on by themselves.
    """

    def __init__(self, store: Store, places: Places, mode: SessionMode) -> None:
        self._store = store
        self._places = places
        self._mode = mode

    async def follow(self, prompt: Prompt, scope: Scope, drafts: Iterable[TurnRecord]) -> Prompt:
        """Let a prompt go on with the session of its place, project, branch and engine.

        Args:
            prompt: It may name a session already, and then keeps it.
            scope: Where it was asked.
            drafts: Turns that are not written down yet, in the order in which they were asked for.

        Raises:
            StoreError: The journal did not answer.
        """
        if self._mode != "chat" or prompt.resume is not None or prompt.follows is not None:
            return prompt
        context = prompt.where.context
        key = session_key(context.project, context.branch, prompt.engine)
        point = self._places.of(scope).sessions.get(key, SessionPoint(0.0))
        wanted = TurnFilter(
            scope=scope, engine=prompt.engine, context=context, accepted_since=point.since
        )
        near = [draft for draft in drafts if _is_meant(draft, scope, wanted)]
        found = [*reversed(near), *await self._store.newest_turns(wanted, _LOOKED_AT)]
        last = next((turn for turn in found if turn.origin == "prompt" and not turn.silent), None)
        if last is None:
            return replace(prompt, resume=point.session)
        bound = bound_to(last)
        return replace(prompt, follows=bound, resume=bound.session)


def _is_meant(draft: TurnRecord, scope: Scope, wanted: TurnFilter) -> bool:
    return (draft.scope, draft.engine, draft.context) == (scope, wanted.engine, wanted.context)
