"""What each exit code says; the errors that lead to them are in `errors`."""

from __future__ import annotations

EXIT_CODES = {
    0: "ok",
    1: "failed",
    2: "usage or bad input: flow, option, path",
    3: "needs input: stopped at a gate, state saved; resume when it is answered",
    4: "rejected, and there is no further route",
    5: "locked by somebody else",
    6: "budget used up",
    7: "auth: a key is missing or refused, or the actor may not do this",
    8: "unavailable: model, hub or network, after bounded retries",
    9: "conflict: fence or version has moved on",
    10: "store: busy, full, corrupt, or of a newer schema",
    129: "the terminal was closed; state saved",
    130: "interrupted (ctrl+c); state saved",
    143: "terminated; state saved",
    141: "the reader of the output went away",
}
