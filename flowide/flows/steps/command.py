"""`run`: a command in the project folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from flowide.confinement.environment import without_secrets
from flowide.errors import FlowError, NotAllowed, Unavailable
from flowide.flows import sandbox
from flowide.flows.state import StepContext


class CommandFailed(FlowError):
    """A command of a flow ended with an error."""


async def run(context: StepContext) -> dict[str, Any]:
    """Run it; a failure ends the run with its last output."""
    state, command = context.state, context.field("command")
    if not state.request.trust:
        raise NotAllowed(
            f"the flow wants to run {command[:200]!r}, and the project is not trusted",
            hint="Look at the command; then give --trust.",
            command=command,
        )
    root = state.folder.root
    with tempfile.TemporaryDirectory(prefix="flowide-check-") as temporary:
        outcome = await sandbox.supervised(
            command,
            root,
            timeout_s=context.spec.timeout_s,
            env=without_secrets(os.environ) | {"TMPDIR": temporary},
            writable=[root, Path(temporary)],
        )
    if outcome.status == "timeout":
        raise Unavailable(
            f"{command[:100]!r} did not end within {context.spec.timeout_s:g} s", command=command
        )
    if outcome.status != "passed":
        ended = f"ended with {outcome.exit_code}" if outcome.exit_code is not None else "did not start"
        raise CommandFailed(f"{command[:100]!r} {ended}", hint=outcome.output.strip()[-500:], command=command)
    return {"output": outcome.output, "exit_code": 0}
