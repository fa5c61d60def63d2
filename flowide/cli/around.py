"""What a command finds around it: the project, who acts, and where models and agents come from."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from flowide import settings

if TYPE_CHECKING:
    from flowide.domain.actors import Actor
    from flowide.flows.engine import Surroundings


def project_root(given: str | None = None) -> Path:
    """The folder that was named, else the nearest one upwards with a `.flowide`, else the current one."""
    if given is not None:
        return Path(given)
    here = Path.cwd()
    user = settings.user_folder()
    marks = ((each, each / ".flowide") for each in (here, *here.parents))
    return next((each for each, mark in marks if mark.is_dir() and mark != user), here)


def acting(handle: str | None, project: Path, found: settings.Settings | None = None) -> Actor:
    """Who acts: the named one, else that of the settings, the git user, the login user."""
    from flowide.domain.actors import Actor

    found = found or settings.load(project).settings
    name = handle or found.me.handle or _git_user(project) or _login_user()
    return Actor(name.removeprefix("@"))


def surroundings(project: Path, *, loaded: settings.Loaded | None = None) -> Surroundings:
    """What a run takes from outside of the project."""
    from flowide.flows.budget import budget_of
    from flowide.flows.engine import Surroundings

    found = loaded or settings.load(project)
    home = settings.user_folder()
    return Surroundings(
        env=dict(os.environ),
        models=found.settings.models,
        user_agents=home / "agents",
        user_flows=home,
        silence_s=found.settings.limits.silence_s,
        call_s=found.settings.limits.call_s,
        turn_s=found.settings.agents.turn_s,
        keep_copies=found.settings.agents.keep_copies,
        budget=budget_of(found.settings.budget),
    )


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
