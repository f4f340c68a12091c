"""The folder for commands that show what is in it: prompts and answers are its owner's alone."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from takopi.app.home import Home, locate_home
from takopi.core.os_remedies import remedy
from takopi.errors import AccessError, StoreError, UsageError
from takopi.settings import check_private
from takopi.store.reading import JournalReading, open_reading

__all__ = ["open_journal_to_read", "owned_home"]


def owned_home() -> Home:
    """Return the folder of the person who asks.

    Raises:
        UsageError: There is none yet.
        AccessError: It is another person's, or others can enter it.
    """
    home = locate_home()
    try:
        status = home.path.stat()
    except FileNotFoundError:
        text = f"{home.path} does not exist yet; `takopi` makes it, or set TAKOPI_HOME"
        raise UsageError(text) from None
    except OSError as error:
        raise AccessError(
            f"{home.path} cannot be looked at: {error.strerror}; {remedy(error.errno, home.path)}"
        ) from error
    if status.st_uid != os.geteuid():
        raise AccessError(
            f"{home.path} belongs to another user, and prompts are shown to nobody else; run this "
            "as that user"
        )
    check_private(home.path, status)
    return home


@contextmanager
def open_journal_to_read(home: Home) -> Iterator[JournalReading | None]:
    """Open the journal for the block; None where there is none, or none that can be read.

    What is wrong with one is told on standard error, for run directories tell much the same.
    """
    try:
        journal = open_reading(home.journal)
    except StoreError as error:
        sys.stderr.write(f"takopi: {error}\n")
        journal = None
    if journal is None:
        yield None
        return
    with journal:
        yield journal
