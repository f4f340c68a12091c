"""One bot for a token and one for a folder.

Both are flocks: the kernel frees them when the process is gone, however it ended. The descriptors
are closed on exec, so that neither an engine nor its holder keeps one alive.
"""

import errno
import fcntl
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from takopi.core.os_remedies import remedy
from takopi.errors import AccessError, UsageError

__all__ = ["AccountLocks", "BotLocks", "Flock", "account_lock_path", "token_lock_path"]


class Flock:
    """Hold an exclusive lock on a file; the file names the process that holds it."""

    __slots__ = ("_descriptor", "_path")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> int | None:
        """Take the lock; return None, or the process id that holds it (0 when unknown).

        Raises:
            AccessError: The file cannot be made.
        """
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(self._path, flags, 0o600)
        except OSError as error:
            raise AccessError(
                f"the lock file {self._path} cannot be made: {error.strerror}; "
                f"{remedy(error.errno, self._path)}"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(descriptor, 20, 0)
            os.close(descriptor)
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise AccessError(
                    f"{self._path} cannot be locked: {error.strerror}; "
                    f"{remedy(error.errno, self._path)}"
                ) from error
            return int(holder) if holder.strip().isdigit() else 0
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._descriptor = descriptor
        return None

    def release(self) -> None:
        """Free the lock; the file stays, because removing it would let two in."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def token_lock_path(
    bot_token: str, api_base_url: str | None, environment: Mapping[str, str]
) -> Path:
    """Return the lock file of a bot of Telegram: the same for every folder of this user."""
    bot_id = bot_token.partition(":")[0]
    return account_lock_path(f"{api_base_url or 'telegram'}:{bot_id}", environment)


def account_lock_path(name: str, environment: Mapping[str, str]) -> Path:
    """Return the lock file of what only one takopi may serve, by the name its transport gives."""
    state = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return Path(state) / "takopi" / f"bot-{digest}.lock"


_Wanted = tuple[Flock, str, str, str]


def _of_folder(home: Path) -> _Wanted:
    lock, advice = Flock(home / "bot.lock"), "give this one another TAKOPI_HOME"
    return lock, f"the folder {home}", "takopi stop", advice


class BotLocks:
    """Hold both locks for the length of a `with` block.

    Args:
        home: takopi's folder.
        bot_token: Token of the bot.
        api_base_url: Where it lives, when not at Telegram's.
        environment: Decides where the token's lock lies.

    Raises:
        UsageError: On entering: another takopi holds one of them.
    """

    _wanted: tuple[_Wanted, ...]

    def __init__(
        self,
        home: Path,
        bot_token: str,
        api_base_url: str | None,
        environment: Mapping[str, str],
    ) -> None:
        path = token_lock_path(bot_token, api_base_url, environment)
        what, advice = "the bot with this token", "give this one the token of another bot"
        self._wanted = (_of_folder(home), (Flock(path), what, "", advice))

    def __enter__(self) -> "BotLocks":
        for lock, what, command, advice in self._wanted:
            holder = lock.acquire()
            if holder is not None:
                self.release()
                process = f"process {holder}" if holder else "another process"
                # Another folder's bot has its own `takopi stop`, and which folder is not known.
                command = command or (f"kill {holder}" if holder else "")
                raise UsageError(
                    f"{what} is already served by takopi ({process}); end that one"
                    f"{f' with `{command}`' if command else ''}, or {advice}"
                )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def release(self) -> None:
        """Free what is held."""
        for lock, *_ in self._wanted:
            lock.release()


class AccountLocks(BotLocks):
    """Hold the folder's lock and that of an account of any chat service.

    Args:
        home: takopi's folder.
        account: What its transport calls it; None when any number may serve it.
        environment: Decides where the account's lock lies.
    """

    def __init__(self, home: Path, account: str | None, environment: Mapping[str, str]) -> None:
        self._wanted = (_of_folder(home),)
        if account is not None:
            lock = Flock(account_lock_path(account, environment))
            what, advice = "this account of the chat service", "give this one another account"
            self._wanted = (*self._wanted, (lock, what, "", advice))
