"""Runs a command in a private copy of the project: confined, cleaned environment, bounded time, output and memory.

The copy keeps honest commands from touching the project; where the system can see to it, the others cannot write
anywhere but in the copy and its temporary folder (see `flowide.confinement`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from msgspec import Struct

from flowide.confinement.environment import PLAIN, named, without_secrets
from flowide.confinement.spawning import Guarded, Limits, spawn
from flowide.errors import TooLarge
from flowide.project.turn import uninterrupted

MAX_COPY = 512 * 1024 * 1024
"""Bytes of project files that are copied."""
MAX_OUTPUT = 64 * 1024
"""Bytes of output that are kept: the last ones."""
INSTALLED = ("node_modules", ".venv", "venv")
"""Folders of installed packages that no version control has: a copy links to the project's own."""
_PREFIX = "flowide-check-"
"""Of a copy's folder; the id of the process that made it follows."""
_LIMITS = {
    "processes": "at more than {most} processes",
    "memory": "at more than {gib:g} GiB of memory",
}


class Outcome(Struct, frozen=True):
    """How a command ended."""

    status: Literal["passed", "failed", "error", "timeout"]
    """`error`: it could not be started."""
    exit_code: int | None
    duration_ms: int
    output: str
    """The last part of what it printed, both streams together."""


@contextlib.asynccontextmanager
async def private_copy(root: Path, paths: Iterable[str], changed: Mapping[str, bytes]) -> AsyncIterator[Path]:
    """A temporary folder with these files of the project, some with other contents; removed at the end.

    Raises:
        TooLarge: The files have more than 512 MiB.
    """
    _clear_up()
    base = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    copying = asyncio.ensure_future(asyncio.to_thread(_copy, root, base / "project", list(paths), changed))
    try:
        await asyncio.shield(copying)
        yield base / "project"
    finally:
        await uninterrupted(_remove(base, copying))


@cache
def _clear_up() -> None:
    """Remove copies that processes which were killed have left, once in the life of this process."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        owner = left.name.removeprefix(_PREFIX).partition("-")[0]
        with contextlib.suppress(OSError, ValueError):
            if left.stat().st_uid == os.getuid() and not _runs(int(owner)):
                kill_all(left)
                shutil.rmtree(left, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def kill_all(base: Path) -> None:
    """Kill every process that was started in this copy, also those that left its group (Linux)."""
    mark = f"\0HOME={base / 'home'}\0".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            if mark in b"\0" + (process / "environ").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)


async def _remove(base: Path, copying: asyncio.Future[None]) -> None:
    """Remove the copy, once no thread makes it any more."""
    await asyncio.wait({copying})
    if not copying.cancelled():
        copying.exception()  # was raised where it was waited for
    await asyncio.to_thread(kill_all, base)
    await asyncio.to_thread(shutil.rmtree, base, ignore_errors=True)


def _copy(root: Path, target: Path, paths: list[str], changed: Mapping[str, bytes]) -> None:
    target.mkdir()
    left = MAX_COPY
    for path in paths:
        source, copy = root / path, target / path
        if path in changed or source.is_symlink() or not source.is_file():
            continue
        left -= source.stat().st_size
        if left < 0:
            raise TooLarge(
                f"the project has more than {MAX_COPY // 2**20} MiB to copy for a check",
                hint="Ignore large files in .gitignore.",
            )
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, copy)
    for path, data in changed.items():
        copy = target / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(data)
    for folder in {"", *(path.rpartition("/")[0] for path in paths)}:
        for name in INSTALLED:
            source, link = root / folder / name, target / folder / name
            if source.is_dir() and not link.exists() and link.parent.is_dir():
                link.symlink_to(source.resolve())


async def run(command: str, folder: Path, *, timeout_s: float, limits: Limits | None = None) -> Outcome:
    """Run a shell command line in a private copy; every process it started is gone when this returns."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    env = _environment(home)
    return await supervised(
        command, folder, timeout_s=timeout_s, env=env, writable=[folder.parent], limits=limits
    )


async def supervised(
    command: str,
    folder: Path,
    *,
    timeout_s: float,
    env: Mapping[str, str] | None = None,
    writable: Sequence[Path] | None = None,
    limits: Limits | None = None,
) -> Outcome:
    """Run a shell command line in a folder, without a terminal; it does not outlive this call, nor this process.

    `env` None = this process's without what looks like a secret; `writable` None = it may write anywhere.
    """
    began = time.monotonic()
    limits = limits or Limits()
    env = without_secrets(os.environ) if env is None else env
    try:
        program = await spawn(
            ["/bin/sh", "-c", command], cwd=folder, env=env, writable=writable, limits=limits
        )
    except OSError as error:
        return Outcome("error", None, _since(began), f"the command could not be started: {error}")
    tail = _Tail()
    reading = asyncio.ensure_future(tail.read(program.stdout))
    late = ""
    try:
        async with asyncio.timeout(timeout_s):
            await program.wait()
    except TimeoutError:
        late = f"after {timeout_s:g} s"
    finally:
        await uninterrupted(_end(program, reading))
    over = _LIMITS.get(program.ended or "", "").format(most=limits.processes, gib=limits.memory / 2**30)
    said = f"{tail.text()}\n[stopped {late or over}]".lstrip() if late or over else tail.text()
    if late:
        return Outcome("timeout", None, _since(began), said)
    return Outcome("passed" if program.code == 0 else "failed", program.code, _since(began), said)


async def _end(program: Guarded, reading: asyncio.Future[None]) -> None:
    """Kill what is left of it, and read to the end, which has come when nobody holds the pipe any more."""
    await program.end()
    await asyncio.wait({reading}, timeout=1)
    reading.cancel()
    await program.close()


class _Tail:
    """Keeps the last part of an output."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._cut = False

    async def read(self, stream: asyncio.StreamReader | None) -> None:
        assert stream is not None
        while part := await stream.read(65536):
            self._data += part
            if len(self._data) > MAX_OUTPUT:
                del self._data[:-MAX_OUTPUT]
                self._cut = True

    def text(self) -> str:
        # Replacement characters are longer than the bytes they stand for: cut again, so that it stays bounded.
        text = self._data.decode("utf-8", "replace").encode()[-MAX_OUTPUT + 64 :].decode("utf-8", "ignore")
        return ("[…]\n" if self._cut else "") + text.rstrip()


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _environment(home: Path) -> dict[str, str]:
    folder = home.parent / "project"
    return {
        "PATH": os.defpath,
        **named(os.environ, PLAIN),
        "HOME": str(home),
        "TMPDIR": str(home),
        "PYTHONDONTWRITEBYTECODE": "1",
        # A package that is installed in place, from the project itself, must come from the copy.
        "PYTHONPATH": str(folder / "src") if (folder / "src").is_dir() else str(folder),
        "FLOWIDE_CHECK": "1",
    }
