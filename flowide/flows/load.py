"""Finds flow files and reads them; every mistake is told with file, line and column."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, structs

from flowide.agents.yaml_file import YamlFile, read_text
from flowide.errors import BadInput, NotFound
from flowide.flows.schema import KINDS, Flow, Input, Stage, Step

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_HINTS = {
    "flow": "A name, for example: flow: variations",
    "steps": "A list of steps, for example: steps: [{vary: {n: 5}}, {choose: {}}]",
    "type": "One of: text, path, integer, number, boolean, list.",
    "question": "A text, for example: question: Good enough?",
    "command": "A command line, for example: command: make test",
}


class LoadedFlow(Struct, frozen=True):
    """A flow with the text it was read from."""

    flow: Flow
    text: str
    origin: str
    """`shipped`, `project`, `user`, or the path that was named."""
    path: str

    @property
    def digest(self) -> str:
        """SHA-256 of the text."""
        return sha256(self.text.encode()).hexdigest()


def shipped_folder() -> Path:
    """Where the flows that come with FlowIDE are: in the wheel, or at the top of a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "data" / "flows"
    return inside if inside.is_dir() else package.parent / "flows"


def flow_folders(project: Path | None, user: Path | None) -> Iterator[tuple[str, Path]]:
    """`(origin, folder)`, the nearest first."""
    if project is not None:
        yield "project", project / ".flowide" / "flows"
    if user is not None:
        yield "user", user / "flows"
    yield "shipped", shipped_folder()


def find_flows(project: Path | None, user: Path | None = None) -> list[tuple[str, str, Path]]:
    """`(name, origin, path)` of all flows by name; a nearer one hides a farther one of the same name."""
    found: dict[str, tuple[str, str, Path]] = {}
    for origin, folder in flow_folders(project, user):
        for path in sorted(folder.glob("*.yaml")):
            found.setdefault(path.stem, (path.stem, origin, path))
    return sorted(found.values())


def load_flow(ref: str, project: Path | None, user: Path | None = None) -> LoadedFlow:
    """The flow of this name, or in this file.

    Raises:
        NotFound: With similar names.
        BadInput: The file is wrong; the message points at line and column.
    """
    flows = {name: (origin, path) for name, origin, path in find_flows(project, user)}
    if ref in flows:
        origin, path = flows[ref]
        return parse_flow(read_text(path), str(path), origin=origin)
    path = Path(ref)
    if path.suffix in {".yaml", ".yml"} or path.is_file():
        return parse_flow(read_text(path), ref, origin=ref)
    near = difflib.get_close_matches(ref, list(flows), n=1)
    raise NotFound(
        f"there is no flow {ref[:200]}",
        hint=f"Did you mean {near[0]}?" if near else f"Flows: {', '.join(flows)}; or name a .yaml file.",
        known=list(flows),
    )


def parse_flow(text: str, file: str, *, origin: str = "project") -> LoadedFlow:
    """A flow file as a value."""
    source = YamlFile(text, file)
    _check_steps_first(source)
    flow = source.convert(Flow, _HINTS)
    if not _NAME.fullmatch(flow.flow):
        source.bad(("flow",), f"'{flow.flow}' cannot be a name", "Lower-case letters, digits, - and _.")
    for name, wanted in flow.inputs.items():
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name):
            source.bad(("inputs", name), f"'{name}' cannot be an input", "Lower-case letters, digits and _.")
        if wanted.default is not None:
            try:
                input_value(name, wanted, wanted.default)
            except BadInput as error:
                source.bad(("inputs", name, "default"), error.message, error.hint)
    if not flow.steps:
        source.bad(("steps",), "a flow needs at least one step", _HINTS["steps"])
    _check_values(source, flow)
    return LoadedFlow(_with_ids(source, flow), text, origin, file)


def _check_steps_first(source: YamlFile) -> None:
    """Say which step kind was meant before the types of its fields are looked at."""
    steps = source.data.get("steps")
    for at, step in enumerate(steps if isinstance(steps, list) else []):
        if not isinstance(step, dict):
            source.bad(("steps", at), "a step is a mapping", "For example: - vary: {n: 5}")
        kinds = [key for key in step if key not in {"id", "when"}]
        unknown = [key for key in kinds if key not in KINDS]
        if unknown:
            near = difflib.get_close_matches(unknown[0], KINDS, n=1)
            source.bad(
                ("steps", at, unknown[0]),
                f"there is no step '{unknown[0]}'",
                f"Did you mean '{near[0]}'?" if near else f"Steps: {', '.join(KINDS)}.",
                at_key=True,
            )
        if len(kinds) != 1:
            source.bad(
                ("steps", at),
                f"a step is of one kind, this one has {len(kinds)}",
                f"One of: {', '.join(KINDS)}.",
            )
        if step[kinds[0]] is None:
            step[kinds[0]] = {}


