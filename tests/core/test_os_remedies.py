"""What the operating system refuses is mended in a way that fits."""

import errno
from pathlib import PurePath

import pytest

from takopi.core.os_remedies import remedy


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.EACCES, "sudo chown $(id -u) /home/ann/.takopi /home/ann/.takopi/bot.lock"),
        (errno.EPERM, "sudo chown"),
        (errno.EROFS, "mounted read-only"),
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "free some space"),
        (errno.ENOTDIR, "move it away"),
        (errno.EISDIR, "move it away"),
        (errno.ELOOP, "move it away"),
        (errno.EMFILE, "ulimit -n"),
        (errno.EAGAIN, "end some programs"),
        (errno.EIO, "df /home/ann/.takopi"),
        (None, "ls -ld"),
    ],
)
def test_each_refusal_has_its_own_remedy(number, told) -> None:
    """Only a wrong owner is mended by `chown`."""
    text = remedy(number, PurePath("/home/ann/.takopi/bot.lock"))
    assert told in text
    assert ("chown" in text) is (number in (errno.EACCES, errno.EPERM))
