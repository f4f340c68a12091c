"""What a home remembers: the directories of its sessions, and its one host."""

import shutil
from pathlib import Path

import pytest

from process.engines import shell
from takopi.model import ResumeToken
from takopi.process import default_host
from takopi.process.host import LocalRunHost


@pytest.mark.anyio
async def test_a_session_is_found_by_a_later_takopi(
    host: LocalRunHost, runs_dir: Path, home_id: str, tmp_path: Path
) -> None:
    """session_cwd reads run directories, the newest first, and ignores what is no run."""
    token = ResumeToken("fake", "s-1")
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        run = await host.start(shell(":", cwd=tmp_path / name))
        run.note_session(token)
        run.note_session(token)
        await run.wait()
    (runs_dir / "zzz").mkdir()
    (runs_dir / "zzzz").write_text("no run")
    later = LocalRunHost(runs_dir, home_id)
    for _ in range(2):
        assert later.session_cwd(token) == tmp_path / "new"
        assert later.session_cwd(ResumeToken("other", "s-1")) is None
    assert host.session_cwd(token) == tmp_path / "new"
    shutil.rmtree(runs_dir)
    assert LocalRunHost(runs_dir, home_id).session_cwd(token) is None


def test_the_default_host_belongs_to_the_home(takopi_home: Path) -> None:
    """default_host() keeps runs below TAKOPI_HOME, and is one object for each home."""
    first = default_host()
    assert first is default_host()
    (takopi_home / "runs" / "x").mkdir()
    (takopi_home / "runs" / "x" / "claim").touch()
    run = first.attach("x")
    assert run is not None
    assert run.directory == takopi_home / "runs" / "x"
    assert (takopi_home / "home-id").read_text().strip()
