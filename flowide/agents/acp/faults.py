"""What goes wrong in a turn of a coding agent, in words that say who, why, and what to do."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from flowide.agents.acp.transport import Wire
from flowide.agents.redact import redact
from flowide.errors import AuthFailed, FlowError, Incomplete, Rejected, Unavailable
from flowide.patterns import lazy
from flowide.text import one_line

_AUTH_REQUIRED = -32000
_NO_ACCOUNT = lazy(r"(?i)\bauth|log ?in\b|api.?key|credential|unauthori|\b401\b")
T = TypeVar("T")


class Faults:
    """Turns what the library, the wire and the agent's log say into errors for people."""

    def __init__(self, handle: str, login: str, wire: Wire, log: Path, secrets: Sequence[str]) -> None:
        """`login` says how to log in with the agent's own program; `secrets` are left out of all that is told."""
        self._handle, self._login, self._wire, self._log, self._secrets = handle, login, wire, log, secrets

    def result(self, task: asyncio.Future[T]) -> T:
        """What a call of the library came to.

        Raises:
            AuthFailed: It has no account.
            Incomplete: It broke off, or answered what the protocol does not know.
            Unavailable: It refused.
        """
        from acp import RequestError

        try:
            return task.result()
        except RequestError as error:
            self._refuse(error)
        except (ConnectionError, OSError):
            self._broken()
        except FlowError:
            raise
        except Exception as error:  # an answer that is not what the protocol says
            raise Incomplete(
                f"@{self._handle} answered what FlowIDE does not understand: {one_line(str(error))[:300]}",
                hint="Update the agent, or FlowIDE.",
                agent=self._handle,
            ) from error

    def _refuse(self, error: Any) -> NoReturn:
        data = error.data if isinstance(error.data, dict) else {}
        more = data.get("details") or data.get("message") or ""
        said = self._clean(f"{error}" + (f": {more}" if more and str(more) not in str(error) else ""))
        name = self._handle
        if error.code == _AUTH_REQUIRED or _NO_ACCOUNT.search(said):
            raise AuthFailed(
                f"@{name}: {said}", hint=self._login or "Log in with its own program.", agent=name
            )
        raise Unavailable(
            f"@{name}: {said}{self.complaint()}", hint="Try again later.", agent=name, retryable=True
        )

    def _broken(self) -> NoReturn:
        why = self._wire.why_ended or "the connection is closed"
        noise = f"; it said: {self._clean(' '.join(self._wire.noise))}" if self._wire.noise else ""
        raise Incomplete(
            f"@{self._handle} broke off: {why}{noise}{self.complaint()}",
            hint="Try again; does it work by hand, in a terminal?",
            agent=self._handle,
            retryable=True,
        )

    def check_end(self, reply: Any, *, silent: bool, denied: str) -> None:
        """Raise Rejected or Incomplete when its turn has ended before its answer was whole.

        `silent` = it has answered nothing; `denied` = what it was denied last, empty = nothing.
        """
        name = self._handle
        if reply.stop_reason == "refusal":
            raise Rejected(f"@{name} refuses", hint="Say it differently, or ask another agent.", agent=name)
        gave_up = reply.stop_reason == "cancelled" or (silent and reply.stop_reason == "end_turn")
        if denied and gave_up:
            raise Incomplete(
                f"@{name} stopped when it was denied {denied}",
                hint="Permit it, in its file or with --allow, or ask for what needs no permission.",
                agent=name,
            )
        if reply.stop_reason == "cancelled":
            raise Incomplete(f"@{name} stopped in the middle", hint="Try again.", agent=name)
        if reply.stop_reason != "end_turn":
            raise Incomplete(
                f"@{name} came to its own limit ({reply.stop_reason})",
                hint="Ask for less at a time.",
                agent=name,
            )

    def complaint(self) -> str:
        """The last lines of what it wrote to its log, for an error."""
        try:
            with self._log.open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - 600))
                tail = file.read().decode("utf-8", "replace")
        except OSError:
            return ""
        said = self._clean(" ".join(tail.split()))[-400:]
        return f" (its log ends: {said})" if said else ""

    def _clean(self, text: str) -> str:
        return one_line(redact(text, self._secrets))
