"""A refusal as the calling model gets it: what happened, and which tool to call next."""

from __future__ import annotations

import logging
from typing import Any

from flowide.errors import FlowError
from flowide.text import printable

_LOG = logging.getLogger("flowide.mcp")

_NEXT = {
    "busy": "Do not try to get around it. Call lock again with wait_s, for example 20, to queue for it; meanwhile read"
    " what is being written with read_artifact (draft=true), offer your text with add_variation, or ask the"
    " holder with say.",
    "fenced": "Your lock has ended. Call lock, then read_artifact to see what changed, and apply your change to"
    " that. A text of yours that was refused is kept: list_drafts, adopt_draft.",
    "conflict": "Somebody saved, or changed the file, since the version you started from. Call read_artifact and"
    " diff, and make your change on top of the newest version.",
    "draft_gap": "Call draft again with mode replace and the whole text.",
    "gone": "It has ended meanwhile. List what there is now, and go on from there.",
    "limit": "Save or release a lock you hold (list_locks shows them), then try again.",
    "role": "This is for people. Say in the thread, with say, what you would do and why, and go on with"
    " something else.",
    "too_large": "Make it smaller, or split it.",
    "storage": "Nothing was changed. Wait a little and send the call again; if it stays, tell the person.",
    "unavailable": "Nothing was changed. Try again later, or tell the person.",
}
"""What to do next, by the code of the refusal; the other hints are good as they are."""
_OWN = {
    "you": "You hold this lock already, in this session: save or release it, then send the call again.",
    "you, elsewhere": "This lock is held under your own handle by another session. Wait for it with lock and"
    " wait_s, or ask the person to release it.",
}
"""By the holder that the refusal names."""


def refusal(error: FlowError) -> dict[str, Any]:
    """The error as data, with a hint that speaks of tools."""
    data = error.to_dict()
    hint = printable(_hint(error))
    return {**data, "message": printable(error.message), "hint": hint}


def _hint(error: FlowError) -> str:
    # What the space says to people names commands and options.
    own = "" if "flowide " in error.hint or "--" in error.hint else error.hint
    after = _NEXT.get(error.code, "")
    if error.code == "busy":
        return _OWN.get(error.data.get("holder", ""), after)
    if error.code == "fenced" and "fence" not in error.data:
        return own
    if error.code in {"fenced", "conflict"}:
        kept = "draft" in error.data or "conflict" in error.data or "kept" in error.data
        return f"Your text is kept, not lost. {after}" if kept else after
    if error.code == "role":
        return own if "in_turn" in error.data else f"{own} {after}".strip()
    if error.code == "not_found" and not own:
        return "List what there is: list_artifacts, list_threads, list_variations, list_runs or search."
    return own or after or error.hint or "Correct the call, or tell the person what stands in the way."


def mistake(tool: str, error: Exception) -> dict[str, Any]:
    """An error that nobody expected: it is logged, and ends the call only."""
    _LOG.error("%s failed", tool, exc_info=error)
    said = printable(f"{type(error).__name__}: {error}")[:1000]
    return FlowError(
        f"{tool} failed: this is a mistake in FlowIDE: {said}",
        hint="Do not repeat the call as it is. Tell the person, and go on another way.",
    ).to_dict()
