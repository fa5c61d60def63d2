"""A text goes through its stages, is sent back with reasons, and ends approved or rejected."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from flowide.domain.actors import Actor
from flowide.domain.commands import AcquireLock, AnswerGate
from flowide.errors import BadInput, StorageFailed
from flowide.flows import engine
from flowide.flows.load import parse_flow
from flowide.space.queries import Content, Gates, History, OneReview, Reasons, Reviews, Runs, Threads, Verify
from flowide.testing import ManualClock
from tests.flows.conftest import Bench
from tests.flows.talk import NOTES, Breaking, make_talkers


def doc(text: str) -> str:
    return f"Done.\n\n```markdown\n# {text}\n\nOne.\n\nTwo.\n```\n"


def verdict(kind: str, *reasons: Any) -> str:
    return json.dumps({"verdict": kind, "reasons": list(reasons)})


SLOPPY = {"kind": "clarity", "text": "Say what it is for.", "where": "One"}
EDWIN = [
    {"on": "draft", "text": doc("First")},
    {"on": "revise", "when": r"(?s)^(?!.*Too long).*Say what it is for", "text": doc("Second")},
    {
        "on": "revise",
        "when": r"(?s)Let none of them come back.*Say what.*sent it back.*Too long",
        "text": doc("Third"),
    },
    {"on": "revise", "text": doc("Other")},
]
MARA = [{"on": "review", "texts": [verdict("reject", SLOPPY), verdict("approve")]}]
QUINN = [{"on": "revise", "texts": [doc("Polished"), doc("Polished again")]}]
ROLES = {"edwin": "drafter", "mara": "editor", "quinn": "polisher"}


def bench_of(tmp_path: Path, **scripts: Any) -> Bench:
    """A project with a drafter, an editor and a polisher."""
    from tests.project_with_agents import write_agent

    root = make_talkers(tmp_path / "project")
    for handle, replies in {"edwin": EDWIN, "mara": MARA, "quinn": QUINN, **scripts}.items():
        write_agent(root, handle, replies, role=ROLES.get(handle, "drafter"))
    return Bench(root)


async def review(bench: Bench, flow: str = "review", **more: Any) -> Any:
    inputs = {"path": "notes.md", **more.pop("inputs", {})}
    return await bench.start(flow, brief="A page of notes.", inputs=inputs, **more)


async def answer(bench: Bench, run: Any, text: str, reason: str | None = None) -> Any:
    [gate] = await bench.space.read(Gates(run=run.run))
    await bench.space.execute(AnswerGate(gate=gate.id, answer=text, reason=reason))
    return await bench.resume(run.run)


async def test_a_text_passes_drafter_editor_polisher_and_person(tmp_path: Path) -> None:
    bench = bench_of(tmp_path)
    waiting = await review(bench)
    assert waiting.exit_code == 3

    result = await answer(bench, waiting, "approve")

    assert (result.status, result.outputs["version"], result.outputs["text"][:10]) == (
        "completed",
        4,
        "# Polished",
    )
    view = await bench.space.read(OneReview("last"))
    assert (view.review.status, view.review.round) == ("approved", 2)
    assert [(each.stage, each.round, each.base, each.version, each.author) for each in view.handovers] == [
        ("draft", 1, 1, 2, "edwin"),
        ("draft", 2, 2, 3, "edwin"),
        ("polish", 2, 3, 4, "quinn"),
    ]
    assert [(each.stage, each.verdict, each.actor, each.kind, each.version) for each in view.verdicts] == [
        ("edit", "reject", "mara", "agent", 2),
        ("edit", "approve", "mara", "agent", 3),
        ("sign-off", "approve", "ana", "human", 4),
    ]
    assert view.verdicts[0].reasons == [SLOPPY]
    assert (tmp_path / "project" / "notes.md").read_text().startswith("# Polished")


async def test_versions_name_their_author_and_the_reasons(tmp_path: Path) -> None:
    bench = bench_of(tmp_path)
    result = await review(bench, on_gate="approve")

    versions = await bench.space.read(History(result.outputs["artifact"]))

    assert [(each.actor, each.kind) for each in versions][1:] == [
        ("edwin", "agent"),
        ("edwin", "agent"),
        ("quinn", "agent"),
    ]
    assert versions[2].note == "draft, round 2: Say what it is for."
    assert all(each.run == result.run and each.model for each in versions[1:])


async def test_a_person_rejects_twice_and_the_reasons_reach_the_drafter(tmp_path: Path) -> None:
    """The drafter's script looks for the reasons in what it is told."""
    bench = bench_of(tmp_path, mara=[{"on": "review", "text": verdict("approve")}])
    run = await review(bench, inputs={"polish": False})
    run = await answer(bench, run, "reject", "Say what it is for")
    assert (await text_of(bench)).startswith("# Second")

    run = await answer(bench, run, "reject: Too long")
    assert (await text_of(bench)).startswith("# Third")
    run = await answer(bench, run, "approve")

    assert run.status == "completed"
    assert (await bench.space.read(OneReview("last"))).review.round == 3


