"""A gate as an editor asks it: a question with options, or words that the person types next."""

from __future__ import annotations

from typing import Any

import acp
from acp.schema import AllowedOutcome, PermissionOption, PermissionOptionKind

from flowide.domain import rows

_WORDS: dict[str, tuple[str, PermissionOptionKind]] = {
    "once": ("Allow once", "allow_once"),
    "session": ("Allow for this run", "allow_always"),
    "always": ("Always allow", "allow_always"),
    "deny": ("Deny", "reject_once"),
    "approve": ("Approve", "allow_once"),
    "reject": ("Reject", "reject_once"),
    "keep": ("Keep it", "reject_once"),
}
_TYPED = frozenset({"choose", "hunks"})
"""Kinds of gates that are answered by words: `4 but with the helper of 2`, `1,3`."""
MOST_OPTIONS = 8


def has_options(gate: rows.Gate) -> bool:
    """Whether the question can be put as one with options."""
    return gate.kind not in _TYPED and 0 < len(gate.options) <= MOST_OPTIONS


async def ask(client: Any, session: str, gate: rows.Gate) -> str | None:
    """What the person chose in the editor; None = they called the turn off."""
    options = gate.options
    shown = []
    for option in options:
        name, kind = _WORDS.get(option, (option.capitalize(), "allow_once"))
        shown.append(PermissionOption(option_id=option, name=name, kind=kind))
    diff = gate.context.get("diff")
    content = [acp.tool_content(acp.text_block(diff))] if isinstance(diff, str) and diff else None
    call = acp.update_tool_call(gate.id, title=gate.question, status="pending", content=content)
    reply = await client.request_permission(session_id=session, tool_call=call, options=shown)
    outcome = reply.outcome
    if isinstance(outcome, AllowedOutcome) and outcome.option_id in options:
        return str(outcome.option_id)
    return None


def in_words(gate: rows.Gate) -> str:
    """The question for somebody who types the answer."""
    options = f" ({', '.join(gate.options)})" if gate.options else ""
    shown = [
        f"\n```diff\n{hunk['diff']}\n```"
        for hunk in gate.context.get("hunks", [])[:20]
        if isinstance(hunk, dict)
    ]
    return f"**{gate.question}**{options}{''.join(shown)}\n\nYour next message is the answer."
