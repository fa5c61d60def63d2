"""A tool is used: whoever may permit it is asked, the call and its result are in the log, and it is made once."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from flowide.agents.api import Image, Message, ToolCall
from flowide.agents.definition import AgentDefinition
from flowide.agents.redact import hide, secrets_in
from flowide.domain import rows
from flowide.errors import FlowError, Unavailable
from flowide.flows.progressing import Progress
from flowide.flows.state import RunState
from flowide.flows.steps.gate import answered
from flowide.space.queries import Gates

if TYPE_CHECKING:
    from flowide.agents.tools.toolbox import Offer

KIND = "tool.call"
"""Of the steps that calls are in the log as; streams tell them as `tool.call` and `tool.result`."""
GATE = "permission"
SHOWN = 4000
"""Characters of a result, and of arguments, that stand in the log itself; all of it is kept as a blob."""
ASKED = 600
"""Characters of the arguments that a person is shown in a question."""


class Used(Struct, frozen=True):
    """What came of a call."""

    text: str
    images: list[Image] = []
    data: Any = None
    failed: bool = False
    pictures: list[dict[str, Any]] = []
    """The images as they are kept: `sha256`, `mime`, `size`."""


async def offers_for(state: RunState, handle: str) -> dict[str, Offer]:
    """The tools an agent is offered, by the name that models use; why there are no more is a warning."""
    agent = state.agents[handle]
    if state.tools is None or not agent.tools or agent.backend == "acp":
        return {}
    offered = await state.tools.offered(agent)
    for problem in offered.problems:
        state.warn_once(f"@{handle} goes without a tool: {problem}")
    return offered.offers


async def results(
    state: RunState, key: str, handle: str, calls: Sequence[ToolCall], offers: Mapping[str, Offer]
) -> list[Message]:
    """What a model is told of the calls it asked for, one after the other; their keys begin with `key`.

    Raises:
        NeedsInput: A person has to permit one.
        OverBudget: The agent could not be asked again, so none is made.
    """
    assert state.tools is not None
    told: list[Message] = []
    shown: list[Image] = []
    for number, call in enumerate(calls, 1):
        state.spending.check(handle)
        offer = offers.get(call.name)
        used = await _used(state, f"{key}.{number}", handle, call, offer)
        from flowide.agents.tools.results import bounded

        said = bounded(used.text, state.tools.chars)
        told.append(Message("tool", f"Error: {said}" if used.failed else said, tool_call=call.id))
        shown += used.images
    if shown:
        told.append(
            Message("user", "The pictures that the tools answered with, in their order.", images=shown)
        )
    return told


async def _used(state: RunState, key: str, handle: str, call: ToolCall, offer: Offer | None) -> Used:
    before = state.steps.get(key)
    if before is not None and before.status == "completed":
        return await _kept(state, before)
    name = call.name if offer is None else offer.name
    if offer is None:
        refused = f"there is no tool {call.name[:100]}"
    elif before is not None and before.status == "started" and not offer.found.reads_only:
        refused = "FlowIDE was stopped during this call; whether it was carried out is not known"
    else:
        from flowide.agents.tools.fitting import misfit

        refused = misfit(call.arguments, offer.found.schema)
    if refused:
        return await _refused(state, key, handle, name, call.arguments, refused)
    assert offer is not None
    return await use(state, key, offer, call.arguments, agent=state.agents[handle])


async def use(
    state: RunState, key: str, offer: Offer, arguments: dict[str, Any], *, agent: AgentDefinition | None
) -> Used:
    """Call a tool, once it is permitted; what goes wrong is a result that failed. None as agent = the flow itself.

    Raises:
        NeedsInput: A person has to permit it.
    """
    assert state.tools is not None
    before = state.steps.get(key)
    if before is not None and before.status == "completed":
        return await _kept(state, before)
    who = state.flow.flow if agent is None else agent.handle
    denied = await _denied(state, key, offer, arguments, agent)
    if denied:
        return await _refused(state, key, who, offer.name, arguments, denied)
    about = _about(state, who, offer.name, arguments)
    await state.commit(state.record(key, KIND, "started", result=about))
    began = time.monotonic()
    try:
        connection = state.tools.box.connection(offer.server.name)
        async with Progress(state, key) as progress:
            answer = await connection.call(offer.found.name, arguments, progress=progress)
    except FlowError as error:
        return await _ended(
            state, key, about, Used(f"{error.message}. {error.hint}".strip(), failed=True), began
        )
    used = Used(answer.text, answer.images, answer.data, answer.failed)
    return await _ended(state, key, about, used, began)


async def _denied(
    state: RunState, key: str, offer: Offer, arguments: dict[str, Any], agent: AgentDefinition | None
) -> str:
    """Why it may not be used; empty = it may."""
    from flowide.agents.tools.permissions import OPTIONS, decide

    assert state.tools is not None
    who = state.flow.flow if agent is None else agent.handle
    forever, runs = state.tools.permissions, offer.server.told()
    always = forever is not None and forever.holds(state.folder.root, who, offer.name, runs)
    said, why = decide(
        agent,
        offer.server.name,
        offer.found.name,
        allow=state.request.allow,
        trusted=state.request.trust,
        always=always,
    )
    if said != "ask":
        return why if said == "deny" else ""
    if await _allowed_in_this_run(state, who, offer.name):
        return ""
    shown = _shown(state, arguments, ASKED)
    gate = await answered(
        state,
        f"{key}/permit",
        kind=GATE,
        question=f"May {'the flow ' if agent is None else '@'}{who} use {offer.name} with {shown}?",
        options=list(OPTIONS),
        by_policy={"approve": "once", "reject": "deny"}.get(state.request.on_gate),
        context={
            "agent": who,
            "tool": offer.name,
            "arguments": _shown(state, arguments, SHOWN),
            "server": runs,
            "about": offer.tool.description,
        },
    )
    if gate.answer == "always" and forever is not None:
        forever.add(state.folder.root, who, offer.name, runs, by=gate.by or state.space.actor.id)
    if gate.answer in {"once", "session", "always"}:
        return ""
    return f"@{gate.by} does not allow {offer.name}" + (f": {gate.reason}" if gate.reason else "")


async def _allowed_in_this_run(state: RunState, who: str, tool: str) -> bool:
    gates = await state.space.read(Gates(status=None, run=state.run))
    return any(
        gate.kind == GATE
        and gate.answer == "session"
        and (gate.context.get("agent"), gate.context.get("tool")) == (who, tool)
        for gate in gates
    )


async def _refused(
    state: RunState, key: str, who: str, tool: str, arguments: dict[str, Any], why: str
) -> Used:
    """A call that is not made; it is told and kept like one that was."""
    about = _about(state, who, tool, arguments)
    await state.commit(state.record(key, KIND, "started", result=about))
    return await _ended(state, key, {**about, "refused": True}, Used(why, failed=True), time.monotonic())


async def _ended(state: RunState, key: str, about: dict[str, Any], used: Used, began: float) -> Used:
    """Keep the result; keys of the environment are taken out of it before anybody reads it."""
    assert state.tools is not None
    text = hide(used.text, secrets_in(state.tools.env))
    pictures = [
        {"sha256": await state.space.put_blob(image.data), "mime": image.mime, "size": len(image.data)}
        for image in used.images
    ]
    data = text.encode("utf-8", "replace")
    result = {
        **about,
        "text": text[:SHOWN],
        "whole": await state.space.put_blob(data),
        "size": len(data),
        "images": pictures,
        "failed": used.failed,
        "duration_ms": round((time.monotonic() - began) * 1000),
    }
    shown = None
    if used.data is not None:
        found = hide(json.dumps(used.data, ensure_ascii=False), secrets_in(state.tools.env))
        result["data"] = await state.space.put_blob(found.encode("utf-8", "replace"))
        shown = json.loads(found)
    await state.commit(state.record(key, KIND, "completed", result=result))
    return msgspec.structs.replace(used, text=text, data=shown, pictures=pictures)


async def _kept(state: RunState, step: rows.Step) -> Used:
    """The result of a call that was made before."""
    kept = step.result
    images = [
        Image(each["mime"], bytes(await state.space.blob(each["sha256"]))) for each in kept.get("images", [])
    ]
    text = (await state.space.blob(kept["whole"])).decode("utf-8", "replace")
    data = json.loads(await state.space.blob(kept["data"])) if "data" in kept else None
    return Used(text, images, data, kept["failed"], kept.get("images", []))


def _about(state: RunState, who: str, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """What stands in the log of a call; not as `agent`, which counts calls of models."""
    kind = "agent" if who in state.agents else "flow"
    return {"by": who, "by_kind": kind, "tool": tool, "arguments": _kept_arguments(state, arguments)}


def _kept_arguments(state: RunState, arguments: dict[str, Any]) -> Any:
    """The arguments as they are, or their beginning when they are long."""
    shown = _shown(state, arguments, SHOWN)
    try:
        return json.loads(shown)
    except ValueError:
        return shown


def _shown(state: RunState, arguments: dict[str, Any], most: int) -> str:
    assert state.tools is not None
    text = hide(json.dumps(arguments, ensure_ascii=False), secrets_in(state.tools.env))
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"


def value_of(used: Used) -> Any:
    """What a later step sees of a result: its structured data, else JSON in its text, else None.

    Raises:
        Unavailable: The tool failed.
    """
    if used.failed:
        raise Unavailable(used.text[:500])
    if used.data is not None:
        return used.data
    try:
        return json.loads(used.text)
    except (ValueError, RecursionError):
        return None
