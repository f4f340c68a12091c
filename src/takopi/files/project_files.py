"""Files go into projects and out of them, in threads, so that no chat waits for a disk."""

import os
import secrets
import stat
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

import anyio.to_thread

from takopi.core.chat import Document
from takopi.core.file_rules import MB, FileRules, free_name, path_below, safe_name
from takopi.core.texts import tr
from takopi.errors import FileRefused
from takopi.files.git_exclude import exclude_folder
from takopi.files.same_file import first_same, written_since
from takopi.files.zipping import ZipLimits, zip_folder
from takopi.utils.safe_files import folder_below, is_draft, is_there, open_below, write_below

__all__ = ["LocalFiles"]

IN_HAND_BYTES = 1 * MB
"""What is larger goes out from a copy on the disk, and is in no memory and in no journal."""

_KEEP_COPIES_S = 2 * 24 * 3600
_DRAFT_AGE_S = 3600
_BLOCK = 1 * MB


class LocalFiles:
    """Be the files of this machine's projects.

    Args:
        rules: What goes in and out.
        copies: Private folder for what is about to be sent; made when it is needed.
    """

    def __init__(self, rules: FileRules, copies: Path) -> None:
        self._rules = rules
        self._copies = copies
        self._excluded: set[Path] = set()
        self._promised: set[str] = set()
        self._choosing = threading.Lock()

    @property
    def rules(self) -> FileRules:
        """Give what goes in and out."""
        return self._rules

    async def places(
        self, root: Path, names: Sequence[str], given: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """Choose a place for each of some files that arrive, where nothing is or is to be.

        Args:
            root: Directory of the project.
            names: As their senders call them.
            given: Places that were chosen before, in another life perhaps; they stay taken.
        """
        run = anyio.to_thread.run_sync
        return await run(self._places, root, tuple(names), tuple(given))

    async def has(self, path: str) -> bool:
        """Tell whether a file that arrived lies where it was to lie; then it is whole."""
        return await anyio.to_thread.run_sync(_is_plain, Path(path))

    async def free(self, paths: Sequence[str]) -> tuple[str, ...]:
        """Let go of places at which no file arrived; return those at which one did."""
        arrived = tuple([path for path in paths if await self.has(path)])
        self._promised.difference_update(paths)
        return arrived

    async def is_folder(self, root: Path, name: str) -> bool:
        """Tell whether a name is that of a folder of the project."""
        return await anyio.to_thread.run_sync(self._is_folder, root, name)

    async def write(
        self,
        root: Path,
        name: str,
        fill: Callable[[BinaryIO], Awaitable[None]],
        *,
        replace: bool = False,
    ) -> None:
        """Write a file of the project: whole, or not at all.

        Args:
            root: Directory of the project.
            name: Relative to it.
            fill: Writes the content.
            replace: Whether a plain file of that name may be replaced.

        Raises:
            FileRefused: The name is hostile or denied, or something stands there already.
        """
        denied = self._rules.denied
        run = anyio.to_thread.run_sync
        writing = write_below(root, name, denied=denied, replace=replace, mode=0o600)
        try:
            file = await run(writing.__enter__)
            try:
                await fill(file)
                await run(_settle, file)
            except BaseException as error:
                # Nothing of it may stay, also when whoever wanted it does not want it any more.
                with anyio.CancelScope(shield=True):
                    await run(writing.__exit__, type(error), error, error.__traceback__)
                raise
            with anyio.CancelScope(shield=True):
                await run(writing.__exit__, None, None, None)
            self._promised.discard(str(root / name))
        except OSError as error:
            raise FileRefused(name, error.strerror or tr("it cannot be written")) from error

    async def put_since(
        self,
        root: Path,
        names: Sequence[str],
        fill: Callable[[BinaryIO], Awaitable[None]],
        since_s: float,
    ) -> str | None:
        """Return the name under which a file lies that was written since a moment and is the same.

        So a file is known that was put there just before whoever put it died.

        Args:
            root: Directory of the project.
            names: Relative to it; one that ends with `*` is all that begins so.
            fill: Writes the content; not called when no file is that new.
            since_s: Unix seconds.
        """
        run = anyio.to_thread.run_sync
        denied = self._rules.denied
        found = await run(written_since, root, tuple(names), since_s, denied)
        if not found:
            return None
        with TemporaryFile() as wanted:
            await fill(wanted)
            return await run(first_same, root, found, wanted, denied)

    async def read(self, root: Path, name: str) -> Document:
        """Read a file of the project, or a folder as a zip file.

        Args:
            root: Directory of the project.
            name: Relative to it, or absolute in it; `.` for all of it.

        Raises:
            FileRefused: It is not given out, or is not there.
        """
        try:
            return await anyio.to_thread.run_sync(self._read, root, name)
        except FileNotFoundError as error:
            # The system's own words for it are English, whatever the chat speaks.
            raise FileRefused(name, tr("there is nothing of that name")) from error
        except OSError as error:
            raise FileRefused(name, error.strerror or tr("it cannot be read")) from error

    async def there(self, root: Path, names: Sequence[str], limit: int) -> tuple[str, ...]:
        """Return the first of some names under which there is a file that can be sent."""
        return await anyio.to_thread.run_sync(self._there, root, tuple(names), limit)

    async def sent(self, document: Document) -> None:
        """Take away the copy of a document that was sent."""
        if document.path:
            await anyio.to_thread.run_sync(partial(self._forget, Path(document.path)))

    def _places(
        self, root: Path, names: tuple[str, ...], given: tuple[str, ...]
    ) -> tuple[str, ...]:
        # What was promised to a file that still comes is no other's: neither may take it, nor be
        # taken for it.
        with self._choosing:
            self._promised.update(given)
            return self._chosen(root, names) if names else ()

    def _chosen(self, root: Path, names: tuple[str, ...]) -> tuple[str, ...]:
        folder, denied = self._rules.incoming, self._rules.denied
        if root not in self._excluded:
            exclude_folder(root, folder)
            self._excluded.add(root)
            self._sweep_drafts(root)
        chosen: list[str] = []

        def taken(name: str) -> bool:
            path = f"{folder}/{name}"
            return str(root / path) in self._promised or is_there(root, path, denied=denied)

        for name in names:
            place = str(root / folder / free_name(safe_name(name), taken))
            chosen.append(place)
            self._promised.add(place)
        return tuple(chosen)

    def _is_folder(self, root: Path, name: str) -> bool:
        try:
            with folder_below(root, name, denied=self._rules.denied) as folder:
                return folder is not None
        except FileRefused:
            return False

    def _read(self, root: Path, name: str) -> Document:
        self._sweep()
        inside = path_below(str(root), name.rstrip("/") or ".")
        if inside is None and Path(name) != root:
            raise FileRefused(name, tr("it lies outside of the project"))
        if inside in {None, "."}:
            return self._zipped(root, "", root.name)
        assert inside is not None
        denied = self._rules.denied
        with folder_below(root, inside, denied=denied) as folder:
            if folder is not None:
                return self._zipped(root, inside, Path(inside).name)
        with open_below(root, inside, denied=denied) as file:
            size = os.fstat(file.fileno()).st_size
            if size > self._rules.max_up:
                limit = self._rules.max_up // MB
                raise FileRefused(name, tr("it is larger than {limit} MB", limit=limit))
            if size == 0:
                raise FileRefused(name, tr("it is empty"))
            shown = safe_name(Path(inside).name)
            if size <= IN_HAND_BYTES:
                return Document(shown, file.read(IN_HAND_BYTES))
            return Document(shown, b"", path=self._copied(file))

    def _zipped(self, root: Path, name: str, called: str) -> Document:
        limits = ZipLimits(max_bytes=self._rules.max_up)
        denied = self._rules.denied
        path = self._new_copy()
        try:
            with path.open("xb") as into, folder_below(root, name, denied=denied) as folder:
                os.fchmod(into.fileno(), 0o600)
                if folder is None:
                    raise FileRefused(name, tr("it is no folder"))
                zip_folder(folder, name, into, denied, limits)
            shown = f"{safe_name(called)}.zip"
            if path.stat().st_size > IN_HAND_BYTES:
                return Document(shown, b"", path=str(path))
            content = path.read_bytes()
        except BaseException:
            self._forget(path)
            raise
        self._forget(path)
        return Document(shown, content)

    def _there(self, root: Path, names: tuple[str, ...], limit: int) -> tuple[str, ...]:
        found: list[str] = []
        for name in names:
            try:
                with open_below(root, name, denied=self._rules.denied) as file:
                    size = os.fstat(file.fileno()).st_size
            except FileRefused:
                continue
            if 0 < size <= self._rules.max_up:
                found.append(name)
            if len(found) == limit:
                break
        return tuple(found)

    def _copied(self, file: BinaryIO) -> str:
        path = self._new_copy()
        copied = 0
        try:
            with path.open("xb") as into:
                os.fchmod(into.fileno(), 0o600)
                while block := file.read(_BLOCK):
                    copied += len(block)
                    if copied > self._rules.max_up:  # it grows while it is read
                        raise FileRefused(path.name, tr("it grows while it is read"))
                    into.write(block)
        except BaseException:
            self._forget(path)
            raise
        return str(path)

    def _new_copy(self) -> Path:
        self._copies.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._copies / secrets.token_hex(8)

    def _sweep(self) -> None:
        """Remove copies that no letter can want any more."""
        if not self._copies.is_dir():
            return
        before = time.time() - _KEEP_COPIES_S
        for path in self._copies.iterdir():
            with suppress(OSError):
                if path.lstat().st_mtime < before:
                    path.unlink()

    def _sweep_drafts(self, root: Path) -> None:
        """Remove what a crash left of files that were just being written."""
        before = time.time() - _DRAFT_AGE_S
        with (
            suppress(FileRefused, OSError),
            folder_below(root, self._rules.incoming, denied=self._rules.denied) as folder,
        ):
            names = () if folder is None else os.listdir(folder)  # noqa: PTH208 - a descriptor
            for name in names:
                found = os.stat(name, dir_fd=folder, follow_symlinks=False)
                if is_draft(name) and found.st_mtime < before:
                    os.unlink(name, dir_fd=folder)

    def _forget(self, path: Path) -> None:
        if path.parent == self._copies:
            path.unlink(missing_ok=True)


def _settle(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _is_plain(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False
