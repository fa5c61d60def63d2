"""Text with roles, and how it is fitted into cells. Foreign text is cleaned here, before it is drawn."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from msgspec import Struct
from rich.cells import cell_len, set_cell_size

Span = tuple[str, str]
"""A text and its role: a colour role (`quiet`, `accent`, `good`, `bad`, `agent-2` …) and `b`, `i`, `u`."""

TAB = 4

_BIDI = (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)
_UNSAFE: dict[int, str] = {
    **{code: "\N{SYMBOL FOR NULL}" if code == 0 else chr(0x2400 + code) for code in range(32)},
    0x7F: "\N{SYMBOL FOR DELETE}",
    **dict.fromkeys(range(0x80, 0xA0), "\N{REPLACEMENT CHARACTER}"),
    **dict.fromkeys(_BIDI, "\N{REPLACEMENT CHARACTER}"),
    **dict.fromkeys((0x2028, 0x2029), "\N{SYMBOL FOR NEWLINE}"),
    **dict.fromkeys((0x200B, 0xFEFF, 0x00AD), ""),
}


def clean(text: str) -> str:
    """One line without control characters: they are shown as signs, tabs as spaces."""
    if text.isascii() and text.isprintable():
        return text
    return text.expandtabs(TAB).translate(_UNSAFE)


_UNSAFE_IN_PLACE = {code: sign for code, sign in _UNSAFE.items() if sign and code != ord("\t")}


def visible(text: str) -> str:
    """As `clean`, for a text that is edited: each character keeps its place, tabs stay."""
    return text if text.isascii() and text.isprintable() else text.translate(_UNSAFE_IN_PLACE)


def lines_of(text: str) -> list[str]:
    """The lines of a text, cleaned; CRLF and a final line break leave no trace."""
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return [clean(line.removesuffix("\r")) for line in lines]


class Row(Struct, frozen=True):
    """A line of a list: text at the left, text at the right, and what it stands for."""

    left: tuple[Span, ...]
    right: tuple[Span, ...] = ()
    key: Hashable = None
    """None = a heading or a gap, which the cursor skips."""


def width_of(spans: Iterable[Span]) -> int:
    """Terminal cells."""
    return sum(cell_len(text) for text, _ in spans)


def plain(spans: Iterable[Span]) -> str:
    """The text alone."""
    return "".join(text for text, _ in spans)


def fit(spans: Sequence[Span], width: int, *, pad: bool = True) -> list[Span]:
    """Exactly `width` cells (at most, without `pad`): cut with an ellipsis, or filled with spaces."""
    have = width_of(spans)
    if have <= width:
        return [*spans, (" " * (width - have), "")] if pad and have < width else list(spans)
    if width <= 0:
        return []
    fitted: list[Span] = []
    left = width - 1
    for text, role in spans:
        size = cell_len(text)
        if size <= left:
            fitted.append((text, role))
            left -= size
            continue
        fitted.append((set_cell_size(text, left) + "…", role))
        return fitted
    return fitted


def spread(left: Sequence[Span], right: Sequence[Span], width: int) -> list[Span]:
    """Left and right text in `width` cells; the right one may take two thirds."""
    if not right:
        return fit(left, width)
    end = fit(right, max(0, width * 2 // 3), pad=False)
    return [*fit(left, width - width_of(end) - 1), (" ", ""), *end]


def shorten_path(path: str, width: int) -> str:
    """A path of at most `width` cells: folders are dropped from the front."""
    if cell_len(path) <= width:
        return path
    parts = path.split("/")
    while len(parts) > 1:
        parts.pop(0)
        short = "…/" + "/".join(parts)
        if cell_len(short) <= width:
            return short
    return plain(fit([(parts[0], "")], width))
