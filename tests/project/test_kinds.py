"""Kinds follow names, and bytes where names cannot be true."""

from __future__ import annotations

import pytest

from flowide.project.kinds import kind_of


@pytest.mark.parametrize(
    ("path", "data", "kind"),
    [
        ("src/cache.py", b"x", "code"),
        ("Makefile", b"x", "code"),
        ("docs/a.MD", b"# x", "document"),
        ("LICENSE", b"x", "document"),
        ("web/card.tsx", b"x", "component"),
        ("package.json", b"{}", "data"),
        ("logo.png", b"", "binary"),
        ("cache.py", b"\xff\xfe", "binary"),
        ("notes.md", b"a\0b", "binary"),
    ],
)
def test_the_kind_of_a_file(path: str, data: bytes, kind: str) -> None:
    assert kind_of(path, data) == kind
