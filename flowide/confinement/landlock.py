"""Landlock: a process gives up, for itself and its children, the right to write anywhere but below some folders.

See the kernel's `userspace-api/landlock`. Standard library only: this runs between fork and exec.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Sequence
from functools import cache

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""Numbers of the system calls: the same on every architecture."""
_VERSION_FLAG = 1
_PATH_BENEATH = 1
_PR_SET_NO_NEW_PRIVS = 38

_WRITE_FILE = 1 << 1
_REMOVE_AND_MAKE = sum(1 << bit for bit in range(4, 13))
"""Remove folders and files, make devices, folders, files, sockets, pipes and links."""
_REFER = 1 << 13
"""Link and rename between folders; since version 2. Before it, both are refused everywhere."""
_TRUNCATE = 1 << 14
"""Since version 3."""
_SCOPE_SIGNALS = 1 << 1
"""Signals only reach processes that gave up the same; since version 6."""
_ON_FILES = _WRITE_FILE | _TRUNCATE
LEAST = 3
"""Before version 3, files outside could still be cut to nothing."""


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _call(number: int, *args: object) -> int:
    result: int = _libc().syscall(ctypes.c_long(number), *args)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def version() -> int:
    """What the running kernel offers; 0 = nothing."""
    try:
        return _call(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_FLAG))
    except (OSError, AttributeError):
        return 0


def restrict(writable: Sequence[str]) -> None:
    """Give up writing anywhere but to these files and below these folders; what does not exist is passed over.

    Raises:
        OSError: The kernel refuses; nothing was given up.
    """
    offered = version()
    if offered < LEAST:
        raise OSError(f"Landlock {offered} is too old; {LEAST} is needed")
    handled = _WRITE_FILE | _REMOVE_AND_MAKE | _REFER | _TRUNCATE
    scoped = _SCOPE_SIGNALS if offered >= 6 else 0
    attributes = struct.pack("=QQQ", handled, 0, scoped)
    # A kernel refuses fields it does not know: before version 4 there is one, before 6 there are two.
    size = 8 if offered < 4 else 16 if offered < 6 else 24
    ruleset = _call(_CREATE_RULESET, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0))
    try:
        for path in writable:
            _allow(ruleset, path, handled)
        if _libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        _call(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, access: int) -> None:
    try:
        found = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(found).st_mode):
            access &= _ON_FILES
        rule = struct.pack("=Qi", access, found)
        _call(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint32(0))
    finally:
        os.close(found)
