"""What a judge answers: approve, reject or comment, with typed reasons. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, get_args

from msgspec import Struct

from flowide.agents.extract import extract_json
from flowide.domain.commands import Reason, ReasonKind, VerdictKind
from flowide.domain.reviews import MAX_REASONS
from flowide.errors import BadInput, Incomplete
from flowide.patterns import lazy

REASON_KINDS: tuple[str, ...] = get_args(ReasonKind)
VERDICTS: tuple[str, ...] = get_args(VerdictKind)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "verdict": {"type": "string", "enum": list(VERDICTS)},
        "reasons": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "kind": {"type": "string", "enum": list(REASON_KINDS)},
                    "text": {"type": "string", "minLength": 1},
                    "where": {"type": "string"},
                },
                "required": ["kind", "text"],
            },
        },
        "summary": {"type": "string"},
        "back_to": {"type": "string"},
    },
    "required": ["verdict", "reasons"],
}
"""What an agent that judges is asked for."""
_LOOSE = {
    "type": "object",
    "properties": {"verdict": SCHEMA["properties"]["verdict"], "reasons": {"type": "array"}},
    "required": ["verdict", "reasons"],
}
"""What is looked for in the reply; reasons are read by `_reason`, which takes bare texts too."""
_TYPED = lazy(r"\((\w+)\)\s+(\S.*?)(?:\s+\[([^\[\]]{1,200})\])?")
_ANSWER = lazy(
    r"(approve|reject|comment|yes|no)\b[\s,]*(?:(?:back\s+)?to\s+([\w-]+))?[\s,:;.-]*(.*)",
    re.IGNORECASE | re.DOTALL,
)


class Judgement(Struct, frozen=True):
    """A verdict with its reasons."""

    verdict: VerdictKind
    reasons: list[Reason] = []
    summary: str = ""
    back_to: str | None = None
    """A stage; None = where the flow sends rejections."""


def read_reply(reply: str, stages: Sequence[str] = ()) -> Judgement:
    """The judgement in an agent's reply; `stages` are those a rejection may go back to.

    Raises:
        Incomplete: There is none, or it is malformed; the message says how, so that the agent can mend it.
    """
    value = json.loads(extract_json(reply, _LOOSE))
    reasons = [_reason(each, at) for at, each in enumerate(value["reasons"])]
    if len(reasons) > MAX_REASONS:
        raise Incomplete(f"{len(reasons)} reasons are too many; give the {MAX_REASONS} that matter most")
    if value["verdict"] == "reject" and not reasons:
        raise Incomplete("a rejection needs reasons that say what has to change")
    summary, back_to = value.get("summary", ""), value.get("back_to")
    return Judgement(
        value["verdict"],
        reasons,
        summary if isinstance(summary, str) else "",
        back_to if back_to in stages else None,
    )


def _reason(value: Any, at: int) -> Reason:
    if isinstance(value, str) and value.strip():
        return Reason(text=value.strip())
    if isinstance(value, dict):
        text, kind, where = value.get("text"), value.get("kind", "other"), value.get("where", "")
        if isinstance(text, str) and text.strip() and kind in REASON_KINDS:
            place = where[:200] if isinstance(where, str) else ""
            return Reason(text=text.strip(), kind=kind, where=place.encode()[:200].decode("utf-8", "ignore"))
        if isinstance(text, str) and text.strip():
            raise Incomplete(f"reasons[{at}].kind is {kind!r}, and must be one of {', '.join(REASON_KINDS)}")
    raise Incomplete(f"reasons[{at}] must have a kind and a text")


def read_answer(answer: str, reason: str | None, stages: Sequence[str]) -> Judgement:
    """What a person says at a gate: `approve`, `reject: too long`, `reject to draft: too long`, `comment: …`.

    Raises:
        BadInput: It is none of these, or a rejection says no reason.
    """
    match = _ANSWER.fullmatch(answer.strip())
    if match is None:
        raise BadInput(f"{answer[:100]!r} is no verdict", hint="approve, reject: reason, or comment: text")
    words = {"yes": "approve", "no": "reject"}
    verdict: Any = words.get(match[1].casefold(), match[1].casefold())
    back_to = match[2]
    said = [each for each in (match[3].strip(), (reason or "").strip()) if each]
    if back_to is not None and back_to not in stages:
        if verdict == "reject" and back_to.casefold() not in {each.casefold() for each in stages}:
            raise BadInput(f"there is no stage {back_to}", hint=f"Stages: {', '.join(stages)}.")
        said, back_to = [answer.strip()], None
    if verdict == "reject" and not said:
        raise BadInput("a rejection needs a reason", hint="reject: what has to change (or --reason …)")
    return Judgement(verdict, [reason for each in said for reason in typed_reasons(each)], back_to=back_to)


def typed_reasons(text: str) -> list[Reason]:
    """Lines such as `(clarity) Say it shorter. [Threads, line 12]`, each as a reason; any other text as one."""
    found: list[Reason] = []
    for line in filter(None, map(str.strip, text.split("\n"))):
        match = _TYPED.fullmatch(line)
        if match is None or match[1] not in REASON_KINDS:
            return [Reason(text=text)]
        kind: Any = match[1]
        found.append(Reason(text=match[2], kind=kind, where=match[3] or ""))
    return found or [Reason(text=text)]
