"""Processes: run directories, the holder that owns an engine, following its output."""

TYPE_CHECKING = False  # the holder imports this package, and `typing` costs more than all of it
if TYPE_CHECKING:
    from takopi.process.host import LocalRunHost

__all__ = ["default_host"]


def default_host() -> "LocalRunHost":
    """Return the host of this home: `$TAKOPI_HOME`, else `~/.takopi`.

    Raises:
        AccessError: The folder is open to others.
    """
    from takopi.process.host import home_host

    return home_host()
