"""Every refusal of the Bot API is a decision the caller can take."""

import msgspec
import pytest

from takopi import errors
from takopi.telegram.errors import NotModified, PressTooOld, refusal
from takopi.telegram.wire import Answer

CASES = [
    (400, "Bad Request: message is not modified: specified new message content", NotModified),
    (400, "Bad Request: query is too old and response timeout expired", PressTooOld),
    (400, "Bad Request: message to be replied not found", errors.ReplyTargetLost),
    (400, "Bad Request: replied message not found", errors.ReplyTargetLost),
    (400, "Bad Request: message to edit not found", errors.TargetLost),
    (400, "Bad Request: message can't be edited", errors.TargetLost),
    (400, "Bad Request: MESSAGE_ID_INVALID", errors.TargetLost),
    (400, "Bad Request: message thread not found", errors.ThreadLost),
    (400, "Bad Request: TOPIC_DELETED", errors.ThreadLost),
    (400, "Bad Request: TOPIC_CLOSED", errors.ThreadClosed),
    (400, "Bad Request: TOPIC_NOT_MODIFIED", NotModified),
    (400, "Bad Request: the chat is not a forum", errors.TopicsUnavailable),
    (400, "Bad Request: not enough rights to create a topic", errors.TopicsUnavailable),
    (400, "Bad Request: can't parse entities: unsupported start tag", errors.FormatRefused),
    (400, "Bad Request: entity URL 'a.py#L1' is invalid: Wrong HTTP URL", errors.FormatRefused),
    (400, "Bad Request: entity beginning at UTF-16 offset 3 ends after", errors.FormatRefused),
    (400, "Bad Request: BUTTON_DATA_INVALID", errors.FormatRefused),
    (400, "Bad Request: chat not found", errors.ChatLost),
    (400, "Bad Request: not enough rights to send text messages to the chat", errors.ChatLost),
    (400, "Bad Request: not enough rights to send documents to the chat", errors.TransportError),
    (403, "Forbidden: bot was blocked by the user", errors.ChatLost),
    (403, "Forbidden: bot was kicked from the supergroup chat", errors.ChatLost),
    (401, "Unauthorized", errors.Unauthorized),
    (404, "Not Found", errors.Unauthorized),
    (409, "Conflict: terminated by other getUpdates request", errors.PollConflict),
    (500, "Internal Server Error", errors.TransportUnavailable),
    (502, "Bad Gateway", errors.TransportUnavailable),
    (413, "Request Entity Too Large", errors.TransportError),
    (400, "Bad Request: message is too long", errors.TransportError),
    (400, "", errors.TransportError),
]


def refuse(status: int, body: dict[str, object]) -> errors.TransportError:
    """Decode a body as the client does, and map it."""
    answer = msgspec.json.decode(msgspec.json.encode({"ok": False, **body}), type=Answer)
    return refusal("sendMessage", status, answer, -100)


@pytest.mark.parametrize(("code", "description", "leaf"), CASES)
def test_a_description_leads_to_exactly_one_leaf(code, description, leaf):
    """The leaf is the decision; a text nobody knows is a plain refusal that names the call."""
    error = refuse(code, {"error_code": code, "description": description})
    assert type(error) is leaf


def test_all_of_retry_after_is_kept():
    """A long silence is kept to the second."""
    body = {
        "description": "Too Many Requests: retry after 3600",
        "parameters": {"retry_after": 3600},
    }
    error = refuse(429, body)
    assert isinstance(error, errors.FloodLimited)
    assert error.retry_after_s == 3600


@pytest.mark.parametrize(
    ("text", "seconds"), [("Too Many Requests: retry after 17", 17), ("Too Many Requests", 1)]
)
def test_a_429_without_its_field_is_read_from_the_text(text, seconds):
    """Where the field is missing the text says how long, and else it is a second."""
    error = refuse(429, {"description": text})
    assert isinstance(error, errors.FloodLimited)
    assert error.retry_after_s == seconds


def test_a_group_that_moved_carries_its_new_id():
    """A group that became a supergroup is a lost chat that knows where it went."""
    error = refuse(
        400,
        {
            "description": "Bad Request: group chat was upgraded to a supergroup chat",
            "parameters": {"migrate_to_chat_id": -100200},
        },
    )
    assert isinstance(error, errors.ChatMoved)
    assert isinstance(error, errors.ChatLost)
    assert (error.chat_id, error.new_chat_id) == (-100, -100200)
    assert "put -100200 into the configuration" in str(error)


def test_texts_say_what_to_do():
    """A person reads which key to look at."""
    assert "check `bot_token`" in str(refuse(401, {"description": "Unauthorized"}))
    assert "stop the other bot" in str(refuse(409, {"description": "Conflict: other"}))
    webhook = "Conflict: can't use getUpdates method while webhook is active"
    assert "call deleteWebhook" in str(refuse(409, {"description": webhook}))
    assert "Telegram refused sendMessage" in str(refuse(400, {"description": "Bad Request: odd"}))


def test_a_gateways_error_may_hide_that_the_call_was_accepted():
    """Nobody knows whether a 502 came before or after the work; a 500 is the server's own word."""
    for code, maybe in ((500, False), (502, True), (503, False), (504, True)):
        error = refuse(code, {"description": "x"})
        assert isinstance(error, errors.TransportUnavailable)
        assert error.maybe_accepted is maybe
