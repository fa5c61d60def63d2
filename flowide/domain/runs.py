"""Rules of runs and gates: a run is leased like an artifact, and a question is answered once."""

from __future__ import annotations

from flowide.domain.actors import Caller, Now
from flowide.domain.commands import (
    MAX_INLINE,
    AnswerGate,
    Cancelled,
    CancelRun,
    ClaimRun,
    Done,
    FinishRun,
    Have,
    Leased,
    OpenGate,
    QueueRun,
    RecordStep,
    Renewed,
    RenewRun,
    StartRun,
    StreamStep,
)
from flowide.domain.facts import (
    GateAnswered,
    GateOpened,
    RunCancelAsked,
    RunClaimed,
    RunFinished,
    RunQueued,
    RunStarted,
    RunStep,
)
from flowide.domain.leases import lease_alive, lease_key, new_lease
from flowide.domain.limits import MAX_NAME, MAX_NOTE, check_text, check_ttl
from flowide.domain.outcome import Outcome
from flowide.domain.rows import Chunk, Gate, Lease, Run
from flowide.domain.view import Decision, View
from flowide.errors import BadInput, Busy, DraftGap, Exists, Fenced, Gone, Interrupted, NotFound

LEASE_MS = 30_000
"""A run's lease when a renewal does not say otherwise."""


def stream_of(run: str, key: str) -> str:
    """Key of the chunks of a step's answer."""
    return f"step:{run}:{key}"


def start(view: View, command: StartRun, caller: Caller, now: Now) -> Decision:
    """Begin a run, driven by the sender."""
    check_ttl(command.ttl_ms)
    _check_new(view, command)
    out = Outcome()
    out.facts.append(
        RunStarted(
            run=command.run,
            flow=command.flow,
            flow_sha256=command.flow_sha256,
            flow_text=command.flow_text,
            inputs=command.inputs,
            options=command.options,
            fence=1,
        )
    )
    out.put.append(new_lease(lease_key("run", command.run), 1, command.ttl_ms, now))
    return out.decision(Leased(1))


def queue(view: View, command: QueueRun, caller: Caller, now: Now) -> Decision:
    """Leave a run to the workers."""
    _check_new(view, command)
    queued = RunQueued(
        run=command.run,
        flow=command.flow,
        flow_sha256=command.flow_sha256,
        flow_text=command.flow_text,
        inputs=command.inputs,
        options=command.options,
    )
    return Decision(ok=Done(), facts=[queued])


def _check_new(view: View, command: StartRun | QueueRun) -> None:
    check_text("run", command.run, MAX_NAME, least=1)
    check_text("flow", command.flow, MAX_NAME, least=1)
    check_text("flow_text", command.flow_text, MAX_INLINE)
    if view.get(Run, command.run) is not None:
        raise Exists(f"there is a run {command.run} already", hint="Make a new id.")


def claim(view: View, command: ClaimRun, caller: Caller, now: Now) -> Decision:
    """Drive a run that is queued or has stopped, or whose driver is gone."""
    check_ttl(command.ttl_ms)
    run = _run(view, command.run)
    if run.status in {"completed", "rejected"}:
        raise Gone(f"the run {run.id} is {run.status}", hint="Start a new run.", status=run.status)
    lease = view.get(Lease, lease_key("run", run.id))
    if run.status == "running" and lease is not None and lease_alive(lease, now):
        raise Busy(
            f"the run {run.id} is driven by another process of {run.actor}",
            hint=f"Wait: if that process is gone, the run is free in {lease.deadline_ms - now.mono_ms} ms.",
            holder=run.actor,
            idle_ms=now.mono_ms - lease.active_ms,
            expires_ms=lease.deadline_ms - now.mono_ms,
        )
    out = Outcome()
    fence = run.fence + 1
    out.facts.append(RunClaimed(run=run.id, fence=fence, client=caller.client))
    out.put.append(new_lease(lease_key("run", run.id), fence, command.ttl_ms, now))
    return out.decision(Leased(fence))


def renew(view: View, command: RenewRun, caller: Caller, now: Now) -> Decision:
    """Keep driving."""
    run = driven(view, command.run, command.fence, caller)
    key = lease_key("run", run.id)
    lease = view.get(Lease, key)
    ttl = LEASE_MS if lease is None else max(500, lease.deadline_ms - lease.active_ms)
    return Decision(ok=Renewed(ttl), put=[new_lease(key, run.fence, ttl, now)])


def step(view: View, command: RecordStep, caller: Caller, now: Now) -> Decision:
    """Record where a step is; its streamed text goes once it has ended."""
    run = driven(view, command.run, command.fence, caller)
    check_text("key", command.key, MAX_NAME, least=1)
    out, result = Outcome(), command.result
    if command.manifest is not None:
        check_text("manifest", command.manifest, MAX_INLINE)
        result = {**result, "manifest": out.blob(command.manifest.encode())}
    if command.reply is not None:
        check_text("reply", command.reply, MAX_INLINE)
        result = {**result, "reply": out.blob(command.reply.encode())}
    out.facts.append(
        RunStep(
            run=run.id,
            key=command.key,
            kind=command.kind,
            status=command.status,
            attempt=command.attempt,
            result=result,
            error=command.error,
            usage=command.usage,
        )
    )
    if command.status != "started":
        out.drop += view.find(Chunk, stream=stream_of(run.id, command.key))
    return out.decision(Done())


