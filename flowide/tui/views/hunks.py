"""Changes one by one: each with its lines, what a person says about it, and the answer that comes of it all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field
from rich.cells import cell_len, get_character_cell_size

from flowide.flows.reviewing.hunks import Hunk
from flowide.project.comparing import Marks as Ranges
from flowide.project.comparing import facing
from flowide.project.diffs import split_lines
from flowide.tui.views.gates import Answer
from flowide.tui.views.spans import Span, clean
from flowide.tui.views.words import count

if TYPE_CHECKING:
    from flowide.tui.views.review import Reviewed

AROUND = 2
"""Lines that are alike and shown around a change."""
KINDS = (
    ("correctness", "wrong", "a fact or a claim is not right"),
    ("completeness", "incomplete", "something is missing, or its meaning was lost"),
    ("clarity", "unclear", "hard to follow, or can be read in two ways"),
    ("structure", "badly built", "wrong order, wrong place"),
    ("style", "wrong tone", "not how we write"),
    ("evidence", "no source", "nothing shows that it is so"),
    ("safety", "unsafe", "it could do harm"),
    ("scope", "too much", "longer or wider than what was asked for"),
    ("other", "other", "say it in your words"),
)
"""Kind of a reason, what it says when nothing else is typed, and what it is for."""


class Said(Struct, frozen=True):
    """A reason."""

    text: str
    kind: str = "other"


class Marks(Struct):
    """What a person has said so far about the changes of one question."""

    taken: dict[int, bool] = field(default_factory=dict)
    """By number of the change; one that is missing is open."""
    why: dict[int, Said] = field(default_factory=dict)
    """Reasons for refused ones."""
    general: list[Said] = field(default_factory=list)
    """Reasons that are about no single change."""
    done: list[tuple[int, bool | None, Said | None]] = field(default_factory=list)
    """What each step changed, for going back: number, and how it was before."""

    def mark(self, number: int, taken: bool, why: Said | None = None) -> None:
        """Take a change, or refuse it with a reason."""
        self.done.append((number, self.taken.get(number), self.why.get(number)))
        self.taken[number] = taken
        self.why.pop(number, None)
        if why is not None:
            self.why[number] = why

    def undo(self) -> int | None:
        """Take the last step back; the number it was about."""
        if not self.done:
            return None
        number, taken, why = self.done.pop()
        self.taken.pop(number, None)
        self.why.pop(number, None)
        if taken is not None:
            self.taken[number] = taken
        if why is not None:
            self.why[number] = why
        return number

    @property
    def refused(self) -> list[int]:
        """Numbers of refused changes."""
        return sorted(number for number, taken in self.taken.items() if not taken)

    def open(self, hunks: Sequence[Hunk]) -> list[int]:
        """Numbers of changes nothing was said about."""
        return [hunk.number for hunk in hunks if hunk.number not in self.taken]

    def next_open(self, hunks: Sequence[Hunk], after: int) -> int | None:
        """The next change that is open, from the start again at the end; None = there is none."""
        numbers = self.open(hunks)
        later = [number for number in numbers if number > after]
        return next(iter(later or numbers), None)


class Line(Struct, frozen=True):
    """One row of the view."""

    spans: tuple[tuple[str, str, str], ...]
    """Text, role, ground; an empty ground is that of the view."""
    hunk: int | None = None
    """Number of the change the row belongs to."""
    ground: str = ""
    """Of what is left of the row."""


def lines_of(
    seen: Reviewed, marks: Marks, current: int, width: int, *, whole: bool, answers: bool
) -> tuple[list[Line], dict[int, int]]:
    """The rows, and where each change begins; `whole` shows all of the text, `answers` what was said of each."""
    before, after = split_lines(seen.before), split_lines(seen.after)
    digits = len(str(max(len(before), len(after), 1)))
    found: list[Line] = []
    starts: dict[int, int] = {}
    at = 0
    for index, hunk in enumerate(seen.hunks):
        a0, a1, b0, b1 = hunk.span
        first = at if whole else max(at, a0 - AROUND)
        shift = b0 - a0
        same = [(line + shift + 1, before[line]) for line in range(first, a0)]
        starts[hunk.number] = len(found)
        if whole:
            found += _same(same, digits, width)
            starts[hunk.number] = len(found)
        place = seen.places[index] if index < len(seen.places) else ""
        found.append(_head(hunk, len(seen.hunks), place, marks, current, width, answers=answers))
        if not whole:
            found += _same(_trimmed(same, first=True), digits, width)
        found += _changed(before[a0:a1], after[b0:b1], hunk, digits, width)
        at = a1
        end = len(before) if whole and index == len(seen.hunks) - 1 else at
        if not whole:
            following = seen.hunks[index + 1].span[0] if index + 1 < len(seen.hunks) else len(before)
            end = min(at + AROUND, following)
        shift = b1 - a1
        rest = [(line + shift + 1, before[line]) for line in range(at, end)]
        found += _same(rest if whole else _trimmed(rest, first=False), digits, width)
        at = max(at, end)
        if not whole:
            found.append(Line(()))
    if not seen.hunks:
        found += _same([(number, line) for number, line in enumerate(after, 1)], digits, width)
    return found, starts


def live_lines(text: str, width: int) -> list[Line]:
    """A text that is being written, wrapped, with the cursor at its end."""
    found = []
    for line in text.split("\n"):
        for start, end in places(line, max(8, width - 4)):
            found.append(Line(((f"  {clean(line[start:end])}", "", ""),)))
    if found:
        found[-1] = Line((*found[-1].spans, ("▍", "accent", "")))
    return found


def _head(
    hunk: Hunk, many: int, place: str, marks: Marks, current: int, width: int, *, answers: bool
) -> Line:
    here = hunk.number == current
    ground = "selected" if here else ""
    left: list[tuple[str, str, str]] = [
        (f" {'▸' if here else ' '} change {hunk.number} of {many}", "b" if here else "quiet", ground)
    ]
    a0, _, b0, b1 = hunk.span
    line = b0 + 1 if b1 > b0 else a0 + 1
    where = f"  {clean(place)} · line {line}" if place else f"  line {line}"
    left.append((where, "quiet", ground))
    right: list[tuple[str, str, str]] = []
    taken = marks.taken.get(hunk.number)
    if taken:
        right = [("✓ taken ", "good b", ground)]
    elif taken is False:
        said = marks.why.get(hunk.number)
        why = f" {clean(said.text)}" if said is not None else ""
        right = [("✗ refused", "bad b", ground), (f"{why} ", "", ground)]
    elif answers and here:
        right = [
            ("y ", "key", ground),
            ("take  ", "quiet", ground),
            ("r ", "key", ground),
            ("refuse ", "quiet", ground),
        ]
    room = width - sum(cell_len(text) for text, _, _ in left) - 2
    right = _cut(right, max(0, room))
    gap = width - sum(cell_len(text) for text, _, _ in (*left, *right))
    return Line((*left, (" " * max(1, gap), "", ground), *right), hunk.number, ground)


def _cut(spans: list[tuple[str, str, str]], width: int) -> list[tuple[str, str, str]]:
    out: list[tuple[str, str, str]] = []
    for text, role, ground in spans:
        if cell_len(text) > width:
            shown = ""
            for character in text:
                if cell_len(shown + character) >= width:
                    break
                shown += character
            return [*out, (shown + "…", role, ground)] if width > 1 else out
        out.append((text, role, ground))
        width -= cell_len(text)
    return out


def _trimmed(lines: list[tuple[int, str]], *, first: bool) -> list[tuple[int, str]]:
    """Without the empty lines at the far end of what stands around a change."""
    lines = list(lines)
    while lines and not lines[0 if first else -1][1].strip():
        lines.pop(0 if first else -1)
    return lines


def _same(lines: Sequence[tuple[int, str]], digits: int, width: int) -> list[Line]:
    found = []
    for number, line in lines:
        found += _numbered(f"{number:>{digits}}", " ", _bare(line), (), digits, width, "", "quiet", None)
    return found


def _changed(removed: Sequence[str], added: Sequence[str], hunk: Hunk, digits: int, width: int) -> list[Line]:
    rows = facing("".join(_ended(removed)), "".join(_ended(added)), context=None)
    found: list[Line] = []
    a0, _, b0, _ = hunk.span
    for sign, ground, first, side, role in (
        ("\N{MINUS SIGN}", "removed", a0, "left", "del"),
        ("+", "added", b0, "right", "add"),
    ):
        for row in rows:
            each = getattr(row, side)
            if each is None or row.kind == "gap":
                continue
            number = f"{first + each.number:>{digits}}"
            marks = each.marks if row.kind == "changed" else ()
            found += _numbered(number, sign, each.text, marks, digits, width, ground, role, hunk.number)
    return found


def _ended(lines: Sequence[str]) -> list[str]:
    """Each with a line break, so that a last line without one is compared like the others."""
    return [line if line.endswith("\n") else line + "\n" for line in lines]


def _numbered(
    number: str,
    sign: str,
    text: str,
    marks: Ranges,
    digits: int,
    width: int,
    ground: str,
    role: str,
    hunk: int | None,
) -> list[Line]:
    """A line with its number and sign, wrapped; marked words stand out."""
    room = max(8, width - digits - 5)
    found = []
    text_role = role if ground == "" else ""
    for index, (start, end) in enumerate(places(text, room)):
        head = number if index == 0 else " " * digits
        spans: list[tuple[str, str, str]] = [
            (f" {head} ", "quiet", ground),
            (f"{sign if index == 0 else ' '} ", f"{role} b" if ground else "quiet", ground),
        ]
        for part, marked in _parts(text, marks, start, end):
            spans.append(
                (clean(part), f"{role} b" if marked else text_role, f"{ground}-word" if marked else ground)
            )
        found.append(Line(tuple(spans), hunk, ground))
    return found


def _parts(text: str, marks: Ranges, start: int, end: int) -> list[tuple[str, bool]]:
    found: list[tuple[str, bool]] = []
    at = start
    for low, high in marks:
        first, last = max(low, start), min(high, end)
        if first >= last:
            continue
        if first > at:
            found.append((text[at:first], False))
        found.append((text[first:last], True))
        at = last
    if at < end:
        found.append((text[at:end], False))
    return found


def places(text: str, width: int) -> list[tuple[int, int]]:
    """Where a line is broken into parts of at most `width` cells: after spaces, else anywhere."""
    if cell_len(text) <= width:
        return [(0, len(text))]
    found = []
    start = at = size = 0
    space = -1
    while at < len(text):
        cells = 4 if text[at] == "\t" else get_character_cell_size(text[at])
        if size + cells > width and at > start:
            end = space + 1 if space >= start else at
            found.append((start, end))
            start, space = end, -1
            at, size = end, 0
            continue
        if text[at] == " ":
            space = at
        size += cells
        at += 1
    return [*found, (start, len(text))]


def _bare(line: str) -> str:
    return line.removesuffix("\n").removesuffix("\r")


# --- answers ------------------------------------------------------------------------------------------


def hunks_answer(marks: Marks, hunks: Sequence[Hunk]) -> Answer:
    """Which changes are taken, and why others are not."""
    taken = [hunk.number for hunk in hunks if marks.taken.get(hunk.number)]
    first = "all" if len(taken) == len(hunks) else "none" if not taken else ranges(taken)
    said = {number: _one_part(marks.why[number].text) for number in marks.refused if number in marks.why}
    why = [f"{number}: {text}" for number, text in said.items() if text]
    general = "; ".join(_one_part(said.text) for said in marks.general)
    return Answer("; ".join([first, *why]), general or None)


def _one_part(text: str) -> str:
    """A reason where a semicolon would begin the next one."""
    return " ".join(text.replace(";", ",").split())


def ranges(numbers: Sequence[int]) -> str:
    """`1-3,5` of 1, 2, 3, 5."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and parts[-1][-1] == number - 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ",".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)


