"""A space in which a bit of everything has happened."""

from __future__ import annotations

from flowide.domain import commands as c
from flowide.domain.actors import Actor
from flowide.space.local import LocalSpace

ROD = Actor("rod")
EDWIN = Actor("edwin", "agent", "ana")


async def live_a_little(space: LocalSpace) -> str:
    """Id of an artifact `doc.md` that is held by rod, waited for by ana, and has a live draft."""
    send, rod, edwin = space.execute, space.acting_as(ROD), space.acting_as(EDWIN)
    doc = (await send(c.CreateArtifact(path="doc.md", kind="document", text="one\n"))).ok.artifact
    mine = (await send(c.AcquireLock(artifact=doc, purpose="édit"))).ok.fence or 0
    await send(c.SaveArtifact(artifact=doc, fence=mine, base=1, text="two\n", then="keep"))
    await send(c.AppendDraft(artifact=doc, fence=mine, off=0, text="half a thought"))
    await rod.execute(c.AcquireLock(artifact=doc, wait=True))
    await send(c.ReleaseLock(artifact=doc, fence=mine))
    await rod.execute(c.AppendDraft(artifact=doc, fence=mine + 1, off=0, text="rod writes 🙂"))
    await send(c.AcquireLock(artifact=doc, wait=True))

    image = await space.put_blob(bytes(range(256)) * 100)
    made = (await send(c.CreateArtifact(path="a/b.bin", kind="binary", blob=image, lock=True))).ok
    await send(
        c.MoveArtifact(artifact=made.artifact, fence=1, base=1, path="a/c.bin", note="better", then="keep")
    )
    await send(c.DeleteArtifact(artifact=made.artifact, fence=1, base=2))
    await send(c.KeepDraft(draft="private-1", artifact=doc, base=1, text="private words"))

    await send(c.StartRun(run="r", flow="variations", flow_sha256="", flow_text="flow: x", inputs={"n": 2.5}))
    await send(c.OpenVariationSet(set="s", title="cache", artifact=doc, run="r"))
    for number in (1, 2):
        await edwin.execute(
            c.AddVariation(
                set="s", id=f"v{number}", text=f"variation {number}\n" * 900, model="m", run="r",
                lineage={"f": {"variation": number}},
            )
        )  # fmt: skip
    step = c.RecordStep(
        run="r", fence=1, key="vary#1", kind="vary", status="completed", result={"agent": "edwin", "model": "m"},
        usage={"input_tokens": 10, "output_tokens": 20, "cost_micros": 300},
    )  # fmt: skip
    await send(step)
    await send(
        c.RecordCheck(
            set="s", number=1, name="t", status="passed", duration_ms=5, metrics={"ratio": 0.1, "n": 3}
        )
    )
    await send(c.StreamStep(run="r", fence=1, key="more", off=0, text="so far"))
    await send(c.NoteVariation(set="s", number=2, text="né", score=3))
    await send(c.TagVariation(set="s", number=1, add=["fast"]))
    await send(c.OpenGate(gate="g", run="r", fence=1, kind="choose", question="Which?", options=["1", "2"]))
    await send(c.AnswerGate(gate="g", answer="1"))
    return doc
