"""An answer to getUpdates, read update by update: one that cannot be read hides no other."""

import msgspec

from takopi.errors import TransportUnavailable
from takopi.logging import get_logger
from takopi.telegram.wire import Update

__all__ = ["NumberedUpdate", "read_batch"]

logger = get_logger(__name__)


class _Number(msgspec.Struct, frozen=True):
    update_id: int


_batch_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_number_decoder = msgspec.json.Decoder(_Number)
_update_decoder = msgspec.json.Decoder(Update)


class NumberedUpdate(msgspec.Struct, frozen=True):
    """Be one update.

    Args:
        number: Its `update_id`.
        update: None when the rest of it could not be read.
    """

    number: int
    update: Update | None


def read_batch(answer: msgspec.Raw) -> list[NumberedUpdate]:
    """Read what getUpdates returned; log and leave out what has not even a number.

    Raises:
        TransportUnavailable: The answer is no list, or there is not one number in it: asking
            again with the same offset would bring the same at once.
    """
    try:
        parts = _batch_decoder.decode(answer)
    except msgspec.DecodeError:
        raise TransportUnavailable("getUpdates was answered without a list") from None
    found = [update for update in map(_read, parts) if update is not None]
    if parts and not found:
        raise TransportUnavailable("getUpdates was answered with updates that have no numbers")
    return found


def _read(part: msgspec.Raw) -> NumberedUpdate | None:
    try:
        number = _number_decoder.decode(part).update_id
    except msgspec.DecodeError as error:
        logger.warning("telegram.update_without_number", error=str(error))
        return None
    try:
        return NumberedUpdate(number, _update_decoder.decode(part))
    except msgspec.DecodeError as error:
        logger.warning("telegram.update_undecodable", update_id=number, error=str(error))
        return NumberedUpdate(number, None)
