"""The file that `--debug` writes."""

import sys

from takopi.errors import UsageError

__all__ = ["start_debug_log"]


def start_debug_log() -> None:
    """Write every record to `logs/debug.log` from now on, and say where that is."""
    from takopi.app.home import open_home
    from takopi.logging import configure_logging

    path = open_home().debug_log
    try:
        configure_logging(debug_file=path)
    except OSError as error:
        raise UsageError(
            f"the log file {path} cannot be written ({error.strerror}); mend that, or leave "
            "--debug out"
        ) from error
    print(f"debug log: {path}", file=sys.stderr)
