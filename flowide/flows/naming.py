"""Agents that a flow file names, at its top and in its steps: those that are not there are told at their place."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from flowide.agents.load import FoundAgents, choose_agents
from flowide.agents.yaml_file import Route, YamlFile
from flowide.errors import NotFound
from flowide.flows.called import Called
from flowide.flows.load import LoadedFlow
from flowide.flows.schema import Step
from flowide.flows.soundness import walk
from flowide.text import close_to

ANYWAY = frozenset({"critique", "decide"})
"""Kinds whose `by` is a handle; in others a bare word may be a role."""


def check_top(loaded: LoadedFlow, found: FoundAgents, models: list[str]) -> None:
    """Raise BadInput for an agent at the top of a flow file that is nowhere, or whose own file is wrong."""
    for at, name in enumerate(loaded.flow.agents):
        try:
            choose_agents(found, [name], models)
        except NotFound as error:
            YamlFile(loaded.text, loaded.path).bad(("agents", at), error.message, error.hint)


def check_steps(
    loaded: LoadedFlow,
    called: Mapping[str, Called],
    agents: Collection[str],
    everyone: Collection[str] | None = None,
) -> None:
    """Raise BadInput for a step that names an agent which its run does not have.

    `everyone` are the handles that flows with agents of their own may name when they are called; None = `agents`.
    """
    for route, step in walk(loaded.flow.steps):
        for below, name in _named(step):
            handle = name.removeprefix("@")
            if handle not in agents:
                near = close_to(handle, list(agents))
                right = f"Did you mean {near[0]}?" if near else f"Agents: {', '.join(agents)}."
                place = (*route, step.kind, *below)
                said = f"the step names @{handle}, which is no agent of this run"
                YamlFile(loaded.text, loaded.path).bad(place, said, right)
    for child in called.values():
        own = everyone if child.flow.agents and everyone is not None else agents
        check_steps(child.loaded, child.called, own, everyone)


def _named(step: Step) -> Iterator[tuple[Route, str]]:
    """Handles that a step names for certain, each with where it stands below its kind."""
    spec: Any = step.spec
    named: list[tuple[Route, Any]] = [
        (("agents", at), each) for at, each in enumerate(getattr(spec, "agents", []))
    ]
    named += [((field,), getattr(spec, field, None)) for field in ("by", "compare_by")]
    named += [(("stages", at, "by"), each.by) for at, each in enumerate(getattr(spec, "stages", []))]
    for route, name in named:
        if not isinstance(name, str) or "{" in name:
            continue  # a template is looked at when it is filled in
        if route[0] == "agents" or step.kind in ANYWAY or name.startswith("@"):
            yield route, name
