"""What `flowide doctor` looks at; nothing of it goes over the network."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from flowide.errors import FlowError
from flowide.settings import Loaded, known_variables, user_folder, variables
from flowide.text import close_to

if TYPE_CHECKING:
    from flowide.agents.load import FoundAgents

_EXTRAS = {
    "xllamacpp": "local",
    "psycopg": "postgres",
    "uvicorn": "server",
    "pillow": "images",
    "textual-serve": "web",
    "keyring": "keyring",
}
_PROGRAMS = (
    "claude-agent-acp",
    "claude-code-acp",
    "codex-acp",
    "gemini",
    "vibe-acp",
    "opencode",
    "goose",
    "ollama",
)
_OURS = frozenset({"FLOWIDE_HOME", "FLOWIDE_CLIENT", "FLOWIDE_SCRIPTED_PACE"})
"""Variables that are no settings."""


class Finding(Struct, frozen=True):
    """One thing that was looked at."""

    what: str
    state: Literal["ok", "note", "bad"]
    said: str
    hint: str = ""
    """What to do about it, or how to add one; empty = nothing."""


def findings(root: Path, loaded: Loaded | None) -> Iterator[Finding]:
    """All findings; `loaded` is None when the settings cannot be read."""
    from flowide.cli.checkup_tools import keys_and_tools

    env, told = (dict(os.environ), []) if loaded is None else keys_and_tools(root, loaded)
    yield from _installation()
    yield _workspace(root, loaded)
    yield from _settings_of(root, loaded)
    yield from _agents(root, loaded, env)
    yield from _flows(root)
    yield from told
    yield from _models(loaded, env)


def _installation() -> Iterator[Finding]:
    from flowide import __version__
    from flowide.store.explained import sqlite3
    from flowide.store.journal import wal_is_safe

    yield Finding("FlowIDE", "ok", __version__)
    yield Finding("Python", "ok", f"{platform.python_version()} at {sys.executable}")
    version = sqlite3.sqlite_version
    if wal_is_safe(sqlite3.sqlite_version_info):
        yield Finding("SQLite", "ok", version)
    else:
        said = f"{version} has a bug in WAL mode; the slower rollback journal is used"
        yield Finding("SQLite", "note", said, "Install pysqlite3, or a Python with SQLite 3.51.3 or newer.")
    git = shutil.which("git")
    if git:
        yield Finding("git", "ok", git)
    else:
        yield Finding("git", "note", "not found; everything but commits works without it", "Install git.")
    yield _confinement()
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if editor:
        yield Finding("editor", "ok", editor)
    else:
        yield Finding("editor", "note", "none is set; `flowide edit` tries nano and vi", "Set EDITOR.")
    extras = sorted(extra for name, extra in _EXTRAS.items() if _is_installed(name))
    said = ", ".join(extras) or "none installed"
    yield Finding(
        "extras", "ok", said, f"There are: {', '.join(_EXTRAS.values())}; pip install 'flowide[…]'."
    )
    colours = os.environ.get("COLORTERM", "no COLORTERM")
    yield Finding("terminal", "ok", f"{os.environ.get('TERM', 'no TERM')}, {colours}, {sys.stdout.encoding}")


def _confinement() -> Finding:
    """What keeps checks, commands and coding agents from writing elsewhere, as a trial just now has shown."""
    from flowide.confinement.methods import confinement

    found = confinement()
    if found.works:
        return Finding("confinement", "ok", found.told())
    said = (
        "checks, commands and coding agents work in a private copy of the project, and could write elsewhere"
    )
    return Finding("confinement", "note", said, found.why)


def _is_installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


def _workspace(root: Path, loaded: Loaded | None) -> Finding:
    database = root / ".flowide" / "workspace.db"
    if not root.is_dir():
        return Finding("workspace", "bad", f"there is no folder {root}", "Name the folder of a project.")
    if loaded is not None and loaded.settings.hub.space:
        from flowide.cli.checkup_hub import hub_of

        return hub_of(loaded.settings)
    if not database.exists():
        return Finding("workspace", "note", f"none in {root} yet", "It is made on first use.")
    try:
        return asyncio.run(_opened(database))
    except FlowError as error:
        return Finding("workspace", "bad", error.message, error.hint)


async def _opened(database: Path) -> Finding:
    from flowide.domain.actors import Actor
    from flowide.domain.policy import Policy
    from flowide.space.open import open_space

    space = await open_space(database, actor=Actor("doctor"), policy=Policy())
    try:
        head = await space.head()
        notice = getattr(space, "notice", None)
    finally:
        await space.close()
    said = f"{database}, {head} events"
    return Finding("workspace", "note" if notice else "ok", f"{said}; {notice}" if notice else said)


def _settings_of(root: Path, loaded: Loaded | None) -> Iterator[Finding]:
    from flowide.cli.around import acting

    if loaded is None:
        return
    set_ones = variables(os.environ)
    for name in sorted(os.environ):
        if name.startswith("FLOWIDE_") and name not in _OURS and name not in set_ones:
            close = close_to(name, known_variables())
            said = f"{name} stands for no setting and does nothing"
            yield Finding("variable", "note", said, f"Did you mean {close[0]}?" if close else "Remove it.")
    yield Finding("you", "ok", f"@{acting(None, root, loaded.settings).id}", "Set [me] handle, or give --as.")


def _agents(root: Path, loaded: Loaded | None, env: dict[str, str]) -> Iterator[Finding]:
    from flowide.agents.load import find_agents

    found = find_agents(root, user_folder() / "agents")
    if not found.agents:
        said, hint = (
            "none",
            "flowide agents new HANDLE --model …; or name models: flowide run … --agents openai/…",
        )
        yield Finding("agents", "note", said, hint)
    for error in found.broken.values():
        yield Finding("agent file", "bad", error.message, error.hint)
    if loaded is not None:
        yield from asyncio.run(_ready(found, loaded, env))
    yield from _coding_agents(env)


async def _ready(found: FoundAgents, loaded: Loaded, env: dict[str, str]) -> list[Finding]:
    from flowide.agents.readiness import problem_of

    told = []
    for agent in found.agents.values():
        problem = await problem_of(agent, models=loaded.settings.models, env=env)
        said = f"@{agent.handle}, {agent.label}"
        if problem is None:
            told.append(Finding("agent", "ok", said))
        else:
            told.append(Finding("agent", "note", f"{said}: {problem.message}", problem.hint))
    return told


def _coding_agents(env: dict[str, str]) -> Iterator[Finding]:
    """Which of the coding agents that FlowIDE knows are installed; the others in one line."""
    from flowide.agents.acp.recipes import agent_of, command_of, recipes

    missing = []
    for recipe in recipes().values():
        command = command_of(agent_of(recipe), recipe, env)
        if command is None:
            missing.append(recipe.id)
        else:
            said = f"@{recipe.id}: {recipe.name}, {command[0]}"
            yield Finding("coding agent", "ok", said, f"Try it: flowide agents test {recipe.id}.")
    if missing:
        said = f"not installed: {', '.join(missing)}"
        yield Finding("coding agents", "note", said, "flowide agents says how to get them.")


def _flows(root: Path) -> Iterator[Finding]:
    from flowide.flows.load import find_flows, load_flow

    home = user_folder()
    found = list(find_flows(root, home))
    yield Finding("flows", "ok", ", ".join(name for name, _, _ in found), "Add one: flowide flows new NAME.")
    for _, _, path in found:
        try:
            load_flow(str(path), root, home)
        except FlowError as error:
            yield Finding("flow file", "bad", error.message, error.hint)


def _models(loaded: Loaded | None, env: dict[str, str]) -> Iterator[Finding]:
    from flowide.agents.redact import redact

    bases = sorted(name for name in os.environ if name.endswith(("_API_BASE", "_BASE_URL")))
    if bases:
        yield Finding("API bases", "ok", ", ".join(bases))
    for alias, model in () if loaded is None else loaded.settings.models.items():
        lacking = model.key_env is not None and not env.get(model.key_env)
        said = f"{alias} = {model.model}" + (f" at {redact(model.api_base)}" if model.api_base else "")
        if lacking:
            yield Finding("model", "note", f"{said}: {model.key_env} is not set", f"export {model.key_env}=…")
        else:
            yield Finding("model", "ok", said)
    programs = [name for name in _PROGRAMS if shutil.which(name)]
    if programs:
        yield Finding("programs", "ok", ", ".join(programs))
