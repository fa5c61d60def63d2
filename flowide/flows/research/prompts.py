"""What readers, those who compare and writers of a research are told. Pure: the same input, the same prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from flowide.agents.context import Item, quoted
from flowide.agents.definition import AgentDefinition
from flowide.flows import prompt
from flowide.flows.prompt import Prompt, standing
from flowide.flows.prompting import as_it_is
from flowide.flows.research.claims import Claim
from flowide.flows.research.sources import Part
from flowide.flows.target import Target

READ: dict[str, Any] = {
    "type": "object",
    "properties": {
        "claims": {
            "type": "array",
            "maxItems": 12,
            "items": {
                "type": "object",
                "properties": {
                    "claim": {"type": "string", "minLength": 1, "maxLength": 600},
                    "quote": {"type": "string", "minLength": 1, "maxLength": 600},
                },
                "required": ["claim", "quote"],
            },
        }
    },
    "required": ["claims"],
}

COMPARE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "findings": {
            "type": "array",
            "maxItems": 20,
            "items": {
                "type": "object",
                "properties": {
                    "finding": {"type": "string", "minLength": 1, "maxLength": 600},
                    "claims": {"type": "array", "items": {"type": "string", "maxLength": 20}, "maxItems": 20},
                    "sources": {"type": "string", "enum": ["agree", "differ", "alone"]},
                },
                "required": ["finding", "claims", "sources"],
            },
        },
        "open": {"type": "array", "items": {"type": "string", "maxLength": 600}, "maxItems": 10},
    },
    "required": ["findings"],
}


def read(agent: AgentDefinition, question: str, part: Part) -> Prompt:
    """Say what one source says about the question, with its words."""
    source = part.source
    where = source.path + (f", part {part.number} of {part.of}" if part.of > 1 else "")
    text = f"Source {source.id}, {where}:\n{quoted(part.text)}"
    name = f"{source.path}@{source.version}" + (f", part {part.number}" if part.of > 1 else "")
    parts = [
        prompt.brief(question, "Question"),
        prompt.must("reference", name, text, "it is a source", id=source.artifact, version=source.version),
        prompt.task(
            "Say what this source says that helps to answer the question: each claim in a sentence of yours, with "
            "the words of the source that say so, copied exactly, at most 40 of them. Claim nothing that it does "
            "not say; an empty list is a good answer. Answer with JSON of this schema, and nothing else:\n"
            + _schema(READ)
        ),
    ]
    return Prompt(agent.handle, standing(agent, ""), parts)


def compare(agent: AgentDefinition, question: str, claims: Sequence[Claim]) -> Prompt:
    """Say where sources agree, where they differ, and what none says."""
    parts = [
        prompt.brief(question, "Question"),
        _claims(claims),
        prompt.task(
            "Say what they come to: findings, each with the ids of its claims, and whether the sources agree, "
            "differ, or one stands alone; then what stays open. Answer with JSON of this schema, and nothing "
            "else:\n" + _schema(COMPARE)
        ),
    ]
    return Prompt(agent.handle, standing(agent, ""), parts)


def write(
    agent: AgentDefinition,
    question: str,
    target: Target,
    claims: Sequence[Claim],
    comparison: str,
    rules: str,
) -> Prompt:
    """Write the answer up, with the id of a claim behind every sentence."""
    parts = [prompt.brief(question, "Question")]
    if target.text:
        parts.append(as_it_is(target))
    findings = f"What they come to:\n{quoted(comparison)}"
    parts += [
        _claims(claims),
        prompt.must("claims", "comparison", findings, "what the claims come to"),
        prompt.task(
            f"Write {target.path}, a Markdown document that answers the question. Put the ids of the claims it rests "
            "on behind every sentence, in brackets: [S1.2] or [S1.2, S3.1]. Say where sources differ and what stays "
            "open. Make no list of sources: it is added. Answer with one fenced block that holds the whole document."
        ),
    ]
    return Prompt(agent.handle, standing(agent, rules), parts)


def _claims(claims: Sequence[Claim]) -> Item:
    text = f"Claims from the sources:\n{quoted(listed(claims))}"
    return prompt.must("claims", f"{len(claims)} claims", text, "what the sources say")


def listed(claims: Sequence[Claim]) -> str:
    """Claims, a line each; those whose quote is not in the source say so."""
    return "\n".join(
        f"{each.id} ({each.path}, {f'line {each.line}' if each.verified else 'quote not found in the source'}): "
        f'{" ".join(each.text.split())} — "{" ".join(each.quote.split())}"'
        for each in claims
    )


def _schema(schema: dict[str, Any]) -> str:
    return msgspec.json.encode(schema, order="sorted").decode()
