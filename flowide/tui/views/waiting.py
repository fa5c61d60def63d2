"""Everything that waits for the person, most urgent first, as rows and in full."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from msgspec import Struct

from flowide.tui.views.actors import colour_of, is_mine
from flowide.tui.views.gates import at_once, change, change_role, facts
from flowide.tui.views.locks import purpose_words
from flowide.tui.views.runs import Item
from flowide.tui.views.snapshot import Snapshot
from flowide.tui.views.spans import Row, Span, clean, lines_of, shorten_path
from flowide.tui.views.words import between, clock_time, count

if TYPE_CHECKING:
    from flowide.domain import rows

GROUPS = ("QUESTIONS", "REVIEWS", "CONFLICTS", "LOCKS", "DECISIONS", "KEPT DRAFTS", "STOPPED RUNS")
URGENT = GROUPS[:4]
"""Groups in which somebody, or a run, stands still until the person does something."""
_OF_KIND = {"verdict": "REVIEWS", "hunks": "REVIEWS", "conflict": "CONFLICTS"}
MOST_SHOWN = 40
"""Lines of a change that are shown beside the list."""


class Waiting(Struct, frozen=True, kw_only=True):
    """One thing that waits."""

    group: str
    item: Item
    words: str
    """The question, or what somebody waits for."""
    about: str = ""
    who: str = ""
    """Handle of who waits or asks; empty = a run."""
    ts: str = ""
    options: tuple[str, ...] = ()
    """Answers that can be given at once, by their number."""


def waiting(state: Snapshot) -> list[Waiting]:
    """All of it, in the order of the groups, newest first in each."""
    found = [_gate(gate, state) for gate in state.gates]
    found += _locks(state)
    titles = {thread.id: thread.title for thread in state.threads}
    for decision in reversed(state.decisions):
        about = titles.get(decision.thread or "", "")
        found.append(
            Waiting(
                group="DECISIONS",
                item=Item("decision", decision.id),
                words=f"D{decision.number}  {' '.join(decision.text.split())}",
                about=about,
                who=decision.actor,
                ts=decision.ts,
            )
        )
    paths = {artifact.id: artifact.path for artifact in state.artifacts}
    for draft in state.drafts:
        mine = draft.actor == state.me
        words = "Your text was not saved" if mine else f"A text of {draft.actor} was not saved"
        about = paths.get(draft.artifact, "")
        found.append(
            Waiting(
                group="KEPT DRAFTS",
                item=Item("draft", draft.id),
                words=words,
                about=about,
                who=draft.actor,
                ts=draft.ts,
            )
        )
    for view in state.runs:
        if view.run.status == "running" and not view.alive:
            about = str(view.run.inputs.get("path") or view.run.options.get("brief") or "")
            found.append(
                Waiting(
                    group="STOPPED RUNS",
                    item=Item("run", view.run.id),
                    words=f"{view.run.flow} stopped and can go on",
                    about=about,
                    who=view.run.actor,
                    ts=view.run.started,
                )
            )
    return sorted(found, key=lambda each: GROUPS.index(each.group))


def urgent(state: Snapshot) -> int:
    """How many stand still until the person does something."""
    return len(state.gates) + len(_locks(state))


def waiting_badge(state: Snapshot) -> list[Span]:
    """`? 2 ^g`; nothing when nothing stands still."""
    many = urgent(state)
    return [("   ? ", "warn b"), (f"{many} ", "warn b"), ("^g", "key")] if many else []


def _gate(gate: rows.Gate, state: Snapshot) -> Waiting:
    run = state.run_of(gate.run)
    group = next((each for each in state.sets if each.id == gate.context.get("set")), None)
    about = str(
        gate.context.get("path")
        or (group.title if group is not None else "")
        or (run.run.flow if run else "")
    )
    return Waiting(
        group=_OF_KIND.get(gate.kind, "QUESTIONS"),
        item=Item("gate", gate.id),
        words=" ".join(gate.question.split()) or "A question",
        about=about,
        who="" if run is None else run.run.actor,
        ts=gate.ts,
        options=tuple(at_once(gate)) if gate.kind != "conflict" else (),  # one of them lets a text go
    )


def _locks(state: Snapshot) -> list[Waiting]:
    """Those who wait for what this window holds."""
    found = []
    for lock in state.locks:
        if not is_mine(lock.lock, state.me, state.client):
            continue
        for ticket in lock.queue:
            purpose = f": {purpose_words(ticket.purpose, state)}" if ticket.purpose else ""
            found.append(
                Waiting(
                    group="LOCKS",
                    item=Item("lock", lock.path),
                    words=f"{ticket.actor} waits for your lock{purpose}",
                    about=lock.path,
                    who=ticket.actor,
                )
            )
    return found


def rows_of(
    found: Sequence[Waiting], book: Mapping[str, str], width: int, now: datetime, *, whole: bool = False
) -> list[Row]:
    """Each with what it is about and how long it has waited; `whole` = all of its words, else two lines of them."""
    if not found:
        return [
            Row((("Nothing waits for you.", "quiet"),)),
            Row(()),
            *[Row(((line, "quiet"),)) for line in textwrap.wrap(EMPTY, max(20, width - 4))],
        ]
    out: list[Row] = []
    group = ""
    for each in found:
        if each.group != group:
            group = each.group
            if out:
                out.append(Row(()))
            many = sum(other.group == group for other in found)
            out.append(Row(((group, "warn b" if group in URGENT else "quiet b"),), ((str(many), "quiet"),)))
        out += _rows(each, book, width, now, whole=whole)
    return out


EMPTY = (
    "Questions of runs, reviews, conflicts, people who wait for your locks, open decisions and kept drafts are "
    "listed here, whoever's process they come from."
)


def _rows(each: Waiting, book: Mapping[str, str], width: int, now: datetime, *, whole: bool) -> list[Row]:
    sign: Span = ("? ", "warn b") if each.group in URGENT else ("◇ ", "warn")
    if each.group == "STOPPED RUNS":
        sign = ("○ ", "warn")
    lines = textwrap.wrap(clean(each.words), max(12, width - 12)) or [""]
    found = [
        Row(
            (sign, (lines[0], "b" if each.group in URGENT else "")),
            ((age(each.ts, now), "quiet"),),
            each.item,
        )
    ]
    if len(lines) > 2 and not whole:
        lines = [lines[0], f"{lines[1]}…"]
    found += [Row((("  ", ""), (line, "b" if each.group in URGENT else ""))) for line in lines[1:]]
    below: list[Span] = [("  ", "")]
    if each.about:
        below.append((shorten_path(clean(" ".join(each.about.split())), max(8, width - 14)), "quiet"))
    if each.who:
        below += [("  ", ""), (clean(each.who), colour_of(book, each.who))]
    if len(below) > 1:
        found.append(Row(tuple(below)))
    if each.options:
        spans: list[Span] = [("  ", "")]
        for number, option in enumerate(each.options[:9], 1):
            spans += [(str(number), "key"), (f" {clean(option)}   ", "")]
        found.append(Row(tuple(spans)))
    return found


def age(ts: str, now: datetime) -> str:
    """`now`, `4 min`, `3 h`, `2 d`."""
    minutes = between(ts, None, now) // 60_000 if ts else 0
    if minutes < 1:
        return "now"
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"


def in_full(
    each: Waiting, state: Snapshot, book: Mapping[str, str], width: int, zone: tzinfo | None = None
) -> list[Row]:
    """What is beside the list: all of the question, and what it is about."""
    wrap = max(12, width - 2)
    found = [Row((("IN FULL", "quiet b"),))]
    gate = next((gate for gate in state.gates if gate.id == each.item.ref), None)
    text = gate.question if gate is not None else each.words
    for line in lines_of(text.strip()):
        found += [Row(((part, ""),)) for part in textwrap.wrap(line, wrap) or [""]]
    found.append(Row(()))
    if each.about:
        found.append(_fact("about", clean(" ".join(each.about.split()))))
    if each.who:
        found.append(
            Row(
                (
                    ("asked by" if gate else "from", "quiet"),
                    ("  ", ""),
                    (clean(each.who), colour_of(book, each.who)),
                )
            )
        )
    if each.ts:
        found.append(_fact("since", clock_time(each.ts, zone)))
    if gate is not None:
        found += _gate_facts(gate, state, wrap)
    found += [Row(()), *[Row(((part, "quiet"),)) for part in textwrap.wrap(_what_enter_does(each), wrap)]]
    return found


def _fact(name: str, value: str) -> Row:
    return Row(((name, "quiet"), ("  ", ""), (value, "")))


def _gate_facts(gate: rows.Gate, state: Snapshot, wrap: int) -> list[Row]:
    run = state.run_of(gate.run)
    found = []
    if run is not None:
        found.append(_fact("run", f"{clean(run.run.flow)} {run.run.id[:8]}"))
    if gate.context.get("suggested"):
        found.append(_fact("suggested", f"variation {gate.context['suggested']}"))
    for reason in gate.context.get("reasons") or []:
        for said in reason.get("reasons") or []:
            found += [
                Row(((part, ""),)) for part in textwrap.wrap(f"· {clean(str(said.get('text', '')))}", wrap)
            ]
    for name, value in facts(gate):
        first, *rest = textwrap.wrap(value, max(8, wrap - 7)) or [""]
        found += [Row(((f"{name:<7}", "quiet"), (first, "")))]
        found += [Row(((" " * 7, ""), (part, ""))) for part in rest]
    if diff := change(gate):
        found.append(Row(()))
        found += [Row(((line, change_role(line)),)) for line in diff[:MOST_SHOWN]]
        if len(diff) > MOST_SHOWN:
            found.append(Row(((f"… {count(len(diff) - MOST_SHOWN, 'line')} more", "quiet"),)))
    return found


def _what_enter_does(each: Waiting) -> str:
    words = {
        "QUESTIONS": "enter answers it",
        "REVIEWS": "enter shows the changes, one by one",
        "CONFLICTS": "enter shows both texts beside what they started from",
        "LOCKS": "enter goes to your text: save it or stop editing, and they are next",
        "DECISIONS": "enter goes to where it was said; y agrees",
        "KEPT DRAFTS": "enter offers to go on with it",
        "STOPPED RUNS": "enter shows the run; r lets it go on",
    }[each.group]
    if each.options:
        words += "; a number answers at once"
    return words + "."


def news(before: Snapshot, after: Snapshot) -> list[Waiting]:
    """What has begun to stand still between two pictures."""
    known = {(each.item, each.who, each.ts) for each in waiting(before) if each.group in URGENT}
    return [
        each
        for each in waiting(after)
        if each.group in URGENT and (each.item, each.who, each.ts) not in known
    ]


def ended(before: Snapshot, after: Snapshot) -> list[str]:
    """Runs that have come to an end between two pictures, in words."""
    going = {view.run.id for view in before.runs if view.run.status in {"running", "waiting"}}
    words = {"completed": "is done", "failed": "failed", "rejected": "was rejected"}
    return [
        f"{clean(view.run.flow)} {words[view.run.status]}"
        for view in after.runs
        if view.run.id in going and view.run.status in words
    ]