def reasons(marks: Marks, seen: Reviewed) -> list[tuple[Said, str]]:
    """All reasons with the place each is about."""
    found = []
    by_number = {hunk.number: at for at, hunk in enumerate(seen.hunks)}
    for number in marks.refused:
        at = by_number.get(number)
        said = marks.why.get(number, Said(f"change {number} is not right"))
        found.append((said, "" if at is None else place_of(seen, at)))
    return [*found, *((said, "") for said in marks.general)]


def place_of(seen: Reviewed, at: int) -> str:
    """`Threads, line 12`."""
    a0, _, b0, b1 = seen.hunks[at].span
    line = f"line {b0 + 1 if b1 > b0 else a0 + 1}"
    piece = seen.places[at].replace("[", "(").replace("]", ")") if at < len(seen.places) else ""
    return f"{piece}, {line}" if piece else line


def verdict_answer(said: Sequence[tuple[Said, str]], back_to: str | None, *, comment: bool = False) -> Answer:
    """Approve, send back with reasons, or let it pass with remarks."""
    lines = []
    for each, where in said:
        text = " ".join(each.text.split()) or each.kind
        lines.append(f"({each.kind}) {text}" + (f" [{where[:180]}]" if where else ""))
    if not lines:
        return Answer("approve")
    if comment:
        return Answer("comment", "\n".join(lines))
    return Answer(f"reject to {back_to}" if back_to else "reject", "\n".join(lines))


def question_words(seen: Reviewed, marks: Marks) -> tuple[list[Span], list[Span]]:
    """The line under the changes: what is asked, and how far one is."""
    gate = seen.gate
    if gate is None:
        return [], []
    total = len(seen.hunks)
    if not total:
        right: list[Span] = [("nothing differs ", "quiet")]
    else:
        done = total - len(marks.open(seen.hunks))
        right = [(f"{done} of {total} decided", "good" if done == total else "quiet")]
        if marks.refused:
            right.append((f" · {len(marks.refused)} refused", "bad"))
        right.append((" ", ""))
    if marks.general:
        right.insert(0, (f"{count(len(marks.general), 'reason')} · ", "bad"))
    question = " ".join(gate.question.split())
    if gate.kind == "hunks":
        question = f"Which of @{gate.context.get('agent')}'s changes do you take?"
    return [(" ? ", "warn b"), (clean(question), "b")], right
