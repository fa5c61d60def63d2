"""What goes into git and comes out of it: people, entries, changes, commits."""

from __future__ import annotations

import re

from msgspec import Struct


class Identity(Struct, frozen=True):
    """A person or agent, as git names them."""

    name: str
    email: str


class Entry(Struct, frozen=True):
    """What a tree or an index holds at a path."""

    mode: str
    blob: str


class Change(Struct, frozen=True):
    """What a path shall hold; data None = it goes."""

    path: str
    """Relative to the top of the work tree, with the names that the disk has."""
    data: bytes | None
    executable: bool = False
    """Of a file that git does not know yet."""


class Committed(Struct, frozen=True):
    """A commit that was made."""

    commit: str
    ref: str
    left_staged: list[str] = []
    """Paths whose entry in the index is the user's own and was left as it is."""
    made: bool = True
    """False = it was there before, with the same content."""


def entries(listed: bytes) -> dict[bytes, Entry]:
    """Entries by path, of `ls-tree -z` or `ls-files -s -z`."""
    found = {}
    for record in listed.split(b"\0"):
        head, tab, path = record.partition(b"\t")
        if tab:
            words = head.decode().split()
            blob = words[2] if words[1] in {"blob", "commit", "tree"} else words[1]
            found[path] = Entry(words[0], blob)
    return found


def clean(text: str) -> str:
    """A name or address without what git would strip or trip over."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f<>]", " ", text).split())
