"""Runs, questions, variation sets and threads as rows for the side pane."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from flowide.text import one_line
from flowide.tui.views.actors import colour_of, looker_marks, lookers
from flowide.tui.views.snapshot import Snapshot
from flowide.tui.views.spans import Row, Span, clean, shorten_path
from flowide.tui.views.words import clock_time

if TYPE_CHECKING:
    from flowide.domain import rows
    from flowide.space.queries import RunView

SIGNS = {
    "queued": ("…", "quiet"),
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
STOPPED = ("○", "warn")
"""Of one that was begun and that nobody drives any more."""


THREADS = 6
"""Threads that are listed beside everything else."""


QUESTION = 3
"""Lines of a question that are shown here."""
WHOLE = "… ^g"
"""Behind a question that is longer: where all of it stands."""


class Item(Struct, frozen=True):
    """Key of a row of the side pane."""

    kind: Literal["gate", "run", "set", "draft", "step", "thread", "review", "decision", "lock"]
    ref: str


def side_rows(
    state: Snapshot,
    book: Mapping[str, str],
    width: int,
    *,
    guide: Sequence[str] = (),
    zone: tzinfo | None = None,
) -> list[Row]:
    """What waits for the person first, then kept drafts, variations and runs; texts wrap at `width` cells.

    `guide` are paragraphs for somebody who is here for the first time.
    """
    found: list[Row] = [_heading("START HERE", "accent b")] if guide else []
    for text in guide:
        found += [Row(((line, ""),)) for line in textwrap.wrap(text, max(12, width - 2))]
        found.append(Row(()))
    if state.gates:
        found.append(_heading("WAITS FOR YOU", "warn b", str(len(state.gates))))
        for gate in state.gates[:6]:
            found += _gate_rows(gate, state, width)
        found.append(Row(()))
    if state.drafts:
        found.append(_heading("KEPT DRAFTS", "quiet b", str(len(state.drafts))))
        paths = {artifact.id: artifact.path for artifact in state.artifacts}
        found += [_draft_row(draft, paths, book, zone) for draft in state.drafts[:4]]
        found.append(Row(()))
    found.append(_heading("VARIATIONS", "quiet b"))
    found += [_set_row(group, state) for group in state.sets[:8]]
    if not state.sets:
        found += _quiet("None yet. Open a file and press v: agents write several, side by side.", width)
    if state.reviews:
        found += [Row(()), _heading("REVIEWS", "quiet b")]
        found += [_review_row(review, state) for review in state.reviews[:4]]
    found += [Row(()), _heading("THREADS", "quiet b")]
    found += [_thread_row(thread, state, book) for thread in state.threads[:THREADS]]
    if len(state.threads) > THREADS:
        found.append(Row((("  older ones: ", "quiet"), ("T", "key"))))
    if not state.threads:
        found += _quiet("None yet. Press t to say something; @name asks an agent.", width)
    found += [Row(()), _heading("RUNS", "quiet b")]
    for view in state.runs[:8]:
        found += _run_rows(view, state, book, zone)
    if not state.runs:
        found += _quiet("Nothing has run yet.", width)
    return found


def _heading(words: str, role: str, right: str = "") -> Row:
    return Row(((words, role),), ((right, role),) if right else ())


def _quiet(text: str, width: int) -> list[Row]:
    return [Row(((line, "quiet"),)) for line in textwrap.wrap(text, max(12, width - 2))]


def _gate_rows(gate: rows.Gate, state: Snapshot, width: int) -> list[Row]:
    """The question, its beginning when it is long, and what it is about."""
    key = Item("gate", gate.id)
    room = max(12, width - 4)
    lines = textwrap.wrap(clean(" ".join(gate.question.split())), room) or ["A question"]
    found = [Row((("? ", "warn b"), (lines[0], "b")), (), key)]
    found += [Row((("  ", ""), (line, "b"))) for line in lines[1:QUESTION]]
    if len(lines) > QUESTION:
        last = textwrap.wrap(lines[QUESTION - 1], room - len(WHOLE))[0]
        found[-1] = Row((("  ", ""), (f"{last}…", "b"), (WHOLE[1:], "key")))
    group = next((each for each in state.sets if each.id == gate.context.get("set")), None)
    run = state.run_of(gate.run)
    about = group.title if group is not None else run.run.flow if run is not None else ""
    if about:
        found.append(Row((("  ", ""), (shorten_path(clean(about), max(8, width - 4)), "quiet"))))
    return found


def _draft_row(
    draft: rows.Draft, paths: Mapping[str, str], book: Mapping[str, str], zone: tzinfo | None
) -> Row:
    name = paths.get(draft.artifact, "?").rsplit("/", 1)[-1]
    left: tuple[Span, ...] = (
        ("◇ ", "warn"),
        (clean(name), ""),
        (f"  {clean(draft.actor)}", colour_of(book, draft.actor)),
    )
    return Row(left, ((clock_time(draft.ts, zone), "quiet"),), Item("draft", draft.id))


def _set_row(group: rows.VariationSet, state: Snapshot) -> Row:
    words = f"{group.count}\N{MULTIPLICATION SIGN}" if group.count else "…"
    run = state.run_of(group.run)
    alive = (
        run is not None and run.alive and run.run.status == "running" and state.gate_of_set(group.id) is None
    )
    sign: Span = ("◐ ", "accent") if alive else ("▤ ", "quiet")
    name = group.title.rsplit("/", 1)[-1]
    left: list[Span] = [sign, (clean(name), "")]
    if group.round > 1:
        left.append((f"  round {group.round}", "quiet"))
    return Row(tuple(left), ((words, "secondary"),), Item("set", group.id))


def _review_row(review: rows.Review, state: Snapshot) -> Row:
    """Where a text is on its way through the stages."""
    run = state.run_of(review.run)
    asks = any(gate.run == review.run and gate.run is not None for gate in state.gates)
    sign: Span = ("? ", "warn") if asks else ("○ ", "quiet")
    if review.status != "open":
        sign = ("✓ ", "good") if review.status == "approved" else ("✗ ", "bad")
    elif run is not None and run.alive and not asks:
        sign = ("◐ ", "accent")
    words = review.stage if review.status == "open" else review.status
    left: tuple[Span, ...] = (
        sign,
        (clean(review.path.rsplit("/", 1)[-1]), ""),
        (f"  {clean(words)}", "quiet"),
    )
    return Row(left, ((f"v{review.version}", "secondary"),), Item("review", review.id))


def _thread_row(thread: rows.Thread, state: Snapshot, book: Mapping[str, str]) -> Row:
    """What it is called, how many decisions wait in it, who spoke last and how much was said."""
    waiting = sum(decision.thread == thread.id for decision in state.decisions)
    left: list[Span] = [("› ", colour_of(book, thread.last_actor)), (one_line(thread.title, 200), "")]
    right: list[Span] = [(f"◇{waiting} ", "warn")] if waiting else []
    there = lookers(state, lambda looked: looked.thread == thread.id)
    right += [*looker_marks(there, book), (" ", "")] if there else []
    return Row(tuple(left), (*right, (str(thread.count), "secondary")), Item("thread", thread.id))


def _run_rows(view: RunView, state: Snapshot, book: Mapping[str, str], zone: tzinfo | None) -> list[Row]:
    """A line for the run; while it goes, one more for what it does."""
    run = view.run
    sign, role = run_sign(view)
    going = run.status == "running" and view.alive
    left: list[Span] = [(f"{sign} ", role), (clean(run.flow), "")]
    if not going:
        left.append((f"  {status_word(view)}", "quiet"))
    there = looker_marks(lookers(state, lambda looked: looked.run == run.id), book)
    dots: tuple[Span, ...] = (*there, (" ", "")) if there else ()
    right = (*dots, (clock_time(run.started, zone), "quiet"))
    found = [Row(tuple(left), right, Item("run", run.id))]
    if going:
        found.append(Row((("  ", ""), *_doing(view, book))))
    return found


def _doing(view: RunView, book: Mapping[str, str]) -> list[Span]:
    """`choose: waits for an answer`, `check: 3 of 5`, or who is at work."""
    if any(gate.status == "open" for gate in view.gates):
        return [("waits for an answer", "warn")]
    agents = {
        str(step.result["agent"]): None
        for step in view.steps
        if step.status == "started" and step.result.get("agent")
    }
    spans: list[Span] = []
    for actor in list(agents)[:3]:
        spans += [(f"{clean(actor)} ", colour_of(book, actor))]
    started = [step.kind for step in view.steps if step.status == "started"]
    return [*spans, (clean(started[-1]) if started else "starting", "quiet")]


def run_sign(view: RunView) -> Span:
    """The sign of a run; one whose process is gone shows as stopped."""
    if view.run.status == "running" and not view.alive:
        return STOPPED
    return SIGNS[view.run.status]


def status_word(view: RunView) -> str:
    """The state of a run in words."""
    if view.run.status == "running" and not view.alive:
        return "stopped"
    if view.run.status == "waiting":
        return "waits for an answer"
    if view.run.status == "queued":
        return "waits for a worker"
    if view.run.status == "completed":
        return "done"
    return view.run.status
