"""An agent that is asked in a thread for a file that is not there yet makes it."""

from __future__ import annotations

from msgspec import structs

from flowide.agents.api import Request
from flowide.agents.context import Item, encode
from flowide.domain import rows
from flowide.domain.commands import Provenance
from flowide.domain.limits import MAX_NOTE
from flowide.flows.asking import ask
from flowide.flows.discussion.answering import Place, asked_of, say, session_of, take
from flowide.flows.discussion.context import tell
from flowide.flows.discussion.editing import made_in_words
from flowide.flows.drafting import words_of
from flowide.flows.steps.vary import usable_text
from flowide.flows.target import Target
from flowide.space.queries import OneMessage, Spoken

TO_MAKE = "it is to be made"


async def make(place: Place, turn: rows.Turn, key: str) -> int | None:
    """Have an agent write a new file, and say so; the number of its message.

    Raises:
        Busy: Another run writes this answer.
        NotAllowed: Agents may not write there.
        Exists: Somebody made the file meanwhile; asked again, the agent changes that.
        FlowError: The text could not be had.
    """
    state = place.state
    space = state.space.acting_as(state.actor(turn.agent))
    path = state.folder.located(space, turn.edit or "")
    target = Target(path, None, None, "")
    message = await state.space.read(OneMessage(turn.message))
    manifest, request = await _request(place, turn, key, target)
    reply = await ask(state, key, request, manifest=manifest, usable=lambda text: usable_text(text, target))
    origin = Provenance(
        model=state.steps[key].result.get("model"),
        run=state.run,
        step=key,
        parents=[{"thread": message.thread, "message": message.id, "number": message.number}],
    )
    note = message.text.strip().encode()[:MAX_NOTE].decode("utf-8", "ignore")
    text = usable_text(reply, target)
    await state.folder.create(space, path, text, note=note, origin=origin)
    said = f"{words_of(reply)}\n\n{made_in_words(path, text)}".strip()
    return await say(place, turn, key, said, manifest)


async def _request(place: Place, turn: rows.Turn, key: str, target: Target) -> tuple[str | None, Request]:
    state = place.state
    request = Request(
        agent=turn.agent, purpose="edit", messages=[], target=target.path, session=session_of(turn)
    )
    if state.done(key) is not None and turn.manifest is not None:
        return turn.manifest, request
    item = Item(
        kind="artifact",
        name=target.path,
        text=f"The file {target.path} does not exist yet.",
        reason=TO_MAKE,
        must=True,
    )
    task = (
        f"You are @{turn.agent} in a discussion, and you are asked to write the new file {target.path}. Write what was "
        "asked for and nothing else. Answer with one or two sentences about it, then one fenced block that holds the "
        "whole of the file. Leave nothing out: what is not in the block is lost."
    )
    asked = structs.replace(await asked_of(place, turn), edit=item, task=task)
    prompt = await tell(state.space, state.folder, asked, place.budget)
    manifest = await state.space.put_blob(encode(prompt.fitted.manifest))
    await state.space.execute(take(state, turn, key, manifest))
    spoken = await state.space.read(Spoken(turn.thread, turn.agent))
    return manifest, structs.replace(request, messages=prompt.messages, turn=spoken + 1)
