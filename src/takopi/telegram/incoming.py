"""Which files a message of the Bot API carries. Pure: values in, values out.

https://core.telegram.org/bots/api#message
"""

from typing import Any

import msgspec

from takopi.core.chat import FileKind, IncomingFile
from takopi.telegram.wire import FileInfo, Message

__all__ = ["files_of"]

# An animation comes as a document, too, so it stands before it.
_FIELDS: tuple[tuple[str, FileKind, str], ...] = (
    ("photo", "photo", ".jpg"),
    ("animation", "animation", ".mp4"),
    ("document", "document", ""),
    ("video", "video", ".mp4"),
    ("video_note", "video", ".mp4"),
    ("audio", "audio", ".mp3"),
    ("voice", "voice", ".ogg"),
)
_MIMES: dict[str, str] = {".jpg": "image/jpeg", ".mp4": "video/mp4", ".ogg": "audio/ogg"}


def files_of(message: Message) -> tuple[IncomingFile, ...]:
    """Return the file of a message, of a photo the largest one; empty when there is none.

    A file without a name gets one of what it is and the number of its message.
    """
    for field, kind, suffix in _FIELDS:
        found = _info(getattr(message, field))
        if found is not None:
            made_up = f"{kind}-{message.message_id}{suffix}"
            file = IncomingFile(
                kind=kind,
                file_id=found.file_id,
                name=found.file_name or made_up,
                size=found.file_size,
                mime=found.mime_type or _MIMES.get(suffix, ""),
            )
            return (file,)
    return ()


def _info(value: Any) -> FileInfo | None:
    """Read what describes a file; what cannot be read is none, and costs no message."""
    sizes = value if isinstance(value, list) else [value]
    found: list[FileInfo] = []
    for size in sizes:
        try:
            found.append(msgspec.convert(size, FileInfo))
        except msgspec.ValidationError:
            continue
    return max(found, key=_extent, default=None)


def _extent(info: FileInfo) -> tuple[int, int]:
    return info.width * info.height, info.file_size or 0
