"""Names of tools: as people write them, and as models want them."""

from __future__ import annotations

import re
from collections.abc import Collection
from fnmatch import fnmatchcase
from hashlib import sha256

LONGEST = 64
"""Characters of a name that every provider takes."""


def shown(server: str, tool: str) -> str:
    """As people write it: `git/git_status`."""
    return f"{server}/{tool}"


def function_name(server: str, tool: str, taken: Collection[str] = ()) -> str:
    """As models want it: `git__git_status`; another one when that is taken."""
    whole = f"{server}__{tool}"
    name = re.sub(r"[^A-Za-z0-9_-]", "_", whole)
    if len(name) > LONGEST or name in taken:
        mark = sha256(whole.encode("utf-8", "replace")).hexdigest()[:8]
        name = f"{name[: LONGEST - 9]}_{mark}"
    return name


def matches(pattern: str, server: str, tool: str) -> bool:
    """Whether somebody who writes this means the tool.

    `git` and `git/*` mean all tools of a server, `git/git_status` one, `*` everything; other tools write
    `mcp__git__git_status`, and a bare `git_status` is understood too. `*` and `?` stand for characters.
    """
    pattern = pattern.strip().removeprefix("mcp__")
    names = (f"{server}/{tool}", f"{server}__{tool}", f"{server}.{tool}", server, tool)
    return any(fnmatchcase(name, pattern) for name in names)


def precision(pattern: str) -> tuple[bool, int]:
    """The more precise of two patterns that both match counts; bigger = more precise."""
    wild = any(sign in pattern for sign in "*?[")
    return (not wild and ("/" in pattern or "__" in pattern), len(pattern.rstrip("*?")))
