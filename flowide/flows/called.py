"""Flows that a flow calls: found and checked before a run begins, and kept with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from flowide.agents.yaml_file import Route, YamlFile
from flowide.errors import NotFound
from flowide.flows.load import LoadedFlow, load_flow, parse_flow
from flowide.flows.schema import Call, Flow
from flowide.flows.soundness import walk

MAX_DEPTH = 5
"""Flows that call flows that call flows."""


class Called(Struct, frozen=True):
    """A flow as it is called, with those it calls itself, by the name that its file gives."""

    loaded: LoadedFlow
    called: dict[str, Called] = field(default_factory=dict)

    @property
    def flow(self) -> Flow:
        """What its file says."""
        return self.loaded.flow


def load_called(
    loaded: LoadedFlow, project: Path | None, user: Path | None = None, above: tuple[LoadedFlow, ...] = ()
) -> dict[str, Called]:
    """Every flow that a flow calls, by the name its file gives.

    Raises:
        BadInput: One is not there, is wrong, is called with wrong inputs, or calls itself in the end.
    """
    chain = (*above, loaded)
    found: dict[str, Called] = {}
    for route, step in walk(loaded.flow.steps):
        if step.call is None:
            continue
        place = (*route, "call", "flow")
        source = YamlFile(loaded.text, loaded.path)
        try:
            child = load_flow(_beside(loaded, step.call.flow), project, user)
        except NotFound as missing:
            source.bad(place, missing.message, missing.hint)
        again = next((at for at, each in enumerate(chain) if _same(each, child)), None)
        if again is not None:
            names = [each.flow.flow for each in chain[again:]] + [child.flow.flow]
            source.bad(place, f"flows call each other in a circle: {' → '.join(names)}", "Call another flow.")
        if len(chain) >= MAX_DEPTH:
            source.bad(
                place, f"flows call each other more than {MAX_DEPTH} deep", "Put their steps together."
            )
        _check_inputs(source, (*route, "call"), step.call, child.flow)
        if step.call.flow not in found:
            found[step.call.flow] = Called(child, load_called(child, project, user, chain))
    return found


def _beside(loaded: LoadedFlow, ref: str) -> str:
    """A file is named from where the calling file is."""
    return str(Path(loaded.path).parent / ref) if ref.endswith((".yaml", ".yml")) else ref


def _same(one: LoadedFlow, other: LoadedFlow) -> bool:
    return Path(one.path).resolve() == Path(other.path).resolve()


def _check_inputs(source: YamlFile, route: Route, call: Call, flow: Flow) -> None:
    known = {"brief", "path", *flow.inputs}
    for name in call.inputs:
        if name not in known:
            said = f"the flow {flow.flow} has no input '{name}'"
            source.bad((*route, "inputs", name), said, f"Inputs: {', '.join(sorted(known))}.", at_key=True)
    for name, wanted in flow.inputs.items():
        if wanted.required and name not in {"brief", "path", *call.inputs}:
            said = f"the flow {flow.flow} needs the input '{name}'"
            source.bad((*route, "flow"), said, f"Give it: inputs: {{{name}: …}}")


def everywhere(called: Mapping[str, Called]) -> list[Called]:
    """All called flows, those that they call too."""
    return [each for child in called.values() for each in (child, *everywhere(child.called))]


def stored(called: Mapping[str, Called]) -> dict[str, Any]:
    """What a run keeps of the flows it calls."""
    return {
        ref: {
            "text": each.loaded.text,
            "path": each.loaded.path,
            "origin": each.loaded.origin,
            "called": stored(each.called),
        }
        for ref, each in called.items()
    }


def restored(kept: Mapping[str, Any]) -> dict[str, Called]:
    """The flows as they were when the run began."""
    return {
        ref: Called(parse_flow(each["text"], each["path"], origin=each["origin"]), restored(each["called"]))
        for ref, each in kept.items()
    }
