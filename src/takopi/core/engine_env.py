"""Decide which environment variables an engine sees."""

from collections.abc import Mapping, Sequence

__all__ = ["COMMON_NAMES", "engine_environment"]

# A trailing * matches a prefix. Proxies are read in both cases by different programs.
COMMON_NAMES: tuple[str, ...] = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_*",
    "TZ",
    "TERM",
    "TMPDIR",
    "XDG_*",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
)
_OWN_PREFIX = "TAKOPI_"  # takopi's own settings, its token among them, are no engine's business


def engine_environment(
    base: Mapping[str, str],
    *,
    engine: str,
    passes: Sequence[str] = (),
    hook: Mapping[str, str | None] | None = None,
) -> dict[str, str]:
    """Return the whole environment of an engine.

    Args:
        base: The environment of takopi itself.
        engine: Id of the engine; `<ID>_*` passes.
        passes: More names that pass, from the backend and the configuration; a trailing `*`
            matches a prefix.
        hook: What the runner's `env` hook returned. What it added or changed relative to `base`
            passes, what it left out is left out. One without a PATH, though `base` has one, can
            be no whole environment: it only adds. A value of None is left out.
    """
    names = (*COMMON_NAMES, f"{engine.upper()}_*", *passes)
    exact = {name for name in names if not name.endswith("*")}
    # A bare "*" would undo the allow-list, so it matches nothing.
    prefixes = tuple(name[:-1] for name in names if name.endswith("*") and len(name) > 1)
    result = {
        name: value for name, value in base.items() if name in exact or name.startswith(prefixes)
    }
    if hook is not None:
        hook = {name: value for name, value in hook.items() if value is not None}
        if "PATH" in hook or "PATH" not in base:
            result = {name: value for name, value in result.items() if name in hook}
        result.update({n: str(v) for n, v in hook.items() if base.get(n) != v})
    return {name: value for name, value in result.items() if not name.startswith(_OWN_PREFIX)}
