"""What a search found, as rows; and what it is looked for in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from flowide.tui.views.spans import Row, Span, clean, shorten_path

Kind = Literal["file", "variation", "message", "decision", "version"]

PLACES: tuple[tuple[str, tuple[Kind, ...]], ...] = (
    ("everything", ("file", "variation", "message", "decision")),
    ("files", ("file",)),
    ("variations", ("variation",)),
    ("threads", ("message",)),
    ("decisions", ("decision",)),
    ("older versions", ("version",)),
)
"""Where to look, by name; `tab` goes through them."""

_SIGNS: dict[str, str] = {
    "variation": "▤ ",
    "message": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} ",
    "decision": "◇ ",
}


class Found(Struct, frozen=True):
    """A place where the words are."""

    kind: Kind
    ref: str
    """A path; `set/number` of a variation; `thread/number` of a message; a decision's id; `artifact@number`."""
    title: str
    """What it is in: a path, a set, a thread."""
    line: int | None
    """From 0; None where there are no lines."""
    text: str
    label: str = ""
    """Before the text where there is no line: `#3`, `4`, `D1`, `v2`."""


def found_rows(found: Sequence[Found], typed: str, width: int) -> list[Row]:
    """A heading for each file, set, thread; its lines below."""
    rows: list[Row] = []
    last = ("", "")
    for each in found:
        if (each.kind, each.title) != last:
            rows += [Row(())] if rows else []
            title = clean(each.title)
            if each.kind in {"file", "version"}:
                title = shorten_path(title, width - 2)
            title = _SIGNS.get(each.kind, "") + title
            rows.append(Row(((title, "accent b"),)))
            last = (each.kind, each.title)
        label = str(each.line + 1) if each.line is not None else each.label
        text = in_view(clean(" ".join(each.text.split())), typed, width - 8)
        rows.append(Row(((f"{label:>5}  ", "quiet"), *marked(text, typed)), (), each))
    return rows


def in_view(text: str, typed: str, width: int) -> str:
    """A text that begins so late that the first of the words is within so many characters."""
    places = [at for word in typed.casefold().split() if (at := text.casefold().find(word)) >= 0]
    first = min(places, default=0)
    if first + len(typed) <= width - 2:
        return text
    return "…" + text[max(0, first - width // 3) :]


def place_spans(at: int) -> list[Span]:
    """The places to look in, the present one marked."""
    spans: list[Span] = [(" ", "")]
    for index, (name, _) in enumerate(PLACES):
        spans += [(f" {name} ", "cursor b" if index == at else "quiet"), (" ", "")]
    return spans


def first_line(text: str, typed: str) -> int:
    """The first line, from 0, that holds one of the words; one that holds most of them goes first."""
    words = [word.casefold() for word in typed.split()]
    lines = text.split("\n")
    best = max(
        range(len(lines)),
        key=lambda at: (sum(word in lines[at].casefold() for word in words), -at),
        default=0,
    )
    return best


def marked(text: str, typed: str) -> list[Span]:
    """A text with the words that were searched for made bold."""
    words = [re.escape(word) for word in typed.split()]
    if not words:
        return [(text, "")]
    parts = re.split(f"({'|'.join(words)})", text, flags=re.IGNORECASE)
    return [(part, "warn b" if at % 2 else "") for at, part in enumerate(parts) if part]
