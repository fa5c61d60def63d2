"""Which paths may name an artifact."""

from __future__ import annotations

import unicodedata

from flowide.domain.limits import MAX_PATH
from flowide.errors import BadPath

_RESERVED = frozenset(
    ["con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))]
)


def checked_path(path: str) -> str:
    """The path in NFC, if it is relative, has no `..` and can exist on every system.

    Raises:
        BadPath: With the reason.
    """
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        raise _bad(path, "is not valid Unicode") from None
    path = unicodedata.normalize("NFC", path)
    if not path:
        raise _bad(path, "is empty")
    if size > MAX_PATH:
        raise _bad(path, f"is longer than {MAX_PATH} bytes")
    if any(ord(ch) < 32 or 127 <= ord(ch) < 160 for ch in path):
        raise _bad(path, "contains a control character")
    if "\\" in path:
        raise _bad(path, "contains a backslash")
    if path.startswith("/") or path[1:2] == ":":
        raise _bad(path, "is absolute")
    for part in path.split("/"):
        _check_part(path, part)
    return path


def _check_part(path: str, part: str) -> None:
    if part in {"", ".", ".."}:
        raise _bad(path, f"has {part!r} as a part")
    if part.split(".", maxsplit=1)[0].casefold() in _RESERVED:
        raise _bad(path, f"has the reserved name {part!r}")
    if part.endswith((" ", ".")):
        raise _bad(path, "has a part that ends in a space or dot")
    if len(part.encode()) > 255:
        raise _bad(path, "has a part longer than 255 bytes")


def path_key(path: str) -> str:
    """What two artifacts may not share: the path as a case-insensitive file system sees it."""
    return unicodedata.normalize("NFC", path.casefold())


def _bad(path: str, why: str) -> BadPath:
    return BadPath(
        f"the path {path[:200]!r} {why}",
        hint="Use a path relative to the project, such as src/cache.py.",
        path=path[:MAX_PATH],
    )