def stream(view: View, command: StreamStep, caller: Caller, now: Now) -> Decision:
    """Show the next part of a step's answer."""
    run = driven(view, command.run, command.fence, caller)
    check_text("text", command.text, MAX_INLINE)
    key = stream_of(run.id, command.key)
    out = Outcome()
    last = view.find(Chunk, stream=key, order="-off", limit=1)
    have = last[0].off + len(last[0].text.encode()) if last else 0
    if command.off == 0 and have:
        out.drop += view.find(Chunk, stream=key)
        have = 0
    if command.off != have:
        raise DraftGap(
            f"the answer has {have} bytes, and the text starts at {command.off}",
            hint="Start over with off 0.",
            have=have,
        )
    if command.text:
        out.put.append(Chunk(key, have, command.text))
    return out.decision(Have(have + len(command.text.encode())))


def finish(view: View, command: FinishRun, caller: Caller, now: Now) -> Decision:
    """End or stop a run."""
    run = driven(view, command.run, command.fence, caller)
    out = Outcome()
    out.facts.append(
        RunFinished(
            run=run.id,
            status=command.status,
            exit_code=command.exit_code,
            error=command.error,
            outputs=command.outputs,
            totals=command.totals,
        )
    )
    out.drop.append(Lease(lease_key("run", run.id), 0, 0, "", 0, 0))
    return out.decision(Done())


def cancel(view: View, command: CancelRun, caller: Caller, now: Now) -> Decision:
    """Stop a run: at once when nobody drives it, else its driver is asked, who saves its state first."""
    check_text("reason", command.reason, MAX_NOTE)
    run = _run(view, command.run)
    if run.status == "cancelled":
        return Decision(ok=Cancelled(ended=True))
    if run.status not in {"queued", "running", "waiting"}:
        raise Gone(f"the run {run.id} is {run.status}", hint="There is nothing to stop.", status=run.status)
    lease = view.get(Lease, lease_key("run", run.id))
    if run.status == "running" and lease_alive(lease, now):
        asked = RunCancelAsked(run=run.id, reason=command.reason)
        return Decision(ok=Cancelled(ended=False), facts=[asked])
    out = Outcome()
    out.facts.append(
        RunFinished(
            run=run.id,
            status="cancelled",
            exit_code=130,
            error=cancelled_by(caller.actor.id, command.reason).to_dict(),
            outputs=run.outputs,
            totals=run.totals,
        )
    )
    out.drop.append(Lease(lease_key("run", run.id), 0, 0, "", 0, 0))
    return out.decision(Cancelled(ended=True))


def cancelled_by(who: str, reason: str) -> Interrupted:
    """Why a run ended that somebody stopped."""
    return Interrupted(f"{who} stopped the run" + (f": {reason}" if reason else ""))


def open_gate(view: View, command: OpenGate, caller: Caller, now: Now) -> Decision:
    """Ask a person."""
    check_text("gate", command.gate, MAX_NAME, least=1)
    check_text("question", command.question, MAX_NOTE, least=1)
    if view.get(Gate, command.gate) is not None:
        raise Exists(f"there is a gate {command.gate} already", hint="Make a new id.")
    if command.run is not None:
        driven(view, command.run, command.fence or 0, caller)
    return Decision(
        ok=Done(),
        facts=[
            GateOpened(
                gate=command.gate,
                run=command.run,
                step=command.step,
                kind=command.kind,
                question=command.question,
                options=command.options,
                context=command.context,
            )
        ],
    )


def answer_gate(view: View, command: AnswerGate, caller: Caller, now: Now) -> Decision:
    """Answer a question; the first answer counts."""
    gate = view.get(Gate, command.gate)
    if gate is None:
        raise NotFound(f"there is no gate {command.gate[:100]}", hint="List them with `flowide gate list`.")
    if gate.status != "open":
        raise Gone(
            f"{gate.by} answered {gate.answer!r} before",
            hint="Resume the run to see what came of it.",
            answer=gate.answer,
            by=gate.by,
        )
    check_text("answer", command.answer.strip(), MAX_NOTE, least=1)
    answer = command.answer.strip()
    if gate.options and answer not in gate.options:
        raise BadInput(
            f"{answer[:100]!r} is no answer to this gate", hint=f"Choose one of: {', '.join(gate.options)}."
        )
    return Decision(ok=Done(), facts=[GateAnswered(gate=gate.id, answer=answer, reason=command.reason)])


def answered_by(view: View, gate: str | None, caller: Caller) -> str | None:
    """Who answered a gate, when that is not the caller; None also without a gate.

    Raises:
        BadInput: Nobody has answered it.
    """
    if gate is None:
        return None
    row = view.get(Gate, gate)
    if row is None or row.status != "answered":
        raise BadInput(f"the gate {gate[:100]} has no answer", hint="Answer it first.")
    return None if row.by == caller.actor.id else row.by


def _run(view: View, id: str) -> Run:
    run = view.get(Run, id)
    if run is None:
        raise NotFound(f"there is no run {id[:100]}", hint="List them with `flowide runs`.")
    return run


def driven(view: View, id: str, fence: int, caller: Caller) -> Run:
    """The run, if this client drives it with this fence."""
    run = _run(view, id)
    if run.fence != fence or run.client != caller.client:
        raise Fenced(
            f"the run {run.id} was taken over by another process",
            hint="Leave it to that process.",
            fence=run.fence,
            holder=run.actor,
        )
    if run.status != "running":
        raise Gone(f"the run {run.id} is {run.status}", hint="Resume it first.", status=run.status)
    return run
