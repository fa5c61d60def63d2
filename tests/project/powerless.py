"""The command line as somebody whom permissions hold for, root too."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

PR_CAPBSET_DROP = 24
DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER = 1, 2, 3


def powerless() -> None:
    """In a child: permissions hold for root too."""
    for power in (DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER):
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, power, 0, 0, 0)


def flowide(root: Path, *args: str, input: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The command line as somebody whom permissions hold for."""
    return subprocess.run(
        [sys.executable, "-m", "flowide", *args],
        cwd=root,
        input=input,
        capture_output=True,
        timeout=60,
        check=False,
        preexec_fn=powerless if os.geteuid() == 0 else None,
    )
