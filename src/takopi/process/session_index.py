"""Know in which directory each session was started, also when its run directories are deleted.

Run directories come first: each names its session in `session.json`. Before one is deleted, its
session goes into `sessions.jsonl` beside the run directories, a line each, newest last. Only
housekeeping writes that file, and it replaces it whole.
"""

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from takopi.model import ResumeToken
from takopi.process.run_directory import RunDirectory, SessionNote
from takopi.process.run_views import run_names

__all__ = ["MAX_KEPT", "SessionIndex"]

MAX_KEPT = 20_000
"""How many sessions without a run directory are remembered, the newest ones."""

_decode = msgspec.json.Decoder(SessionNote).decode


class SessionIndex:
    """Find the directories of sessions.

    Args:
        runs_dir: The folder of the run directories.
    """

    def __init__(self, runs_dir: Path) -> None:
        self._runs_dir = runs_dir
        self._file = runs_dir / "sessions.jsonl"
        self._read: set[str] = set()  # run directories whose session is known
        self._found: dict[ResumeToken, tuple[int, Path]] = {}
        self._kept: dict[ResumeToken, Path] = {}
        self._kept_at = 0

    def cwd_of(self, token: ResumeToken) -> Path | None:
        """Return where a session was started; None when nothing tells."""
        self._look()
        if token in self._found:
            return self._found[token][1]
        self._load()
        return self._kept.get(token)

    def keep(self, notes: Iterable[SessionNote]) -> None:
        """Remember sessions whose run directories are about to go.

        Raises:
            OSError: The disk refused; the directories must stay.
        """
        self._load()
        before = self._kept
        kept = dict(before)
        for note in notes:
            token = ResumeToken(note.engine, note.value)
            kept.pop(token, None)  # the newest stand last
            kept[token] = Path(note.cwd)
        if list(kept.items()) == list(before.items()):
            return
        newest = list(kept.items())[-MAX_KEPT:]
        lines = (SessionNote(token.engine, token.value, str(cwd)) for token, cwd in newest)
        draft = self._file.with_name(f".sessions.{os.getpid()}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.writelines(msgspec.json.encode(line) + b"\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())  # what it replaces is deleted next
        draft.replace(self._file)

    def _look(self) -> None:
        """Read the notes of run directories that are new, or had none before."""
        for name in run_names(self._runs_dir):
            if name in self._read:
                continue
            directory = RunDirectory(self._runs_dir / name)
            note = directory.session()
            if note is None:
                continue  # not known yet, or never
            self._read.add(name)
            noted_at = directory.session_noted_at()
            token = ResumeToken(note.engine, note.value)
            if token not in self._found or self._found[token][0] < noted_at:
                self._found[token] = noted_at, Path(note.cwd)

    def _load(self) -> None:
        try:
            written_at = self._file.stat().st_mtime_ns
            if written_at == self._kept_at:
                return
            lines = self._file.read_bytes().splitlines()
        except OSError:
            self._kept, self._kept_at = {}, 0
            return
        kept: dict[ResumeToken, Path] = {}
        for line in lines:
            try:
                note = _decode(line)
            except msgspec.DecodeError:  # somebody edited it
                continue
            kept[ResumeToken(note.engine, note.value)] = Path(note.cwd)
        self._kept, self._kept_at = kept, written_at