def _check_values(source: YamlFile, flow: Flow) -> None:
    from flowide.flows.templates import check_template

    names = {"brief", "path", *flow.inputs, "steps"}
    for at, step in enumerate(flow.steps):
        route = ("steps", at, step.kind)
        if step.vary is not None and isinstance(step.vary.n, int) and not 2 <= step.vary.n <= 10:
            source.bad((*route, "n"), f"{step.vary.n} variations are not possible", "n goes from 2 to 10.")
        if step.more is not None and isinstance(step.more.n, int) and not 1 <= step.more.n <= 10:
            source.bad((*route, "n"), f"{step.more.n} more are not possible", "n goes from 1 to 10.")
        if step.review is not None:
            _check_stages(source, route, step.review.stages)
        for field in structs.fields(type(step.spec)):
            value = getattr(step.spec, field.name)
            for text in value if isinstance(value, list) else [value]:
                if isinstance(text, str):
                    problem = check_template(text, names)
                    if problem:
                        source.bad((*route, field.name), problem, f"Known here: {', '.join(sorted(names))}.")


def _check_stages(source: YamlFile, route: tuple[str | int, ...], stages: list[Stage]) -> None:
    names = [each.stage for each in stages]
    if not names:
        source.bad((*route, "stages"), "a review needs at least one stage", "- {stage: edit, by: editor}")
    for at, each in enumerate(stages):
        if each.stage in names[:at]:
            source.bad((*route, "stages", at, "stage"), f"there are two stages '{each.stage}'", "Rename one.")
        if each.back_to is not None and each.back_to not in names:
            said = f"there is no stage '{each.back_to}' to go back to"
            source.bad((*route, "stages", at, "back_to"), said, f"Stages: {', '.join(names)}.")


def _with_ids(source: YamlFile, flow: Flow) -> Flow:
    steps: list[Step] = []
    used: set[str] = set()
    for at, step in enumerate(flow.steps):
        id, number = step.id or step.kind, 2
        while not step.id and id in used:
            id, number = f"{step.kind}-{number}", number + 1
        if id in used:
            source.bad(("steps", at, "id"), f"there are two steps '{id}'", "Give one of them another id.")
        if not _NAME.fullmatch(id):
            source.bad(("steps", at, "id"), f"'{id}' cannot be an id", "Lower-case letters, digits, - and _.")
        used.add(id)
        steps.append(structs.replace(step, id=id))
    return structs.replace(flow, steps=steps)


def input_values(flow: Flow, given: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of a run, checked and with defaults.

    Raises:
        BadInput: One is unknown, missing or of the wrong type.
    """
    unknown = sorted(set(given) - set(flow.inputs) - {"brief", "path"})
    if unknown:
        near = difflib.get_close_matches(unknown[0], list(flow.inputs), n=1)
        raise BadInput(
            f"the flow {flow.flow} has no input {unknown[0]}",
            hint=f"Did you mean {near[0]}?" if near else f"Inputs: {', '.join(flow.inputs) or 'none'}.",
        )
    values: dict[str, Any] = {"brief": "", "path": ""}
    for name, wanted in flow.inputs.items():
        value = given.get(name, wanted.default)
        if wanted.required and value in (None, ""):
            how = "--brief 'what is wanted'" if name == "brief" else f"--set {name}=…"
            raise BadInput(f"the flow {flow.flow} needs the input {name}", hint=f"Give it: {how}", input=name)
        values[name] = input_value(name, wanted, value)
    return values | {name: str(given[name]) for name in ("brief", "path") if name in given}


def input_value(name: str, wanted: Input, value: Any) -> Any:
    """A value as the input's type; texts are read as the command line gives them."""
    empty: dict[str, Any] = {"text": "", "path": "", "list": [], "boolean": False}
    if value is None:
        return empty.get(wanted.type)
    try:
        if wanted.type in {"text", "path"}:
            if not isinstance(value, str):
                raise ValueError
            return value
        if wanted.type == "list":
            return (
                [line.strip() for line in value.splitlines() if line.strip()]
                if isinstance(value, str)
                else list(map(str, value))
            )
        if wanted.type == "boolean":
            return value if isinstance(value, bool) else _BOOLEANS[str(value).strip().casefold()]
        if isinstance(value, bool):
            raise ValueError
        return int(value) if wanted.type == "integer" else float(value)
    except (ValueError, TypeError, KeyError):
        raise BadInput(
            f"{name}: {str(value)[:100]!r} is no {wanted.type}", hint=_RIGHT.get(wanted.type, ""), input=name
        ) from None


_BOOLEANS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}
_RIGHT = {
    "integer": "Give a whole number.",
    "number": "Give a number.",
    "boolean": "Give true or false.",
    "list": "Give one value a line.",
}


def flow_schema() -> dict[str, Any]:
    """JSON Schema of flow files, for editors."""
    schema = msgspec.json.schema(Flow)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "FlowIDE flow", **schema}
