"""Reach servers the way this system is set up: whom it trusts, and through which proxy."""

import os
import ssl
from functools import cache
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from takopi.errors import ConfigError

__all__ = ["proxy_of", "tls_context"]


@cache
def tls_context() -> ssl.SSLContext:
    """Trust what the system trusts; certifi adds the roots that a bare Python lacks."""
    context = ssl.create_default_context()
    if not ({"SSL_CERT_FILE", "SSL_CERT_DIR"} & os.environ.keys()):
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def proxy_of(base: str) -> str | None:
    """Find the proxy that the environment names for a server.

    aiohttp's own look into the environment would also read ~/.netrc for every request.

    Args:
        base: Address of the server.

    Raises:
        ConfigError: The proxy is of a kind that cannot be used.
    """
    parts = urlsplit(base)
    if parts.hostname is None or proxy_bypass(parts.hostname):
        return None
    proxy = getproxies().get(parts.scheme)
    if proxy is None:
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    if not proxy.startswith(("http://", "https://")):
        name = f"{parts.scheme.upper()}_PROXY"
        raise ConfigError(
            f"{name} names a {urlsplit(proxy).scheme} proxy, but takopi can use http and https "
            f"proxies only; change {name}, or list {parts.hostname} in NO_PROXY"
        )
    return proxy
