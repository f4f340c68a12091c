"""Whom calls trust, and through which proxy they go."""

import pytest

from takopi.errors import ConfigError
from takopi.network import proxy_of

PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_without_proxies_calls_go_straight() -> None:
    assert proxy_of("https://voice.test/v1") is None
    assert proxy_of("no address") is None


def test_a_proxy_serves_its_scheme_but_for_the_hosts_that_are_excepted(monkeypatch) -> None:
    monkeypatch.setenv("https_proxy", "proxy.test:3128")
    monkeypatch.setenv("no_proxy", "near.test")
    assert proxy_of("https://voice.test/v1") == "http://proxy.test:3128"
    assert proxy_of("http://voice.test/v1") is None
    assert proxy_of("https://near.test/v1") is None


def test_a_proxy_of_another_kind_is_refused_with_the_way_out(monkeypatch) -> None:
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1080")
    with pytest.raises(ConfigError, match=r"HTTP_PROXY names a socks5 .* list voice\.test in NO_"):
        proxy_of("http://voice.test/v1")
