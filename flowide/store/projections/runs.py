"""Folds of run events."""

from __future__ import annotations

from msgspec import structs

from flowide.domain import facts as f
from flowide.domain import rows as r
from flowide.domain.events import Event
from flowide.domain.view import View
from flowide.store.projections.base import Changes, Folds, must


def _begun(event: Event, fact: f.RunStarted | f.RunQueued, *, queued: bool) -> Changes:
    return Changes(
        [
            r.Run(
                id=fact.run,
                flow=fact.flow,
                flow_sha256=fact.flow_sha256,
                flow_text=fact.flow_text,
                inputs=fact.inputs,
                options=fact.options,
                status="queued" if queued else "running",
                queued=queued,
                fence=fact.fence if isinstance(fact, f.RunStarted) else 0,
                actor=event.actor["id"],
                client=event.client,
                outputs={},
                totals={},
                error=None,
                exit_code=None,
                seq=event.seq,
                started=event.ts,
                finished=None,
            )
        ]
    )


def _run_started(view: View, event: Event, fact: f.RunStarted) -> Changes:
    return _begun(event, fact, queued=False)


def _run_queued(view: View, event: Event, fact: f.RunQueued) -> Changes:
    return _begun(event, fact, queued=True)


def _run_claimed(view: View, event: Event, fact: f.RunClaimed) -> Changes:
    run = must(view, event, r.Run, fact.run)
    return Changes(
        [
            structs.replace(
                run,
                status="running",
                fence=fact.fence,
                client=fact.client,
                error=None,
                exit_code=None,
                finished=None,
            )
        ]
    )


def _run_step(view: View, event: Event, fact: f.RunStep) -> Changes:
    before = view.get(r.Step, fact.run, fact.key)
    ended = fact.status != "started"
    return Changes(
        [
            r.Step(
                run=fact.run,
                key=fact.key,
                kind=fact.kind,
                status=fact.status,
                actor=event.actor["id"],
                attempt=fact.attempt,
                result=fact.result,
                error=fact.error,
                usage=fact.usage,
                seq=event.seq,
                started=before.started if before is not None and ended else event.ts,
                finished=event.ts if ended else None,
            )
        ]
    )


def _run_finished(view: View, event: Event, fact: f.RunFinished) -> Changes:
    run = must(view, event, r.Run, fact.run)
    return Changes(
        [
            structs.replace(
                run,
                status=fact.status,
                queued=run.queued or fact.status == "queued",
                outputs=fact.outputs,
                totals=fact.totals,
                error=fact.error,
                exit_code=fact.exit_code,
                finished=event.ts,
            )
        ]
    )


def _cancel_asked(view: View, event: Event, fact: f.RunCancelAsked) -> Changes:
    must(view, event, r.Run, fact.run)
    return Changes()


FOLDS: Folds = {
    f.RunCancelAsked: _cancel_asked,
    f.RunStarted: _run_started,
    f.RunQueued: _run_queued,
    f.RunClaimed: _run_claimed,
    f.RunStep: _run_step,
    f.RunFinished: _run_finished,
}