async def text_of(bench: Bench) -> str:
    row = await bench.folder.artifact(bench.space, "notes.md")
    return (await bench.space.read(Content(row.id))).decode()


async def test_rounds_are_bounded(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, mara=[{"on": "review", "text": verdict("reject", "Never good enough.")}])

    result = await review(bench, inputs={"rounds": 3}, on_gate="approve")

    assert (result.status, result.exit_code) == ("rejected", 4)
    view = await bench.space.read(OneReview("last"))
    assert (view.review.status, len(view.verdicts), view.review.why) == ("rejected", 3, "Never good enough.")
    assert result.error["message"].endswith("is rejected by edit: Never good enough.")


async def test_a_policy_that_rejects_ends_the_review_at_once(tmp_path: Path) -> None:
    bench = bench_of(tmp_path)

    result = await review(bench, on_gate="reject")

    assert (result.exit_code, (await bench.space.read(OneReview("last"))).review.status) == (4, "rejected")


async def test_a_malformed_verdict_is_asked_for_again_within_bounds(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, mara=[{"on": "review", "when": "could not be used", "text": verdict("approve")},
                                     {"on": "review", "text": '{"verdict": "reject", "reasons": []}'}])  # fmt: skip
    result = await review(bench, on_gate="approve")
    assert result.status == "completed"
    assert any("needs reasons" in warning for warning in bench.watcher.warnings)

    bench = bench_of(tmp_path / "never", mara=[{"on": "review", "text": "It is fine."}])
    result = await review(bench, on_gate="approve")

    assert result.exit_code == 8
    assert result.totals["calls"] == 4  # one draft, three tries


async def test_reasons_are_remembered_for_texts_of_the_same_kind(tmp_path: Path) -> None:
    drafter = [
        {"on": "draft", "when": r"(?s)guide.*\(clarity\) Say what it is for\.", "text": doc("Wiser")},
        *EDWIN,
    ]
    bench = bench_of(tmp_path, edwin=drafter)
    await review(bench, on_gate="approve")
    assert [(each.text, each.kind, each.times) for each in await bench.space.read(Reasons("document"))] == [
        ("Say what it is for.", "clarity", 1)
    ]
    assert await bench.space.read(Reasons("code")) == []

    await bench.start("review", brief="A guide.", inputs={"path": "guide.md"}, on_gate="approve")

    guide = await bench.folder.artifact(bench.space, "guide.md")
    assert (await bench.space.read(Content(guide.id, 1))).startswith(b"# Wiser")


async def test_people_take_changes_in_parts_and_the_agent_is_told_what_they_refused(tmp_path: Path) -> None:
    polished = "```markdown\n# Notes\n\n## Risks\n\nStale values!\n\n## Tests\n\nPlenty.\n```\n"
    told = r"(?s)did not take.*\+Plenty\..*Why: it is not true"
    quinn = [
        {"on": "revise", "when": told, "text": polished.replace("Plenty.", "Enough.")},
        {"on": "revise", "text": polished},
    ]
    bench = bench_of(tmp_path, quinn=quinn, mara=[{"on": "review", "text": verdict("approve")}],
                     edwin=[{"on": "*", "text": f"```markdown\n{NOTES}```\n"}])  # fmt: skip
    run = await review(bench, inputs={"draft": False, "hunks": True})
    [gate] = await bench.space.read(Gates(run=run.run))
    assert gate.kind == "hunks" and [each["hunk"] for each in gate.context["hunks"]] == [1, 2]
    assert gate.question == "@quinn changed notes.md in 2 places. Which shall be taken?"

    run = await answer(bench, run, "1; 2: it is not true")

    assert await text_of(bench) == NOTES.replace("values.", "values!")
    view = await bench.space.read(OneReview("last"))
    assert [(each["hunk"], each["why"]) for each in view.handovers[0].refused] == [(2, "it is not true")]
    assert ("it is not true", "refused") in [
        (e.text, e.kind) for e in await bench.space.read(Reasons("document"))
    ]

    await answer(bench, run, "reject: shorter")  # the drafter writes, then the polisher, who has learned

    [gate] = await bench.space.read(Gates())
    assert [each["diff"] for each in gate.context["hunks"]] == [
        "@@ line 5 @@\n-Stale values.\n+Stale values!"
    ]


