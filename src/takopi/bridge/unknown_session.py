"""How a turn ends whose engine does not know the session that it was to continue."""

from dataclasses import replace as with_changes

from msgspec.structs import replace

from takopi.bridge.ending import Ending
from takopi.bridge.records import OfferRecord
from takopi.bridge.turn import Turn
from takopi.core.offers import offer_buttons, offer_name
from takopi.core.session_replies import unknown_session_words

__all__ = ["unknown_session"]


def unknown_session(turn: Turn, ending: Ending) -> Ending:
    """Say that a session is gone, and offer to send the prompt to a new one.

    The record remembers it, so that what goes on by itself does not run into it again.

    Args:
        turn: It asked for the session.
        ending: How it would end else.
    """
    turn.record = replace(turn.record, session_unknown=True)
    offer_id = offer_name("unknown", turn.id)
    asked = turn.record.asked
    return with_changes(
        ending,
        error=unknown_session_words(turn.engine, asked.value if asked else "", ending.error or ""),
        buttons=offer_buttons(offer_id, "unknown"),
        offer=OfferRecord(
            offer_id=offer_id, kind="unknown", scope=turn.record.scope, turn_id=turn.id
        ),
    )
