"""A process that locks and saves through the command line, over and over, until it is killed.

    python -m tests.cli.worker NAME REPORT PATH…

Each save that was acknowledged, and each answer that nobody should get, is a line of REPORT.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import sys
import time
from hashlib import sha256
from typing import Any

from flowide.cli.main import run


def call(*args: str, stdin: str = "") -> tuple[int, Any, str]:
    """Exit code, JSON on stdout and stderr of a command line."""
    out, err = io.StringIO(), io.StringIO()
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin.encode()))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([*args, "--json"])
    return code, json.loads(out.getvalue() or "null"), err.getvalue()


def main(name: str, report: str, *paths: str) -> None:
    """Work until killed."""
    file = os.open(report, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def tell(**line: Any) -> None:
        os.write(file, json.dumps(line).encode() + b"\n")

    me = ("--as", name, "--client", f"{name}-{os.getpid()}")
    chance = random.Random(os.getpid())
    for number in range(1_000_000):
        path = chance.choice(paths)
        code, said, err = call("lock", "acquire", path, "--wait", "3", "--ttl", "0.5", *me)
        if code not in {0, 5}:
            tell(problem=["acquire", code, err])
        if code:
            continue
        time.sleep(chance.choice([0, 0, 0.01, 0.7]))
        text = f"{name} {os.getpid()} {number}\n"
        fence = str(said["fence"])
        code, said, err = call(
            "save", path, "--fence", fence, "--base", str(said["version"]), *me, stdin=text
        )
        if code == 0:
            digest = sha256(text.encode()).hexdigest()
            tell(path=path, version=said["version"], sha256=digest, fence=int(fence), actor=name)
        elif code != 9:
            tell(problem=["save", code, err])


if __name__ == "__main__":
    main(*sys.argv[1:])
