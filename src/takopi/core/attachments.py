"""Tell an engine about the files that go with a prompt.

An engine that takes images gets them as images. Every other file, and every file of an engine that
takes none, is named in the prompt: the agent has tools to read it. A path is data wherever it
goes: in the prompt it stands on a line of its own, and in a command line it is never the first
thing of a word that could be an option.
"""

import json
from collections.abc import Sequence
from pathlib import PurePath

__all__ = ["IMAGE_SUFFIXES", "image_type", "looks_like_image", "with_files"]

IMAGE_SUFFIXES = (".gif", ".jpeg", ".jpg", ".png", ".webp")
"""Endings of the pictures that models take."""

_ONE, _MANY = "Attached file:", "Attached files:"


def looks_like_image(path: PurePath) -> bool:
    """Tell by its name whether a file is a picture that models take."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def image_type(head: bytes) -> str | None:
    """Return the media type of a picture by its first 12 bytes; None when it is none.

    The name alone will not do: a model's server refuses the whole turn for one false picture.
    """
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return None


def with_files(prompt: str, paths: Sequence[PurePath]) -> str:
    """Return the prompt with a line for each file, after what the person wrote."""
    if not paths:
        return prompt
    names = [_one_line(str(path)) for path in paths]
    told = f"{_ONE} {names[0]}" if len(names) == 1 else "\n- ".join([_MANY, *names])
    return f"{prompt}\n\n{told}" if prompt.strip() else told


def _one_line(path: str) -> str:
    """Write a path so that it cannot end its line and go on as if the person wrote it."""
    return path if path.isprintable() else json.dumps(path)
