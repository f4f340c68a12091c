"""Whether there is a newer takopi: asked of a stand-in, in a short time, and never in the way."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import metadata

import pytest

from takopi import __version__
from takopi.app.update_check import check_beside, is_newer, newest_version, told
from takopi.errors import TransportUnavailable, UsageError


class Pypi(HTTPServer):
    """Answer what a test wants; an event holds the answer back."""

    status = 200
    body = b"{}"
    asked: list[str]
    hold: threading.Event

    @property
    def environment(self) -> dict[str, str]:
        return {"TAKOPI_PYPI_URL": f"http://127.0.0.1:{self.server_address[1]}/"}

    def offers(self, version: str, summary: str = metadata("takopi")["Summary"]) -> None:
        info = {"version": version, "name": "takopi", "summary": summary}
        self.body = json.dumps({"info": info}).encode()


class Handler(BaseHTTPRequestHandler):
    server: Pypi

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.hold.wait(20)
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def pypi() -> Iterator[Pypi]:
    with Pypi(("127.0.0.1", 0), Handler) as server:
        server.asked, server.hold = [], threading.Event()
        server.hold.set()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.hold.set()
        server.shutdown()
        thread.join()


def test_the_newest_version_is_asked_for(pypi) -> None:
    """One request, to the documented address."""
    pypi.offers("9.1")
    assert newest_version(pypi.environment) == "9.1"
    assert pypi.asked == ["/pypi/takopi/json"]


@pytest.mark.parametrize("body", [b"{}", b"<html>", b"\xff", b'{"info": {"version": 3}}'])
def test_another_server_is_told(pypi, body) -> None:
    """What is no answer of PyPI is no version."""
    pypi.body = body
    with pytest.raises(TransportUnavailable, match="did not answer as PyPI does"):
        newest_version(pypi.environment)


def test_another_program_of_the_same_name_is_no_newer_version(pypi) -> None:
    """To upgrade to it would replace this one."""
    pypi.offers("9.1", "A different bot.")
    with pytest.raises(UsageError, match="is another program; look for a newer version of this"):
        newest_version(pypi.environment)


def test_a_server_that_refuses_or_is_silent_is_told(pypi) -> None:
    """Each in words, and in time."""
    pypi.status = 503
    with pytest.raises(TransportUnavailable, match="it answered 503; try again later"):
        newest_version(pypi.environment)
    pypi.hold.clear()
    with pytest.raises(TransportUnavailable, match=r"(no answer within 0.1 s|timed out)"):
        newest_version(pypi.environment, timeout_s=0.1)
    with pytest.raises(TransportUnavailable, match="refused"):
        newest_version({"TAKOPI_PYPI_URL": "http://127.0.0.1:1"})
    with pytest.raises(TransportUnavailable, match="no http or https address"):
        newest_version({"TAKOPI_PYPI_URL": "file:///etc"})


@pytest.mark.parametrize(
    ("version", "present", "newer"),
    [
        ("0.10", "0.9", True),
        ("1.0.1", "1", True),
        ("1.0", "1.0.0", False),
        ("1.0.0", "1.0", False),
        ("0.9", "0.10", False),
        ("2.0rc1", "1.0", False),
        ("nonsense", "0.1.0", False),
    ],
)
def test_versions_are_compared_by_number(version, present, newer) -> None:
    """A candidate for a release is none."""
    assert is_newer(version, present) is newer
    assert ("is out" in told(version, present)) is newer


def test_beside_the_start_only_news_is_told(pypi, monkeypatch, capsys) -> None:
    """The start does not wait, and silence is no news."""
    monkeypatch.setenv("TAKOPI_PYPI_URL", pypi.environment["TAKOPI_PYPI_URL"])
    said: list[str] = []
    for version in (__version__, "99.1"):
        pypi.offers(version)
        check_beside(said.append).join()
    pypi.status = 500
    check_beside(said.append).join()
    assert [text.split(",")[0] for text in said] == ["takopi 99.1 is out"]
    pypi.status = 200
    check_beside().join()
    assert capsys.readouterr().err.startswith("takopi: takopi 99.1 is out")
