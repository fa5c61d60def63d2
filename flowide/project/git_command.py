"""Running git: quietly, without hooks, and without what a surrounding git command left in the environment."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from flowide.errors import FlowError, Unavailable
from flowide.patterns import lazy

TIMEOUT_S = 60.0
"""For one git command; signing may ask for a passphrase."""
_QUIET = (
    "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.safecrlf=false", "core.quotePath=false",
    "i18n.commitEncoding=UTF-8", "gc.auto=0", "maintenance.auto=false",
)  # fmt: skip
_KEPT = lazy(r"GIT_(CONFIG_.*|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM|EXEC_PATH)")
"""Variables of git that hold for us too; those of a surrounding git command do not."""


class GitFailed(FlowError):
    """A git command did not do what it should; data: command, status."""


def run_git(
    folder: str | Path,
    args: Sequence[str],
    *,
    input: bytes = b"",
    env: Mapping[str, str] | None = None,
    config: Sequence[str] = (),
) -> subprocess.CompletedProcess[bytes]:
    own = {
        name: value for name, value in os.environ.items() if not name.startswith("GIT_") or _KEPT.match(name)
    }
    own |= {"GIT_TERMINAL_PROMPT": "0", "GIT_LITERAL_PATHSPECS": "1", "GIT_NO_LAZY_FETCH": "1"}
    settings = [word for each in (*_QUIET, *config) for word in ("-c", each)]
    try:
        return subprocess.run(
            ["git", *settings, *args],
            cwd=folder,
            env=own | dict(env or {}),
            input=input,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise Unavailable(
            "git is not installed" if os.path.isdir(folder) else f"there is no folder {folder}",
            hint="Install git, or set [git] commit to off.",
        ) from error
    except OSError as error:
        raise Unavailable(f"git cannot be run: {error.strerror}", hint="Check the installation.") from error
    except subprocess.TimeoutExpired as error:
        raise GitFailed(
            f"git {args[0]} did not end within {TIMEOUT_S:g} s",
            hint="Does a signing key wait for its passphrase? Try `git commit` by hand.",
            command=args[0],
            status=None,
        ) from error
