"""A review: its stages as one line, what was said on the way, and the question that waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from flowide.flows.reviewing.hunks import Hunk
from flowide.patterns import lazy
from flowide.tui.views.actors import colour_of
from flowide.tui.views.budget import spent_words
from flowide.tui.views.runs import run_sign, status_word
from flowide.tui.views.spans import Row, Span, clean, fit, shorten_path, width_of
from flowide.tui.views.thread import wrapped
from flowide.tui.views.words import between, clock_time, count, dollars, duration

if TYPE_CHECKING:
    from flowide.domain import rows
    from flowide.space.queries import Remembered, ReviewView, RunView

PERSON = "person"
LEAST_CELL = 22
"""Cells a stage needs for who did it; with fewer only its name is shown."""
_KEY = lazy(r"#(\d+)/([^/]+)/(judge|write|gate|verdict)")

State = Literal["done", "working", "waits", "stopped", "back", "ahead", "refused"]
SIGNS: dict[State, Span] = {
    "done": ("✓", "good"),
    "working": ("◐", "accent"),
    "waits": ("?", "warn"),
    "stopped": ("○", "warn"),
    "back": ("✗", "bad"),
    "refused": ("✗", "bad"),
    "ahead": ("○", "quiet"),
}


class Reviewed(Struct, frozen=True, kw_only=True):
    """What is known of a review at one moment."""

    view: ReviewView | None
    """None = no version was handed on yet, or an agent writes outside of a review."""
    run: RunView | None
    gate: rows.Gate | None
    """The open question: which changes to take, or what is thought of a version."""
    path: str
    live: Mapping[str, str] = {}
    """What its steps are writing, by key."""
    remembered: tuple[Remembered, ...] = ()
    """Why texts of this kind were sent back before."""
    before: str = ""
    after: str = ""
    base: int = 0
    """Version of `before`."""
    version: int = 0
    """Version of `after`; 0 = it is proposed and not saved."""
    hunks: tuple[Hunk, ...] = ()
    places: tuple[str, ...] = ()
    """The piece each change is in; empty = none."""


class StageView(Struct, frozen=True):
    """One stage, as the line shows it."""

    name: str
    by: str
    state: State
    words: str = ""
    """What came of it: `v4 · 2 refused`."""
    took: int = 0
    """Milliseconds of its calls."""
    cost: int = 0
    """Millionths of a dollar."""


def stages(seen: Reviewed, now: datetime) -> list[StageView]:
    """The stages in order, with where the text is now."""
    if seen.view is None:
        return []
    review = seen.view.review
    names = [str(stage["stage"]) for stage in review.stages]
    at = _place(seen, names)
    found = []
    for index, stage in enumerate(review.stages):
        name, by = names[index], str(stage["by"])
        state = _state(seen, index, at, name)
        took, cost = _effort(seen, name, now)
        found.append(StageView(name, by, state, _stage_words(seen, name, state), took, cost))
    return found


def _place(seen: Reviewed, names: Sequence[str]) -> int:
    """Index of the stage the text is at; the number of stages once it has passed all."""
    assert seen.view is not None
    if seen.view.review.status == "approved":
        return len(names)
    here = _active_stage(seen)
    if here in names:
        return names.index(here)
    told: list[tuple[int, str, str, str | None]]
    told = [(each.seq, "handed", each.stage, None) for each in seen.view.handovers]
    told += [(each.seq, each.verdict, each.stage, each.back_to) for each in seen.view.verdicts]
    if not told:
        return 0
    _, what, stage, back_to = max(told, key=lambda each: each[0])
    if what == "reject":
        if seen.view.review.status == "rejected":
            return names.index(stage) if stage in names else 0
        return names.index(back_to) if back_to in names else 0
    return min(len(names) - 1, names.index(stage) + 1) if stage in names else 0


def _active_stage(seen: Reviewed) -> str:
    """The stage that asks or works now."""
    if seen.gate is not None and seen.gate.step:
        match = _KEY.search(seen.gate.step)
        if match is not None:
            return match[2]
    if seen.run is not None:
        for step in reversed(seen.run.steps):
            match = _KEY.search(step.key)
            if match is not None and step.status == "started":
                return match[2]
    return ""


def _state(seen: Reviewed, index: int, at: int, name: str) -> State:
    assert seen.view is not None
    review, verdicts = seen.view.review, seen.view.verdicts
    if index < at:
        return "done"
    if index > at:
        last = next((each for each in reversed(verdicts) if each.stage == name), None)
        return "back" if last is not None and last.verdict == "reject" else "ahead"
    if review.status == "rejected":
        return "refused"
    if seen.gate is not None:
        return "waits"
    run = seen.run
    if run is not None and run.run.status == "running" and run.alive:
        return "working"
    return "stopped"


def _effort(seen: Reviewed, name: str, now: datetime) -> tuple[int, int]:
    """Milliseconds and cost of the calls of a stage, all rounds together."""
    took = cost = 0
    for step in seen.run.steps if seen.run is not None else []:
        match = _KEY.search(step.key)
        if match is not None and match[2] == name and step.result.get("agent"):
            took += max(1, between(step.started, step.finished, now))
            cost += int(step.usage.get("cost_micros") or 0)
    return took, cost


def _stage_words(seen: Reviewed, name: str, state: State) -> str:
    assert seen.view is not None
    handed = [each for each in seen.view.handovers if each.stage == name]
    said = [each for each in seen.view.verdicts if each.stage == name]
    if state == "waits":
        return "waits for you" if _asks_hunks(seen) else f"v{seen.version} waits for you"
    if state == "working":
        words = sum(len(text.split()) for key, text in seen.live.items() if f"/{name}/" in key)
        return f"writing · {count(words, 'word')}" if words else "at work"
    if state == "stopped":
        return "stopped, can go on"
    parts: list[str] = []
    last = said[-1] if said else None
    if last is not None and last.verdict == "reject":
        parts.append(f"v{last.version} sent back · {count(len(last.reasons), 'reason')}")
    elif last is not None:
        parts.append(f"v{last.version} {'approved' if last.verdict == 'approve' else 'commented'}")
    if handed and state == "done":
        newest = handed[-1]
        changed = newest.version != newest.base
        parts.append(f"v{newest.version}" + ("" if changed or newest.version == 1 else " unchanged"))
        if newest.refused:
            parts.append(f"{len(newest.refused)} refused")
    return " · ".join(parts)


def _asks_hunks(seen: Reviewed) -> bool:
    return seen.gate is not None and seen.gate.kind == "hunks"


def pipeline(found: Sequence[StageView], book: Mapping[str, str], width: int) -> list[list[Span]]:
    """Two lines: the stages one after the other, and what came of each; as much as there is room for."""
    if not found:
        return [[("  one agent writes, you say what is taken", "quiet")], []]
    cell = (width - 2) // len(found)
    first: list[Span] = [("  ", "")]
    second: list[Span] = [("  ", "")]
    for index, stage in enumerate(found):
        sign, role = SIGNS[stage.state]
        here = stage.state in {"waits", "working", "stopped", "refused"}
        spans: list[Span] = [(f"{sign} ", role), (clean(stage.name), "b" if here else "")]
        if cell >= LEAST_CELL:
            who = "you" if stage.by == PERSON else clean(stage.by)
            spans.append((f"  {who}", "" if stage.by == PERSON else colour_of(book, stage.by)))
            effort = [duration(stage.took)] if stage.took else []
            effort += [dollars(stage.cost)] if stage.cost else []
            if effort:
                spans.append((f" {' '.join(effort)}", "quiet"))
        size = cell if index < len(found) - 1 else width - 2 - cell * (len(found) - 1)
        shown = fit(spans, size - 2, pad=False)
        rest = size - width_of(shown)
        line = " " + "─" * (rest - 2) + " " if index < len(found) - 1 and rest > 2 else " " * rest
        first += [*shown, (line, "hairline")]
        words: list[Span] = [("  ", ""), (stage.words, "warn" if stage.state == "waits" else "quiet")]
        second += fit(words, size)
    if cell < LEAST_CELL:
        now = next((each for each in found if each.state in {"waits", "working", "stopped", "refused"}), None)
        second = [("  ", "")]
        if now is not None:
            who = "you" if now.by == PERSON else now.by
            second += [(clean(who), colour_of(book, now.by) if now.by != PERSON else "b"), ("  ", "")]
            second.append((now.words, "warn" if now.state == "waits" else "quiet"))
    return [first, second]


def title(
    seen: Reviewed | None, now: datetime, width: int, *, budget: int | None = None
) -> tuple[list[Span], list[Span]]:
    """The top line: what is reviewed, its version and round; the run, what it has cost."""
    if seen is None:
        return [(" review", "accent b")], []
    review = None if seen.view is None else seen.view.review
    right: list[Span] = []
    if seen.run is not None:
        sign, role = run_sign(seen.run)
        words = status_word(seen.run)
        cost = spent_words(seen.run, budget)
        right = [(f"{sign} {words}", role), (f" · {cost} " if cost else " ", "quiet")]
    left: list[Span] = [(" review ", "quiet"), (shorten_path(clean(seen.path), max(14, width // 2)), "b")]
    if review is not None:
        left.append((f"  v{max(review.version, seen.version)}", ""))
        left.append((f"  round {max(1, review.round)} of {review.rounds}", "quiet"))
        if review.status != "open":
            left.append((f"  {review.status}", "good b" if review.status == "approved" else "bad b"))
    return left, right


def said_rows(seen: Reviewed, book: Mapping[str, str], width: int, zone: tzinfo | None = None) -> list[Row]:
    """What was handed on and said, newest first, with the reasons."""
    if seen.view is None:
        return [Row((("Nothing was handed on yet.", "quiet"),))]
    entries = [(each.seq, _handed_rows(each, book, width, zone)) for each in seen.view.handovers]
    entries += [(each.seq, _verdict_rows(each, book, width, zone)) for each in seen.view.verdicts]
    found: list[Row] = []
    if seen.view.review.brief:
        found.append(Row((("BRIEF", "quiet b"),)))
        found += [
            Row(((part, ""),)) for part in wrapped(clean(" ".join(seen.view.review.brief.split())), width - 1)
        ]
        found.append(Row(()))
    found.append(Row((("SAID", "quiet b"),)))
    for _, rows_ in sorted(entries, key=lambda each: -each[0]):
        found += [*rows_, Row(())]
    if not entries:
        found.append(Row((("Nothing yet.", "quiet"),)))
    return found


def _handed_rows(each: rows.Handover, book: Mapping[str, str], width: int, zone: tzinfo | None) -> list[Row]:
    if each.base == each.version and each.version > 1:
        what = f"left v{each.version} as it is"
    else:
        what = f"wrote v{each.version}"
    left: tuple[Span, ...] = (
        ("→ ", "quiet"),
        (clean(each.author), colour_of(book, each.author)),
        (f" {what}", ""),
    )
    found = [
        Row(left, ((f"{each.stage} {each.round} {clock_time(each.ts, zone)}", "quiet"),), ("v", each.number))
    ]
    for refused in each.refused:
        why = clean(str(refused.get("why") or "no reason given"))
        found += _reason_rows("refused", why, f"change {refused.get('hunk')}", width)
    return found


def _verdict_rows(each: rows.Verdict, book: Mapping[str, str], width: int, zone: tzinfo | None) -> list[Row]:
    sign, role, word = {
        "approve": ("✓", "good", "approved"),
        "reject": ("✗", "bad", "sent back"),
        "comment": ("·", "quiet", "commented"),
    }[each.verdict]
    left: tuple[Span, ...] = (
        (f"{sign} ", role),
        (clean(each.actor), colour_of(book, each.actor)),
        (f" {word} v{each.version}", ""),
    )
    found = [
        Row(left, ((f"{each.stage} {each.round} {clock_time(each.ts, zone)}", "quiet"),), ("s", each.number))
    ]
    if each.back_to:
        found.append(Row((("  to ", "quiet"), (clean(each.back_to), ""))))
    for reason in each.reasons:
        found += _reason_rows(
            clean(str(reason.get("kind") or "other")),
            clean(str(reason["text"])),
            clean(str(reason.get("where") or "")),
            width,
        )
    return found


def _reason_rows(kind: str, text: str, where: str, width: int) -> list[Row]:
    lines = wrapped(" ".join(text.split()), max(12, width - 4))
    head = kind + (f" · {where}" if where else "")
    return [Row((("  ", ""), (head, "warn"))), *[Row((("  ", ""), (line, ""))) for line in lines]]
