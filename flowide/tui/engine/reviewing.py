"""A review as the app shows it: where it stands, the texts that are compared, the question that is open."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from flowide.domain import rows
from flowide.errors import FlowError, NotFound
from flowide.flows.reviewing import hunks
from flowide.patterns import lazy
from flowide.space import queries as q
from flowide.tui.engine import running
from flowide.tui.engine.mixing import language_of_set, pieces_of
from flowide.tui.engine.session import Session
from flowide.tui.views.review import Reviewed

KINDS = ("verdict", "hunks")
"""Kinds of the gates that a review asks with."""
REMEMBERED = 6
_PLACE = lazy(r"@@ line (\d+) @@")


async def look(session: Session, ref: str, *, since_start: bool = False) -> Reviewed:
    """The review of an id, or of the run with this id; its last change, or all of them with `since_start`.

    Raises:
        NotFound: There is neither.
    """
    space = session.space
    found = next((each for each in await space.read(q.Reviews()) if ref in (each.id, each.run)), None)
    view: q.ReviewView | None = None
    run: q.RunView | None = None
    gate: rows.Gate | None = None
    if found is not None:
        view = await space.read(q.OneReview(found.id))
    run_id = ref if found is None else found.run
    if run_id is not None:
        run = await space.read(q.OneRun(run_id))
    if run is not None:
        asked = [each for each in run.gates if each.status == "open" and each.kind in KINDS]
        gate = asked[-1] if asked else None
    path = found.path if found is not None else _path_of(run, gate)
    live = {} if run is None else await running.live_texts(session, run.run.id)
    artifact = await _artifact(session, found, gate)
    said_before = await space.read(q.Reasons("document" if artifact is None else artifact.kind, REMEMBERED))
    seen = Reviewed(
        view=view,
        run=run,
        gate=gate,
        path=path,
        live=live,
        remembered=tuple(said_before),
    )
    if artifact is None:
        return seen
    return await _with_texts(session, seen, artifact, since_start)


def _path_of(run: q.RunView | None, gate: rows.Gate | None) -> str:
    if gate is not None and gate.context.get("path"):
        return str(gate.context["path"])
    return "" if run is None else str(run.run.inputs.get("path") or run.run.flow)


async def _artifact(
    session: Session, found: rows.Review | None, gate: rows.Gate | None
) -> rows.Artifact | None:
    ref = found.artifact if found is not None else None
    if ref is None and gate is not None:
        ref = gate.context.get("artifact") or gate.context.get("path")
    if ref is None:
        return None
    try:
        return await session.space.read(q.FindArtifact(str(ref)))
    except NotFound:
        return None


async def _with_texts(
    session: Session, seen: Reviewed, artifact: rows.Artifact, since_start: bool
) -> Reviewed:
    from msgspec.structs import replace

    gate, view = seen.gate, seen.view
    if gate is not None and gate.kind == "hunks":
        base = _base_of_proposal(seen)
        before = await _text(session, artifact.id, base or artifact.version)
        proposal = proposed(before, gate.context.get("hunks") or [])
        return await _compared(replace(seen, base=base or artifact.version, version=0), before, proposal)
    version = artifact.version if gate is not None else (view.review.version if view else artifact.version)
    base = base_of(view, gate, version, since_start=since_start)
    after = await _text(session, artifact.id, version)
    before = after if base == version else await _text(session, artifact.id, base)
    return await _compared(replace(seen, base=base, version=version), before, after)


async def _compared(seen: Reviewed, before: str, after: str) -> Reviewed:
    from msgspec.structs import replace

    found = await asyncio.to_thread(hunks.hunks_of, before, after)
    places = await asyncio.to_thread(_places, seen.path, before, after, found)
    return replace(seen, before=before, after=after, hunks=tuple(found), places=tuple(places))


def _places(path: str, before: str, after: str, found: Sequence[hunks.Hunk]) -> list[str]:
    """The piece that each change is in: a function, a section."""
    language = language_of_set(path)
    new, old = pieces_of(after, language), pieces_of(before, language)
    places = []
    for hunk in found:
        a0, _, b0, b1 = hunk.span
        pieces, line = (new, b0 + 1) if b1 > b0 else (old, a0 + 1)
        around = [each for each in pieces if each.start_line <= line <= each.end_line]
        places.append(around[-1].name if around else "")
    return places


def base_of(
    view: q.ReviewView | None, gate: rows.Gate | None, version: int, *, since_start: bool = False
) -> int:
    """The version that a text under review is compared with: what the person saw last, else the last hand-over's."""
    if view is None:
        return version
    given = [each for each in view.handovers if each.base < each.version]
    if since_start:
        return given[0].base if given else version
    stage = None if gate is None else gate.context.get("stage")
    judged = [each.version for each in view.verdicts if each.stage == stage and each.version < version]
    if judged:
        return judged[-1]
    return given[-1].base if given else version


def _base_of_proposal(seen: Reviewed) -> int | None:
    """The version that an agent's changes start from; its step noted it."""
    if seen.run is None or seen.gate is None or not seen.gate.step:
        return None
    key = f"{seen.gate.step.rpartition('/')[0]}/base"
    noted = next((step for step in seen.run.steps if step.key == key), None)
    return None if noted is None else noted.result.get("version")


def proposed(before: str, shown: Sequence[dict[str, object]]) -> str:
    """The text that numbered changes lead to."""
    lines = before.split("\n")
    out: list[str] = []
    at = 0
    for each in shown:
        head, *body = str(each["diff"]).split("\n")
        match = _PLACE.match(head)
        if match is None:
            continue
        start = int(match[1]) - 1
        removed = sum(line.startswith("-") for line in body)
        out += lines[at:start]
        out += [line[1:] for line in body if line.startswith("+")]
        at = start + removed
    return "\n".join([*out, *lines[at:]])


async def _text(session: Session, artifact: str, version: int) -> str:
    if version < 1:
        return ""
    data = await session.space.read(q.Content(artifact, version))
    return data.decode(errors="replace")


async def of_run(session: Session, run: str) -> str | None:
    """The review that a run drives; None when it drives none."""
    try:
        found = await session.space.read(q.Reviews())
    except FlowError:
        return None
    return next((each.id for each in found if each.run == run), None)
