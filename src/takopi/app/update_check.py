"""Ask PyPI whether there is a newer takopi; nothing else is sent, and nobody waits for long."""

import os
import re
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from importlib.metadata import metadata
from urllib.parse import urlsplit

import msgspec

from takopi import __version__
from takopi.errors import TakopiError, TransportUnavailable, UsageError
from takopi.network import tls_context

__all__ = ["check_beside", "is_newer", "newest_version", "told"]

# A mirror of PyPI, for those who cannot reach it.
ADDRESS_VARIABLE = "TAKOPI_PYPI_URL"
PYPI = "https://pypi.org"
TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 20_000_000


class _Info(msgspec.Struct):
    """Mirror the part of https://docs.pypi.org/api/json/ that is read."""

    version: str
    summary: str | None = None


class _Answer(msgspec.Struct):
    info: _Info


def newest_version(
    environment: Mapping[str, str] = os.environ, *, timeout_s: float = TIMEOUT_S
) -> str:
    """Return the newest released version.

    Args:
        environment: May name another address than PyPI's.
        timeout_s: For the whole of it.

    Raises:
        TransportUnavailable: There was no answer in time, or none that can be read.
        UsageError: The package of that name is another program, which must not replace this one.
    """
    base = environment.get(ADDRESS_VARIABLE) or PYPI
    answers: list[bytes | str] = []

    def ask() -> None:
        answers.append(_fetch(f"{base.rstrip('/')}/pypi/takopi/json", timeout_s))

    # A thread of its own: a server that sends one byte at a time keeps every other limit away.
    asking = threading.Thread(target=ask, name="takopi-update-check", daemon=True)
    asking.start()
    asking.join(timeout_s)
    answer = answers[0] if answers else f"no answer within {timeout_s:g} s"
    if isinstance(answer, str):
        raise TransportUnavailable(f"{base} could not be asked: {answer}; try again later")
    try:
        found = msgspec.json.decode(answer, type=_Answer).info
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise TransportUnavailable(f"{base} did not answer as PyPI does; try again later") from None
    if found.summary != metadata("takopi")["Summary"]:
        raise UsageError(
            f"the package takopi of {base} is another program; look for a newer version of this "
            "one where you got it"
        )
    return found.version


def _fetch(url: str, timeout_s: float) -> bytes | str:
    """Return what the server says, or why there is nothing."""
    if urlsplit(url).scheme not in ("http", "https"):
        return "it is no http or https address"
    context = tls_context() if url.startswith("https") else None
    try:
        with urllib.request.urlopen(url, timeout=timeout_s, context=context) as answer:  # noqa: S310 - the scheme was checked
            return bytes(answer.read(MAX_ANSWER_BYTES))
    except urllib.error.HTTPError as error:
        with error:
            return f"it answered {error.code}"
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error))


def is_newer(version: str, present: str) -> bool:
    """Tell whether a released version is above another; what is no release is not."""
    return _release(version) > _release(present)


def _release(version: str) -> tuple[int, ...]:
    found = re.fullmatch(r"v?(\d+(?:\.\d+)*)", version.strip())
    numbers = [int(part) for part in found[1].split(".")] if found else []
    while numbers and numbers[-1] == 0:  # 1.0 is 1.0.0
        numbers.pop()
    return tuple(numbers)


def told(version: str, present: str = __version__) -> str:
    """Say whether there is a newer one, and how to get it."""
    if is_newer(version, present):
        return (
            f"takopi {version} is out, this is {present}; `uv tool upgrade takopi` or "
            "`pip install --upgrade takopi` gets it"
        )
    return f"takopi {present} is the newest"


def check_beside(say: Callable[[str], object] | None = None) -> threading.Thread:
    """Ask beside the start of the bot, and say only that there is a newer one."""

    def ask() -> None:
        try:
            version = newest_version()
        except TakopiError:
            return  # not worth a word to somebody who did not ask
        if is_newer(version, __version__):
            (say or _to_stderr)(told(version))

    thread = threading.Thread(target=ask, name="takopi-update-check", daemon=True)
    thread.start()
    return thread


def _to_stderr(text: str) -> None:
    sys.stderr.write(f"takopi: {text}\n")