async def test_an_answer_that_cannot_be_read_is_asked_for_again(tmp_path: Path) -> None:
    bench = bench_of(tmp_path)
    run = await review(bench)

    run = await answer(bench, run, "hmm")

    assert run.exit_code == 3
    assert any("is no verdict" in warning for warning in bench.watcher.warnings)
    assert (await answer(bench, run, "approve")).status == "completed"


async def test_what_a_person_saves_before_answering_is_what_is_approved(tmp_path: Path) -> None:
    bench = bench_of(tmp_path)
    run = await review(bench)
    row = await bench.folder.artifact(bench.space, "notes.md")
    fence = (await bench.space.execute(AcquireLock(artifact=row.id))).ok.fence or 0
    await bench.folder.save(bench.space, row, fence=fence, base=row.version, data="# Mine\n")

    result = await answer(bench, run, "approve")

    assert (result.outputs["version"], result.outputs["text"]) == (row.version + 1, "# Mine\n")
    last = (await bench.space.read(OneReview("last"))).handovers[-1]
    assert (last.author, last.version) == ("ana", row.version + 1)


async def test_a_file_that_is_not_there_is_drafted(tmp_path: Path) -> None:
    bench = bench_of(tmp_path)

    result = await bench.start(
        "review", brief="A guide.", inputs={"path": "docs/guide.md"}, on_gate="approve"
    )

    assert result.status == "completed"
    assert (tmp_path / "project" / "docs" / "guide.md").read_text().startswith("# Polished")


async def test_without_a_writer_a_missing_file_is_refused(tmp_path: Path) -> None:
    bench = bench_of(tmp_path)

    result = await bench.start("review", inputs={"path": "gone.md", "draft": False}, on_gate="approve")

    assert result.exit_code == 2


async def test_a_locked_file_ends_the_run_with_who_holds_it(tmp_path: Path) -> None:
    bench = bench_of(tmp_path)
    row = await bench.folder.artifact(bench.space, "notes.md")
    await bench.space.acting_as(Actor("rod")).execute(AcquireLock(artifact=row.id))

    result = await review(bench, lock_timeout_s=0.2)

    assert (result.exit_code, result.error["data"]["holder"]) == (5, "rod")


async def test_what_others_changed_in_other_lines_meanwhile_stays(tmp_path: Path) -> None:
    polished = f"```markdown\n{NOTES.replace('Enough.', 'Plenty.')}```\n"
    bench = bench_of(
        tmp_path,
        quinn=[{"on": "revise", "text": polished}],
        mara=[{"on": "review", "text": verdict("approve")}],
    )
    run = await review(bench, inputs={"draft": False, "hunks": True})
    row = await bench.folder.artifact(bench.space, "notes.md")
    fence = (await bench.space.execute(AcquireLock(artifact=row.id))).ok.fence or 0
    await bench.folder.save(
        bench.space, row, fence=fence, base=1, data=NOTES.replace("# Notes", "# My notes")
    )

    await answer(bench, run, "all")

    text = (await bench.space.read(Content(row.id))).decode()
    assert text == NOTES.replace("# Notes", "# My notes").replace("Enough.", "Plenty.")


@pytest.mark.parametrize("after", range(0, 84, 4))
async def test_a_review_that_broke_off_anywhere_ends_as_if_it_had_not(tmp_path: Path, after: int) -> None:
    bench = bench_of(tmp_path)
    clock = ManualClock()
    bench.space = Breaking(Actor("ana"), clock=clock)
    Breaking.left = after
    with suppress(StorageFailed):
        await review(bench, on_gate="approve")
    Breaking.left = 10**9
    clock.sleep(5_000)  # the lock it held is still alive
    runs = await bench.space.read(Runs())
    if not runs:
        await review(bench, on_gate="approve")
    elif runs[0].status != "completed":
        clock.sleep(3_000)
        await bench.resume(runs[0].id)

    view = await bench.space.read(OneReview("last"))
    assert view.review.status == "approved"
    assert [(each.stage, each.version) for each in view.handovers] == [
        ("draft", 2),
        ("draft", 3),
        ("polish", 4),
    ]
    assert [each.verdict for each in view.verdicts] == ["reject", "approve", "approve"]
    assert await bench.space.read(Verify()) == []
    calls = [
        event.data["key"]
        async for event in bench.space.events()
        if event.type == "run.step" and event.data["usage"]
    ]
    assert len(calls) == len(set(calls)) == 5


