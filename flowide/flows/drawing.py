"""The steps of a flow as lines, one inside the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from flowide.flows.called import Called
from flowide.flows.schema import Flow, Step


def drawn(flow: Flow, called: Mapping[str, Called]) -> list[str]:
    """A line for the flow, for each of its inputs that has to be given, and for each step."""
    needed = [name for name, wanted in flow.inputs.items() if wanted.required]
    head = f"{flow.flow}: {flow.about}" if flow.about else flow.flow
    needs = [f"needs {', '.join(needed)}"] if needed else []
    return [head, *needs, *_steps(flow.steps, called, "")]


def _steps(steps: Sequence[Step], called: Mapping[str, Called], indent: str) -> Iterator[str]:
    for step in steps:
        last = step is steps[-1]
        yield f"{indent}{'└─' if last else '├─'} {_step(step)}"
        yield from _inside(step, called, indent + ("   " if last else "│  "))


def _step(step: Step) -> str:
    said = step.kind if step.id == step.kind else f"{step.id}: {step.kind}"
    if step.repeat is not None:
        said += f" until {_plain(step.repeat.until)}, at most {_plain(str(step.repeat.times))} times"
    if step.call is not None:
        said += f" {step.call.flow}"
    if step.review is not None:
        said += " " + " → ".join(f"{each.stage} ({each.by})" for each in step.review.stages)
    if isinstance(step.when, str):
        said += f", when {_plain(step.when)}"
    return said


def _inside(step: Step, called: Mapping[str, Called], indent: str) -> Iterator[str]:
    if step.repeat is not None:
        yield from _steps(step.repeat.steps, called, indent)
    if step.parallel is not None:
        names = list(step.parallel.branches)
        for name, inner in step.parallel.branches.items():
            last = name == names[-1]
            yield f"{indent}{'└─' if last else '├─'} {name}"
            yield from _steps(inner, called, indent + ("   " if last else "│  "))
    if step.call is not None and step.call.flow in called:
        child = called[step.call.flow]
        yield from _steps(child.flow.steps, child.called, indent)


def _plain(template: str) -> str:
    """A template without its braces, on one line."""
    bare = template.strip()
    if bare.startswith("{{") and bare.endswith("}}") and bare.count("{{") == 1:
        bare = bare[2:-2]
    return " ".join(bare.split())
