"""Which link targets a chat may carry.

Telegram refuses the whole message when one `text_link` has a target it cannot read: a host
without a dot, a wrong port, a stray character. What passes here is a subset of what it accepts
(tdlib/td, `LinkManager::check_link` and `parse_url`); everything else is shown as text.
"""

import re
from urllib.parse import SplitResult, urlsplit

from markdown_it.common.normalize_url import normalizeLink

__all__ = ["is_mail_link", "is_web_link", "link_url"]

MAX_URL_UNITS = 2_048

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})+\.?", re.IGNORECASE)
_TG_HOST = re.compile(r"[a-z0-9_-]+", re.IGNORECASE)
_PLAIN = re.compile(r"[!-~]+")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")


def link_url(target: str) -> str | None:
    """Return the absolute http, https or tg address of `target`, or None if a chat refuses it.

    Args:
        target: A link's destination as it was written.
    """
    scheme, colon, _ = target.partition("://")
    if not colon or scheme.lower() not in {"http", "https", "tg"}:
        return None
    try:
        url = normalizeLink(target)
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # a broken IPv6 address, port or international host name
        return None
    if len(url) > MAX_URL_UNITS or not _PLAIN.fullmatch(url) or _BROKEN_ESCAPE.search(parts.netloc):
        return None
    return url if _host_accepted(parts, port) else None


def _host_accepted(parts: SplitResult, port: int | None) -> bool:
    """Tell whether Telegram takes this scheme with this host and port."""
    host = parts.netloc
    if parts.scheme == "tg":
        return _TG_HOST.fullmatch(host) is not None
    if port is not None:
        host = host.rpartition(":")[0]
    return port != 0 and len(host) <= 253 and _HOST.fullmatch(host) is not None


def is_web_link(target: str) -> bool:
    """Tell whether `target` may stand behind other words in a chat."""
    return link_url(target) is not None


def is_mail_link(target: str) -> bool:
    """Tell whether `target` is a `mailto:` address."""
    return target[:7].lower() == "mailto:" and len(target) > 7
