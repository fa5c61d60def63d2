"""What a command finds around it: the project, who acts, and where models and agents come from."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from flowide import settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from flowide.agents.acp.desk import SpaceTools
    from flowide.domain.actors import Actor
    from flowide.flows.engine import Surroundings
    from flowide.project.folder import ProjectFolder
    from flowide.space.api import Space


def project_root(given: str | None = None) -> Path:
    """The folder that was named, else the nearest one upwards with a `.flowide`, else the current one."""
    return root_above(Path.cwd()) if given is None else Path(given)


def root_above(here: Path) -> Path:
    """The nearest folder upwards with a `.flowide`, else this one."""
    user = settings.user_folder()
    marks = ((each, each / ".flowide") for each in (here, *here.parents))
    return next((each for each, mark in marks if mark.is_dir() and mark != user), here)


def acting(handle: str | None, project: Path, found: settings.Settings | None = None) -> Actor:
    """Who acts: the named one, else that of the settings, the git user, the login user."""
    from flowide.domain.actors import Actor

    found = found or settings.load(project).settings
    name = handle or found.me.handle or _git_user(project) or _login_user()
    return Actor(name.removeprefix("@"))


def hub_space(wish: str | None, found: settings.Settings) -> str | None:
    """Address of the hub's space that `--space` or the settings name; None = the project's own.

    `wish` is an address, the name of a space this device has joined, or `local`.

    Raises:
        BadInput: This device has joined no space of that name, or several.
    """
    wish = wish or found.hub.space
    if not wish or wish == "local":
        return None
    if "://" in wish:
        from flowide.space.remote.address import address_of

        return address_of(wish, plain_http=found.hub.plain_http).url
    from flowide.errors import BadInput
    from flowide.space.remote.credentials import seats

    joined = sorted({seat.url for seat in seats()})
    named = [url for url in joined if url.rpartition("/")[2] == wish]
    if len(named) == 1:
        return named[0]
    if named:
        raise BadInput(
            f"{len(named)} spaces go by {wish[:100]}", hint=f"Give its address: {', '.join(named)}."
        )
    hint = f"It has joined: {', '.join(joined)}." if joined else "Join one with `flowide join URL CODE`."
    raise BadInput(f"this device has joined no space named {wish[:100]!r}", hint=hint)


def acting_in(space: str | None, handle: str | None, project: Path, found: settings.Settings) -> Actor:
    """As `acting`; in a space of a hub without --as it is who joined there on this device.

    Raises:
        AuthFailed: This device has not joined it, or is several people there.
    """
    if space is None:
        return acting(handle, project, found)
    from flowide.space.remote.address import address_of
    from flowide.space.remote.credentials import seat_of

    address = address_of(space, plain_http=found.hub.plain_http)
    return seat_of(address, None if handle is None else handle.removeprefix("@")).actor


def surroundings(project: Path, *, loaded: settings.Loaded | None = None) -> Surroundings:
    """What a run takes from outside of the project."""
    from flowide.agents.keys import find_keys
    from flowide.flows.budget import budget_of
    from flowide.flows.engine import Surroundings

    found = loaded or settings.load(project)
    home = settings.user_folder()
    return Surroundings(
        env=find_keys(project, found.settings).env,
        settings=found,
        models=found.settings.models,
        user_agents=home / "agents",
        user_flows=home,
        silence_s=found.settings.limits.silence_s,
        call_s=found.settings.limits.call_s,
        context=found.settings.limits.context,
        turn_s=found.settings.agents.turn_s,
        keep_copies=found.settings.agents.keep_copies,
        budget=budget_of(found.settings.budget),
        serve_tools=_serve_tools,
    )


def _serve_tools(
    folder: ProjectFolder, space: Space, handle: str, copy: Path, may: Callable[[str], bool]
) -> AbstractAsyncContextManager[SpaceTools]:
    from flowide.mcp_server.in_turns import serve_turn

    return serve_turn(folder, space, handle, copy, may)


def _git_user(project: Path) -> str:
    """The git user as a handle; empty when there is none."""
    name = os.environ.get("GIT_AUTHOR_NAME")
    if not name:
        try:
            asked = subprocess.run(
                ["git", "config", "--get", "user.name"],
                cwd=project,
                capture_output=True,
                text=True,
                timeout=5,
                check=False,
                errors="replace",
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        name = asked.stdout
    return re.sub(r"[^\w]+", "-", name.strip().casefold()).strip("-_")[:64]


def _login_user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "me"
