"""What `flowide doctor --report` writes: enough to find a mistake, and no secrets."""

from __future__ import annotations

import json
import locale
import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from flowide.agents.redact import redact, secrets_in
from flowide.errors import BadInput

_SHOWN = (
    "LANG",
    "LC_ALL",
    "TERM",
    "COLORTERM",
    "NO_COLOR",
    "EDITOR",
    "VISUAL",
    "SHELL",
    "VIRTUAL_ENV",
    "COLUMNS",
)
"""Variables whose values say nothing private."""


def write_report(file: Path, found: dict[str, Any]) -> None:
    """Write the findings and what surrounds them as JSON.

    Raises:
        BadInput: The file cannot be written.
    """
    packages = {each.name: each.version for each in metadata.distributions()}
    bundle = msgspec.to_builtins(found) | {
        "platform": platform.platform(),
        "python": sys.version,
        "encodings": [sys.stdout.encoding, sys.getfilesystemencoding(), locale.getpreferredencoding(False)],
        "environment": {name: os.environ[name] for name in _SHOWN if name in os.environ},
        "variables": sorted(
            name for name in os.environ if name.startswith("FLOWIDE_") or name.endswith("_API_KEY")
        ),
        "packages": dict(sorted(packages.items())),
    }
    text = json.dumps(bundle, indent=2, ensure_ascii=False)
    text = redact(text, secrets_in(os.environ)).replace(json.dumps(str(Path.home()))[1:-1], "~")
    try:
        file.write_text(text + "\n", "utf-8", errors="backslashreplace")
    except OSError as error:
        raise BadInput(f"{file} cannot be written: {error.strerror}", hint="Choose another file.") from error
