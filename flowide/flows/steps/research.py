"""`research`: sources are collected, read, compared and written up; code checks what is cited."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from msgspec import Struct

from flowide.agents.api import Request
from flowide.agents.extract import extract_json
from flowide.errors import BadInput
from flowide.flows import prompting
from flowide.flows.asking import ask, gather
from flowide.flows.research import prompts
from flowide.flows.research.claims import Claim, checked, line_of
from flowide.flows.research.sources import MAX_PARTS, Part, Source, collect, parts_of, text_of
from flowide.flows.reviewing.roles import agent_of
from flowide.flows.saving import save_text
from flowide.flows.state import StepContext
from flowide.flows.steps.vary import usable_text
from flowide.flows.target import Target, target_of


class _Begun(Struct, frozen=True):
    """What a research works on, from its first moment."""

    sources: list[Source]
    base: int
    """Version of the document that is to be written anew; 0 = there is none."""


async def run(context: StepContext) -> dict[str, Any]:
    """The document, its claims, and how many of its sentences are verified."""
    state, id, question = context.state, context.step.id, str(context.field("question"))
    target = await target_of(state.space, state.folder, str(context.field("path")))
    begun = await _begun(context, target)
    texts = {source.id: await text_of(state, source) for source in begun.sources}
    parts = [part for source in begun.sources for part in parts_of(source, texts[source.id])]
    if len(parts) > MAX_PARTS:
        raise BadInput(
            f"the sources have {len(parts)} parts to read", hint=f"At most {MAX_PARTS}: name fewer."
        )
    readers = state.handles(context.spec.agents)
    said = await gather(
        *(_read(context, question, part, readers[at % len(readers)]) for at, part in enumerate(parts))
    )
    claims = _claims(parts, said, texts)
    if not claims:
        raise BadInput(
            "no source says anything about the question", hint="Ask otherwise, or name other sources."
        )
    for each in claims:
        if not each.verified:
            state.observer.warning(f"{each.id}: {each.path} does not say {each.quote[:80]!r}")
    comparison = await _compared(context, question, claims)
    key, writer = f"{id}#write", agent_of(state, context.spec.by)
    rules = prompting.project_rules(state.folder)
    request = Request(
        agent=writer,
        purpose="write",
        messages=[],
        target=target.path,
    )
    prompt = prompts.write(state.agents[writer], question, target, claims, comparison, rules)
    reply = await ask(state, key, request, prompt=prompt, usable=lambda text: usable_text(text, target))
    document, count = checked(usable_text(reply, target), claims, texts)
    artifact, version = await save_text(
        state,
        key,
        target.path,
        document,
        agent=writer,
        base=begun.base,
        note=question,
        model=state.steps[key].result.get("model"),
    )
    state.outputs |= {"path": target.path, "artifact": artifact, "version": version, "text": document}
    if count["unverified"]:
        all_of = count["verified"] + count["unverified"]
        state.observer.warning(f"{count['unverified']} of {all_of} sentences in {target.path} are unverified")
    return {
        "path": target.path,
        "version": version,
        "sources": [f"{source.path}@{source.version}" for source in begun.sources],
        "claims": len(claims),
        "unfounded": [each.id for each in claims if not each.verified],
        **count,
    }


async def _begun(context: StepContext, target: Target) -> _Begun:
    state, key = context.state, f"{context.step.id}/sources"
    done = state.done(key)
    if done is not None:
        return msgspec.convert(done.result, _Begun)
    given = context.field("sources")
    patterns = given.splitlines() if isinstance(given, str) else [str(each) for each in given]
    sources = await collect(state, patterns, target.path)
    begun = _Begun(sources, 0 if target.artifact is None else target.artifact.version)
    await state.commit(state.record(key, "research", "completed", result=msgspec.to_builtins(begun)))
    return begun


async def _read(context: StepContext, question: str, part: Part, reader: str) -> list[dict[str, str]]:
    """The claims of one part of a source, as its reader gives them."""
    state = context.state
    more = f".{part.number}" if part.of > 1 else ""
    request = Request(
        agent=reader,
        purpose="read",
        messages=[],
        json_schema=prompts.READ,
    )
    key = f"{context.step.id}#read-{part.source.id}{more}"
    prompt = prompts.read(state.agents[reader], question, part)
    reply = await ask(
        state, key, request, prompt=prompt, usable=lambda text: extract_json(text, prompts.READ)
    )
    found: list[dict[str, str]] = json.loads(extract_json(reply, prompts.READ))["claims"]
    return found


def _claims(parts: list[Part], said: list[list[dict[str, str]]], texts: dict[str, str]) -> list[Claim]:
    """All claims with their ids; code looks whether each quote is in its source."""
    claims: list[Claim] = []
    numbers = dict.fromkeys(texts, 0)
    for part, found in zip(parts, said, strict=True):
        source = part.source
        for each in found:
            numbers[source.id] += 1
            claims.append(
                Claim(
                    id=f"{source.id}.{numbers[source.id]}",
                    path=source.path,
                    version=source.version,
                    text=each["claim"],
                    quote=each["quote"],
                    line=line_of(each["quote"], texts[source.id]),
                )
            )
    return claims


async def _compared(context: StepContext, question: str, claims: list[Claim]) -> str:
    """What the claims come to, as lines."""
    state, spec = context.state, context.spec
    by = agent_of(state, spec.compare_by)
    request = Request(
        agent=by,
        purpose="compare",
        messages=[],
        json_schema=prompts.COMPARE,
    )
    key = f"{context.step.id}#compare"
    prompt = prompts.compare(state.agents[by], question, claims)
    reply = await ask(
        state, key, request, prompt=prompt, usable=lambda text: extract_json(text, prompts.COMPARE)
    )
    found = json.loads(extract_json(reply, prompts.COMPARE))
    lines = [
        f"- ({each['sources']}) {each['finding']} [{', '.join(each['claims'])}]" for each in found["findings"]
    ]
    lines += [f"- (open) {each}" for each in found.get("open", [])]
    return "\n".join(lines)
