"""A second opinion on what the bot sends: the rules of teremok, which nobody here wrote."""

from functools import cache

from takopi.telegram.fast_import import import_aiogram

import_aiogram()  # the plain import takes two seconds more, in every worker

from aiogram import Bot, methods  # noqa: E402
from aiogram.types import BufferedInputFile  # noqa: E402
from teremok.validation import validate_method  # noqa: E402

from .methods import Upload  # noqa: E402
from .transcript import Transcript  # noqa: E402

__all__ = ["check_calls"]

CHECKED = (
    "sendMessage", "editMessageText", "editMessageReplyMarkup", "sendDocument", "sendPhoto",
    "answerCallbackQuery", "deleteMessage", "setMyCommands", "setMessageReaction",
    "createForumTopic", "editForumTopic",
)  # fmt: skip


@cache
def _bot(token: str) -> Bot:
    return Bot(token)  # each reads the certificates of this machine, for a client that never calls


def check_calls(transcript: Transcript, token: str) -> int:
    """Check every call that was carried out and return how many were checked.

    Raises:
        ApiRuleViolation: A call breaks a documented rule.
    """
    bot = _bot(token)
    calls = [call for call in transcript.of(*CHECKED) if call.ok]
    for call in calls:
        given = {
            name: BufferedInputFile(value.content, value.filename)
            if isinstance(value, Upload)
            else value
            for name, value in call.params.items()
            if not name.startswith("attach://")
        }
        model = getattr(methods, call.method[0].upper() + call.method[1:])
        unknown = given.keys() - model.model_fields.keys()
        assert not unknown, f"{call.method} has no {unknown}"
        validate_method(bot, model(**given))
    return len(calls)
