"""How this system can keep a program from writing outside: found out by trying, not by looking."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from msgspec import Struct

Method = Literal["bubblewrap", "landlock", "sandbox-exec", "none"]
DEVICES = (
    "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx", "/dev/pts",
    "/dev/shm",  # noqa: S108 - shared memory of the system, not a file of ours
)  # fmt: skip
"""What programs write to without harm."""
VARIABLE = "FLOWIDE_CONFINEMENT"
"""`auto` (default), one of the methods, or `none`: as one says who starts FlowIDE, never a project."""
_ADVICE = {
    "linux": "Install bubblewrap (apt install bubblewrap), or use a kernel with Landlock (6.2 or newer).",
    "darwin": "sandbox-exec did not work here; is it blocked by a policy of this computer?",
}
_TRIAL_S = 60


class Confinement(Struct, frozen=True):
    """What keeps programs from writing outside."""

    method: Method
    why: str = ""
    """When there is none: why, and what to do."""

    @property
    def works(self) -> bool:
        """Whether writes outside are prevented."""
        return self.method != "none"

    def told(self) -> str:
        """A sentence for people."""
        if self.works:
            return f"programs can write only in their own copy and temporary folder ({self.method})"
        return f"programs are not kept from writing outside their copy: {self.why}"


def confinement() -> Confinement:
    """What works on this system: tried once in the life of a process."""
    return _found(os.environ.get(VARIABLE, "auto"))


@cache
def _found(wanted: str) -> Confinement:
    if wanted == "none":
        return Confinement("none", f"{VARIABLE}=none says so.")
    order: list[Method] = ["sandbox-exec"] if sys.platform == "darwin" else ["bubblewrap", "landlock"]
    for method in [each for each in order if wanted in ("auto", each)]:
        if _holds(method):
            return Confinement(method)
    if wanted not in ("auto", *order):
        return Confinement("none", f"{VARIABLE} is '{wanted}'; it can be auto, {', '.join(order)} or none.")
    return Confinement("none", _ADVICE.get(sys.platform, "this system has no means that FlowIDE knows."))


def _holds(method: Method) -> bool:
    """Whether a confined shell can write inside, and cannot outside."""
    program = {"bubblewrap": "bwrap", "sandbox-exec": "sandbox-exec"}.get(method)
    if program is not None and shutil.which(program) is None:
        return False
    with tempfile.TemporaryDirectory(prefix="flowide-trial-") as base:
        inside, outside = Path(base, "inside"), Path(base, "outside")
        inside.mkdir()
        outside.mkdir()
        (outside / "there").write_text("kept")
        script = f"echo x > '{inside}/made'; echo x > '{outside}/made'; : > '{outside}/there'; exit 0"
        argv = kept_in(method, ["/bin/sh", "-c", script], [str(inside)])
        if method == "landlock":
            argv = [*python(), _TRIAL, json.dumps([str(inside)]), *argv]
        try:
            subprocess.run(argv, capture_output=True, timeout=_TRIAL_S, check=False)
        except (OSError, subprocess.SubprocessError):
            return False
        return (
            (inside / "made").exists()
            and not (outside / "made").exists()
            and (outside / "there").read_text() == "kept"
        )


_TRIAL = (
    "import json, os, sys; from flowide.confinement.landlock import restrict; "
    "restrict(json.loads(sys.argv[1])); os.execv(sys.argv[2], sys.argv[2:])"
)


def python() -> list[str]:
    """Words that start Python with nothing but FlowIDE and the standard library; the program's text follows."""
    home = Path(__file__).resolve().parents[2]
    return [
        sys.executable,
        "-I",
        "-S",
        "-c",
        f"import sys; sys.path.insert(0, {str(home)!r}); exec(sys.argv.pop(1))",
    ]


def kept_in(method: Method, argv: Sequence[str], writable: Sequence[str]) -> list[str]:
    """The words of a command with those in front that confine it; Landlock needs none."""
    if method == "bubblewrap":
        binds = [word for path in writable for word in ("--bind-try", path, path)]
        return [
            "bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", *binds,
            "--unshare-pid", "--die-with-parent", "--", *argv,
        ]  # fmt: skip
    if method == "sandbox-exec":
        return ["sandbox-exec", "-p", profile(writable), *argv]
    return list(argv)


def profile(writable: Sequence[str]) -> str:
    """A profile for macOS: everything but writing outside of these folders and files."""

    def quoted(path: str) -> str:
        return '"' + os.path.realpath(path).replace("\\", "\\\\").replace('"', '\\"') + '"'

    places = " ".join(f"(subpath {quoted(path)})" for path in [*writable, *DEVICES])
    return f'(version 1)(allow default)(deny file-write*)(allow file-write* {places} (regex #"^/dev/ttys"))'
