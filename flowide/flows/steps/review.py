"""`review`: a text goes through stages; each judges or writes, sends it back with reasons, or hands it on."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct, field

from flowide.agents.api import Message, Request
from flowide.domain import rows
from flowide.domain.commands import FinishReview, HandOver, JudgeReview, OpenReview
from flowide.domain.reviews import MAX_ROUNDS, PERSON
from flowide.errors import BadInput, NotFound, Rejected
from flowide.flows.asking import ask
from flowide.flows.reviewing import prompts, verdicts
from flowide.flows.reviewing.prompts import SentBack, Told
from flowide.flows.reviewing.roles import agent_of, turn_of
from flowide.flows.reviewing.verdicts import Judgement
from flowide.flows.reviewing.writing import Job, Written, write
from flowide.flows.schema import Stage
from flowide.flows.stable import stable_id
from flowide.flows.state import RunState, StepContext
from flowide.flows.steps.gate import answered
from flowide.flows.target import Target, target_of
from flowide.flows.templates import truth
from flowide.space.queries import Content, FindArtifact, History, OneReview, Reasons, ReviewView

MAX_ANSWERS = 20
"""Answers that cannot be read, after which the step fails."""
MAX_SHOWN = 64 * 1024
"""Characters of a diff at a gate."""


class _Going(Struct):
    """Where a review is."""

    context: StepContext
    stages: list[Stage]
    who: dict[str, str]
    """Agent or `person` of each stage."""
    brief: str
    path: str
    rounds: int
    round: int = 1
    at: int = 0
    version: int = 0
    """Under review; 0 = there is none yet."""
    seen: dict[str, int] = field(default_factory=dict)
    """The version each stage saw last."""
    said: list[SentBack] = field(default_factory=list)
    """What was said since somebody wrote."""
    refused: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Changes of each agent that were not taken."""

    @property
    def state(self) -> RunState:
        return self.context.state

    @property
    def id(self) -> str:
        """Of the review."""
        return stable_id(self.state.run, self.context.step.id)

    @property
    def stage(self) -> Stage:
        return self.stages[self.at]

    def key(self, what: str) -> str:
        """Of a step of this stage in this round."""
        return f"{self.context.step.id}#{self.round}/{self.stage.stage}/{what}"


async def run(context: StepContext) -> dict[str, Any]:
    """Go through the stages until the text has passed all, or the rounds are used up."""
    state, going = context.state, _start(context)
    await _open(going)
    while going.at < len(going.stages):
        stage = going.stage
        judges = stage.does in {"judge", "edit"}
        if judges and not going.version:
            raise NotFound(f"there is no {going.path} to judge", hint="Let the first stage write it.")
        judgement = await _judged(going) if judges else None
        if judgement is not None and judgement.verdict == "reject":
            await _send_back(going, judgement)
            continue
        if stage.does in {"write", "edit"} or (stage.does == "rewrite" and going.said):
            await _write(going)
        going.seen[stage.stage] = going.version
        going.at += 1
    artifact = await _artifact(going)
    await _finish(going, "approved", "")
    data = await state.space.read(Content(artifact.id, going.version))
    state.outputs |= {
        "path": artifact.path,
        "artifact": artifact.id,
        "version": going.version,
        "review": going.id,
        "text": data.decode(errors="replace"),
    }
    return {"review": going.id, "status": "approved", "version": going.version, "rounds": going.round}


def _start(context: StepContext) -> _Going:
    rounds = context.field("rounds")
    if not isinstance(rounds, int) or not 1 <= rounds <= MAX_ROUNDS:
        raise BadInput(f"{rounds!r} rounds are not possible", hint=f"rounds goes from 1 to {MAX_ROUNDS}.")
    state = context.state
    stages = [each for each in context.spec.stages if each.when is None or truth(state.fill(each.when))]
    names = [each.stage for each in stages]
    for each in stages:
        if each.back_to is not None and each.back_to not in names:
            raise BadInput(
                f"stage {each.stage} goes back to {each.back_to}, which is no stage of this review",
                hint=f"Stages: {', '.join(names)}.",
            )
    if not stages:
        raise BadInput("the review has no stages", hint="Give it at least one.")
    who = {each.stage: PERSON if each.by == PERSON else agent_of(state, each.by) for each in stages}
    return _Going(
        context=context,
        stages=stages,
        who=who,
        brief=context.field("brief"),
        path=context.field("path"),
        rounds=rounds,
    )


