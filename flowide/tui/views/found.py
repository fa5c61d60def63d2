"""What a search found, as rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from flowide.tui.views.spans import Row, Span, clean, shorten_path


class Found(Struct, frozen=True):
    """A place where the words are."""

    kind: Literal["file", "variation"]
    ref: str
    """Path of a file; `set/number` of a variation."""
    title: str
    line: int | None
    """From 0; None for a variation."""
    text: str


def found_rows(found: Sequence[Found], typed: str, width: int) -> list[Row]:
    """A heading for each file or variation, its lines below."""
    rows: list[Row] = []
    last = ""
    for each in found:
        if each.title != last:
            rows += [Row(())] if rows else []
            sign = "▤ " if each.kind == "variation" else ""
            rows.append(Row(((f"{sign}{shorten_path(clean(each.title), width - 4)}", "accent b"),)))
            last = each.title
        number = f"{each.line + 1:>6}  " if each.line is not None else "        "
        rows.append(Row(((number, "quiet"), *marked(clean(" ".join(each.text.split())), typed)), (), each))
    return rows


def marked(text: str, typed: str) -> list[Span]:
    """A text with the words that were searched for made bold."""
    words = [re.escape(word) for word in typed.split()]
    if not words:
        return [(text, "")]
    parts = re.split(f"({'|'.join(words)})", text, flags=re.IGNORECASE)
    return [(part, "warn b" if at % 2 else "") for at, part in enumerate(parts) if part]
