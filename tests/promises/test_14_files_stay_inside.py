"""Promise 14: files stay inside the project: no traversal, no symlink escape, secrets denied.

Full: 2,000 hostile names, for reading and for writing, in a project full of traps.
"""

# ruff: noqa: ASYNC240 - a test looks at a file in between, and nobody waits for it

import io
import os
import random
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from promises.forms import shards, share
from takopi.core.file_rules import FileRules, is_denied
from takopi.core.named_files import files_named_in
from takopi.errors import FileRefused
from takopi.files.project_files import LocalFiles
from takopi.utils.safe_files import open_below, write_below

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

CANARY = b"canary of somebody else"
PIECES = (
    "..", ".", "", "src", "main.py", "link", "loop", "deep", "up", "pipe", ".git", ".ssh", ".env",
    ".GIT", ".g\u200dit", "．．", "．git", "..\\..", "~", "~root", "secret", "id_rsa", "server.pem",
    "x" * 255, "x" * 256, "a\0b", "\u202egnp", "..;", "%2e%2e", "..%2f", "C:", "con", "file", "a b",
    "...", ".. ", " ..", "..\u200b", "\ud83d", "é", "e\u0301", "proc", "self", "fd", "3", "hard",
)  # fmt: skip


def make_project(folder: Path) -> Path:
    """Make a project with secrets in it, secrets around it, and ways from one to the other."""
    root = folder / "project"
    for name in ("src/deep", ".git", ".ssh", "sub/.git"):
        (root / name).mkdir(parents=True)
    for place in (folder / "secret", folder / "id_rsa", root / ".env", root / ".git/config"):
        place.write_bytes(CANARY)
    for place in (root / ".ssh/id_rsa", root / "server.pem", root / "sub/.git/config"):
        place.write_bytes(CANARY)
    (root / "src/main.py").write_bytes(b"fine")
    (root / "link").symlink_to(folder)
    (root / "loop").symlink_to(root / "loop")
    (root / "up").symlink_to("..")
    (root / "file").symlink_to("../secret")
    (root / "src/deep/proc").symlink_to("/proc")
    os.mkfifo(root / "pipe")
    return root


def hostile_name(rng: random.Random) -> str:
    """Put pieces together to a name that may lead anywhere."""
    name = "/".join(rng.choice(PIECES) for _ in range(rng.randrange(1, 7)))
    return rng.choice(("", "", "", "/", "//", "./", "../")) + name


@shards(2)
def test_no_name_leads_out(shard: int, tmp_path: Path) -> None:
    """What is opened holds no secret; what is written lies in the project, and nothing else did."""
    rng = random.Random(shard)
    root = make_project(tmp_path)
    around = snapshot(tmp_path, root)
    guarded = {path: path.read_bytes() for path in secrets_of(root)}
    for _ in range(share(2000, 2)):
        name = hostile_name(rng)
        try:
            with open_below(root, name) as file:
                assert CANARY not in file.read(), name
        except FileRefused:
            pass
        try:
            with write_below(root, name, replace=rng.random() < 0.5) as file:
                file.write(b"written")
        except FileRefused:
            continue
        assert (root / name).resolve().is_relative_to(root.resolve()), name
    assert snapshot(tmp_path, root) == around
    assert {path: path.read_bytes() for path in secrets_of(root)} == guarded


def snapshot(folder: Path, root: Path) -> dict[str, bytes]:
    """Read what lies around the project."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path != root}


def secrets_of(root: Path) -> list[Path]:
    """List the secrets that lie in the project."""
    names = (".env", ".git/config", ".ssh/id_rsa", "server.pem", "sub/.git/config")
    return [root / name for name in names]


class Names:
    """Be the files of a project for names that come from a chat."""

    def __init__(self, root: Path, copies: Path) -> None:
        self.root = root
        self.files = LocalFiles(FileRules(), copies)

    async def arrives(self, name: str) -> str:
        """Let a file of that name arrive; returns where it lies."""
        (place,) = await self.files.places(self.root, [name])
        await self.write(str(Path(place).relative_to(self.root)))
        return place

    async def write(self, name: str) -> None:
        async def fill(file: BinaryIO) -> None:
            file.write(b"written")

        await self.files.write(self.root, name, fill)

    async def content(self, name: str) -> bytes:
        """Read what would be sent for a name; of a folder, all that is in the zip file."""
        document = await self.files.read(self.root, name)
        if not document.filename.endswith(".zip"):
            return document.content
        with zipfile.ZipFile(io.BytesIO(document.content)) as archive:
            return b"".join(archive.read(inside) for inside in archive.namelist())


@shards(2)
async def test_no_name_from_a_chat_leads_out(shard: int, tmp_path: Path) -> None:
    """What arrives lies in its folder, what is put in the project, what is sent is no secret."""
    rng = random.Random(shard)
    root = make_project(tmp_path)
    around = snapshot(tmp_path, root)
    guarded = {path: path.read_bytes() for path in secrets_of(root)}
    names, places = Names(root, tmp_path / "project" / "copies"), set()
    for _ in range(share(2000, 2)):
        name = hostile_name(rng)
        with suppress(FileRefused):
            place = await names.arrives(name)
            assert Path(place).resolve().parent == (root / "incoming").resolve(), name
            assert place not in places, name
            places.add(place)
        with suppress(FileRefused):
            assert CANARY not in await names.content(name), name
        for found in files_named_in(f"`{name}.md` see {name}.png", str(root)):
            assert not is_denied(found), name
        with suppress(FileRefused):
            await names.write(name)
            assert (root / name).resolve().is_relative_to(root.resolve()), name
    assert places
    assert snapshot(tmp_path, root) == around
    assert {path: path.read_bytes() for path in secrets_of(root)} == guarded


@shards(2)
def test_whoever_swaps_folders_for_links_gains_nothing(
    shard: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any step of the opener a folder becomes a link, or the folder again."""
    rng = random.Random(shard)
    root = make_project(tmp_path)
    (tmp_path / "main.py").write_bytes(CANARY)
    read = 0
    for name in ("open", "stat"):
        monkeypatch.setattr(os, name, swapping(getattr(os, name), root, rng))
    for _ in range(share(2000, 2)):
        try:
            with open_below(root, "src/main.py") as file:
                assert file.read() == b"fine"
                read += 1
        except FileRefused:
            continue
    assert read > 10


def swapping(step: Any, root: Path, rng: random.Random) -> Any:
    """Do a step of the system after somebody has changed what it finds."""
    source, kept = root / "src", root / "kept"

    def swapped(*what: Any, **how: Any) -> Any:
        if rng.random() < 0.5:
            if source.is_symlink():
                source.unlink()
                kept.rename(source)
            else:
                source.rename(kept)
                source.symlink_to(root.parent)
        return step(*what, **how)

    return swapped
