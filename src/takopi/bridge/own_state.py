"""What a journal holds for one chat service: what is another's waits until that is served again."""

from msgspec.structs import replace

from takopi.bridge.records import JournalState

__all__ = ["own_state"]


def own_state(state: JournalState, transport: str) -> JournalState:
    """Return what a bridge of one transport goes on with.

    Args:
        state: All that the journal holds.
        transport: Id of the transport.
    """
    return replace(
        state,
        turns=tuple(one for one in state.turns if one.scope.transport == transport),
        letters=tuple(one for one in state.letters if one.scope.transport == transport),
        updates=tuple(one for one in state.updates if one.update.scope.transport == transport),
        schedules=tuple(one for one in state.schedules if one.scope.transport == transport),
    )