async def test_the_writing_flow_discusses_drafts_and_reviews(tmp_path: Path) -> None:
    draft = {"on": "draft", "when": "Mind the risks", "text": doc("First")}
    talkers: dict[str, Any] = {
        "edwin": [{"on": "discuss", "text": "Mind the risks."}, draft, *EDWIN],
        "mara": [{"on": "discuss", "text": "Short."}, *MARA],
        "quinn": [{"on": "discuss", "text": "Clear."}, *QUINN],
    }
    bench = bench_of(tmp_path, **talkers)

    result = await review(bench, "writing", on_gate="approve")

    assert result.status == "completed", result.error
    assert result.outputs["text"].startswith("# Polished")
    [row] = await bench.space.read(Reviews())
    assert row.status == "approved"


async def test_writing_goes_without_a_discussion(tmp_path: Path) -> None:
    bench = bench_of(tmp_path)

    result = await review(bench, "writing", on_gate="approve", inputs={"discuss": False})

    assert result.status == "completed", result.error
    assert result.outputs["text"].startswith("# Polished")


async def test_draft_and_revise_stand_alone(tmp_path: Path) -> None:
    bench = bench_of(tmp_path)
    flow = tmp_path / "two.yaml"
    flow.write_text(
        "flow: two\nsteps:\n  - draft: {brief: A guide, path: guide.md}\n  - revise: {path: guide.md, by: quinn}\n"
    )

    result = await bench.start(str(flow), inputs={})

    assert (result.status, result.outputs["version"]) == ("completed", 2)
    assert result.outputs["text"].startswith("# Polished")


@pytest.mark.parametrize(
    ("stages", "said"),
    [
        ("[]", "at least one stage"),
        ("[{stage: a, by: x}, {stage: a, by: y}]", "two stages 'a'"),
        ("[{stage: a, by: x, back_to: b}]", "no stage 'b' to go back to"),
        ("[{stage: a, by: x, does: nothing}]", "does"),
        ("[{stage: a}]", "by"),
        ("[{stage: a, by: person, does: edit}]", "a person judges"),
        ("[{stage: a, by: x, ask: '{{ nothing }}'}]", "'nothing' is not known here"),
        ("[{stage: a, by: x, when: '{{ nothing }}'}]", "'nothing' is not known here"),
    ],
)
def test_a_flow_whose_stages_cannot_work_is_refused_with_the_place(stages: str, said: str) -> None:
    with pytest.raises(BadInput, match=r"f\.yaml:\d+:\d+: .*") as refused:
        parse_flow(f"flow: f\nsteps:\n  - review:\n      stages: {stages}\n", "f.yaml")

    assert said in refused.value.message


async def test_an_interrupt_at_a_stage_is_gone_on_with(tmp_path: Path) -> None:
    bench = bench_of(tmp_path)
    bench.around = engine.Surroundings(env={"FLOWIDE_SCRIPTED_PACE": "100"})
    running = asyncio.create_task(review(bench, on_gate="approve"))
    async with asyncio.timeout(20):
        while not bench.watcher.deltas:
            await asyncio.sleep(0.02)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    bench.around = engine.Surroundings(env={"FLOWIDE_SCRIPTED_PACE": "0"})

    result = await bench.resume((await bench.space.read(Runs()))[0].id)

    assert (result.status, result.outputs["version"]) == ("completed", 4)


async def test_reviews_and_discussions_stand_inside_other_steps(tmp_path: Path) -> None:
    bench = bench_of(
        tmp_path, mara=[{"on": "review", "text": verdict("approve")}, {"on": "discuss", "text": "Fine."}]
    )
    flow = tmp_path / "nested.yaml"
    flow.write_text(
        """
flow: nested
steps:
  - repeat:
      times: 2
      until: "false"
      steps:
        - discuss: {message: "Round {{ round }}?", about: "", rounds: 1, agents: [mara]}
  - parallel:
      branches:
        one:
          - review: {path: one.md, brief: x, stages: [{stage: draft, by: edwin, does: write}, {stage: edit, by: mara}]}
        two:
          - review: {path: two.md, brief: x, stages: [{stage: draft, by: edwin, does: write}, {stage: edit, by: mara}]}
"""
    )

    result = await bench.start(str(flow), inputs={})

    assert result.status == "completed", result.error
    assert [row.status for row in await bench.space.read(Reviews())] == ["approved", "approved"]
    titles = {row.title for row in await bench.space.read(Threads())}
    assert titles == {"Round 1?", "Round 2?"}
