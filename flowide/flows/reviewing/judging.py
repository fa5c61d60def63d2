"""A stage judges: an agent with reasons that are checked, or a person at a gate."""

from __future__ import annotations

import msgspec

from flowide.agents.api import Request
from flowide.domain import rows
from flowide.domain.commands import HandOver, JudgeReview
from flowide.domain.reviews import PERSON
from flowide.errors import BadInput, Rejected
from flowide.flows.asking import ask
from flowide.flows.reviewing import prompts, verdicts
from flowide.flows.reviewing.going import Going, artifact_of, finish
from flowide.flows.reviewing.prompts import SentBack, Told
from flowide.flows.reviewing.roles import turn_of
from flowide.flows.reviewing.verdicts import Judgement
from flowide.flows.steps.gate import answered
from flowide.flows.target import Target
from flowide.space.queries import Content, History, OneReview, ReviewView

MAX_ANSWERS = 20
"""Answers that cannot be read, after which the step fails."""
MAX_SHOWN = 64 * 1024
"""Characters of a diff at a gate."""


async def judged(going: Going) -> Judgement:
    """The stage's verdict, in the log before anything builds on it."""
    state, key = going.state, going.key("verdict")
    who = going.who[going.stage.stage]
    done = state.done(key)
    if done is not None:
        judgement = msgspec.convert(done.result["judgement"], Judgement)
        by, going.version = done.result["by"], done.result["version"]
    else:
        judgement, by, gate = await (_by_person(going) if who == PERSON else _by_agent(going, who))
        changed = await _changed_by_people(going) if who == PERSON else []
        command = JudgeReview(
            review=going.id,
            stage=going.stage.stage,
            round=going.round,
            version=going.version,
            verdict=judgement.verdict,
            reasons=judgement.reasons,
            summary=judgement.summary,
            back_to=target_of_rejection(going, judgement) if judgement.verdict == "reject" else None,
            gate=gate,
            step=key,
        )
        result = {"judgement": msgspec.to_builtins(judgement), "by": by, "version": going.version}
        actor = None if who == PERSON else state.actor(who)
        await state.commit(
            *changed, command, state.record(key, "review", "completed", result=result), actor=actor
        )
    reasons = [msgspec.to_builtins(each) for each in judgement.reasons]
    if judgement.verdict == "comment" or reasons:
        going.said.append(SentBack(by, going.stage.stage, judgement.verdict, reasons, judgement.summary))
    return judgement


async def _changed_by_people(going: Going) -> list[HandOver]:
    """What was saved while a person thought: the verdict is about that."""
    artifact = await artifact_of(going)
    if artifact.version <= going.version:
        return []
    newest = (await going.state.space.read(History(artifact.id)))[-1]
    handed = HandOver(
        review=going.id,
        stage=going.stage.stage,
        round=going.round,
        version=newest.version,
        base=going.version,
        author=newest.actor,
    )
    going.version = newest.version
    return [handed]


async def _by_agent(going: Going, agent: str) -> tuple[Judgement, str, str | None]:
    state, stage, key = going.state, going.stage, going.key("judge")
    artifact = await artifact_of(going)
    data = await state.space.read(Content(artifact.id, going.version))
    target = Target(artifact.path, None, artifact, data.decode(errors="replace"))
    told = Told(
        brief=going.brief,
        rules=prompts.rules_of(state.folder),
        ask=state.fill(stage.ask),
        said=_earlier(await state.space.read(OneReview(going.id)), stage.stage),
    )
    earlier = [each.stage for each in going.stages[: going.at]]
    prompt = prompts.judge(state.agents[agent], target, await _diff(going, artifact), told, earlier)
    request = Request(
        agent=agent,
        purpose="review",
        messages=[],
        turn=turn_of(state, agent, "review", key),
        json_schema=verdicts.SCHEMA,
    )
    reply = await ask(
        state, key, request, prompt=prompt, usable=lambda text: verdicts.read_reply(text, earlier)
    )
    return verdicts.read_reply(reply, earlier), agent, None


def _earlier(view: ReviewView, stage: str) -> list[SentBack]:
    """The stage's own rejections, newest last: it sees whether they were dealt with."""
    return [
        SentBack(each.actor, each.stage, each.verdict, each.reasons, each.summary)
        for each in view.verdicts
        if each.stage == stage and each.verdict == "reject"
    ][-3:]


async def _diff(going: Going, artifact: rows.Artifact) -> str:
    """What changed since the stage saw the text last, or else in the last hand-over."""
    from flowide.project.diffs import unified

    base = going.seen.get(going.stage.stage, 0)
    if not base:
        view = await going.state.space.read(OneReview(going.id))
        base = view.handovers[-1].base if view.handovers else going.version
    if base == going.version:
        return ""
    before = await going.state.space.read(Content(artifact.id, base))
    after = await going.state.space.read(Content(artifact.id, going.version))
    return unified(before, after, f"{artifact.path}@{base}", f"{artifact.path}@{going.version}")


async def _by_person(going: Going) -> tuple[Judgement, str, str | None]:
    """Ask a person at a gate, again when the answer cannot be read.

    Raises:
        NeedsInput: Nobody has answered yet.
        Rejected: The policy of the run says no.
    """
    state, stage = going.state, going.stage
    artifact = await artifact_of(going)
    stages = [each.stage for each in going.stages]
    question = state.fill(stage.ask) or f"Approve {artifact.path} version {going.version}?"
    for attempt in range(1, MAX_ANSWERS + 1):
        key = going.key("gate") + (f"-{attempt}" if attempt > 1 else "")
        gate = await answered(
            state,
            key,
            kind="verdict",
            question=question,
            options=[],
            by_policy={"approve": "approve", "reject": "reject"}.get(state.request.on_gate),
            context={
                "path": artifact.path,
                "artifact": artifact.id,
                "version": going.version,
                "stage": stage.stage,
                "round": going.round,
                "stages": stages,
                "diff": (await _diff(going, artifact))[:MAX_SHOWN],
                "reasons": [msgspec.to_builtins(each) for each in going.said],
            },
        )
        if state.request.on_gate == "reject" and (gate.reason or "").startswith("policy "):
            await finish(going, "rejected", gate.reason or "")
            raise Rejected(f"{artifact.path} is rejected by the policy of the run", review=going.id)
        try:
            return verdicts.read_answer(gate.answer or "", gate.reason, stages), gate.by or "", gate.id
        except BadInput as error:
            state.observer.warning(f"{gate.answer!r}: {error.message}. {error.hint}")
    raise BadInput(
        f"{MAX_ANSWERS} answers could not be read", hint="approve, reject: reason, or comment: text"
    )


def target_of_rejection(going: Going, judgement: Judgement) -> str:
    """The stage a rejection goes to."""
    return judgement.back_to or going.stage.back_to or going.stages[0].stage
