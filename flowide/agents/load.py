"""Finds agent files, reads them and chooses among them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from flowide.agents.definition import (
    HANDLE,
    AgentDefinition,
    BackendKind,
    Origin,
    Permission,
    handle_of_model,
)
from flowide.agents.yaml_file import YamlFile, read_text
from flowide.errors import BadInput, NotFound
from flowide.text import close_to

_HINTS = {
    "handle": "Lower-case letters, digits, - and _, for example: handle: edwin",
    "backend": "One of: model, acp, scripted.",
    "temperature": "A number from 0 to 2.",
    "max_tokens": "A whole number above 0.",
    "tools": "A list of names, for example: tools: [search, fetch]",
    "permissions": "allow, ask or deny per tool, for example: permissions: {fetch: ask}",
    "command": "A list of program and arguments, for example: command: [gemini, --acp]",
    "recipe": "The name of a coding agent that FlowIDE knows, for example: recipe: gemini",
    "env": "Names of environment variables, for example: env: [MY_AGENT_KEY]",
    "writes": "Files and folders of the agent's own, for example: writes: [~/.my-agent]",
    "mcp": "true or false: whether a coding agent gets the space as tools in its turns",
    "model": "A text, for example: model: openai/gpt-4o-mini",
    "name": "A text, for example: name: Edwin",
}


class AgentFile(Struct, forbid_unknown_fields=True):
    """The front matter of an agent file, as it is written."""

    handle: str | None = None
    name: str | None = None
    role: str | None = None
    backend: BackendKind = "model"
    model: str | None = None
    command: list[str] | str = []
    recipe: str = ""
    env: list[str] | str = []
    writes: list[str] | str = []
    temperature: float | None = None
    max_tokens: int | None = None
    script: str | None = None
    tools: list[str] | str = []
    permissions: dict[str, Permission] = {}
    mcp: bool = True
    colour: str | None = None


class _ClaudeFile(Struct):
    """The fields of `.claude/agents/*.md` that mean something here; the others are passed over."""

    name: str
    description: str = ""
    model: str | None = None
    tools: list[str] | str | None = None
    color: str | None = None


class FoundAgents(Struct):
    """The agents of a project and its user, and the files that could not be read."""

    agents: dict[str, AgentDefinition] = field(default_factory=dict)
    """By handle; a project's file goes before a `.claude` one, that before the user's."""
    broken: dict[str, BadInput] = field(default_factory=dict)
    """By path."""


def find_agents(project: Path | None, user_folder: Path | None = None) -> FoundAgents:
    """Read every agent file of a project and of the user; a broken one does not hide the others."""
    found = FoundAgents()
    folders: list[tuple[Path, Origin]] = []
    if project is not None:
        folders += [(project / ".flowide" / "agents", "project"), (project / ".claude" / "agents", "claude")]
    if user_folder is not None:
        folders.append((user_folder, "user"))
    for folder, origin in folders:
        seen: dict[str, Path] = {}
        for path in sorted(folder.glob("*.md")):
            try:
                agent = load_agent(path, origin)
                if agent.handle in seen:
                    raise BadInput(
                        f"{path}:1:1: @{agent.handle} is defined twice, also in {seen[agent.handle].name}",
                        hint="Give one of them another handle.",
                        file=str(path),
                    )
            except BadInput as error:
                found.broken[str(path)] = error
                continue
            seen[agent.handle] = path
            found.agents.setdefault(agent.handle, agent)
    return found


def load_agent(path: Path, origin: Origin = "project") -> AgentDefinition:
    """Read one agent file.

    Raises:
        NotFound: There is no such file.
        BadInput: The file is wrong; the message points at the line and column.
    """
    return parse_agent(read_text(path), path, origin)


def parse_agent(text: str, path: Path, origin: Origin = "project") -> AgentDefinition:
    """The agent that the text of a file at `path` describes.

    Raises:
        BadInput: The text is wrong; the message points at the line and column.
    """
    head, body = _front_matter(text, path, origin)
    read = _claude_agent if origin == "claude" else _own_agent
    return read(head, body.strip(), path, origin)


def choose_agents(
    found: FoundAgents, names: Sequence[str], aliases: Collection[str] = ()
) -> list[AgentDefinition]:
    """The agents that `--agents a,b` names, each once, in that order.

    A name is a handle (with or without @), a coding agent that FlowIDE knows (`gemini`), an alias of the settings,
    or a model such as `openai/gpt-4o-mini`.

    Raises:
        NotFound: No such agent.
        BadInput: The file of that agent is wrong.
    """
    chosen: dict[str, AgentDefinition] = {}
    for given in names:
        name = given.strip().removeprefix("@")
        if not name:
            continue
        agent = found.agents.get(name)
        if agent is None:
            agent = _by_recipe(name)
        if agent is None and ("/" in name or name in aliases):
            agent = _model_agent(name, taken={*found.agents, *(a.handle for a in chosen.values())})
        if agent is None:
            raise _unknown_agent(name, found, aliases)
        chosen.setdefault(name, agent)
    return list(chosen.values())


def _by_recipe(name: str) -> AgentDefinition | None:
    """The coding agent of this name that FlowIDE knows, whether it is installed or not."""
    from flowide.agents.acp.recipes import agent_of, recipes

    recipe = recipes().get(name)
    return None if recipe is None else agent_of(recipe)


def _unknown_agent(name: str, found: FoundAgents, aliases: Collection[str]) -> BadInput:
    for path, error in found.broken.items():
        if Path(path).stem.lower() == name:
            return error
    from flowide.agents.acp.recipes import recipes

    known = sorted({*found.agents, *aliases})
    near = close_to(name, [*known, *recipes()])
    hint = f"Did you mean {near[0]}? " if near else ""
    hint += f"Known: {', '.join(known)}. " if known and not near else ""
    hint += "A model is written provider/name, for example openai/gpt-4o-mini."
    return NotFound(f"there is no agent @{name}", hint=hint, agent=name, known=known)


def _model_agent(model: str, *, taken: Collection[str]) -> AgentDefinition:
    handle = base = handle_of_model(model)
    number = 2
    while handle in taken:
        handle, number = f"{base}-{number}", number + 1
    return AgentDefinition(handle=handle, name=model, model=model, origin="model")


def _front_matter(text: str, path: Path, origin: Origin) -> tuple[YamlFile, str]:
    lines = text.splitlines(keepends=True)
    if not lines or lines[0].rstrip() != "---":
        raise BadInput(
            f"{path}:1:1: an agent file begins with a line of three dashes",
            hint="Write ---, lines such as 'handle: edwin' and 'backend: model', --- and the instructions.",
            file=str(path),
            line=1,
            column=1,
        )
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() in ("---", "...")), None)
    if end is None:
        raise BadInput(
            f"{path}:{len(lines)}:1: the front matter is not closed",
            hint="Put a line of three dashes before the instructions.",
            file=str(path),
            line=len(lines),
            column=1,
        )
    head, body = "".join(lines[1:end]), "".join(lines[end + 1 :])
    try:
        return YamlFile(head, str(path), first_line=2), body
    except BadInput:
        if origin != "claude":
            raise
        return YamlFile(_quoted(head), str(path), first_line=2), body


def _quoted(head: str) -> str:
    """`key: value` lines with the value in quotes: Claude's descriptions are often no valid YAML."""
    return re.sub(
        r"^([A-Za-z_-]+):[ \t]+([^\s'\"\[{|>].*)$",
        lambda line: f"{line[1]}: {json.dumps(line[2])}",
        head,
        flags=re.M,
    )


