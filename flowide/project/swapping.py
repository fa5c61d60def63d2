"""Putting a file in another's place without losing what stood there: by exchange, where the system has it."""

from __future__ import annotations

import errno
import os
from functools import cache
from typing import Any

_EXCHANGE = 2
"""RENAME_EXCHANGE of renameat2(2)."""
_NOT_HERE = frozenset({errno.ENOSYS, errno.EINVAL, errno.EPERM, errno.ENOTSUP})


def exchange(folder: int, one: str, other: str) -> bool:
    """Let two names of a folder change places at once; False when system or disk cannot.

    Raises:
        OSError: One of them is not there.
    """
    rename = _renameat2()
    if rename is None:
        return False
    if rename(folder, os.fsencode(one), folder, os.fsencode(other), _EXCHANGE) == 0:
        return True
    import ctypes  # loaded by now

    number = ctypes.get_errno()
    if number in _NOT_HERE:
        return False
    raise OSError(number, os.strerror(number), other)


def place_new(folder: int, temporary: str, name: str) -> None:
    """Give a file a name that nothing has.

    Raises:
        FileExistsError: Something has the name by now.
    """
    try:
        os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:  # a disk without second names
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    else:
        os.unlink(temporary, dir_fd=folder)


@cache
def _renameat2() -> Any:
    import ctypes

    try:
        function = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return None
    function.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    function.restype = ctypes.c_int
    return function