async def _open(going: _Going) -> None:
    """Open the review as soon as there is an artifact; a first stage that writes makes it."""
    state = going.state
    target = await target_of(state.space, state.folder, going.path)
    if target.artifact is None:
        return
    try:
        await state.space.read(OneReview(going.id))
    except NotFound:
        stages = [
            {"stage": each.stage, "by": going.who[each.stage], "does": each.does} for each in going.stages
        ]
        await state.space.execute(
            OpenReview(
                review=going.id,
                artifact=target.artifact.id,
                stages=stages,
                rounds=going.rounds,
                brief=going.brief,
                run=state.run,
            )
        )
    if not going.version:
        key = f"{going.context.step.id}/opened"
        opened = state.done(key)
        if opened is None:
            version = target.artifact.version
            result = {"version": version, "artifact": target.artifact.id}
            await state.commit(state.record(key, "review", "completed", result=result))
        else:
            version = opened.result["version"]
        going.version = version


async def _artifact(going: _Going) -> rows.Artifact:
    view = await going.state.space.read(OneReview(going.id))
    return await going.state.space.read(FindArtifact(view.review.artifact))


# --- writing ----------------------------------------------------------------------------------------


async def _write(going: _Going) -> None:
    """Have the stage's agent write the next version, and hand it on."""
    state, stage, agent = going.state, going.stage, going.who[going.stage.stage]
    if agent == PERSON:
        raise BadInput(
            f"stage {stage.stage}: a person judges, and writes with `flowide edit`", hint="Write does: judge."
        )
    key = going.key("write")
    first = not going.said and going.round == 1 and going.at == 0
    purpose = "draft" if first else "revise"
    kind = (await _artifact(going)).kind if going.version else "document"
    remembered = await state.space.read(Reasons(kind))
    earlier = (
        _sent_back(await state.space.read(OneReview(going.id)), going.round - 1) if going.version else []
    )
    told = Told(
        brief=going.brief,
        rules=prompts.rules_of(state.folder),
        ask=state.fill(stage.ask),
        said=going.said,
        earlier=earlier,
        refused=going.refused.get(agent, []),
        remembered=remembered if first else [],
    )

    def prompt(target: Target) -> list[Message]:
        return prompts.write(state.agents[agent], target, told)

    reasons = "; ".join(each["text"] for said in going.said for each in said.reasons)
    job = Job(
        key=key,
        path=going.path,
        agent=agent,
        purpose=purpose,
        turn=turn_of(state, agent, purpose, key),
        prompt=prompt,
        note=f"{stage.stage}, round {going.round}: {reasons or going.brief}",
        hunks=truth(state.fill(stage.hunks)),
    )
    written = await write(state, job)
    if not going.version:
        going.version = written.version
        await _open(going)
    await _hand_over(going, written)
    if written.refused:
        going.refused[agent] = written.refused
    going.version = written.version
    going.said = []


async def _hand_over(going: _Going, written: Written) -> None:
    state, key = going.state, going.key("handed-over")
    if state.done(key) is not None:
        return
    handed = HandOver(
        review=going.id,
        stage=going.stage.stage,
        round=going.round,
        version=written.version,
        base=written.base or written.version,
        author=going.who[going.stage.stage],
        refused=written.refused,
        step=going.key("write"),
    )
    await state.commit(handed, state.record(key, "review", "completed"))


# --- judging ----------------------------------------------------------------------------------------


async def _judged(going: _Going) -> Judgement:
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
            back_to=_target(going, judgement) if judgement.verdict == "reject" else None,
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


