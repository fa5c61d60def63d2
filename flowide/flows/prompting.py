"""What agents are told of variations. Pure: the same input, the same prompt. Foreign text stands between marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from flowide.agents.context import Item, quoted
from flowide.agents.definition import AgentDefinition
from flowide.domain import rows
from flowide.flows import prompt
from flowide.flows.prompt import Prompt, standing
from flowide.flows.target import Target
from flowide.project.folder import ProjectFolder
from flowide.space.queries import SetView, VariationView

MAX_RULES = 16 * 1024
"""Bytes of the project's AGENTS.md that are passed on."""
MAX_OUTPUT = 6000
"""Characters at the end of a failed check's output that its writer is shown."""

# Bounds keep a small model, whose reply the schema guides, from going on for ever.
_POINTS = {"type": "array", "items": {"type": "string", "maxLength": 600}, "maxItems": 5}

CRITIQUE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "verdicts": {
            "type": "array",
            "maxItems": 20,
            "items": {
                "type": "object",
                "properties": {
                    "variation": {"type": "integer"},
                    "score": {"type": "integer", "minimum": 1, "maximum": 10},
                    "strengths": _POINTS,
                    "weaknesses": _POINTS,
                },
                "required": ["variation", "score"],
            },
        },
        "summary": {"type": "string", "maxLength": 2000},
        "recommended": {"type": "integer"},
    },
    "required": ["verdicts"],
}

RESOLVE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "base": {"type": "integer"},
        "takes": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"variation": {"type": "integer"}, "piece": {"type": "string"}},
                "required": ["variation", "piece"],
            },
        },
    },
    "required": ["base"],
}


def vary(agent: AgentDefinition, brief: str, target: Target, rules: str) -> Prompt:
    """Write one variation of a file, or of one piece of it."""
    parts = [prompt.brief(brief), as_it_is(target), prompt.task(form_of(target))]
    return Prompt(agent.handle, standing(agent, rules), parts)


def more(
    agent: AgentDefinition,
    brief: str,
    target: Target,
    shown: Sequence[rows.Variation],
    texts: Sequence[str],
    noted: Sequence[rows.Variation],
    wish: str,
    rules: str,
) -> Prompt:
    """Another round: the short list and the notes, and nothing else of the round before."""
    parts = [
        prompt.brief(brief),
        prompt.task(f"The file is {target.path}. These variations are on the short list:", "what follows"),
    ]
    for row, text in zip(shown, texts, strict=True):
        said = f"Variation {row.number}:\n{quoted(text)}"
        parts.append(_variation(row, said, "it is on the short list"))
    notes = [f"- on variation {row.number}: {note['text']}" for row in noted for note in row.notes]
    if notes:
        told = "Notes:\n" + "\n".join(notes)
        parts.append(prompt.must("reason", "notes", told, "what was said about the variations"))
    if wish:
        parts.append(prompt.brief(wish, "What is wished for now"))
    parts.append(
        prompt.task(
            "Write one new variation that goes further than these, taking the notes to heart.\n\n"
            + form_of(target)
        )
    )
    return Prompt(agent.handle, standing(agent, rules), parts)


def repair(
    agent: AgentDefinition,
    brief: str,
    target: Target,
    each: VariationView,
    text: str,
    ask: str,
    rules: str,
) -> Prompt:
    """Mend one variation: what its failed checks printed goes back to the writer."""
    number = each.variation.number
    said = f"The file is {target.path}. This is variation {number} of it:\n\n{quoted(text)}"
    parts = [prompt.brief(brief), _variation(each.variation, said, "it is to be mended")]
    passed = [check.name for check in each.checks if check.status == "passed"]
    if passed:
        told = f"These checks passed, and have to go on passing: {', '.join(passed)}."
        parts.append(prompt.must("check", ", ".join(passed), told, "they passed"))
    for check in each.checks:
        if check.status != "passed":
            printed = check.output[-MAX_OUTPUT:].strip() or "(it printed nothing)"
            told = f"The check {check.name} {check.status}. What it printed last:\n{quoted(printed)}"
            parts.append(prompt.must("check", check.name, told, f"it {check.status}"))
    notes = [f"- {note['text']}" for note in each.variation.notes]
    if notes:
        told = "Notes:\n" + "\n".join(notes)
        parts.append(prompt.must("reason", "notes", told, "what was said about the variation"))
    wanted = [ask] if ask else []
    wanted += [
        "Find out why, mend exactly that, and keep the rest. Do not work around a check.",
        form_of(target),
    ]
    parts.append(prompt.task("\n\n".join(wanted)))
    return Prompt(agent.handle, standing(agent, rules), parts)


