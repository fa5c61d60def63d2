"""The lines of a run's JSON stream: a closed set of types, each in one envelope."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from typing import Any

from flowide.domain.events import Event

Line = dict[str, Any]
Data = dict[str, Any]

TYPES = (
    "run.started", "step.started", "step.completed", "step.failed", "step.skipped", "message", "message.delta",
    "tool.call", "tool.result", "artifact.saved", "lock.acquired", "lock.waiting", "lock.released", "lock.lost",
    "gate.opened", "gate.answered", "variation.created", "variation.checked", "variation.tagged", "variation.blended",
    "variation.accepted", "decision.changed", "review.approved", "review.rejected", "usage",
    "warning", "run.finished",
)  # fmt: skip
"""All types a stream of this version holds; readers pass over those they do not know."""


def line(
    type: str,
    data: Data,
    *,
    seq: int,
    ts: str,
    run: str | None,
    step: str | None = None,
    actor: Data | None = None,
) -> Line:
    """One line as a value. `seq` is the space's cursor at the line."""
    return {
        "v": 1,
        "seq": seq,
        "ts": ts,
        "run": run,
        "type": type,
        "step": step,
        "actor": actor,
        "data": data,
    }


def encode(value: Line) -> bytes:
    """One line of UTF-8 with its line break."""
    return (
        json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str).encode(
            "utf-8", "backslashreplace"
        )
        + b"\n"
    )


def lines_of(event: Event, run: str) -> Iterator[Line]:
    """What an event of a run's story becomes; some become nothing, a finished call also becomes `usage`."""
    made = _MADE.get(event.type)
    if made is None:
        return
    actor = {"kind": event.actor["kind"], "id": event.actor["id"]}
    for type, step, who, data in made(event.data):
        yield line(type, data, seq=event.seq, ts=event.ts, run=run, step=step, actor={**actor, **who})


Made = Iterator[tuple[str, str | None, Data, Data]]
"""Type, step, what is special about the actor, data."""


def error_data(error: Data | None) -> Data | None:
    """An error as `run.finished` tells it."""
    if error is None:
        return None
    data = error.get("data") or {}
    retryable = data.get("retryable")
    return {
        "code": error["code"],
        "message": error["message"],
        "hint": error.get("hint", ""),
        "retryable": error["code"] in {"unavailable", "incomplete", "offline", "busy"}
        if retryable is None
        else retryable,
        "provider_status": data.get("status", data.get("provider_status")),
    }


def _run_started(data: Data) -> Made:
    options = data.get("options", {})
    yield (
        "run.started",
        None,
        {},
        {
            "flow": data["flow"],
            "flow_sha256": data["flow_sha256"],
            "inputs": data.get("inputs", {}),
            "agents": options.get("agents", []),
            "resumed_from": None,
            "budget": options.get("budget"),
        },
    )


def _tool(data: Data) -> Made:
    """A tool that is used: it has a type of its own, at its start and at its end."""
    result = dict(data.get("result", {}))
    who: Data = {"kind": "agent", "id": result.pop("by")} if result.get("by_kind") == "agent" else {}
    result = {name: value for name, value in result.items() if name not in {"by", "by_kind"}}
    if data["status"] == "started":
        yield "tool.call", data["key"], who, result
    else:
        yield "tool.result", data["key"], who, {"failed": data["status"] == "failed", **result}


def _step(data: Data) -> Made:
    if data["kind"] == "tool.call":
        yield from _tool(data)
        return
    result = {name: value for name, value in data.get("result", {}).items() if name != "reply"}
    who: Data = {}
    if "agent" in result:
        who = {"kind": "agent", "id": result.pop("agent"), "model": result.pop("model", None)}
    more: Data = {"kind": data["kind"], "attempt": data.get("attempt", 1)}
    if result:
        more["result"] = result.get("result", result)
    if data.get("error"):
        more["error"] = error_data(data["error"])
    if data.get("usage"):
        usage = data["usage"]
        cost = usage.get("cost_micros")
        yield (
            "usage",
            data["key"],
            who,
            {
                "input_tokens": usage.get("input_tokens", 0),
                "output_tokens": usage.get("output_tokens", 0),
                "cost_usd": None if cost is None else cost / 1e6,
            },
        )
    yield f"step.{data['status']}", data["key"], who, more


def _saved(data: Data) -> Made:
    kept = ("artifact", "path", "version", "base", "sha256", "size", "fence", "note", "model", "parents")
    yield "artifact.saved", data.get("step"), {}, {name: data[name] for name in kept if name in data}


def _variation(data: Data) -> Made:
    who: Data = {"kind": data.get("author_kind", "agent"), "id": data["author"]}
    if data.get("model"):
        who["model"] = data["model"]
    blended = data.get("origin") == "blend"
    kept = ("set", "number", "variation", "round", "sha256", "size", "parents")
    shown = {name: data[name] for name in kept if name in data}
    if blended:
        shown["lineage"] = data.get("lineage", {})
    yield "variation.blended" if blended else "variation.created", data.get("step"), who, shown


