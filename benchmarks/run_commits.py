"""How many commits one call to an agent costs in each kind of step, against the two that keep it: begun, answered.

Counted at a workspace on disk: every write transaction of the space, those without an event too. What a step needs
besides its calls (a lock and a save under it, a hand-over, a message) is in the row of the step. Exact, so they are
compared with what is promised and not with another program.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import Row, row
from flowide.domain.actors import Actor
from flowide.domain.commands import OpenThread
from flowide.flows import engine
from flowide.flows.api import RunRequest
from flowide.project.folder import ProjectFolder
from flowide.space.local import LocalSpace
from flowide.store.sqlite import SqliteStore

TEXT = "```markdown\n# Notes {n}\n\nShort.\n```\n"
STEPS = {
    "a critique": ("- critique: {by: critic, optional: false}", 2),
    "a question in a thread and its answer": (
        "- discuss: {thread: talk, message: '@writer and now?', about: ''}",
        7,
    ),
    "a draft under its lock": ("- draft: {path: notes.md, by: writer}", 8),
    "a review with two verdicts": (
        "- review: {path: notes.md, stages: [{stage: one, by: critic}, {stage: two, by: critic}]}",
        10,
    ),
}
"""A step with its calls, and the commits that are promised."""


def _agents(root: Path) -> None:
    folder = root / ".flowide" / "agents"
    folder.mkdir(parents=True, exist_ok=True)
    replies: list[dict[str, Any]] = [
        {"on": "vary", "text": TEXT.format(n=1)},
        {"on": "draft", "texts": [TEXT.format(n=number) for number in range(2, 8)]},
        {"on": "discuss", "text": "Now this."},
        {"on": "critique", "text": json.dumps({"verdicts": [{"variation": 1, "score": 5}]})},
        {"on": "review", "text": json.dumps({"verdict": "approve", "reasons": []})},
    ]
    for handle, role in (("writer", "drafter"), ("critic", "critic")):
        head = f"---\nhandle: {handle}\nrole: {role}\nbackend: scripted\nscript: {handle}.yaml\n---\n"
        (folder / f"{handle}.md").write_text(head)
        (folder / f"{handle}.yaml").write_text(json.dumps({"pace": 0, "replies": replies}))


async def _commits(step: str, times: int) -> int:
    """Commits of a run with a step so many times."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        _agents(root)
        (root / "notes.md").write_text("# Notes\n\nOld.\n")
        steps = ["- vary: {n: 2, path: notes.md, brief: Notes}", *[step] * times]
        (root / "f.yaml").write_text("flow: f\nsteps:\n" + "".join(f"  {each}\n" for each in steps))
        folder = ProjectFolder.open(root)
        store = SqliteStore(folder.database)
        seen: list[str] = []
        store.trace(seen.append)
        space = LocalSpace(store, Actor("ana"))
        try:
            await space.execute(OpenThread(thread="t", title="talk"))
            result = await engine.start(space, folder, RunRequest(flow=str(root / "f.yaml"), brief="Go on"))
        finally:
            await space.close()
        if result.status != "completed":
            raise RuntimeError(f"the run {result.status}: {result.error}")
        return sum(statement == "COMMIT" for statement in seen)


def run(quick: bool) -> list[Row]:
    """A row for each kind of step; `quick` makes no difference."""
    rows = []
    for name, (step, promised) in STEPS.items():
        few, many = asyncio.run(_commits(step, 1)), asyncio.run(_commits(step, 4))
        each = (many - few) / 3
        rows.append(row(f"commits of {name}", each, "commits", promised, goal=f"≤ {promised}", at_most=1))
    return rows
