"""Which targets may stand behind words; Telegram refuses the whole message for one bad target."""

import pytest

from takopi.core.markdown.links import is_mail_link, is_web_link, link_url

ACCEPTED = {
    "https://example.com": "https://example.com",
    "HTTP://Example.com/x?y#z": "HTTP://Example.com/x?y#z",
    "http://1.2.3.4:8080/a": "http://1.2.3.4:8080/a",
    "https://münchen.de/straße": "https://xn--mnchen-3ya.de/stra%C3%9Fe",
    "https://a.io/a b": "https://a.io/a%20b",
    "https://a.io/(x)_%41": "https://a.io/(x)_%41",
    "tg://user?id=1": "tg://user?id=1",
    "https://a_b.example.com.": "https://a_b.example.com.",
}

REFUSED = [
    "main.py",
    "src/main.py#L12",
    "/abs/x.py",
    "./x",
    "#anchor",
    "",
    "https://",
    "https://localhost",
    "http://localhost:8000/x",
    "https://nodot/x",
    "https://a..io",
    "https://.io",
    "https://-a.io",
    "https://a.io:0",
    "https://a.io:99999",
    "https://a.io:port",
    "https://a.io:",
    "https://user:secret@a.io",
    "https://[::1]/",
    "https://[bad/",
    "https://a%zz.io",
    "https://" + "a." * 200 + "io",
    "https://a.io/" + "x" * 3_000,
    "//a.io",
    "ftp://a.io",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "javascript://a.io/%0aalert(1)",
    "data:text/html,x",
    "mailto:a@b.io",
    "tg://",
    "tg://a.b",
    "tg:resolve?domain=x",
    "https://exa\u202emple.com\x01",
]


@pytest.mark.parametrize("target", ACCEPTED)
def test_web_addresses_are_kept(target: str) -> None:
    """An absolute address with a host that has a dot is a link."""
    assert link_url(target) == ACCEPTED[target]
    assert is_web_link(target)


@pytest.mark.parametrize("target", REFUSED)
def test_everything_else_is_refused(target: str) -> None:
    """What Telegram might refuse never gets into an entity."""
    assert link_url(target) is None


def test_mail_addresses_are_known() -> None:
    """A mail address is shown, not linked."""
    assert is_mail_link("MailTo:a@b.io")
    assert not is_mail_link("mailto:")
    assert not is_mail_link("a@b.io")
