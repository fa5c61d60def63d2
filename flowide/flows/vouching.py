"""Tells the runs that were begun here from those that only say so.

A workspace can come with a project that somebody else made, and a run in it can claim to be of the person here, with
whatever that person is said to have trusted. So each run carries a seal, made with a key that never leaves the user's
own folder; a run whose seal does not fit is gone on with as somebody else's.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path
from typing import Any

from msgspec import json

KEY = "vouch.key"
"""File of the user's folder, readable by its owner only."""
FIELD = "seal"
"""Of a run's options."""
_BYTES = 32


def seal(
    folder: Path | None, root: Path, run: str, flow_text: str, inputs: dict[str, Any], options: dict[str, Any]
) -> str:
    """What vouches for a run of the project at `root`, a real path.

    Empty when there is no folder of the user's, or it cannot be written to.
    """
    key = None if folder is None else _key(folder)
    return "" if key is None else _mac(key, root, run, flow_text, inputs, options)


def vouched(
    folder: Path | None, root: Path, run: str, flow_text: str, inputs: dict[str, Any], options: dict[str, Any]
) -> bool:
    """Whether the run was begun by this user, in this folder of this machine, and has not been changed since."""
    key = None if folder is None else _read(folder / KEY)
    told = options.get(FIELD)
    if key is None or not isinstance(told, str):
        return False
    return hmac.compare_digest(told, _mac(key, root, run, flow_text, inputs, options))


def _mac(
    key: bytes, root: Path, run: str, flow_text: str, inputs: dict[str, Any], options: dict[str, Any]
) -> str:
    kept = {name: value for name, value in options.items() if name != FIELD}
    said = json.encode([str(root), run, flow_text, inputs, kept], order="deterministic")
    return hmac.new(key, said, hashlib.sha256).hexdigest()


def _key(folder: Path) -> bytes | None:
    """The key, made when it is not there."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = folder / f".{KEY}.{os.getpid()}"
        if (there := _read(folder / KEY)) is not None:
            return there
        with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(os.urandom(_BYTES))
        try:
            os.link(made, folder / KEY)  # never in place of one that another process has made meanwhile
        except FileExistsError:
            pass
        finally:
            made.unlink()
    except OSError:
        return None
    return _read(folder / KEY)


def _read(path: Path) -> bytes | None:
    try:
        found = path.read_bytes()
    except OSError:
        return None
    return found if len(found) == _BYTES else None
