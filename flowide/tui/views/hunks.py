"""Changes one by one: what a person says about each, and the answer that comes of it all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

from flowide.flows.reviewing.hunks import Hunk
from flowide.tui.views.gates import Answer
from flowide.tui.views.spans import Span, clean
from flowide.tui.views.words import count

if TYPE_CHECKING:
    from flowide.tui.views.review import Reviewed

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
