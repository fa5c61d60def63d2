"""`vary`: several agents, or one several times, each write a variation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from flowide.agents.api import Image, Request
from flowide.agents.context import without_marks
from flowide.agents.extract import extract_code
from flowide.agents.whole_file import file_in
from flowide.domain.commands import AddVariation, OpenVariationSet
from flowide.domain.ids import uuid7
from flowide.errors import BadInput, FlowError, NeedsInput
from flowide.flows import prompting
from flowide.flows.asking import ask, gather
from flowide.flows.checks import parses
from flowide.flows.contents import inline_or_blob
from flowide.flows.prompt import Prompt
from flowide.flows.state import RunState, StepContext
from flowide.flows.target import Target, target_of
from flowide.project.kinds import written_like
from flowide.space.queries import OneVariationSet, SetView, VariationText


class Slot(Struct, frozen=True):
    """One variation to be written."""

    key: str
    agent: str
    turn: int
    temperature: float | None = None
    parents: list[dict[str, Any]] = []
    """What it is built on: `{variation}` each."""


async def run(context: StepContext) -> dict[str, Any]:
    """Open a set and fill it; the result names the set and its numbers."""
    state, step = context.state, context.step
    target = await target_of(state.space, state.folder, context.field("path"))
    n = context.field("n")
    if not isinstance(n, int) or not 2 <= n <= 10:
        raise BadInput(f"{n!r} variations are not possible", hint="n goes from 2 to 10.")
    brief = context.field("brief")
    at_least = context.field("at_least")
    if not isinstance(at_least, int) or not 1 <= at_least <= n:
        raise BadInput(f"at least {at_least!r} of {n} variations is not possible", hint=f"1 to {n}.")
    opened = state.steps.get(step.id)
    if opened is None or "set" not in opened.result:
        set = uuid7()
        await state.commit(
            OpenVariationSet(
                set=set,
                title=target.title,
                brief=brief,
                path=target.path,
                artifact=None if target.artifact is None else target.artifact.id,
                base=None if target.artifact is None else target.artifact.version,
                piece=target.piece,
                run=state.run,
            ),
            state.record(step.id, "vary", "started", result={"set": set}),
        )
    else:
        set = opened.result["set"]
    state.outputs["set"] = set
    agents = state.handles(context.spec.agents)
    slots = [
        Slot(
            key=f"{step.id}#{at + 1}",
            agent=agents[at % len(agents)],
            turn=at // len(agents) + 1,
            temperature=_nth(context.spec.temperatures, at),
        )
        for at in range(n)
    ]
    project = prompting.project_rules(state.folder)
    numbers = await write(
        state,
        set,
        target,
        slots,
        purpose="vary",
        prompt=lambda slot: prompting.vary(state.agents[slot.agent], brief, target, project),
        at_least=at_least,
        round=1,
    )
    state.outputs["numbers"] = numbers
    return {"set": set, "numbers": numbers}


async def write(
    state: RunState,
    set: str,
    target: Target,
    slots: list[Slot],
    *,
    purpose: str,
    prompt: Callable[[Slot], Prompt],
    at_least: int,
    round: int,
    images: Sequence[Image] = (),
) -> list[int]:
    """Have every slot written, concurrently; variations are added in the order of the slots.

    `images` are shown to every writer.

    A slot that fails costs its variation only, while at least `at_least` others are good.
    """
    order = _InOrder(state, set, target, slots, round=round)

    async def one(slot: Slot) -> FlowError | None:
        request = Request(
            agent=slot.agent,
            purpose=purpose,
            messages=[],
            turn=slot.turn,
            temperature=slot.temperature,
            target=target.path,
            images=list(images),
        )
        failure: FlowError | None = None
        reply: str | None = None
        try:
            reply = await ask(
                state,
                slot.key,
                request,
                prompt=prompt(slot),
                usable=lambda text: usable_text(text, target),
            )
        except NeedsInput as waits:
            return waits  # the others come to their end first
        except FlowError as error:
            if error.code in {"budget", "fenced", "gone", "storage"}:
                raise
            state.observer.warning(f"{slot.key}: @{slot.agent} failed: {error.message}")
            failure = error
        await order.arrived(slot, reply)
        return failure

    ended = await gather(*(one(slot) for slot in slots))
    for error in ended:
        if isinstance(error, NeedsInput):
            raise error
    failures = [(slot, error) for slot, error in zip(slots, ended, strict=True) if error is not None]
    keys = {slot.key for slot in slots}
    state.outputs["failed"] = [
        *(each for each in state.outputs.get("failed", []) if each["step"] not in keys),
        *({"step": slot.key, "agent": slot.agent, "code": error.code} for slot, error in failures),
    ]
    if len(slots) - len(failures) < max(1, at_least):
        raise failures[0][1]
    return order.numbers


class _InOrder:
    """Adds variations in the order of their slots, as soon as all earlier ones have arrived or failed."""

    def __init__(
        self,
        state: RunState,
        set: str,
        target: Target,
        slots: list[Slot],
        *,
        round: int,
    ) -> None:
        self.numbers: list[int] = []
        self._state, self._set, self._target = state, set, target
        self._slots, self._round = slots, round
        self._replies: dict[str, str | None] = {}
        self._next = 0
        self._turn = asyncio.Lock()

    async def arrived(self, slot: Slot, reply: str | None) -> None:
        self._replies[slot.key] = reply
        async with self._turn:
            while self._next < len(self._slots) and self._slots[self._next].key in self._replies:
                ready = self._slots[self._next]
                text = self._replies[ready.key]
                if text is not None:
                    self.numbers.append(await self._add(ready, text))
                self._next += 1

    async def _add(self, slot: Slot, reply: str) -> int:
        state, id = self._state, f"{self._state.run}:{slot.key}"
        for there in (await state.space.read(OneVariationSet(self._set))).variations:
            if there.variation.id == id:
                return there.variation.number
        text = usable_text(reply, self._target)
        recorded = state.steps[slot.key]
        lineage = prompting.lineage(text, self._target.path, variation=id, label=f"@{slot.agent}")
        inline, blob = await inline_or_blob(state.space, text)
        [added] = await state.commit(
            AddVariation(
                set=self._set,
                id=id,
                round=self._round,
                author=slot.agent,
                model=recorded.result.get("model"),
                run=state.run,
                step=slot.key,
                parents=slot.parents,
                lineage=lineage,
                input_tokens=recorded.usage.get("input_tokens", 0),
                output_tokens=recorded.usage.get("output_tokens", 0),
                cost_micros=recorded.usage.get("cost_micros"),
                text=inline,
                blob=blob,
            ),
            actor=state.actor(slot.agent),
        )
        number: int = added.number
        return number


def usable_text(reply: str, target: Target) -> str:
    """The whole new file that a reply stands for.

    Raises:
        Incomplete: Nothing usable; the agent is asked again.
    """
    from flowide.errors import Incomplete, Rejected
    from flowide.pieces import language_of

    language = language_of(target.path)
    reply = without_marks(reply, target.text)
    text = file_in(reply, target.path)
    if text is None:
        text = _extracted(reply, target, language)
    elif not parses(text.encode(), target.path):
        raise Incomplete(f"what was written into {target.path} does not parse as {language}")
    if target.piece is None or language is None:
        return text
    from flowide.pieces import splice
    from flowide.pieces.model import Take

    try:
        spliced = splice(target.text.encode(), [Take(source=text.encode(), piece=target.piece)], language)
    except (Rejected, BadInput) as error:
        raise Incomplete(f"the piece cannot be put into {target.path}: {error.message}") from error
    return spliced.source.decode()


def _extracted(reply: str, target: Target, language: str | None) -> str:
    """The text in a reply that talks: of the whole file like the one that was there, of a piece as it came."""
    wanted = language or "markdown" if target.path.endswith((".md", ".txt", ".rst")) or language else ""
    text = extract_code(
        reply,
        wanted or "text",
        must_define=[target.piece] if target.piece else [],
        parses=lambda source: parses(source, target.path),
        path=target.path,
    )
    if not text.endswith("\n"):
        text += "\n"
    return written_like(text, target.text) if target.piece is None or language is None else text


async def more(
    state: RunState, key: str, set: str, n: int, *, agents: list[str], wish: str = ""
) -> list[int]:
    """Another round: exactly the short list and the notes are sent. Returns the new numbers."""
    view = await state.space.read(OneVariationSet(set))
    target = await target_of(state.space, state.folder, view.set.path or "")
    target = Target(target.path, view.set.piece, target.artifact, await base_text(state, view))
    # After a resume part of this round may be there already: it does not count as what came before.
    earlier = [
        each.variation for each in view.variations if not each.variation.id.startswith(f"{state.run}:{key}#")
    ]
    shown = [each for each in earlier if each.shortlisted]
    texts = [await state.space.read(VariationText(set, each.number)) for each in shown]
    before = {
        handle: sum(1 for each in earlier if each.actor == handle and each.round > 1) for handle in agents
    }
    slots = [
        Slot(
            f"{key}#{at + 1}",
            agents[at % len(agents)],
            before[agents[at % len(agents)]] + at // len(agents) + 1,
            parents=[{"variation": each.number} for each in shown],
        )
        for at in range(n)
    ]

    def prompt(slot: Slot) -> Prompt:
        return prompting.more(
            state.agents[slot.agent],
            view.set.brief,
            target,
            shown,
            texts,
            earlier,
            wish,
            prompting.project_rules(state.folder),
        )

    return await write(
        state,
        set,
        target,
        slots,
        purpose="more",
        prompt=prompt,
        at_least=1,
        round=max((each.round for each in earlier), default=0) + 1,
    )


async def base_text(state: RunState, view: SetView) -> str:
    """The text a set starts from."""
    return await state.space.read(VariationText(view.set.id, 0))


def _nth(values: list[float], at: int) -> float | None:
    return values[at % len(values)] if values else None
