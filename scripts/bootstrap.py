"""Make .venv hold takopi and, for tests, its tools; do nothing when it already does.

Usage: bootstrap.py run | test | voice | lock

Versions come from requirements/lock.txt, so that a machine set up next year gets what was tested
today; `voice` adds the model that one test of voice notes listens with, where it can be had; `lock`
writes that file anew from the newest releases the ranges in pyproject.toml allow.
Standard library only: this file runs before anything is installed.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK_FILE = ROOT / "requirements" / "lock.txt"
VOICE_FILE = ROOT / "requirements" / "voice.txt"


def stamp_of(profile: str) -> str:
    """Digest everything that decides what the environment holds, and the place: it leads to it."""
    digest = hashlib.sha256(f"{profile} {sys.version} {ROOT}".encode())
    for path in (ROOT / "pyproject.toml", LOCK_FILE, VOICE_FILE, Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def build_tools() -> list[str]:
    """Read what it takes to build takopi, as each installation does."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return list(tomllib.load(file)["build-system"]["requires"])


def group(name: str) -> list[str]:
    """Read a dependency group: pip learned them later than 3.11 ships it."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return list(tomllib.load(file)["dependency-groups"][name])


def pip(python: Path, *arguments: str, versions: Path | None = LOCK_FILE) -> None:
    """Run pip of that environment and let its own words reach the person when it fails.

    Args:
        python: The environment's Python.
        arguments: What pip is told.
        versions: A file of versions that hold for what is installed and for what builds it.
    """
    environment = dict(os.environ)
    if versions is not None:
        # `-c` does not reach the environment in which pip builds; which of the two names does has
        # changed. As an address, because pip would split a path at its blanks.
        for name in ("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT"):
            environment[name] = f"{environment.get(name, '')} {versions.as_uri()}".strip()
    command = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    if subprocess.run(command, env=environment, check=False).returncode != 0:
        sys.exit(f"installing failed; the command was: {' '.join(command)}")


def made_here(directory: Path) -> bool:
    """Tell whether a virtual environment was made where it is now.

    The scripts in one that was moved name a Python that is gone; in one that was copied they run
    the original's.
    """
    about = directory / "pyvenv.cfg"
    lines = about.read_text("utf-8").splitlines() if about.exists() else []
    return any(line.startswith("command =") and line.endswith(f" {directory}") for line in lines)


def make(directory: Path) -> Path:
    """Make a virtual environment unless one was made there whose Python already answers."""
    python = directory / "bin" / "python"
    probe = [str(python), "-c", "import sys, pip; print(sys.version)"]
    if python.exists() and made_here(directory):
        answer = subprocess.run(probe, check=False, capture_output=True, text=True)
        if answer.returncode == 0 and answer.stdout.strip() == sys.version.strip():
            return python
    try:
        venv.create(directory, with_pip=True, clear=True, symlinks=True)
    except subprocess.CalledProcessError:
        sys.exit(
            "this Python cannot make virtual environments; on Debian: apt install python3-venv"
        )
    return python


def install(profile: str) -> None:
    """Bring .venv up to date for `run` or `test`; what `test` installs serves `run` too."""
    stamps = {name: VENV / f".takopi-{name}" for name in ("run", "test")}
    wanted = {name: stamp_of(name) for name in stamps}

    def fresh(name: str) -> bool:
        return stamps[name].exists() and stamps[name].read_text() == wanted[name]

    if fresh("test") or (profile == "run" and fresh("run")):
        return
    print(f"takopi: preparing {VENV.relative_to(ROOT)} ({profile}) ...", file=sys.stderr)
    python = make(VENV)
    extra = group("test") if profile == "test" else []
    pip(python, "install", "-e", str(ROOT), *extra)
    stamps[profile].write_text(wanted[profile])


def install_voice() -> None:
    """Add a speech model to .venv; without one its test is skipped, and the summary says so."""
    stamp, wanted = VENV / ".takopi-voice", stamp_of("voice")
    if stamp.exists() and stamp.read_text() == wanted:
        return
    try:
        pip(make(VENV), "install", "-c", str(VOICE_FILE), *group("voice-test"))
    except SystemExit as failure:
        print(f"takopi: no speech model for the tests: {failure}", file=sys.stderr)
        return
    stamp.write_text(wanted)


def lock() -> None:
    """Write requirements/lock.txt from a clean environment."""
    with tempfile.TemporaryDirectory() as scratch:
        python = make(Path(scratch) / "venv")
        pip(python, "install", str(ROOT), *group("test"), *build_tools(), versions=None)
        freeze = [str(python), "-m", "pip", "freeze", "--exclude", "takopi"]
        found = subprocess.run(freeze, check=True, capture_output=True, text=True).stdout
    head = "# Tested versions; written by `python scripts/bootstrap.py lock`.\n"
    LOCK_FILE.write_text(head + found)


def main() -> None:
    """Take one word and do it, one process at a time."""
    if sys.argv[1:] not in (["run"], ["test"], ["voice"], ["lock"]):
        sys.exit(__doc__)
    if sys.argv[1] == "lock":
        return lock()
    # Two shells that start takopi at once must not install into one environment together.
    with (ROOT / ".venv.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        install_voice() if sys.argv[1] == "voice" else install(sys.argv[1])
    return None


if __name__ == "__main__":
    main()