def critique(
    agent: AgentDefinition,
    group: rows.VariationSet,
    shown: Sequence[VariationView],
    texts: Sequence[str],
    pages: Mapping[int, str],
) -> Prompt:
    """Judge all variations, by what they are, by their checks, and by what a browser shows of them.

    `pages` tells what is on the page of those whose pictures are shown, in that order.
    """
    parts = [
        prompt.brief(group.brief),
        prompt.task(f"These are variations of {group.title}.", "what follows"),
    ]
    for each, text in zip(shown, texts, strict=True):
        checks = ", ".join(f"{check.name} {check.status}" for check in each.checks) or "not checked"
        said = f"Variation {each.variation.number} ({checks}):\n{quoted(text)}"
        parts.append(_variation(each.variation, said, "it is to be judged"))
    for number, page in pages.items():
        said = f"What is on the page of variation {number}, whose picture is shown too:\n{quoted(page)}"
        parts.append(prompt.must("check", f"picture of {number}", said, "what the page shows"))
    if pages:
        listed = ", ".join(map(str, pages))
        said = f"The pictures are of the variations {listed}, in this order. Judge what they look like too."
        parts.append(prompt.task(said, "pictures"))
    parts.append(
        prompt.task(
            "Judge each variation against the brief: a score from 1 (poor) to 10, its strengths and its "
            "weaknesses, each in a few words. Answer with JSON of this schema, and nothing else:\n"
            + _schema(CRITIQUE_SCHEMA)
        )
    )
    return Prompt(agent.handle, standing(agent, ""), parts)


def resolve(
    agent: AgentDefinition, sentence: str, view: SetView, pieces: Mapping[int, Mapping[str, bytes]]
) -> Prompt:
    """Turn a wish such as "4 but with the helper of 2" into picks."""
    parts = [prompt.task(f"Variations of {view.set.title}, each with its pieces:", "what follows")]
    for number, names in pieces.items():
        listed = f"Variation {number}: {', '.join(names) or 'no pieces'}"
        parts.append(prompt.must("variation", f"pieces of {number}", listed, "the picks are among them"))
    parts.append(
        prompt.must("brief", "wish", f"A person wants:\n{quoted(sentence)}", "it is to be understood")
    )
    parts.append(
        prompt.task(
            "Say which variation is the base, and which pieces of which other variations go into it. Use the "
            "names above. Answer with JSON of this schema, and nothing else:\n" + _schema(RESOLVE_SCHEMA)
        )
    )
    return Prompt(agent.handle, standing(agent, ""), parts)


def as_it_is(target: Target) -> Item:
    """The text that is to be changed, or that there is none yet."""
    if not target.text:
        text = f"The file {target.path} does not exist yet."
        return prompt.must("artifact", target.path, text, "it is to be made")
    text = f"{target.path} as it is now:\n{quoted(target.text)}"
    there = target.artifact
    version = None if there is None else there.version
    name = target.path if version is None else f"{target.path}@{version}"
    id = None if there is None else there.id
    return prompt.must("artifact", name, text, "it is worked on", id=id, version=version)


def _variation(row: rows.Variation, text: str, reason: str) -> Item:
    return prompt.must("variation", f"variation {row.number}", text, reason, id=row.id, version=row.number)


def form_of(target: Target) -> str:
    if target.piece:
        return (
            f"Write a new version of {target.piece} only, with the imports it needs. Answer with a sentence about "
            "your approach, then one fenced code block that holds it completely, inside its enclosing class if it "
            "has one. Leave nothing out."
        )
    return (
        f"Answer with a sentence about your approach, then one fenced block that holds the whole of {target.path}. "
        "Leave nothing out: what is not in the block is lost."
    )


def _schema(schema: dict[str, Any]) -> str:
    return msgspec.json.encode(schema, order="sorted").decode()


def project_rules(folder: ProjectFolder) -> str:
    """The project's AGENTS.md; empty when there is none."""
    data = folder.read("AGENTS.md")
    return "" if data is None else data[:MAX_RULES].decode("utf-8", "ignore").strip()


def verdict_text(strengths: Sequence[str], weaknesses: Sequence[str]) -> str:
    """A verdict as one note."""
    lines = [f"+ {each}" for each in strengths] + [f"− {each}" for each in weaknesses]
    return "\n".join(lines) or "no reasons given"


def lineage(text: str, path: str, *, variation: str, label: str) -> dict[str, Any]:
    """The origin of every piece of a variation that was written in one go."""
    from flowide.pieces import first_lineage, language_of

    language = language_of(path)
    if language is None:
        return {}
    found = first_lineage(text.encode(), language, label=label, variation=variation)
    return {name: msgspec.to_builtins(origin) for name, origin in found.items()}
