"""Three-way merge of texts by lines, with the conflicts that `git merge-file` would see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from flowide.errors import BadInput
from flowide.project.diffs import Span, changed, split_lines
from flowide.project.kinds import is_text


class Merged(Struct, frozen=True):
    """What came of a merge."""

    data: bytes
    """The text; each conflict stands in it between markers."""
    conflicts: int
    """Places where both sides changed the same or adjoining lines differently."""


def merge(
    base: bytes, mine: bytes, theirs: bytes, *, mine_name: str = "mine", theirs_name: str = "theirs"
) -> Merged:
    """Both sides' changes to `base`, in one text.

    Raises:
        BadInput: One of the three is no text.
    """
    if not all(map(is_text, (base, mine, theirs))):
        raise BadInput("what is no text cannot be merged", hint="Keep one side, or both under two names.")
    o, a, b = (split_lines(data.decode()) for data in (base, mine, theirs))
    newline = "\r\n" if "\r\n" in (a[0] if a else o[0] if o else "") else "\n"
    out: list[str] = []
    conflicts = 0
    for part_o, part_a, part_b in _parts(o, a, b):
        if part_a == part_b or (part_o is not None and part_b == part_o):
            out += part_a
        elif part_o is not None and part_a == part_o:
            out += part_b
        else:
            conflicts += 1
            out += _marked(part_a, part_b, mine_name, theirs_name, newline)
    return Merged("".join(out).encode(), conflicts)


Part = tuple[Sequence[str] | None, Sequence[str], Sequence[str]]
"""Lines of the base, of one side, of the other. Without a base, sides that differ are in conflict."""


def _parts(o: Sequence[str], a: Sequence[str], b: Sequence[str]) -> Iterator[Part]:
    """The three texts cut at the same places, in order: what nobody touched apart from what somebody did."""
    at = shift_a = shift_b = 0
    for start, end, by_a, by_b in _regions(changed(o, a), changed(o, b)):
        yield o[at:start], a[at + shift_a : start + shift_a], b[at + shift_b : start + shift_b]
        grown_a = sum((j1 - j0) - (i1 - i0) for i0, i1, j0, j1 in by_a)
        grown_b = sum((j1 - j0) - (i1 - i0) for i0, i1, j0, j1 in by_b)
        yield from _trimmed(
            o[start:end],
            a[start + shift_a : end + shift_a + grown_a],
            b[start + shift_b : end + shift_b + grown_b],
        )
        at, shift_a, shift_b = end, shift_a + grown_a, shift_b + grown_b
    yield o[at:], a[at + shift_a :], b[at + shift_b :]


def _regions(by_a: Sequence[Span], by_b: Sequence[Span]) -> Iterator[tuple[int, int, list[Span], list[Span]]]:
    """Lines of the base that changes touch; changes that overlap or adjoin fall into one region."""
    left, right = list(by_a), list(by_b)
    while left or right:
        start = min(spans[0][0] for spans in (left, right) if spans)
        end = start
        mine: list[Span] = []
        theirs: list[Span] = []
        grew = True
        while grew:
            grew = False
            for spans, taken in ((left, mine), (right, theirs)):
                while spans and spans[0][0] <= end:
                    end = max(end, spans[0][1])
                    taken.append(spans.pop(0))
                    grew = True
        yield start, end, mine, theirs


def _trimmed(o: Sequence[str], a: Sequence[str], b: Sequence[str]) -> Iterator[Part]:
    """A region without what both sides say alike at its ends, when they disagree in between."""
    if a in (b, o) or b == o:
        yield o, a, b
        return
    least = min(len(a), len(b))
    head = next((at for at in range(least) if a[at] != b[at]), least)
    tail = next((at for at in range(least - head) if a[-1 - at] != b[-1 - at]), least - head)
    yield None, a[:head], b[:head]
    yield None, a[head : len(a) - tail], b[head : len(b) - tail]
    yield None, a[len(a) - tail :], b[len(b) - tail :]


def _marked(a: Sequence[str], b: Sequence[str], mine: str, theirs: str, newline: str) -> list[str]:
    return [
        f"<<<<<<< {mine}{newline}",
        *_ended(a, newline),
        f"======={newline}",
        *_ended(b, newline),
        f">>>>>>> {theirs}{newline}",
    ]


def _ended(lines: Sequence[str], newline: str) -> list[str]:
    """The lines, the last one with a line break, so that a marker starts on a line of its own."""
    if lines and not lines[-1].endswith("\n"):
        return [*lines[:-1], lines[-1] + newline]
    return list(lines)