def _own_agent(head: YamlFile, body: str, path: Path, origin: Origin) -> AgentDefinition:
    raw = head.convert(AgentFile, _HINTS)
    handle = (raw.handle if raw.handle is not None else path.stem.lower()).removeprefix("@")
    _check_handle(handle, head, "handle")
    if raw.temperature is not None and not 0 <= raw.temperature <= 2:
        head.bad(("temperature",), f"temperature: {raw.temperature} is out of range", _HINTS["temperature"])
    if raw.max_tokens is not None and raw.max_tokens < 1:
        head.bad(("max_tokens",), f"max_tokens: {raw.max_tokens} is out of range", _HINTS["max_tokens"])
    if raw.backend == "scripted" and not raw.script:
        head.bad((), "a scripted agent needs a script", f"Add, for example: script: {handle}.yaml")
    if raw.script and raw.backend != "scripted":
        head.bad(
            ("script",),
            f"backend {raw.backend} has no script",
            "Write backend: scripted, or drop the script.",
        )
    if raw.script and not (path.parent / raw.script).is_file():
        head.bad(
            ("script",),
            f"there is no file {raw.script} in {path.parent}",
            "Name a YAML file beside this one.",
        )
    if raw.backend == "acp":
        _check_recipe(raw, head)
    return AgentDefinition(
        handle=handle,
        name=raw.name or handle.capitalize(),
        role=raw.role or "",
        backend=raw.backend,
        model=raw.model or None,
        command=_words(raw.command, _split_command(head)),
        recipe=raw.recipe,
        env=_words(raw.env, _split_commas),
        writes=_words(raw.writes, _split_commas),
        temperature=raw.temperature,
        max_tokens=raw.max_tokens,
        script=str(path.parent / raw.script) if raw.script else None,
        tools=_words(raw.tools, _split_commas),
        permissions=raw.permissions,
        mcp=raw.mcp,
        colour=raw.colour,
        instructions=body,
        source=str(path),
        origin=origin,
    )


