"""Every error FlowIDE raises on purpose: one small tree with stable codes.

    FlowError                       exit 1   something failed
    ├── BadInput       bad_args     exit 2   a flow, option, path or frame is wrong
    │   ├── BadPath    bad_path     exit 2
    │   ├── NotFound   not_found    exit 2
    │   ├── Exists     exists       exit 2
    │   ├── TooLarge   too_large    exit 2
    │   └── Mismatch   mismatch     exit 2   a command id was used again with another body
    ├── NeedsInput     needs_input  exit 3   stopped at a gate
    ├── Rejected       rejected     exit 4   a review or a splice said no, and there is no other route
    ├── Busy           busy         exit 5   somebody else holds the lock
    ├── OverBudget     budget       exit 6
    ├── NotAllowed     role         exit 7   the actor may not do this
    │   └── AuthFailed auth         exit 7
    ├── Unavailable    unavailable  exit 8   a model, hub or network did not answer
    │   ├── Incomplete incomplete   exit 8   a reply that ended early, empty or malformed
    │   └── Offline    offline      exit 8
    ├── Fenced         fenced       exit 9   the lock's fence has moved on
    ├── Conflict       conflict     exit 9   the artifact has moved on from the base
    ├── DraftGap       draft_gap    exit 9
    ├── Gone           gone         exit 9   a ticket, gate or run has ended
    ├── Limit          limit        exit 1
    ├── StorageFailed  storage      exit 10  busy, full, corrupt, read-only or a newer schema
    └── Interrupted    interrupted  exit 130

The code is the same in a toast, on the wire, in `--json` output and in the docs.
"""

from __future__ import annotations

from typing import Any, ClassVar


class FlowError(Exception):
    """Something went wrong that FlowIDE can explain."""

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", **data: Any) -> None:
        """`message` says what happened and to what, `hint` what to do next, `data` carries both as values."""
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.data = data

    def to_dict(self) -> dict[str, Any]:
        """The error as it goes over the wire and into `--json` output."""
        return {"code": self.code, "message": self.message, "hint": self.hint, "data": self.data}


class BadInput(FlowError):
    """An option, file, path or frame is wrong; nothing was changed by it."""

    code = "bad_args"
    exit_code = 2


class BadPath(BadInput):
    """A path that may not name an artifact."""

    code = "bad_path"


class NotFound(BadInput):
    """No such artifact, version, run, flow, piece …"""

    code = "not_found"


class Exists(BadInput):
    """The name is taken."""

    code = "exists"


class TooLarge(BadInput):
    """A text, blob or batch above its limit."""

    code = "too_large"


class Mismatch(BadInput):
    """A command id was sent again with another body."""

    code = "mismatch"


class NeedsInput(FlowError):
    """A run stopped at a question to a person; its state is saved."""

    code = "needs_input"
    exit_code = 3


class Rejected(FlowError):
    """Refused on its merits, with no further route."""

    code = "rejected"
    exit_code = 4


class Busy(FlowError):
    """Somebody else holds the lock; data: holder, kind, since, purpose, idle_ms, queue."""

    code = "busy"
    exit_code = 5


class OverBudget(FlowError):
    """The next call would pass the budget."""

    code = "budget"
    exit_code = 6


class NotAllowed(FlowError):
    """The actor's role does not permit this."""

    code = "role"
    exit_code = 7


class AuthFailed(NotAllowed):
    """A key or token is missing, wrong or revoked."""

    code = "auth"


class Unavailable(FlowError):
    """A model, hub or network did not answer, after bounded retries."""

    code = "unavailable"
    exit_code = 8


class Incomplete(Unavailable):
    """A reply was truncated, empty or malformed; it is never kept as a finished text."""

    code = "incomplete"


class Offline(Unavailable):
    """The hub cannot be reached; reading and drafting go on."""

    code = "offline"


class Fenced(FlowError):
    """The lock was granted to somebody else since; data: fence, holder."""

    code = "fenced"
    exit_code = 9


class Conflict(FlowError):
    """The artifact has a newer version than the one the change is based on; data: version."""

    code = "conflict"
    exit_code = 9


class DraftGap(FlowError):
    """A draft chunk does not continue what is stored; data: have."""

    code = "draft_gap"
    exit_code = 9


class Gone(FlowError):
    """A ticket, gate or run that has already ended."""

    code = "gone"
    exit_code = 9


class Limit(FlowError):
    """A limit of the space or of the client is reached."""

    code = "limit"


class StorageFailed(FlowError):
    """The store is busy, full, corrupt, read-only or of a newer schema; nothing was acknowledged."""

    code = "storage"
    exit_code = 10


class Interrupted(FlowError):
    """Stopped by a signal or by the person."""

    code = "interrupted"
    exit_code = 130


def _by_code(root: type[FlowError]) -> dict[str, type[FlowError]]:
    found = {root.code: root}
    for child in root.__subclasses__():
        found.update(_by_code(child))
    return found


BY_CODE: dict[str, type[FlowError]] = _by_code(FlowError)
"""Error class of each code; an unknown code is a `FlowError`."""


def from_dict(error: dict[str, Any]) -> FlowError:
    """Rebuild an error that came over the wire or out of a stored reply."""
    made = BY_CODE.get(error["code"], FlowError)(error["message"], hint=error.get("hint", ""))
    made.data = dict(error.get("data") or {})
    return made
