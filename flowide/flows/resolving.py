"""A sentence such as "4 but with the helper of 2" becomes picks: plainly where it can, else by an agent."""

from __future__ import annotations

import json
from collections.abc import Mapping

from flowide.agents.api import Request
from flowide.agents.extract import extract_json
from flowide.errors import BadInput, Incomplete
from flowide.flows import prompting
from flowide.flows.asking import ask
from flowide.flows.blending import pieces_of
from flowide.flows.choosing import Choice, checked, read_answer
from flowide.flows.state import RunState
from flowide.space.queries import SetView

Pieces = Mapping[int, Mapping[str, bytes]]


async def understood(state: RunState, key: str, answer: str, view: SetView) -> Choice:
    """The choice an answer stands for; what an agent made of a sentence is told before anything comes of it.

    Raises:
        BadInput: It names what is not there, or no agent could tell what it picks.
    """
    pieces = await pieces_of(state.space, view)
    choice = read_answer(answer, pieces)
    if choice is not None:
        return choice
    agent = next(iter(state.agents))
    request = Request(agent=agent, purpose="resolve", messages=[], json_schema=prompting.RESOLVE_SCHEMA)
    prompt = prompting.resolve(state.agents[agent], answer, view, pieces)
    try:
        reply = await ask(
            state, f"{key}/resolve", request, prompt=prompt, usable=lambda text: picked(text, pieces)
        )
    except Incomplete as error:
        hint = "Say which one, and which pieces of which others: 4 with 2:LRUCache._evict"
        raise BadInput(f"@{agent} could not tell what it picks: {error.message}", hint=hint) from error
    choice = picked(reply, pieces)
    state.observer.warning(f"{answer!r} is understood as: {said(choice)}")
    return choice


def picked(reply: str, pieces: Pieces) -> Choice:
    """The picks in an agent's reply.

    Raises:
        Incomplete: There are none, or they are not there; the message says so, and the agent can mend them.
    """
    value = json.loads(extract_json(reply, prompting.RESOLVE_SCHEMA))
    takes = [(take["variation"], take["piece"]) for take in value.get("takes", [])]
    try:
        return checked(Choice(base=value["base"], takes=takes), pieces)
    except BadInput as error:
        raise Incomplete(f"{error.message}. {error.hint}") from error


def said(choice: Choice) -> str:
    """A choice as it could have been typed."""
    takes = ", ".join(f"{number}:{piece}" for number, piece in choice.takes)
    return f"{choice.base} with {takes}" if takes else str(choice.base)
