"""What `flowide doctor` says of keys and tool servers; no key is shown, no server started."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flowide.cli.checkup import Finding
from flowide.errors import FlowError
from flowide.settings import Loaded

if TYPE_CHECKING:
    from flowide.agents.tools.servers import Server

_NO_KEYS = (
    "Set a provider's key (or: flowide keys set NAME), an API base, or run `flowide local`; "
    "Ollama and other local servers need none."
)


def keys_and_tools(root: Path, loaded: Loaded) -> tuple[dict[str, str], list[Finding]]:
    """The environment with keys, and what there is to say."""
    import os

    from flowide.agents.keys import find_keys

    try:
        found = find_keys(root, loaded.settings)
    except FlowError as error:
        return dict(os.environ), [
            Finding("keys", "bad", error.message, error.hint),
            *_tools(root, loaded, os.environ),
        ]
    told = [
        Finding("key", "ok", f"{name}, from {'the environment' if where == 'environment' else where}")
        for name, where in sorted(found.sources.items())
    ]
    return found.env, [
        *(told or [Finding("keys", "note", "none set", _NO_KEYS)]),
        *_tools(root, loaded, found.env),
    ]


def _tools(root: Path, loaded: Loaded, env: Mapping[str, str]) -> Iterator[Finding]:
    from flowide.agents.tools.servers import find_servers

    servers = find_servers(root, loaded)
    for error in servers.broken:
        yield Finding("tool server", "bad", error.message, error.hint)
    for server in servers.known.values():
        said = f"{server.name} ({server.told()}), from {server.source}"
        problem, hint = _problem(server, root, loaded, env)
        yield Finding("tool server", "note" if problem else "ok", f"{said}{problem}", hint)


def _problem(server: Server, root: Path, loaded: Loaded, env: Mapping[str, str]) -> tuple[str, str]:
    """What keeps a server from being used, and what to do about it; empty = nothing is known to."""
    if server.spec.disabled:
        return ": disabled", ""
    if server.foreign and not loaded.settings.trusts(root):
        return (
            ": not started, as the project is not trusted",
            f"Look at it; then list {root} in [trust] projects.",
        )
    try:
        spec = server.filled(env)
    except FlowError as error:
        return f": {error.message}", error.hint
    if spec.command and shutil.which(spec.command, path=env.get("PATH")) is None:
        return f": there is no program {spec.command}", "Install it, or correct the command."
    return "", ""
