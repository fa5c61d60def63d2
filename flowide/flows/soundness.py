"""What a flow file has to be, beyond its fields: step kinds, ids, templates, bounds. Mistakes point at their place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from msgspec import structs

from flowide.agents.tools.servers import problem_of
from flowide.agents.yaml_file import Route, YamlFile
from flowide.flows.schema import KINDS, Blend, Flow, Parallel, Repeat, Stage, Step
from flowide.patterns import lazy
from flowide.text import close_to

NAME = lazy(r"[a-z][a-z0-9_-]{0,63}")
MAX_NESTING = 4
"""Steps within steps within steps; keys of steps are bounded too."""
MAX_TIMES = 20
"""Rounds of a repeat."""


def nested(step: Step) -> list[tuple[Route, list[Step]]]:
    """The lists of steps inside a step, each with where it stands below the step."""
    if step.repeat is not None:
        return [(("repeat", "steps"), step.repeat.steps)]
    if step.parallel is not None:
        return [(("parallel", "branches", name), steps) for name, steps in step.parallel.branches.items()]
    return []


def walk(steps: list[Step], route: Route = ("steps",)) -> Iterator[tuple[Route, Step]]:
    """Every step with where it stands, those inside others too."""
    for at, step in enumerate(steps):
        yield (*route, at), step
        for below, inner in nested(step):
            yield from walk(inner, (*route, at, *below))


def check_shape(source: YamlFile) -> None:
    """Say which step kind was meant before the types of its fields are looked at."""
    _check_steps(source, source.data.get("steps"), ("steps",), 1)


def _check_steps(source: YamlFile, steps: Any, route: Route, depth: int) -> None:
    if not isinstance(steps, list):
        return
    if depth > MAX_NESTING:
        source.bad(
            route, f"steps are nested more than {MAX_NESTING} deep", "Put some into a flow and call it."
        )
    for at, step in enumerate(steps):
        here = (*route, at)
        if not isinstance(step, dict):
            source.bad(here, "a step is a mapping", "For example: - vary: {n: 5}")
        kind = _kind(source, step, here)
        if step[kind] is None:
            step[kind] = {}
        spec = step[kind]
        if not isinstance(spec, dict):
            continue
        if kind == "repeat":
            _check_steps(source, spec.get("steps"), (*here, kind, "steps"), depth + 1)
        if kind == "parallel" and isinstance(spec.get("branches"), dict):
            for name, inner in spec["branches"].items():
                _check_steps(source, inner, (*here, kind, "branches", name), depth + 1)


def _kind(source: YamlFile, step: dict[str, Any], here: Route) -> str:
    kinds = [key for key in step if key not in {"id", "when"}]
    unknown = [key for key in kinds if key not in KINDS]
    if unknown:
        near = close_to(unknown[0], KINDS)
        source.bad(
            (*here, unknown[0]),
            f"there is no step '{unknown[0]}'",
            f"Did you mean '{near[0]}'?" if near else f"Steps: {', '.join(KINDS)}.",
            at_key=True,
        )
    if len(kinds) != 1:
        said = f"a step is of one kind, this one has {len(kinds)}"
        source.bad(here, said, f"One of: {', '.join(KINDS)}.")
    return kinds[0]


def with_ids(source: YamlFile, flow: Flow) -> Flow:
    """The flow with an id for every step, unique in its list."""
    return structs.replace(flow, steps=_with_ids(source, flow.steps, ("steps",)))


def _with_ids(source: YamlFile, given: list[Step], route: Route) -> list[Step]:
    steps: list[Step] = []
    used: set[str] = set()
    for at, step in enumerate(given):
        here = (*route, at)
        id, number = step.id or step.kind, 2
        while not step.id and id in used:
            id, number = f"{step.kind}-{number}", number + 1
        if id in used:
            source.bad((*here, "id"), f"there are two steps '{id}'", "Give one of them another id.")
        if not NAME.fullmatch(id):
            source.bad((*here, "id"), f"'{id}' cannot be an id", "Lower-case letters, digits, - and _.")
        used.add(id)
        inner = {below: _with_ids(source, steps_, (*here, *below)) for below, steps_ in nested(step)}
        more: dict[str, Any] = {}
        if step.repeat is not None:
            more["repeat"] = structs.replace(step.repeat, steps=inner["repeat", "steps"])
        if step.parallel is not None:
            branches = {str(below[-1]): steps_ for below, steps_ in inner.items()}
            more["parallel"] = structs.replace(step.parallel, branches=branches)
        steps.append(structs.replace(step, id=id, **more))
    return steps


def check_values(source: YamlFile, flow: Flow) -> None:
    """Check what every step says."""
    for name, spec in flow.mcp.items():
        wrong = problem_of(name, spec)
        if wrong is not None:
            source.bad(("mcp", name), *wrong, at_key=True)
    names = {"brief", "path", *flow.inputs, "steps"}
    _check_list(source, flow.steps, ("steps",), names, set())


def _check_list(source: YamlFile, steps: list[Step], route: Route, names: set[str], seen: set[str]) -> None:
    """`names` are those a template may use, `seen` the steps whose results it may use."""
    seen = set(seen)
    for at, step in enumerate(steps):
        here = (*route, at)
        if isinstance(step.when, str):
            _check_template(source, (*here, "when"), step.when, names, seen)
        _check_step(source, step, (*here, step.kind), names, seen)
        for below, inner in nested(step):
            place = (*here, *below)
            if not inner:
                source.bad(place, "there are no steps here", "At least one, for example: - vary: {n: 3}")
            if step.repeat is None:
                _check_list(source, inner, place, names, seen)
            else:  # a later round sees the steps of the round before
                ids = {each.id for each in inner}
                _check_list(source, inner, place, names | {"round"}, seen | ids)
        seen.add(step.id)


def _check_step(source: YamlFile, step: Step, route: Route, names: set[str], seen: set[str]) -> None:
    for kind, least, words in (("vary", 2, "variations"), ("more", 1, "more"), ("repair", 1, "repairs")):
        n = getattr(getattr(step, kind), "n", None)
        if isinstance(n, int) and not least <= n <= 10:
            source.bad((*route, "n"), f"{n} {words} are not possible", f"n goes from {least} to 10.")
    if step.tool is not None and "/" not in step.tool.tool and "{{" not in step.tool.tool:
        source.bad((*route, "tool"), "a tool is written server/tool", "For example: tool: git/git_status")
    if step.review is not None:
        _check_stages(source, route, step.review.stages)
    if step.blend is not None:
        _check_blend(source, route, step.blend)
    if step.repeat is not None:
        _check_repeat(source, route, step.repeat)
        names, seen = names | {"round"}, seen | {each.id for each in step.repeat.steps}
    if step.parallel is not None:
        _check_branches(source, route, step.parallel)
    _check_empty(source, step, route)
    _check_fields(source, step, route, names, seen)


def _check_branches(source: YamlFile, route: Route, parallel: Parallel) -> None:
    if not parallel.branches:
        source.bad((*route, "branches"), "there are no branches", "Lists of steps by name.")
    for name in parallel.branches:
        if not NAME.fullmatch(name):
            said = f"'{name}' cannot be the name of a branch"
            source.bad((*route, "branches", name), said, "Lower-case letters, digits, - and _.", at_key=True)


def _check_empty(source: YamlFile, step: Step, route: Route) -> None:
    if step.gate is not None and not step.gate.options:
        source.bad((*route, "options"), "there is nothing to answer", "options: [approve, reject]")
    if step.run is not None and not step.run.command.strip():
        source.bad((*route, "command"), "the command is empty", "For example: run: {command: make test}")


def _check_fields(source: YamlFile, step: Step, route: Route, names: set[str], seen: set[str]) -> None:
    """Hold the kind of each value against its field, and look at its templates."""
    for field in structs.fields(type(step.spec)):
        given = getattr(step.spec, field.name)
        if isinstance(given, str) and isinstance(field.default, int) and "{{" not in given:
            wanted = "true or false" if isinstance(field.default, bool) else "a whole number"
            said = f"{field.name}: expected {wanted} or a template, got the text '{given[:100]}'"
            source.bad((*route, field.name), said, f"For example: {field.name}: {json.dumps(field.default)}")
        for below, text in _texts(given):
            _check_template(source, (*route, field.name, *below), text, names, seen)


def _texts(value: Any) -> Iterator[tuple[Route, str]]:
    """The texts in a value of a field, each with where it stands; steps inside are looked at on their own."""
    if isinstance(value, str):
        yield (), value
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from (((at, *below), text) for below, text in _texts(item))
    elif isinstance(value, Stage):
        for field in structs.fields(Stage):
            yield from (((field.name, *below), text) for below, text in _texts(getattr(value, field.name)))
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from (((name, *below), text) for below, text in _texts(item))


def _check_template(source: YamlFile, route: Route, text: str, names: set[str], seen: set[str]) -> None:
    from flowide.flows.templates import check_template, steps_named

    problem = check_template(text, names)
    if problem:
        source.bad(route, problem, f"Known here: {', '.join(sorted(names))}.")
    for name in steps_named(text):
        if name not in seen and not hasattr(dict, name):
            near = close_to(name, seen)
            known = f"Steps before: {', '.join(sorted(seen))}." if seen else "It is the first step."
            right = f"Did you mean '{near[0]}'?" if near else known
            source.bad(route, f"there is no step '{name}' before this one", right)


def _check_blend(source: YamlFile, route: Route, blend: Blend) -> None:
    if bool(blend.say) == bool(blend.base or blend.takes):
        said = "a blend is told either by say or by base and takes"
        source.bad(route, said, 'For example: blend: {base: 4, takes: ["2:LRUCache._evict"]}')
    if not blend.say and not (blend.base and blend.takes):
        missing = "takes" if blend.base else "base"
        source.bad(
            route, f"the blend has no {missing}", 'For example: {base: 4, takes: ["2:LRUCache._evict"]}'
        )


def _check_repeat(source: YamlFile, route: Route, repeat: Repeat) -> None:
    if isinstance(repeat.times, int) and not 1 <= repeat.times <= MAX_TIMES:
        said = f"{repeat.times} rounds are not possible"
        source.bad((*route, "times"), said, f"times goes from 1 to {MAX_TIMES}.")
    if not repeat.until.strip():
        source.bad((*route, "until"), "the condition is empty", 'until: "{{ steps.check.passed }}"')


def _check_stages(source: YamlFile, route: Route, stages: list[Stage]) -> None:
    names = [each.stage for each in stages]
    if not names:
        source.bad((*route, "stages"), "a review needs at least one stage", "- {stage: edit, by: editor}")
    for at, each in enumerate(stages):
        if not NAME.fullmatch(each.stage):
            said = f"'{each.stage[:100]}' cannot be the name of a stage"
            source.bad((*route, "stages", at, "stage"), said, "Lower-case letters, digits, - and _.")
        if each.stage in names[:at]:
            source.bad((*route, "stages", at, "stage"), f"there are two stages '{each.stage}'", "Rename one.")
        if each.back_to is not None and each.back_to not in names:
            said = f"there is no stage '{each.back_to}' to go back to"
            source.bad((*route, "stages", at, "back_to"), said, f"Stages: {', '.join(names)}.")
        if each.by == "person" and each.does != "judge":
            said = "a person judges, and writes with `flowide edit` before answering"
            source.bad((*route, "stages", at, "does"), said, "Write does: judge.")
