"""One run in full: its questions, its steps as a tree with who works on them, who waits for what, and its costs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from msgspec import Struct, field

from flowide.patterns import lazy
from flowide.text import one_line
from flowide.tui.views.actors import colour_of, worker_of
from flowide.tui.views.budget import cost_rows, spent_words
from flowide.tui.views.runs import SIGNS, STOPPED, Item, run_sign, status_word
from flowide.tui.views.snapshot import Snapshot
from flowide.tui.views.spans import Row, Span, clean, fit, lines_of
from flowide.tui.views.words import between, clock_time, count, dollars, duration, minutes

if TYPE_CHECKING:
    from flowide.domain import rows
    from flowide.flows.api import Budget
    from flowide.space.queries import RunView

BOOKKEEPING = frozenset({"base", "saved", "handed-over", "opened", "verdict", "gate"})
"""Last parts of keys under which a step notes something for a resume; they are shown on demand."""
_ROUND = lazy(r"(.+)#(\d+)")
_BARS = "▁▂▃▄▅▆▇█"
TOOL = "tool.call"
"""Kind of a step that is the call of a tool; its live text says how far the tool is."""
LOOK_S = 0.4
"""Seconds between looks that are counted."""


class Going(Struct):
    """How an answer that is being written comes along."""

    sizes: list[tuple[float, int]] = field(default_factory=list)
    """Seconds on a clock, and characters then."""

    def note(self, at: float, size: int) -> None:
        """Another look at it; looks that follow each other closely say nothing about its speed."""
        if self.sizes and at - self.sizes[-1][0] < LOOK_S:
            return
        self.sizes = [*self.sizes[-8:], (at, size)]

    @property
    def rates(self) -> list[float]:
        """Characters a second between the looks."""
        pairs = zip(self.sizes, self.sizes[1:], strict=False)
        return [max(0, b - a) / (then - before) for (before, a), (then, b) in pairs if then > before]

    @property
    def words(self) -> str:
        """`▂▅▇ 41 tok/s`; empty before there is something to tell."""
        rates = self.rates
        most = max(rates, default=0)
        if most <= 0:
            return ""
        drawn = "".join(_BARS[min(7, round(rate / most * 7))] for rate in rates[-6:])
        return f"{drawn} {round(sum(rates[-3:]) / len(rates[-3:]) / 4)} tok/s"


class _Node(Struct):
    """A step, or a part of the run that has steps."""

    name: str
    path: str
    step: rows.Step | None = None
    below: dict[str, _Node] = field(default_factory=dict)


def run_title(view: RunView, now: datetime, bounds: Budget | None = None) -> tuple[list[Span], list[Span]]:
    """The top line of the run view: flow, state; who began it, time, cost against budget."""
    sign, role = run_sign(view)
    left: list[Span] = [
        (" run ", "quiet"),
        (clean(view.run.flow), "b"),
        (f"  {view.run.id[:8]}  ", "quiet"),
        (f"{sign} {status_word(view)}", role),
    ]
    parts = [f"started by {clean(view.run.actor)}"]
    if view.run.finished is not None or not view.alive:
        parts.append(duration(between(view.run.started, view.run.finished, now)))
    parts.append(spent_words(view, bounds.cost_micros if bounds is not None else None))
    return left, [(" · ".join(part for part in parts if part) + " ", "quiet")]


def run_rows(
    view: RunView,
    live: Mapping[str, str],
    book: Mapping[str, str],
    now: datetime,
    zone: tzinfo | None = None,
    *,
    width: int = 100,
    everything: bool = False,
    going: Mapping[str, Going] | None = None,
    bounds: Budget | None = None,
    state: Snapshot | None = None,
) -> list[Row]:
    """All of it; `everything` shows what steps noted for themselves, too."""
    found: list[Row] = []
    for gate in view.gates:
        if gate.status == "open":
            found += _question(gate, width)
    brief = view.run.inputs.get("brief") or view.run.options.get("brief")
    if brief:
        lines = textwrap.wrap(clean(" ".join(str(brief).split())), max(20, width - 2))
        found += [Row((("BRIEF", "quiet b"),)), *[Row(((line, ""),)) for line in lines], Row(())]
    found.append(Row((("STEPS", "quiet b"),)))
    root = _tree(view.steps, everything=everything)
    going_on = view.alive or view.run.status in {"waiting", "queued"}
    found += list(
        _node_rows(root, 0, _Writing(live if going_on else {}, going or {}, width, going_on), book, now)
    )
    if not view.steps:
        found.append(Row((("  Nothing yet.", "quiet"),)))
    found += _waits(view, state, book)
    if view.run.error:
        found += [
            Row(()),
            Row((("✗ ", "bad"), (clean(str(view.run.error.get("message", ""))), "bad"))),
            Row((("  " + clean(str(view.run.error.get("hint", ""))), "quiet"),)),
        ]
    found += [Row(()), Row((("COST", "quiet b"),)), *cost_rows(view, book, bounds)]
    answered = [gate for gate in view.gates if gate.status == "answered"]
    if answered:
        found += [Row(()), Row((("ANSWERED", "quiet b"),)), *[_answer(gate, book, zone) for gate in answered]]
    return found


def _question(gate: rows.Gate, width: int) -> list[Row]:
    lines = textwrap.wrap(clean(" ".join(gate.question.split())), max(20, width - 4)) or ["A question"]
    found = [
        Row((("? ", "warn b"), (lines[0], "b")), (("a", "key"), (" answers", "quiet")), Item("gate", gate.id))
    ]
    found += [Row((("  ", ""), (line, "b"))) for line in lines[1:]]
    return [*found, Row(())]


def _answer(gate: rows.Gate, book: Mapping[str, str], zone: tzinfo | None) -> Row:
    by = gate.by or "?"
    left: tuple[Span, ...] = (
        ("  ✓ ", "good"),
        (clean(" ".join(gate.question.split()))[:60], "quiet"),
        ("  ", ""),
        (clean(by), colour_of(book, by)),
        (f" {clean(' '.join((gate.answer or '').split()))[:60]}", ""),
    )
    return Row(left, ((clock_time(gate.ts, zone), "quiet"),))


# --- the tree -----------------------------------------------------------------------------------------


def _tree(steps: Sequence[rows.Step], *, everything: bool) -> _Node:
    root = _Node("", "")
    for step in steps:
        last = step.key.rpartition("/")[2]
        plain = step.status == "completed" and not step.result.get("agent") and not step.error
        if not everything and plain and last in BOOKKEEPING:
            continue
        node = root
        for part in step.key.split("/"):
            path = f"{node.path}/{part}" if node.path else part
            node = node.below.setdefault(part, _Node(part, path))
        node.step = step
    return root


class _Writing(Struct, frozen=True):
    """What is being written, and cells to show it in."""

    live: Mapping[str, str]
    going: Mapping[str, Going]
    width: int
    going_on: bool
    """Whether the run is driven, or waits."""


def _node_rows(
    node: _Node,
    depth: int,
    writing: _Writing,
    book: Mapping[str, str],
    now: datetime,
) -> Iterator[Row]:
    for child in node.below.values():
        indent = "  " * (depth + 1)
        if child.step is None:
            working = any(step.status == "started" for step in _steps(child))
            role = "" if working else "quiet"
            yield Row(((f"{indent}{'▾'} ", "quiet"), (_label(child.name, node), role)))
        else:
            yield _step_row(
                child.step, _label(child.name, node), indent, book, now, going_on=writing.going_on
            )
            yield from _more(child.step, indent, writing, book)
        yield from _node_rows(child, depth + 1, writing, book, now)


def _steps(node: _Node) -> Iterator[rows.Step]:
    if node.step is not None:
        yield node.step
    for child in node.below.values():
        yield from _steps(child)


def _label(name: str, parent: _Node) -> str:
    """`round 2` of a part that is gone through again, else the name as it is."""
    match = _ROUND.fullmatch(name)
    if match is None:
        return clean(name)
    sibling = parent.below.get(match[1])
    kind = sibling.step.kind if sibling is not None and sibling.step is not None else ""
    return f"round {match[2]}" if kind in {"repeat", "review", "discuss"} else clean(name)


def _step_row(
    step: rows.Step, label: str, indent: str, book: Mapping[str, str], now: datetime, *, going_on: bool
) -> Row:
    sign, role = SIGNS.get(step.status, ("○", "quiet"))
    if step.status == "started" and not going_on:
        sign, role = STOPPED
    left: list[Span] = [(f"{indent}{sign} ", role), (label, "b" if step.status == "started" else "")]
    agent = step.result.get("agent")
    if agent:
        left += [("  ", ""), (clean(str(agent)), colour_of(book, str(agent)))]
    if step.kind == TOOL and step.result.get("tool"):
        left += [("  ", ""), (clean(str(step.result["tool"])), "secondary")]
    summary = _result_words(step.result)
    if summary:
        left += [(f"  {summary}", "quiet")]
    if step.attempt > 1:
        left += [(f"  attempt {step.attempt}", "warn")]
    took = "" if step.status == "started" else duration(between(step.started, step.finished, now))
    cost = dollars(step.usage.get("cost_micros"))
    return Row(tuple(left), ((f"{cost}  " if cost else "", "quiet"), (took, "quiet")), Item("step", step.key))


def _more(step: rows.Step, indent: str, writing: _Writing, book: Mapping[str, str]) -> Iterator[Row]:
    """The last words of a step that writes, how fast they come, and why a step failed."""
    colour = colour_of(book, worker_of(step))
    text = writing.live.get(step.key, "")
    if step.kind == TOOL:
        if step.status == "started" and text:
            yield Row(((f"{indent}  ", ""), *_progress(step, text, writing.width - len(indent) - 3)))
    elif step.status == "started" and text:
        speed = writing.going[step.key].words if step.key in writing.going else ""
        room = max(12, writing.width - len(indent) - len(speed) - 9)
        last = clean(" ".join(text[-2 * room :].split()))[-room:]
        yield Row(
            ((f"{indent}  ", ""), (last, "quiet i"), ("▍", colour)), ((speed, colour),) if speed else ()
        )
    if step.error:
        yield Row(((f"{indent}   ", ""), (clean(str(step.error.get("message", step.error))), "bad")))


def _progress(step: rows.Step, text: str, room: int) -> list[Span]:
    """`git/log 40 %  receiving objects`"""
    name = clean(str(step.result.get("tool") or ""))
    share, sign, said = one_line(text).partition(" %")
    told = [(f" {share} %", "accent"), (said, "quiet i")] if sign else [(f" {share}", "quiet i")]
    return fit([(name, "secondary"), *told], max(12, room), pad=False)


def _result_words(result: Mapping[str, object]) -> str:
    if isinstance(result.get("number"), int):
        return f"→ variation {result['number']}"
    if isinstance(result.get("version"), int):
        return f"→ v{result['version']}"
    if isinstance(result.get("rounds"), int):
        return count(int(str(result["rounds"])), "round")
    if isinstance(result.get("status"), str):
        return clean(str(result["status"]))
    return ""


def _waits(view: RunView, state: Snapshot | None, book: Mapping[str, str]) -> list[Row]:
    """Agents of the run that stand in line for a lock."""
    if state is None or view.run.status != "running":
        return []
    workers = {str(step.result.get("agent")) for step in view.steps if step.result.get("agent")}
    found = []
    for lock in state.locks:
        for ticket in lock.queue:
            if ticket.actor not in workers:
                continue
            holder = lock.lock.actor or "?"
            left = "" if lock.expires_ms is None else f", {minutes(lock.expires_ms)} left"
            found.append(
                Row(
                    (
                        ("  ◐ ", "warn"),
                        (clean(ticket.actor), colour_of(book, ticket.actor)),
                        (" waits for the lock of ", "quiet"),
                        (clean(lock.path), ""),
                        (f" ({clean(holder)}{left})", "quiet"),
                    )
                )
            )
    return [Row(()), Row((("WAITS", "warn b"),)), *found] if found else []


def step_lines(step: rows.Step, live: str) -> list[list[Span]]:
    """What a step gave, in full: its result, what went wrong, what it is writing."""
    lines: list[list[Span]] = [
        [(step.kind, "quiet"), (f"  {step.status}", ""), (f"  {step.actor or ''}", "b")]
    ]
    for name, value in step.result.items():
        lines += [[], [(clean(name), "accent")]]
        lines += [[("  " + line, "")] for line in lines_of(str(value))[:200]]
    if step.error:
        lines += [[], [(clean(str(step.error.get("message", ""))), "bad")]]
        lines += [[(clean(str(step.error.get("hint", ""))), "quiet")]]
    if live:
        lines += [[], *[[(line, "")] for line in lines_of(live)]]
    return lines
