"""The process between FlowIDE and a program it starts: it confines the program, watches it, and ends all of it.

Started by `spawning`. Standard library only, and as little of it as possible. The keeper adopts every descendant of
the program (Linux), so none is left however often it forks; when FlowIDE closes its end of the lifeline, or dies,
all are killed. How it ended is written to the report as one line of JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from typing import Any

TICK_S = 0.2
"""Seconds between looks at how much the program uses."""
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_PDEATHSIG = 1
_LONGEST_END_S = 10.0
NOT_STARTED = 127


def main() -> None:
    """Run what the first argument says, as JSON; the exit code is the program's, 128 + n for signal n."""
    spec: dict[str, Any] = json.loads(sys.argv[1])
    _adopt_orphans()
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)  # the lifeline says when it is over
    program = os.fork()
    if program == 0:
        _become(spec)
    _let_go_of_streams()
    ended, code = _watch(program, spec, wake)
    told = json.dumps({"ended": ended, "code": code}) + "\n"
    with contextlib.suppress(OSError):
        os.write(spec["report"], told.encode())
    os._exit(code if code >= 0 else 128 - code)


def _adopt_orphans() -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _die_with_the_keeper() -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def _become(spec: dict[str, Any]) -> None:
    """In the child: limits, confinement, then the program itself."""
    try:
        os.setsid()
        _die_with_the_keeper()
        signal.set_wakeup_fd(-1)
        for each in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(each, signal.SIG_DFL)
        os.close(spec["lifeline"])
        os.close(spec["report"])
        for name, most in spec["rlimits"].items():
            _limit(getattr(resource, name), most)
        if spec["landlock"] is not None:
            from flowide.confinement import landlock

            landlock.restrict(spec["landlock"])
        os.execvpe(spec["argv"][0], spec["argv"], os.environ)  # noqa: S606 - the command may well be a shell
    except BaseException as error:  # there is nobody above: the next thing would be a second keeper
        with contextlib.suppress(OSError):
            os.write(2, f"{spec['argv'][0]}: {error}\n".encode())
    finally:
        os._exit(NOT_STARTED)


def _limit(what: int, most: int) -> None:
    with contextlib.suppress(ValueError, OSError):
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _let_go_of_streams() -> None:
    """Whoever reads the program's output must see its end when the program ends."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)


def _watch(program: int, spec: dict[str, Any], wake: int) -> tuple[str, int]:
    """Wait for the program, the lifeline or a limit; nothing of it is left afterwards."""
    lifeline: int = spec["lifeline"]
    code: int | None = None
    ended = "exit"
    while code is None:
        ready, _, _ = select.select([wake, lifeline], [], [], TICK_S)
        if wake in ready:
            os.read(wake, 4096)
        code = _reaped(program)
        if code is not None:
            break
        if lifeline in ready and not os.read(lifeline, 1):
            ended, code = "stopped", -signal.SIGKILL
            break
        over = _over(spec)
        if over:
            ended, code = over, -signal.SIGKILL
    _kill_all()
    return ended, code


def _reaped(program: int) -> int | None:
    """The program's exit code, negative for a signal, once it has ended; other children are just reaped."""
    found: int | None = None
    while True:
        try:
            child, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if child == 0:
            return found
        if child == program:
            found = os.waitstatus_to_exitcode(status)


def _over(spec: dict[str, Any]) -> str:
    """Which limit of the whole tree is passed; empty when none is."""
    alive = descendants(os.getpid())
    if len(alive) > spec["processes"]:
        return "processes"
    if sys.platform == "linux" and sum(map(_memory, alive)) > spec["memory"]:
        return "memory"
    return ""


def _memory(process: int) -> int:
    """Bytes a process has to itself, roughly: resident and not shared."""
    try:
        with open(f"/proc/{process}/statm", "rb") as file:
            fields = file.read().split()
        return (int(fields[1]) - int(fields[2])) * resource.getpagesize()
    except (OSError, IndexError, ValueError):
        return 0


def _kill_all() -> None:
    """Kill every descendant, also those that are born meanwhile."""
    until = time.monotonic() + _LONGEST_END_S
    while time.monotonic() < until:
        alive = descendants(os.getpid())
        # Stopped first: what is stopped cannot fork while the others are killed.
        for action in (signal.SIGSTOP, signal.SIGKILL):
            for process in alive:
                with contextlib.suppress(OSError):
                    os.kill(process, action)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not alive and not _has_children():
            return
        time.sleep(0.005)


def _has_children() -> bool:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


def descendants(root: int) -> list[int]:
    """Ids of all processes below one, the nearest first."""
    children = _children_of if os.path.exists(f"/proc/self/task/{os.getpid()}/children") else _table()
    found: list[int] = []
    known = {root}
    waiting = [root]
    while waiting:
        for child in children(waiting.pop(0)):
            if child not in known:
                known.add(child)
                found.append(child)
                waiting.append(child)
    return found


def _children_of(process: int) -> list[int]:
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{task}/children", "rb") as file:
                found += map(int, file.read().split())
    except OSError:
        pass  # it has ended
    return found


def _table() -> Any:
    """Children by parent, from `ps`: where there is no such file to read."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=False, timeout=5
    ).stdout
    by_parent: dict[int, list[int]] = {}
    for line in listed.splitlines():
        words = line.split()
        if len(words) == 2:
            by_parent.setdefault(int(words[1]), []).append(int(words[0]))
    return lambda process: by_parent.get(process, [])
