"""Tools of runs and their questions to people."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from flowide import settings
from flowide.domain import rows
from flowide.domain.commands import AnswerGate
from flowide.errors import FlowError, NotFound
from flowide.mcp_server.session import Session
from flowide.mcp_server.tool import MAX_WAIT_S, Arguments, Result, Tool
from flowide.space.queries import Gates, OneRun, Runs, RunView

Run = Annotated[str, Meta(description="Its id, the start of it, or last.", min_length=1, max_length=200)]
_TEXT = 20_000
"""Characters of one output of a run in an answer."""


class ListFlows(Arguments, frozen=True):
    pass


async def list_flows(session: Session, asked: ListFlows) -> Result:
    from flowide.flows.load import find_flows, load_flow

    root, user = session.folder.root, settings.user_folder()
    flows: list[dict[str, Any]] = []
    for name, origin, path in find_flows(root, user):
        try:
            flow = load_flow(str(path), root, user).flow
        except FlowError as error:
            flows.append({"flow": name, "origin": origin, "error": error.message})
            continue
        inputs = {
            key: {"type": each.type, "required": each.required, "about": each.about}
            for key, each in flow.inputs.items()
        }
        flows.append({"flow": name, "origin": origin, "about": flow.about, "inputs": inputs})
    return {"flows": flows, "agents": session.runs.known()}


class StartRun(Arguments, frozen=True):
    flow: Annotated[str, Meta(description="Its name, as list_flows gives it.", min_length=1, max_length=200)]
    brief: Annotated[str, Meta(description="What is wanted.", max_length=65536)] = ""
    inputs: Annotated[dict[str, Any], Meta(description="Other inputs of the flow, by name.")] = {}
    agents: Annotated[
        list[str], Meta(description="Handles; by default those of the flow, or all.", max_length=20)
    ] = []
    wait_s: Annotated[int, Meta(description="Seconds to wait for its end.", ge=0, le=MAX_WAIT_S)] = 0


async def start_run(session: Session, asked: StartRun) -> Result:
    from flowide.flows.load import find_flows

    names = [name for name, _, _ in find_flows(session.folder.root, settings.user_folder())]
    if asked.flow not in names:
        raise NotFound(
            f"there is no flow {asked.flow[:100]!r}", hint=f"There are {', '.join(names)}; see list_flows."
        )
    agents = [each.removeprefix("@") for each in asked.agents]
    run = await session.runs.start(asked.flow, brief=asked.brief, inputs=asked.inputs, agents=agents)
    return described(session, await session.runs.wait(run, asked.wait_s))


class RunStatus(Arguments, frozen=True):
    run: Run = "last"
    wait_s: Annotated[
        int,
        Meta(description="Seconds to wait for its end, when this session drives it.", ge=0, le=MAX_WAIT_S),
    ] = 0


async def run_status(session: Session, asked: RunStatus) -> Result:
    return described(session, await session.runs.wait(asked.run, asked.wait_s))


def described(session: Session, view: RunView) -> Result:
    """A run as an answer."""
    run = view.run
    told: Result = {
        "run": run.id,
        "flow": run.flow,
        "status": run.status,
        "by": run.actor,
        "driven": "here" if run.id in session.runs.driven() else "elsewhere" if view.alive else "by nobody",
        "started": run.started,
        "finished": run.finished,
        "steps": [
            {"key": each.key, "kind": each.kind, "status": each.status, "error": each.error}
            for each in view.steps
        ],
        "gates": [gate_row(each) for each in view.gates if each.status == "open"],
        "outputs": {key: _short(value) for key, value in run.outputs.items()},
        "totals": run.totals,
        "error": run.error,
    }
    if told["gates"]:
        told["next"] = "It waits for a person to answer; tell them. Agents cannot answer gates."
    elif told["driven"] == "here":
        told["next"] = "It goes on while this session lives. Ask again with wait_s."
    elif run.status not in {"completed", "rejected"} and not view.alive:
        told["next"] = "It has stopped; a person can go on with it: flowide run --resume."
    return told


def _short(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _TEXT:
        return f"{value[:_TEXT]}… ({len(value)} characters)"
    return value


class ListRuns(Arguments, frozen=True):
    limit: Annotated[int, Meta(ge=1, le=200)] = 20


async def list_runs(session: Session, asked: ListRuns) -> Result:
    return {
        "runs": [
            {
                "run": each.id,
                "flow": each.flow,
                "status": each.status,
                "by": each.actor,
                "started": each.started,
                "brief": str(each.inputs.get("brief", ""))[:200],
            }
            for each in await session.space.read(Runs(limit=asked.limit))
        ]
    }


class StopRun(Arguments, frozen=True):
    run: Run


async def stop_run(session: Session, asked: StopRun) -> Result:
    view = await session.space.read(OneRun(asked.run))
    await session.runs.stop(view.run.id)
    return described(session, await session.space.read(OneRun(view.run.id)))


class ListGates(Arguments, frozen=True):
    status: Literal["open", "all"] = "open"


async def list_gates(session: Session, asked: ListGates) -> Result:
    found = await session.space.read(Gates(status=None if asked.status == "all" else "open"))
    return {"gates": [gate_row(each) for each in found]}


def gate_row(gate: rows.Gate) -> Result:
    """A question to a person as an answer."""
    row: dict[str, Any] = msgspec.to_builtins(gate)
    keys = ("run", "kind", "question", "options", "status", "answer", "by", "ts")
    return {"gate": gate.id, **{key: _short(row[key]) for key in keys}}


class AnswerIt(Arguments, frozen=True):
    gate: Annotated[str, Meta(min_length=1, max_length=200)]
    answer: Annotated[str, Meta(max_length=16000)]


async def answer_gate(session: Session, asked: AnswerIt) -> Result:
    await session.space.execute(AnswerGate(gate=asked.gate, answer=asked.answer))
    return {"gate": asked.gate, "answer": asked.answer}


TOOLS: list[Tool[Any]] = [
    Tool(
        "list_flows",
        "List the flows that can be run (variations, review, discussion …) with their inputs, and the project's"
        " agents.",
        ListFlows,
        list_flows,
        reads=True,
    ),
    Tool(
        "start_run",
        "Start a run of a flow. It goes on beside your other calls, within the budget of the person's settings,"
        " waits at gates for people, and stops with a checkpoint when this session ends. It may cost money: start"
        " one only when it is wanted.",
        StartRun,
        start_run,
    ),
    Tool(
        "run_status",
        "How a run is getting on: its steps, open questions to people, outputs.",
        RunStatus,
        run_status,
        reads=True,
    ),
    Tool("list_runs", "List runs, newest first.", ListRuns, list_runs, reads=True),
    Tool(
        "stop_run",
        "Stop a run that this session drives; what is finished is kept.",
        StopRun,
        stop_run,
        again=True,
    ),
    Tool(
        "list_gates", "List the questions that wait for a person's answer.", ListGates, list_gates, reads=True
    ),
    Tool(
        "answer_gate",
        "Answer a question to a person. Agents are refused: tell the person what you would answer instead.",
        AnswerIt,
        answer_gate,
    ),
]
