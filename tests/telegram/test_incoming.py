"""Which files a message carries."""

from typing import Any

import pytest

from takopi.core.chat import IncomingFile, MessageReceived, RepliedTo
from telegram.test_updates import ADA, GROUP, PRIVATE, message

PICTURES = [
    {"file_id": "small", "file_unique_id": "s", "width": 90, "height": 60, "file_size": 900},
    {"file_id": "large", "file_unique_id": "l", "width": 1280, "height": 853, "file_size": 9000},
    {"file_id": "middle", "file_unique_id": "m", "width": 320, "height": 213},
]


def files(**content: Any) -> tuple[IncomingFile, ...]:
    """List the files of a message with a caption."""
    found = message(None, caption="look", **content)
    assert isinstance(found, MessageReceived)
    return found.files


def test_of_a_photo_the_largest_counts_and_gets_a_name():
    """Telegram sends a photo in several sizes, and none has a name."""
    assert files(photo=PICTURES) == (
        IncomingFile(
            kind="photo", file_id="large", name="photo-3.jpg", size=9000, mime="image/jpeg"
        ),
    )


def test_a_document_keeps_its_name():
    """What the sender said about a document is kept as it was said."""
    sent = {"file_id": "d", "file_name": "../a.pdf", "mime_type": "application/pdf"}
    assert files(document=sent) == (
        IncomingFile(kind="document", file_id="d", name="../a.pdf", mime="application/pdf"),
    )


@pytest.mark.parametrize(
    ("field", "kind", "name"),
    [
        ("document", "document", "document-3"),
        ("video", "video", "video-3.mp4"),
        ("video_note", "video", "video-3.mp4"),
        ("audio", "audio", "audio-3.mp3"),
        ("voice", "voice", "voice-3.ogg"),
    ],
)
def test_what_has_no_name_gets_one(field, kind, name):
    """A made-up name says what it is, and which message brought it."""
    (found,) = files(**{field: {"file_id": "f", "file_size": 5}})
    assert (found.kind, found.name, found.size) == (kind, name, 5)


def test_an_animation_comes_once():
    """The server sends an animation as a document, too."""
    found = files(animation={"file_id": "a"}, document={"file_id": "a", "file_name": "a.mp4"})
    assert [file.kind for file in found] == ["animation"]


@pytest.mark.parametrize("broken", [{}, [], [{}], "file", {"file_id": 7}, [None]])
def test_what_cannot_be_read_costs_no_message(broken):
    """A description that takopi cannot read is no file, and the words still arrive."""
    assert files(document=broken) == ()


@pytest.mark.parametrize(("author", "counts"), [(42, True), (8, False)])
def test_a_file_in_a_group_counts_when_it_answers_the_bot(author, counts):
    """Every other file without a word is between people."""
    bot = {"id": author, "is_bot": True, "first_name": "Bot"}
    target = {"message_id": 2, "chat": GROUP, "from": bot, "text": "which file?"}
    found = message(None, chat=GROUP, document={"file_id": "d"}, reply_to_message=target)
    assert (found is not None) is counts


def test_a_reply_brings_the_files_of_what_it_answers():
    """Whoever replies to a file means that file."""
    target = {
        "message_id": 2,
        "chat": PRIVATE,
        "from": ADA,
        "document": {"file_id": "d", "file_name": "a.pdf"},
    }
    found = message("summarise", reply_to_message=target)
    assert isinstance(found, MessageReceived)
    document = IncomingFile(kind="document", file_id="d", name="a.pdf")
    assert (found.files, found.reply) == ((), RepliedTo(2, files=(document,)))
