"""Kinds follow names, and bytes where names cannot be true; a new text is written like the old one."""

from __future__ import annotations

import pytest

from flowide.project.kinds import kind_of, written_like


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


@pytest.mark.parametrize(
    ("text", "base", "wanted"),
    [
        ("a\nb\n", "x\r\ny\r\n", "a\r\nb\r\n"),
        ("a\r\nb\n", "x\r\n", "a\r\nb\r\n"),
        ("a\nb\n", "x\ny\n", "a\nb\n"),
        ("a\nb\n", "mixed\r\nends\n", "a\nb\n"),
        ("a\r\n", "", "a\r\n"),
        ("a\n", "\ufeffx\n", "\ufeffa\n"),
    ],
)
def test_a_new_text_has_the_line_ends_of_the_old_one(text: str, base: str, wanted: str) -> None:
    assert written_like(text, base) == wanted
