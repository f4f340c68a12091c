"""Look whether a file is a picture that can be handed to an engine."""

import os
from pathlib import Path

from takopi.core.attachments import image_type, looks_like_image

__all__ = ["is_picture", "read_picture"]

_HEAD_BYTES = 12


def is_picture(path: Path, limit_bytes: int | None = None) -> bool:
    """Say whether a file is a picture, by its name, its size and how it begins."""
    if not looks_like_image(path):
        return False
    try:
        with path.open("rb") as file:
            head, size = file.read(_HEAD_BYTES), os.fstat(file.fileno()).st_size
    except OSError:
        return False
    return image_type(head) is not None and (limit_bytes is None or size <= limit_bytes)


def read_picture(path: Path, limit_bytes: int) -> tuple[str, bytes] | None:
    """Return media type and content; None when it is no picture, or too large, or gone."""
    try:
        with path.open("rb") as file:
            content = file.read(limit_bytes + 1)
    except OSError:
        return None
    kind = image_type(content[:_HEAD_BYTES])
    return None if kind is None or len(content) > limit_bytes else (kind, content)