def _marked(mark: str) -> Callable[[Data], Made]:
    def made(data: Data) -> Made:
        yield (
            "variation.tagged",
            None,
            {},
            {"set": data["set"], "number": data["number"], mark: data.get("on", True)},
        )

    return made


def _noted(data: Data) -> Made:
    yield (
        "message",
        None,
        {},
        {
            "text": data["text"],
            "kind": data.get("kind", "note"),
            "score": data.get("score"),
            "set": data["set"],
            "variation": data["number"],
        },
    )


def _said(data: Data) -> Made:
    kept = ("thread", "message", "number", "text", "asks", "unasked", "refs", "reply_to", "manifest")
    who: Data = {"model": data["model"]} if data.get("model") else {}
    yield "message", data.get("step"), who, {name: data[name] for name in kept if name in data}


def _judged(data: Data) -> Made:
    """A verdict of one stage; a mere comment is a message."""
    shown = {name: value for name, value in data.items() if name not in {"run", "step"}} | {"final": False}
    type = {"approve": "review.approved", "reject": "review.rejected"}.get(data.get("verdict", ""))
    if type is not None:
        yield type, data.get("step"), _by(data), shown
        return
    said = "\n".join(each["text"] for each in data.get("reasons", [])) or data.get("summary", "")
    yield "message", data.get("step"), _by(data), shown | {"text": said, "kind": "review"}


def _by(data: Data) -> Data:
    """The person who said it at a gate, when somebody else passed it on."""
    return {"kind": "human", "id": data["by"]} if data.get("by") else {}


def _reviewed(status: str) -> Callable[[Data], Made]:
    def made(data: Data) -> Made:
        yield f"review.{status}", None, {}, {**data, "final": True}

    return made


def _decision(status: str) -> Callable[[Data], Made]:
    def made(data: Data) -> Made:
        who = _by(data) if status == "agreed" else {}  # of a superseded one, `by` is a decision
        yield "decision.changed", None, who, {**data, "status": status}

    return made


def _same(type: str, step: str | None = None) -> Callable[[Data], Made]:
    def made(data: Data) -> Made:
        yield type, data.get("step") if step is None else data.get(step), {}, data

    return made


def _lost(why: str) -> Callable[[Data], Made]:
    def made(data: Data) -> Made:
        yield "lock.lost", None, {}, {**data, "why": data.get("why", why)}

    return made


def _draft(data: Data) -> Made:
    yield "warning", None, {}, {"message": f"a draft was kept: {data['draft']} ({data['why']})", **data}


def resume_command(flow: str | None, run: str, project: str | None = None) -> str:
    """The command line that goes on with a run; `project` as it was given on the command line."""
    words = ["flowide", "run", *([flow] if flow else []), "--resume", run]
    return shlex.join([*words, "--project", project] if project else words)


def end_line(event: Event, finished: Data, *, run: str) -> Line:
    """The last line of a run whose end is in the log."""
    actor = {"kind": event.actor["kind"], "id": event.actor["id"]}
    return line("run.finished", finished, seq=event.seq, ts=event.ts, run=run, actor=actor)


def run_finished(data: Data, *, flow: str | None, run: str | None, project: str | None = None) -> Data:
    """Data of the last line."""
    resumable = run is not None and data["status"] in {"queued", "waiting", "failed", "cancelled"}
    return {
        "status": data["status"],
        "exit_code": data["exit_code"],
        "error": error_data(data.get("error")),
        "outputs": {name: value for name, value in data.get("outputs", {}).items() if name != "text"},
        "totals": data.get("totals", {}),
        "resume_command": resume_command(flow, run, project) if resumable and run else None,
    }


_MADE: dict[str, Callable[[Data], Made]] = {
    "run.started": _run_started,
    "run.step": _step,
    "artifact.created": _saved,
    "artifact.saved": _saved,
    "artifact.moved": _saved,
    "artifact.deleted": _saved,
    "artifact.restored": _saved,
    "lock.acquired": _same("lock.acquired"),
    "lock.queued": _same("lock.waiting"),
    "lock.released": _same("lock.released"),
    "lock.lapsed": _lost("lapsed"),
    "lock.forced": _lost("forced"),
    "lock.transferred": _lost("transferred"),
    "gate.opened": _same("gate.opened"),
    "gate.answered": _same("gate.answered"),
    "variation.created": _variation,
    "variation.checked": _same("variation.checked"),
    "variation.tagged": _same("variation.tagged"),
    "variation.shortlisted": _marked("shortlisted"),
    "variation.rejected": _marked("rejected"),
    "variation.noted": _noted,
    "variation.accepted": _same("variation.accepted"),
    "draft.kept": _draft,
    "message.posted": _said,
    "review.judged": _judged,
    "review.approved": _reviewed("approved"),
    "review.rejected": _reviewed("rejected"),
    "decision.proposed": _decision("open"),
    "decision.agreed": _decision("agreed"),
    "decision.reopened": _decision("open"),
    "decision.superseded": _decision("superseded"),
}
