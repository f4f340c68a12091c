"""Keys of the public takopi 0.23 and before: what they are called now, and what has no counterpart.

Keys with another name are read as long as the new one is not set; `takopi config migrate` rewrites
them.
"""

__all__ = [
    "CODEX_MODE",
    "FORMER",
    "FORMER_TABLES",
    "GONE",
    "TOPICS_MODE",
    "TOPICS_MODES",
    "VOICE_KEYS",
    "VOICE_SWITCH",
    "former_key_told",
    "successor",
]

_TELEGRAM = "transports.telegram."
_FILES = _TELEGRAM + "files."

# The new key, and what it was called.
FORMER: dict[str, str] = {
    _TELEGRAM + "bot_token": "bot_token",
    _TELEGRAM + "chat_id": "chat_id",
    "session_mode": _TELEGRAM + "session_mode",
    "files.enabled": _FILES + "enabled",
    "files.incoming": _FILES + "uploads_dir",
    "files.deny_globs": _FILES + "deny_globs",
}
# Tables that are not there any more; each of their keys is looked at.
FORMER_TABLES: frozenset[str] = frozenset({_TELEGRAM + "files"})
# These counted only where the switch was on, and there is none any more: a table that says how is
# enough. So they are not read, but rewritten.
VOICE_SWITCH = _TELEGRAM + "voice_transcription"
VOICE_KEYS: dict[str, str] = {
    "voice.base_url": VOICE_SWITCH + "_base_url",
    "voice.api_key": VOICE_SWITCH + "_api_key",
    "voice.model": VOICE_SWITCH + "_model",
}
# An older word for which chats have topics.
TOPICS_MODE = _TELEGRAM + "topics.mode"
TOPICS_MODES: dict[str, str] = {"multi_project_chat": "main", "per_project_chat": "projects"}
# It chose between two ways of running codex; here there is one.
CODEX_MODE = "codex.mode"
# What nothing stands for now, and what holds instead.
GONE: dict[str, str] = {
    _FILES + "auto_put": "a file without a command always goes to the agent",
    _FILES + "auto_put_mode": "a file without a command always goes to the agent",
    _FILES + "allowed_user_ids": (
        "everybody who may speak may send and get files; set files.enabled to false to forbid it"
    ),
    _TELEGRAM + "voice_max_bytes": "files.max_down_mb holds for voice notes too",
    _TELEGRAM + "forward_coalesce_s": "messages that belong together are found without it",
    _TELEGRAM + "media_group_debounce_s": "albums are put together without it",
}


def successor(key: str) -> str | None:
    """Return what a key of the public takopi is called now; None when it is none."""
    names = (*FORMER.items(), *VOICE_KEYS.items(), (_TELEGRAM + "topics.scope", TOPICS_MODE))
    return next((new for new, old in names if old == key), None)


def former_key_told(key: str) -> str | None:
    """Say of a key of the public takopi what became of it; None when it is none."""
    new = successor(key)
    if new is not None:
        return f"`{key}` is called `{new}` now; `takopi config migrate` rewrites it"
    if key == VOICE_SWITCH:
        return (
            f"`{key}` is gone: voice notes are written down once [voice] says how; `takopi config "
            "migrate` rewrites it"
        )
    if key in GONE:
        return f"`{key}` has no counterpart: {GONE[key]}"
    return None
