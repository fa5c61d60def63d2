"""Runs, questions and variation sets as rows for the side pane, and one run in full."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Literal

from msgspec import Struct

from flowide.domain import rows
from flowide.space.queries import RunView
from flowide.tui.views.actors import colour_of
from flowide.tui.views.snapshot import Snapshot
from flowide.tui.views.spans import Row, Span, clean, lines_of
from flowide.tui.views.words import between, clock_time, count, dollars, duration

SIGNS = {
    "running": ("◐", "accent"),
    "waiting": ("?", "warn"),
    "completed": ("✓", "good"),
    "failed": ("✗", "bad"),
    "rejected": ("✗", "bad"),
    "cancelled": ("○", "quiet"),
    "started": ("◐", "accent"),
    "skipped": ("○", "quiet"),
}
"""Sign and role of a run's or step's status."""


class Item(Struct, frozen=True):
    """Key of a row of the side pane."""

    kind: Literal["gate", "run", "set", "draft", "step"]
    ref: str


def side_rows(state: Snapshot, book: Mapping[str, str], zone: tzinfo | None = None) -> list[Row]:
    """What waits for the person first, then what runs, then the variation sets."""
    found: list[Row] = []
    if state.gates:
        found.append(Row((("QUESTIONS", "warn b"),), ((str(len(state.gates)), "warn"),)))
        for gate in state.gates:
            found += _gate_rows(gate, state)
        found.append(Row(()))
    if state.drafts:
        found.append(Row((("KEPT DRAFTS", "quiet b"),)))
        paths = {artifact.id: artifact.path for artifact in state.artifacts}
        for draft in state.drafts[:3]:
            name = paths.get(draft.artifact, "?").rsplit("/", 1)[-1]
            left: tuple[Span, ...] = (("□ ", "warn"), (clean(name), ""), (f"  {clean(draft.actor)}", "quiet"))
            found.append(Row(left, ((clock_time(draft.ts, zone), "quiet"),), Item("draft", draft.id)))
        found.append(Row(()))
    found.append(Row((("VARIATIONS", "quiet b"),), (("v new", "quiet"),)))
    for group in state.sets[:8]:
        found += _set_rows(group, state)
    if not state.sets:
        found.append(Row((("None yet. Press ", "quiet"), ("v", "key"), (" to have some made.", "quiet"))))
    found += [Row(()), Row((("RUNS", "quiet b"),))]
    for view in state.runs[:8]:
        found += _run_rows(view, zone)
    if not state.runs:
        found.append(Row((("Nothing has run yet.", "quiet"),)))
    return found


def _gate_rows(gate: rows.Gate, state: Snapshot) -> list[Row]:
    question = clean(gate.question.split("\n", 1)[0])
    return [Row((("? ", "warn b"), (question, "")), (), Item("gate", gate.id))]


def _set_rows(group: rows.VariationSet, state: Snapshot) -> list[Row]:
    words = f"{group.count}\N{MULTIPLICATION SIGN}" if group.count else "…"
    run = state.run_of(group.run)
    alive = run is not None and run.run.status == "running"
    sign: Span = ("◐ ", "accent") if alive else ("▤ ", "quiet")
    detail = f"round {group.round}" if group.round > 1 else ""
    return [
        Row(
            (sign, (clean(group.title), ""), (f"  {detail}" if detail else "", "quiet")),
            ((words, "secondary"),),
            Item("set", group.id),
        )
    ]


def _run_rows(view: RunView, zone: tzinfo | None) -> list[Row]:
    run = view.run
    sign, role = run_sign(view)
    done = sum(step.status == "completed" for step in view.steps)
    word = f"{done} steps" if run.status == "running" and view.alive else status_word(view)
    left: tuple[Span, ...] = ((f"{sign} ", role), (clean(run.flow), ""), (f"  {word}", "quiet"))
    return [Row(left, ((clock_time(run.started, zone), "quiet"),), Item("run", run.id))]


def run_sign(view: RunView) -> Span:
    """The sign of a run; one whose process is gone shows as stopped."""
    if view.run.status == "running" and not view.alive:
        return ("○", "warn")
    return SIGNS[view.run.status]


def status_word(view: RunView) -> str:
    """The state of a run in words."""
    if view.run.status == "running" and not view.alive:
        return "stopped, can go on"
    if view.run.status == "waiting":
        return "waits for an answer"
    if view.run.status == "completed":
        return "done"
    return view.run.status


def run_title(view: RunView, now: datetime) -> tuple[list[Span], list[Span]]:
    """The top line of the run view: flow, state; time, tokens, cost."""
    sign, role = run_sign(view)
    left: list[Span] = [
        (" run ", "quiet"),
        (clean(view.run.flow), "b"),
        (f"  {view.run.id[:8]}  ", "quiet"),
        (f"{sign} {status_word(view)}", role),
    ]
    spent = between(view.run.started, view.run.finished, now)
    usage = [step.usage for step in view.steps]
    tokens = sum(int(each.get("input_tokens") or 0) + int(each.get("output_tokens") or 0) for each in usage)
    cost = sum(int(each.get("cost_micros") or 0) for each in usage)
    parts = [f"started by {clean(view.run.actor)}"]
    if view.run.finished is not None or not view.alive:
        parts.append(duration(spent))
    if tokens:
        parts.append(count(tokens, "token"))
    if cost:
        parts.append(dollars(cost))
    return left, [(" · ".join(parts) + " ", "quiet")]


def run_rows(
    view: RunView,
    live: Mapping[str, str],
    book: Mapping[str, str],
    now: datetime,
    zone: tzinfo | None = None,
) -> list[Row]:
    """The steps of a run, each with who works on it and how it ended; a working step shows its last words."""
    found: list[Row] = []
    brief = view.run.inputs.get("brief") or view.run.options.get("brief")
    if brief:
        found += [Row((("BRIEF", "quiet b"),)), Row(((clean(" ".join(str(brief).split())), ""),)), Row(())]
    found.append(Row((("STEPS", "quiet b"),)))
    for step in view.steps:
        found.append(_step_row(step, book, now, zone))
        if step.status == "started" and live.get(step.key):
            last = clean(" ".join(live[step.key][-300:].split()))
            found.append(Row((("     ▍ ", colour_of(book, step.actor or "")), (last[-160:], "quiet i"))))
        if step.error:
            found.append(Row((("     ", ""), (clean(str(step.error.get("message", step.error))), "bad"))))
    if not view.steps:
        found.append(Row((("Nothing yet.", "quiet"),)))
    if view.run.error:
        found += [
            Row(()),
            Row((("✗ ", "bad"), (clean(str(view.run.error.get("message", ""))), "bad"))),
            Row((("  " + clean(str(view.run.error.get("hint", ""))), "quiet"),)),
        ]
    opened = [gate for gate in view.gates if gate.status == "open"]
    for gate in opened:
        found += [Row(()), Row((("? ", "warn b"), (clean(gate.question), "")), (), Item("gate", gate.id))]
    return found


def _step_row(step: rows.Step, book: Mapping[str, str], now: datetime, zone: tzinfo | None) -> Row:
    sign, role = SIGNS.get(step.status, ("○", "quiet"))
    left: list[Span] = [(f"  {sign} ", role), (clean(step.key), "")]
    if step.actor:
        left += [("  ", ""), (clean(step.actor), colour_of(book, step.actor))]
    summary = _result_words(step.result)
    if summary:
        left += [(f"  {summary}", "quiet")]
    if step.attempt > 1:
        left += [(f"  attempt {step.attempt}", "warn")]
    took = "" if step.status == "started" else duration(between(step.started, step.finished, now))
    cost = dollars(step.usage.get("cost_micros"))
    right: list[Span] = [(f"{cost}  " if cost else "", "quiet"), (took, "quiet")]
    return Row(tuple(left), tuple(right), Item("step", step.key))


def _result_words(result: Mapping[str, object]) -> str:
    if isinstance(result.get("number"), int):
        return f"→ variation {result['number']}"
    if isinstance(result.get("status"), str):
        return clean(str(result["status"]))
    return ""


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
