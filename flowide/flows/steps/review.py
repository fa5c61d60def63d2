"""`review`: a text goes through stages; each judges or writes, sends it back with reasons, or hands it on."""

from __future__ import annotations

from typing import Any

from flowide.domain.commands import HandOver, OpenReview
from flowide.domain.reviews import MAX_ROUNDS, PERSON
from flowide.errors import BadInput, NotFound, Rejected
from flowide.flows.prompt import Prompt
from flowide.flows.reviewing import prompts
from flowide.flows.reviewing.going import Going, artifact_of, finish
from flowide.flows.reviewing.judging import judged, target_of_rejection
from flowide.flows.reviewing.prompts import SentBack, Told
from flowide.flows.reviewing.roles import agent_of, turn_of
from flowide.flows.reviewing.verdicts import Judgement
from flowide.flows.reviewing.writing import Job, Written, write
from flowide.flows.state import StepContext
from flowide.flows.target import Target, target_of
from flowide.flows.templates import truth
from flowide.space.queries import Content, OneReview, Reasons, ReviewView


async def run(context: StepContext) -> dict[str, Any]:
    """Go through the stages until the text has passed all, or the rounds are used up."""
    state, going = context.state, _start(context)
    await _open(going)
    while going.at < len(going.stages):
        stage = going.stage
        judges = stage.does in {"judge", "edit"}
        if judges and not going.version:
            raise NotFound(f"there is no {going.path} to judge", hint="Let the first stage write it.")
        judgement = await judged(going) if judges else None
        if judgement is not None and judgement.verdict == "reject":
            await _send_back(going, judgement)
            continue
        if stage.does in {"write", "edit"} or (stage.does == "rewrite" and going.said):
            await _write(going)
        going.seen[stage.stage] = going.version
        going.at += 1
    artifact = await artifact_of(going)
    await finish(going, "approved", "")
    data = await state.space.read(Content(artifact.id, going.version))
    state.outputs |= {
        "path": artifact.path,
        "artifact": artifact.id,
        "version": going.version,
        "review": going.id,
        "text": data.decode(errors="replace"),
    }
    return {"review": going.id, "status": "approved", "version": going.version, "rounds": going.round}


def _start(context: StepContext) -> Going:
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
    return Going(
        context=context,
        stages=stages,
        who=who,
        brief=context.field("brief"),
        path=context.field("path"),
        rounds=rounds,
    )


async def _open(going: Going) -> None:
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


async def _write(going: Going) -> None:
    """Have the stage's agent write the next version, and hand it on."""
    state, stage, agent = going.state, going.stage, going.who[going.stage.stage]
    if agent == PERSON:
        raise BadInput(
            f"stage {stage.stage}: a person judges, and writes with `flowide edit`", hint="Write does: judge."
        )
    key = going.key("write")
    first = not going.said and going.round == 1 and going.at == 0
    purpose = "draft" if first else "revise"
    kind = (await artifact_of(going)).kind if going.version else "document"
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

    def prompt(target: Target) -> Prompt:
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


async def _hand_over(going: Going, written: Written) -> None:
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


def _sent_back(view: ReviewView, before: int) -> list[SentBack]:
    """All rejections of rounds before this one, oldest first."""
    return [
        SentBack(each.actor, each.stage, each.verdict, each.reasons, each.summary)
        for each in view.verdicts
        if each.verdict == "reject" and each.round < before
    ]


async def _send_back(going: Going, judgement: Judgement) -> None:
    """Go on at the stage that is to mend it.

    Raises:
        Rejected: The rounds are used up.
    """
    going.seen[going.stage.stage] = going.version
    if going.round >= going.rounds:
        why = "; ".join(each.text for each in judgement.reasons)
        await finish(going, "rejected", why)
        raise Rejected(
            f"{going.path} was sent back {going.rounds} times and is rejected by {going.stage.stage}: {why}",
            hint="Edit it yourself, or start again with a clearer brief.",
            review=going.id,
        )
    names = [each.stage for each in going.stages]
    going.at = names.index(target_of_rejection(going, judgement))
    going.round += 1
