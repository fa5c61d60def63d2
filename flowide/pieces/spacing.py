"""The gap that takes new pieces, and the blank lines around them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from flowide.pieces.adapting import is_grouped
from flowide.pieces.matching import siblings
from flowide.pieces.outline import Item, Outline

SMALL = frozenset({"constant", "attribute", "field", "variable", "type", "static"})


@dataclass(slots=True)
class Slot:
    """A gap in the base that takes one or more new pieces."""

    start: int
    end: int
    indent: bytes
    after: Item | None
    """The base's piece before the gap."""
    before: Item | None
    """The base's piece after the gap, in the same body."""
    blank_before: int | None
    """Blank lines before the first new piece; None lets the style of the base decide."""
    beside: Item | None
    """A piece whose unit of indentation counts here."""
    grouped: bool = False
    lead: bytes = b""
    """Text that goes before everything, such as the `;` after the constants of an enum."""
    tail: bytes = b""
    """Text that goes after everything, such as the line break before a brace."""
    first_line: bool = False
    """True when nothing stands before the gap."""
    blank_after: int = 0
    """Blank lines already there after the gap."""
    followed: bool = False
    """True when something of the same body follows."""

    @property
    def key(self) -> tuple[int, int]:
        """Takes with the same key share the gap."""
        return self.start, self.end


def is_small(outline: Outline, item: Item) -> bool:
    """True for what is set without blank lines around it: one-line constants, fields, signatures."""
    text = outline.source[item.node.start_byte : item.end]
    if b"\n" in text:
        return False
    return item.kind in SMALL or (item.kind == "method" and text.rstrip().endswith(b";") and b"{" not in text)


def blanks_between(
    base: Outline, slot: Slot, first: tuple[Outline, Item] | None, second: tuple[Outline, Item]
) -> int:
    """Blank lines between two pieces that become neighbours, in the style of the base."""
    outline, item = second
    small = is_small(outline, item) and (first is None or is_small(*first))
    if small and first is not None:
        if first[0] is outline and first[1].parent is item.parent:
            gap = _gap(outline, first[1], item)
            return min(gap, 2) if gap is not None else 0
        return 0
    peers = _peers(base, slot)
    counts: Counter[int] = Counter()
    for one, two in pairwise(peers):
        if is_small(base, one) and is_small(base, two):
            continue
        gap = _gap(base, one, two)
        if gap is not None:
            counts[gap] += 1
    if counts:
        return min(counts.most_common(1)[0][0], 3)
    return 2 if base.language == "python" and not slot.indent else 1


def below_comment(base: Outline, slot: Slot) -> bool:
    """True when a comment that belongs to no piece stands on the line above the gap."""
    if slot.after is not None and slot.after.end >= slot.start:
        return False
    line = base.source.rfind(b"\n", 0, slot.start) + 1
    above = base.source[line : slot.start].strip()
    return above.startswith(b"#" if base.language == "python" else (b"//", b"/*", b"*"))


def _peers(base: Outline, slot: Slot) -> list[Item]:
    near = slot.after or slot.before
    if near is not None:
        around = siblings(base, near)[:200]
        return around if slot.grouped else [each for each in around if not is_grouped(each)]
    if not slot.indent:
        return base.top_items()[:200]
    return []


def _gap(outline: Outline, first: Item, second: Item) -> int | None:
    """Blank lines between two neighbours; None when something else stands between them."""
    between = outline.source[first.end : second.start]
    if between.strip() or b"\n" not in between:
        return None
    return between.count(b"\n") - 1


def shifts_iota(base: Outline, slot: Slot) -> bool:
    """True when a constant put into this gap changes the values of those after it in its group."""
    below = slot.before
    if not slot.grouped or below is None or below.inner.type != "const_spec" or below.inner.parent is None:
        return False
    group = below.inner.parent
    return slot.end < group.end_byte and group.start_byte < slot.start and b"iota" in base.text(group)
