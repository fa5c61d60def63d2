"""What writers and judges are told. Pure: the same input, the same prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from flowide.agents.context import Item, quoted
from flowide.agents.definition import AgentDefinition
from flowide.flows import prompt
from flowide.flows.prompt import Prompt, standing
from flowide.flows.prompting import as_it_is
from flowide.flows.prompting import project_rules as rules_of
from flowide.flows.reviewing.verdicts import REASON_KINDS, SCHEMA
from flowide.flows.target import Target
from flowide.space.queries import Remembered

MAX_DIFF = 64 * 1024
"""Characters of a diff that are shown."""


class SentBack(Struct, frozen=True):
    """What somebody said about the text."""

    by: str
    stage: str
    verdict: str
    reasons: list[dict[str, Any]]
    summary: str = ""


class Told(Struct, frozen=True, kw_only=True):
    """What a stage knows besides the text."""

    brief: str
    rules: str = ""
    ask: str = ""
    """What the flow file says about the stage."""
    said: Sequence[SentBack] = ()
    """What was said since somebody wrote."""
    earlier: Sequence[SentBack] = ()
    """Why it was sent back in earlier rounds."""
    refused: Sequence[dict[str, Any]] = ()
    """Changes of this agent that people did not take."""
    remembered: Sequence[Remembered] = ()
    """Why other texts of this kind were sent back."""


def write(agent: AgentDefinition, target: Target, told: Told) -> Prompt:
    """Write or rewrite the text."""
    parts = [prompt.brief(told.brief)] if told.brief else []
    parts.append(as_it_is(target))
    if told.earlier:
        parts.append(
            _reasons(
                "earlier rounds",
                "In earlier rounds it was sent back for these reasons. Let none of them come back:",
                told.earlier,
            )
        )
    parts += [_verdict(each) for each in told.said]
    if told.refused:
        said = "People did not take these changes of yours. Do not make them again:\n" + _refused(
            told.refused
        )
        parts.append(
            prompt.must("reason", "changes that were not taken", said, "they are not to be made again")
        )
    if told.remembered:
        said = "Other texts of this kind were sent back for these reasons. Keep clear of them:\n\n" + quoted(
            "\n".join(f"- ({each.kind}) {each.text}" for each in told.remembered)
        )
        why = "other texts of this kind were sent back for them"
        parts.append(Item(kind="reason", name="remembered reasons", text=said, reason=why))
    wanted = [told.ask] if told.ask else []
    if told.said:
        wanted.append("Deal with every reason above. Change what they ask for, and keep the rest.")
    parts.append(prompt.task("\n\n".join([*wanted, _form(target)])))
    return Prompt(agent.handle, standing(agent, told.rules), parts)


def judge(agent: AgentDefinition, target: Target, diff: str, told: Told, stages: Sequence[str]) -> Prompt:
    """Say whether the text may go on."""
    parts = [prompt.brief(told.brief)] if told.brief else []
    parts.append(as_it_is(target))
    if diff:
        said = f"What changed since the last stage:\n{quoted(diff[:MAX_DIFF])}"
        parts.append(Item(kind="diff", name="diff", text=said, reason="what changed since the last stage"))
    if told.said:
        parts.append(
            _reasons(
                "earlier verdicts",
                "It was sent back before, for the reasons below. See whether they are dealt with.",
                told.said,
            )
        )
    wanted = [told.ask] if told.ask else []
    wanted.append(
        "Judge it: 'approve' when it may go on, 'reject' when it must be changed first, 'comment' when it may go on "
        f"with remarks. Each reason has a kind ({', '.join(REASON_KINDS)}) and says what has to change, and where. "
        + (
            f"A rejection may name the stage it goes back to ({', '.join(stages)}) in 'back_to'. "
            if stages
            else ""
        )
        + "Answer with JSON of this schema, and nothing else:\n"
        + msgspec.json.encode(SCHEMA, order="sorted").decode()
    )
    parts.append(prompt.task("\n\n".join(wanted)))
    return Prompt(agent.handle, standing(agent, told.rules), parts)


def _verdict(said: SentBack) -> Item:
    name = f"{said.verdict} by @{said.by} ({said.stage})"
    return prompt.must("reason", name, _said(said), "it is to be dealt with")


def _reasons(name: str, head: str, said: Sequence[SentBack]) -> Item:
    text = "\n\n".join([head, *(_said(each) for each in said)])
    return prompt.must("reason", name, text, "why it was sent back before")


def _said(said: SentBack) -> str:
    lines = [f"- ({each.get('kind', 'other')}) {each['text']}{_at(each)}" for each in said.reasons]
    if said.summary:
        lines.insert(0, said.summary)
    verdict = {"reject": "sent it back", "comment": "remarked", "approve": "approved it"}[said.verdict]
    return f"@{said.by} ({said.stage}) {verdict}:\n{quoted(chr(10).join(lines))}"


def _at(reason: dict[str, Any]) -> str:
    return f" [{reason['where']}]" if reason.get("where") else ""


def _refused(refused: Sequence[dict[str, Any]]) -> str:
    return "\n".join(
        quoted(each["diff"]) + (f"\nWhy: {each['why']}" if each["why"] else "") for each in refused
    )


def _form(target: Target) -> str:
    what = f"{target.piece} of {target.path}, with the imports it needs" if target.piece else target.path
    return (
        f"Answer with a sentence about what you did, then one fenced block that holds the whole of {what}. "
        "Leave nothing out: what is not in the block is lost."
    )


__all__ = ["SentBack", "Told", "judge", "rules_of", "write"]
