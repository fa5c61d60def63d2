"""`run`: a command in the project folder."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from typing import Any

from flowide.errors import FlowError, NotAllowed, Unavailable
from flowide.flows.state import StepContext

MAX_OUTPUT = 64 * 1024


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
    process = await asyncio.create_subprocess_shell(
        command,
        cwd=state.folder.root,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(context.spec.timeout_s):
            printed, _ = await process.communicate()
    except TimeoutError:
        raise Unavailable(
            f"{command[:100]!r} did not end within {context.spec.timeout_s:g} s", command=command
        ) from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    output = printed[-MAX_OUTPUT:].decode("utf-8", "replace")
    if process.returncode:
        raise CommandFailed(
            f"{command[:100]!r} ended with {process.returncode}", hint=output.strip()[-500:], command=command
        )
    return {"output": output, "exit_code": 0}
