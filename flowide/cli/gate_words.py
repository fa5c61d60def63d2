"""A gate for people at a terminal: what it is about, and what can be answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flowide.domain import rows

HOW = {
    "choose": "a number; '4 but with the helper of 2'; 'more 3 with fewer locks'; 'reject: reason'",
    "verdict": "'approve'; 'reject: what has to change'; 'reject to STAGE: …'; 'comment: …'",
    "permission": "'once'; 'session' (until the run ends); 'always' (in this project); 'deny: why not'",
    "hunks": "'all'; 'none'; or the numbers you take, and why not the others: '1,3-4; 2: changes the meaning'",
}
"""What can be answered, by the gate's kind; other kinds list their options."""


def about(gate: rows.Gate) -> list[str]:
    """What the gate shows beside its question, line by line; foreign text as it is."""
    context: dict[str, Any] = gate.context
    lines: list[str] = []
    for said in context.get("reasons", []) if gate.kind == "verdict" else []:
        lines += [f"@{said['by']} ({said['stage']}): {each['text']}" for each in said["reasons"]]
    if gate.kind == "verdict":
        lines += context.get("diff", "").splitlines()
    if gate.kind == "hunks":
        for hunk in context.get("hunks", []):
            lines += [f"change {hunk['hunk']}:", *hunk["diff"].splitlines()]
    return lines


def how(gate: rows.Gate) -> str:
    """What can be answered."""
    known = HOW.get(gate.kind, ", ".join(gate.options) or "anything")
    stages = gate.context.get("stages")
    return known.replace("STAGE", "|".join(stages)) if stages else known
