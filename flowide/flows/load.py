"""Finds flow files and reads them; every mistake is told with file, line and column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from flowide.agents.yaml_file import YamlFile, read_text
from flowide.errors import BadInput, NotFound
from flowide.flows.schema import Flow, Input
from flowide.flows.soundness import NAME, check_shape, check_values, with_ids
from flowide.text import close_to

_HINTS = {
    "flow": "A name, for example: flow: variations",
    "steps": "A list of steps, for example: steps: [{vary: {n: 5}}, {choose: {}}]",
    "type": "One of: text, path, integer, number, boolean, list.",
    "question": "A text, for example: question: Good enough?",
    "command": "A command line, for example: command: make test",
    "until": 'A condition, for example: until: "{{ steps.check.passed }}"',
    "branches": "Lists of steps by name, for example: branches: {a: [{vary: {}}], b: [{draft: {}}]}",
    "on_failure": "One of: stop, tolerate.",
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
    near = close_to(ref, list(flows))
    raise NotFound(
        f"there is no flow {ref[:200]}",
        hint=f"Did you mean {near[0]}?" if near else f"Flows: {', '.join(flows)}; or name a .yaml file.",
        known=list(flows),
    )


def parse_flow(text: str, file: str, *, origin: str = "project") -> LoadedFlow:
    """A flow file as a value."""
    source = YamlFile(text, file)
    check_shape(source)
    flow = source.convert(Flow, _HINTS)
    if not NAME.fullmatch(flow.flow):
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
    flow = with_ids(source, flow)
    check_values(source, flow)
    return LoadedFlow(flow, text, origin, file)


def input_values(flow: Flow, given: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of a run, checked and with defaults.

    Raises:
        BadInput: One is unknown, missing or of the wrong type.
    """
    unknown = sorted(set(given) - set(flow.inputs) - {"brief", "path"})
    if unknown:
        near = close_to(unknown[0], list(flow.inputs))
        raise BadInput(
            f"the flow {flow.flow} has no input {unknown[0]}",
            hint=f"Did you mean {near[0]}?" if near else f"Inputs: {', '.join(flow.inputs) or 'none'}.",
        )
    values: dict[str, Any] = {"brief": "", "path": ""}
    for name, wanted in flow.inputs.items():
        value = given.get(name, wanted.default)
        if wanted.required and value in (None, "", []):
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
