"""What a writer is told to refine a variation by. Pure."""

from __future__ import annotations

from flowide.agents.context import quoted
from flowide.agents.definition import AgentDefinition
from flowide.flows import prompt
from flowide.flows.picturing.kept import tree_of
from flowide.flows.prompt import Prompt, standing
from flowide.flows.prompting import form_of
from flowide.flows.target import Target
from flowide.space.queries import VariationView


def refine(
    agent: AgentDefinition,
    brief: str,
    target: Target,
    each: VariationView,
    text: str,
    ask: str,
    rules: str,
) -> Prompt:
    """Better in what was criticised, the same in the rest."""
    row = each.variation
    said = f"The file is {target.path}. This is variation {row.number} of it, which was chosen:\n\n{quoted(text)}"
    parts = [
        prompt.brief(brief),
        prompt.must(
            "variation", f"variation {row.number}", said, "it is to be refined", id=row.id, version=row.number
        ),
    ]
    tree = tree_of(each)
    if tree:
        told = f"In a browser it looks like the picture below. What is on the page:\n{quoted(tree)}"
        parts.append(prompt.must("check", "picture", told, "what the page shows"))
    notes = [f"- {note['text']}" for note in row.notes]
    if notes:
        told = "What was said of it:\n" + "\n".join(notes)
        parts.append(prompt.must("reason", "notes", told, "what was said about the variation"))
    wanted = [ask] if ask else []
    wanted += ["Mend what was criticised, and keep what was praised.", form_of(target)]
    parts.append(prompt.task("\n\n".join(wanted)))
    return Prompt(agent.handle, standing(agent, rules), parts)
