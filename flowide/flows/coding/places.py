"""Where private copies of coding agents lie, who works there, and which conversation goes on."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
import time
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from flowide.errors import StorageFailed
from flowide.project.private.copying import PrivateCopy, kept_copy, write_atomically

PREFIX = "flowide-copy-"
KEPT_DAYS = 7
"""Copies whose changes nobody has taken over are kept so long."""
_PENDING = "pending"
_MOST_SESSIONS = 200
Stage = Literal["working", "done"]
"""`working` = the turn is not over; `done` = its changes wait to be brought back."""


class TakenPlace(Exception):
    """Another process works there."""


class Place:
    """A folder for one conversation of one agent: the same path each time, so that it can be gone on with.

    `work` is what the agent may write to; beside it lies what only FlowIDE writes to.
    """

    def __init__(self, top: Path) -> None:
        self.top = top
        self.work = top / "work"
        self.temporary = self.work / "tmp"
        self.logs = top / "logs"
        self.named = True
        """Whether it is found again by the conversation's name."""
        self._lock: int | None = None

    def take(self) -> None:
        """Make it ours until it is given back.

        Raises:
            TakenPlace: Another process works there.
            StorageFailed: It cannot be made, or belongs to somebody else.
        """
        try:
            with contextlib.suppress(FileExistsError):
                self.top.mkdir(mode=0o700)
            status = self.top.lstat()
            if self.top.is_symlink() or status.st_uid != os.getuid() or status.st_mode & 0o077:
                raise StorageFailed(
                    f"{self.top} is not ours alone", hint="Remove it, or set TMPDIR to another folder."
                )
            self.logs.mkdir(exist_ok=True)
            lock = os.open(self.top / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageFailed(
                f"{self.top} cannot be made: {error.strerror}", hint="Is there room?"
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise TakenPlace from None
        self._lock = lock

    def give_back(self) -> None:
        """Let others work there."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def clear(self) -> None:
        """Remove what was worked on."""
        _remove(self.work)
        for name in (_PENDING, "copy.msgpack"):
            with contextlib.suppress(OSError):
                (self.top / name).unlink()

    def remove(self) -> None:
        """Remove all of it, and give it back."""
        _remove(self.top)
        self.give_back()

    def set_aside(self) -> Path:
        """Keep what was worked on under another name; where."""
        for number in range(1, 10_000):
            aside = self.top.with_name(f"{self.top.name}-kept-{number}")
            if not aside.exists():
                self.top.rename(aside)
                self.give_back()
                return aside
        raise StorageFailed(
            f"there are too many folders beside {self.top}", hint="Look through them, remove some."
        )

    def note(self, stage: Stage, step: str, copy: PrivateCopy) -> None:
        """Note how far the turn of a step is, so that another process can go on."""
        copy.keep(self.top)
        write_atomically(self.top / _PENDING, f"{stage} {step}".encode())

    def left(self, stage: Stage, step: str) -> PrivateCopy | None:
        """The copy that was left at this stage of a step; None when there is none."""
        return kept_copy(self.work, self.top) if self.stage() == (stage, step) else None

    def stage(self) -> tuple[str, str] | None:
        """How far which step was when the place was left; None when nobody worked there."""
        try:
            stage, _, step = (self.top / _PENDING).read_text().partition(" ")
        except OSError:
            return None
        return stage, step


def _remove(folder: Path) -> None:
    """Remove it all, also what was made unreadable."""
    for here, inside, _ in os.walk(folder):
        for each in (here, *(os.path.join(here, name) for name in inside)):
            with contextlib.suppress(OSError):
                if not os.path.islink(each):
                    os.chmod(each, 0o700)
    shutil.rmtree(folder, ignore_errors=True)


def place_of(root: Path, agent: str, session: str) -> Place:
    """The place of a conversation."""
    mark = sha256(json.dumps([os.fspath(root), agent, session]).encode()).hexdigest()[:16]
    return Place(Path(os.path.realpath(tempfile.gettempdir())) / f"{PREFIX}{mark}")


@cache
def clear_up() -> None:
    """Remove places that processes which are gone have left, once they are old; once in the life of this process."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, StorageFailed, TakenPlace):
            if time.time() - left.lstat().st_mtime < KEPT_DAYS * 86400:
                continue
            place = Place(left)
            place.take()
            place.remove()


class Sessions:
    """The agents' own ids of conversations, in the workspace: they outlive a process, and the copy."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def get(self, agent: str, session: str) -> str | None:
        """The id an agent gave a conversation; None when there is none."""
        found = self._read().get(f"{agent} {session}")
        return found if isinstance(found, str) else None

    def put(self, agent: str, session: str, id: str | None) -> None:
        """Note it, or forget it; the oldest are forgotten when there are many."""
        known = self._read()
        before = known.pop(f"{agent} {session}", None)
        if id is not None:
            known[f"{agent} {session}"] = id
        if before == id:
            return
        kept = dict(list(known.items())[-_MOST_SESSIONS:])
        with contextlib.suppress(OSError):  # then it begins anew the next time
            write_atomically(self._file, json.dumps(kept, indent=1).encode())

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}
