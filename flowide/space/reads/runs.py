"""Answers about flow runs."""

from __future__ import annotations

from flowide.domain import rows, runs
from flowide.domain.actors import Now
from flowide.domain.leases import lease_alive, lease_key
from flowide.domain.view import View
from flowide.space import queries as q
from flowide.space.reads.base import Answers, by_start


def _runs(view: View, query: q.Runs, now: Now) -> list[rows.Run]:
    return view.find(rows.Run, order="-seq", limit=query.limit)


def _queue(view: View, query: q.Queue, now: Now) -> list[rows.Run]:
    found = view.find(rows.Run, status="queued")
    for run in view.find(rows.Run, status="running"):
        if run.queued and not lease_alive(view.get(rows.Lease, lease_key("run", run.id)), now):
            found.append(run)
    for run in view.find(rows.Run, status="waiting"):
        if run.queued and all(gate.status != "open" for gate in view.find(rows.Gate, run=run.id)):
            found.append(run)
    return sorted(found, key=lambda run: run.seq)


def _one_run(view: View, query: q.OneRun, now: Now) -> q.RunView:
    run = view.get(rows.Run, query.ref) or by_start(
        query.ref, view.find(rows.Run, order="-seq"), "run", "flowide runs"
    )
    lease = view.get(rows.Lease, lease_key("run", run.id))
    return q.RunView(
        run=run,
        steps=view.find(rows.Step, order="seq", run=run.id),
        gates=view.find(rows.Gate, order="seq", run=run.id),
        alive=run.status == "running" and lease_alive(lease, now),
    )


def _step_text(view: View, query: q.StepText, now: Now) -> str:
    chunks = view.find(rows.Chunk, order="off", stream=runs.stream_of(query.run, query.key))
    return "".join(chunk.text for chunk in chunks)


ANSWERS: Answers = {
    q.Runs: _runs,
    q.Queue: _queue,
    q.OneRun: _one_run,
    q.StepText: _step_text,
}