def _check_recipe(raw: AgentFile, head: YamlFile) -> None:
    from flowide.agents.acp.recipes import recipes

    if raw.recipe and raw.recipe not in recipes():
        head.bad(("recipe",), f"there is no recipe '{raw.recipe}'", f"One of: {', '.join(recipes())}.")
    if not raw.command and not raw.recipe:
        head.bad((), "an acp agent needs a command or a recipe", _HINTS["command"])


def _claude_agent(head: YamlFile, body: str, path: Path, origin: Origin) -> AgentDefinition:
    raw = head.convert(_ClaudeFile, _HINTS)
    handle = raw.name.strip().lower().replace(" ", "-")
    _check_handle(handle, head, "name")
    model = None if raw.model in (None, "", "inherit") else raw.model
    return AgentDefinition(
        handle=handle,
        name=raw.name,
        role=raw.description,
        model=model,
        tools=_words(raw.tools or [], _split_commas),
        colour=raw.color,
        instructions=body,
        source=str(path),
        origin=origin,
    )


def check_handle(handle: str) -> str:
    """The handle.

    Raises:
        BadInput: It cannot be one.
    """
    if not HANDLE.fullmatch(handle):
        raise BadInput(f"'{handle[:100]}' cannot be a handle", hint=_HINTS["handle"])
    if handle == "all":
        raise BadInput("@all means every agent", hint="Choose another handle.")
    return handle


def _check_handle(handle: str, head: YamlFile, key: str) -> None:
    try:
        check_handle(handle)
    except BadInput as error:
        head.bad((key,), error.message, error.hint)


def _words(given: list[str] | str, split: Callable[[str], list[str]]) -> list[str]:
    return split(given) if isinstance(given, str) else list(given)


def _split_commas(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _split_command(head: YamlFile) -> Callable[[str], list[str]]:
    def split(text: str) -> list[str]:
        import shlex

        try:
            return shlex.split(text)
        except ValueError as error:
            head.bad(("command",), f"command: {error}", _HINTS["command"])

    return split


def user_agents_folder(env: Mapping[str, str]) -> Path:
    """The folder of the user's own agents: `$FLOWIDE_HOME/agents`, else beside the platform's settings."""
    from flowide.settings import user_folder

    return user_folder(env) / "agents"


def load_agents(project: Path, env: Mapping[str, str]) -> dict[str, AgentDefinition]:
    """The agents of a project and its user that can be read, by handle."""
    return find_agents(project, user_agents_folder(env)).agents


def agent_schema() -> dict[str, Any]:
    """JSON Schema of the front matter of an agent file."""
    made = msgspec.json.schema(AgentFile)
    head: dict[str, Any] = made["$defs"]["AgentFile"]
    for name, hint in _HINTS.items():
        head["properties"][name]["description"] = hint
    head["properties"]["handle"]["anyOf"] = [
        {"type": "string", "pattern": f"^@?{HANDLE.pattern}$"},
        {"type": "null"},
    ]
    head["properties"]["temperature"]["anyOf"] = [
        {"type": "number", "minimum": 0, "maximum": 2},
        {"type": "null"},
    ]
    head["properties"]["max_tokens"]["anyOf"] = [{"type": "integer", "minimum": 1}, {"type": "null"}]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **head, "title": "FlowIDE agent"}
