"""Runs a command in a private copy of the project: cleaned environment, bounded time, output and memory.

The copy keeps honest commands from touching the project. Where bubblewrap works, it also keeps the others from
writing anywhere else; `confinement` says which of the two it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from msgspec import Struct

from flowide.errors import TooLarge
from flowide.project.turn import uninterrupted

MAX_COPY = 512 * 1024 * 1024
"""Bytes of project files that are copied."""
MAX_OUTPUT = 64 * 1024
"""Bytes of output that are kept: the last ones."""
INSTALLED = ("node_modules", ".venv", "venv")
"""Folders of installed packages that no version control has: a copy links to the project's own."""
POLL_S = 0.01
_PREFIX = "flowide-check-"
"""Of a copy's folder; the id of the process that made it follows."""
MEMORY = 4 * 1024**3
FILE_SIZE = 1024**3
_ON_A_WORD = 'read go && exec /bin/sh -c "$1" </dev/null'
"""Starts the command when it is told to: once somebody watches over it."""
_KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "VIRTUAL_ENV", "SYSTEMROOT")
"""Environment variables that a command sees; no keys, no tokens, no home."""


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


async def run(command: str, folder: Path, *, timeout_s: float) -> Outcome:
    """Run a shell command line in a private copy; the whole process group is gone when this returns."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    return await supervised(
        command,
        folder,
        before=confined(folder.parent),
        env=_environment(home),
        limit=_limit,
        timeout_s=timeout_s,
    )


async def supervised(
    command: str,
    folder: Path,
    *,
    timeout_s: float,
    before: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    limit: Callable[[], None] | None = None,
) -> Outcome:
    """Run a shell command line in a folder, without a terminal; it does not outlive this call, nor this process.

    `before` are words in front of the shell, `env` None = this process's, `limit` is called in the child.
    """
    began = time.monotonic()
    try:
        process = await asyncio.create_subprocess_exec(
            *before,
            "/bin/sh",
            "-c",
            _ON_A_WORD,
            "sh",
            command,
            cwd=folder,
            env=env,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=limit,
        )
    except OSError as error:
        return Outcome("error", None, _since(began), f"the command could not be started: {error}")
    assert process.stdin is not None
    watcher = _watch(process.pid)
    process.stdin.write(b"go\n")
    process.stdin.close()
    tail = _Tail()
    reading = asyncio.ensure_future(tail.read(process.stdout))
    try:
        async with asyncio.timeout(timeout_s):
            # process.wait() also waits for children that still hold the pipe.
            while (code := process.returncode) is None:  # noqa: ASYNC110 - nothing tells it earlier
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        return Outcome("timeout", None, _since(began), f"{tail.text()}\n[stopped after {timeout_s:g} s]")
    finally:
        await uninterrupted(_end(process, reading, watcher))
    return Outcome("passed" if code == 0 else "failed", code, _since(began), tail.text())


def _watch(group: int) -> subprocess.Popen[bytes]:
    """A process that kills the group when this one dies, however it dies: then the pipe between them closes."""
    return subprocess.Popen(
        ["/bin/sh", "-c", f"read nothing; kill -9 -{group}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


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


async def _end(
    process: asyncio.subprocess.Process, reading: asyncio.Future[None], watcher: subprocess.Popen[bytes]
) -> None:
    """Kill what is left of the process group, also children that outlived the command, and read to the end."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    # A child that left the group may hold the pipe's other end: then it is closed from here.
    await asyncio.wait({reading}, timeout=1)
    reading.cancel()
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()
    with contextlib.suppress(ProcessLookupError):
        await process.wait()
    watcher.kill()
    await asyncio.to_thread(watcher.communicate)


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _limit() -> None:
    for what, most in (
        # Not RLIMIT_AS: V8 and the JVM reserve far more address space than they use.
        (resource.RLIMIT_DATA, MEMORY),
        (resource.RLIMIT_FSIZE, FILE_SIZE),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):
            _, hard = resource.getrlimit(what)
            resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _environment(home: Path) -> dict[str, str]:
    folder = home.parent / "project"
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {
        "PATH": os.defpath,
        **kept,
        "HOME": str(home),
        "TMPDIR": str(home),
        "PYTHONDONTWRITEBYTECODE": "1",
        # A package that is installed in place, from the project itself, must come from the copy.
        "PYTHONPATH": str(folder / "src") if (folder / "src").is_dir() else str(folder),
        "FLOWIDE_CHECK": "1",
    }


def confined(writable: Path) -> list[str]:
    """The words before a command that keep it from writing outside `writable`; none where that is not possible."""
    if not confinement():
        return []
    return [
        "bwrap",
        "--ro-bind", "/", "/",
        "--dev", "/dev",
        "--proc", "/proc",
        "--bind", str(writable), str(writable),
        "--unshare-pid",
        "--die-with-parent",
        "--",
    ]  # fmt: skip


@cache
def confinement() -> str:
    """`bubblewrap` where it works on this system, else an empty text."""
    if shutil.which("bwrap") is None:
        return ""
    probe = [
        "bwrap",
        "--ro-bind",
        "/",
        "/",
        "--dev",
        "/dev",
        "--proc",
        "/proc",
        "--unshare-pid",
        "--",
        "true",
    ]
    try:
        works = subprocess.run(probe, capture_output=True, timeout=5, check=False).returncode == 0
    except (OSError, subprocess.SubprocessError):
        works = False
    return "bubblewrap" if works else ""