async def _changed_by_people(going: _Going) -> list[HandOver]:
    """What was saved while a person thought: the verdict is about that."""
    artifact = await _artifact(going)
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


async def _by_agent(going: _Going, agent: str) -> tuple[Judgement, str, str | None]:
    state, stage, key = going.state, going.stage, going.key("judge")
    artifact = await _artifact(going)
    data = await state.space.read(Content(artifact.id, going.version))
    target = Target(artifact.path, None, artifact, data.decode(errors="replace"))
    told = Told(
        brief=going.brief,
        rules=prompts.rules_of(state.folder),
        ask=state.fill(stage.ask),
        said=_earlier(await state.space.read(OneReview(going.id)), stage.stage),
    )
    earlier = [each.stage for each in going.stages[: going.at]]
    request = Request(
        agent=agent,
        purpose="review",
        messages=prompts.judge(state.agents[agent], target, await _diff(going, artifact), told, earlier),
        turn=turn_of(state, agent, "review", key),
        json_schema=verdicts.SCHEMA,
    )
    reply = await ask(state, key, request, usable=lambda text: verdicts.read_reply(text, earlier))
    return verdicts.read_reply(reply, earlier), agent, None


def _earlier(view: ReviewView, stage: str) -> list[SentBack]:
    """The stage's own rejections, newest last: it sees whether they were dealt with."""
    return [
        SentBack(each.actor, each.stage, each.verdict, each.reasons, each.summary)
        for each in view.verdicts
        if each.stage == stage and each.verdict == "reject"
    ][-3:]


def _sent_back(view: ReviewView, before: int) -> list[SentBack]:
    """All rejections of rounds before this one, oldest first."""
    return [
        SentBack(each.actor, each.stage, each.verdict, each.reasons, each.summary)
        for each in view.verdicts
        if each.verdict == "reject" and each.round < before
    ]


async def _diff(going: _Going, artifact: rows.Artifact) -> str:
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


async def _by_person(going: _Going) -> tuple[Judgement, str, str | None]:
    """Ask a person at a gate, again when the answer cannot be read.

    Raises:
        NeedsInput: Nobody has answered yet.
        Rejected: The policy of the run says no.
    """
    state, stage = going.state, going.stage
    artifact = await _artifact(going)
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
            await _finish(going, "rejected", gate.reason or "")
            raise Rejected(f"{artifact.path} is rejected by the policy of the run", review=going.id)
        try:
            return verdicts.read_answer(gate.answer or "", gate.reason, stages), gate.by or "", gate.id
        except BadInput as error:
            state.observer.warning(f"{gate.answer!r}: {error.message}. {error.hint}")
    raise BadInput(
        f"{MAX_ANSWERS} answers could not be read", hint="approve, reject: reason, or comment: text"
    )


def _target(going: _Going, judgement: Judgement) -> str:
    """The stage a rejection goes to."""
    return judgement.back_to or going.stage.back_to or going.stages[0].stage


async def _send_back(going: _Going, judgement: Judgement) -> None:
    """Go on at the stage that is to mend it.

    Raises:
        Rejected: The rounds are used up.
    """
    going.seen[going.stage.stage] = going.version
    if going.round >= going.rounds:
        why = "; ".join(each.text for each in judgement.reasons)
        await _finish(going, "rejected", why)
        raise Rejected(
            f"{going.path} was sent back {going.rounds} times and is rejected by {going.stage.stage}: {why}",
            hint="Edit it yourself, or start again with a clearer brief.",
            review=going.id,
        )
    names = [each.stage for each in going.stages]
    going.at = names.index(_target(going, judgement))
    going.round += 1


async def _finish(going: _Going, status: Any, why: str) -> None:
    view = await going.state.space.read(OneReview(going.id))
    if view.review.status == "open":
        command = FinishReview(review=going.id, status=status, version=going.version, why=why[:2000])
        await going.state.space.execute(command)
