"""The person's own editor, while the app is suspended."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

from textual.app import App, SuspendNotSupported

from flowide.errors import BadInput


def edit_outside(app: App[Any], path: str, text: str) -> str | None:
    """The text after $EDITOR has run on a private copy; None when the editor failed.

    Raises:
        BadInput: There is no such editor.
    """
    program = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    name = PurePosixPath(path).name
    with tempfile.TemporaryDirectory(prefix="flowide-") as folder:
        copy = Path(folder) / name
        copy.write_bytes(text.encode())
        try:
            with app.suspend():
                done = subprocess.run([*shlex.split(program), str(copy)], check=False)
        except SuspendNotSupported as error:
            raise BadInput(
                "another program cannot be shown here", hint="Use the app in a terminal for that."
            ) from error
        except OSError as error:
            raise BadInput(f"{program} cannot be run", hint="Set EDITOR to an editor you have.") from error
        if done.returncode != 0:
            return None
        try:
            return copy.read_bytes().decode()
        except UnicodeDecodeError as error:
            raise BadInput(f"what {program} wrote is not UTF-8, so nothing was saved") from error
