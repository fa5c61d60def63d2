"""The whole story on an example project: variations, a blend, a discussion with a decision, a review."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

from msgspec import Struct

import flowide
from flowide.domain.commands import AnswerGate, NoteVariation, ShortlistVariation
from flowide.errors import Exists, FlowError
from flowide.flows.api import RunRequest
from flowide.flows.engine import Surroundings
from flowide.headless.run import Driven, Show, drive, say
from flowide.project.folder import ProjectFolder
from flowide.space.api import Space
from flowide.space.queries import (
    FindThread,
    Gates,
    OneDecision,
    OneReview,
    OneVariationSet,
    SetView,
    Verify,
)

TARGET = "src/boundedcache/cache.py"
BRIEF = "Make eviction of the bounded cache cheap and correct: it must keep what its README promises."
CHECKS = ["tests: python -m unittest discover -s tests", "bench: python bench.py"]
SENTENCE = "4 but with the _evict of 2"
QUESTION = "Is eight the right bound in #src/boundedcache/cache.py:LRUCache._evict? Is the README still true?"


class Story(Struct, frozen=True, kw_only=True):
    """What happened, and where it is."""

    project: str
    path: str
    version: int
    run: str
    set: SetView
    chosen: int
    sentence: str
    thread: str
    """Id of the discussion."""
    messages: int
    decision: dict[str, Any]
    """What was agreed: its number and text."""
    review: str
    reasons: list[str]
    """Why the review sent the text back once."""
    approved: int
    """The version that passed the review."""
    events: int
    problems: list[str]
    seconds: float
    totals: dict[str, Any]


def prepare(folder: Path) -> ProjectFolder:
    """Copy the example project with its agents into a folder that is new or empty.

    Raises:
        Exists: There is something in it.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Exists(f"{folder} is not empty", hint="Name a new folder.")
    content = Path(flowide.__file__).parent / "demo"
    no_caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(content / "project", folder, dirs_exist_ok=True, ignore=no_caches)
    shutil.copytree(content / "agents", folder / ".flowide" / "agents", ignore=no_caches)
    return ProjectFolder.open(folder)


def request(n: int = 5) -> RunRequest:
    """The variations of the demo."""
    return RunRequest(flow="variations", brief=BRIEF, inputs={"path": TARGET, "n": n, "checks": CHECKS})


def discussion() -> RunRequest:
    """What is said about the accepted file."""
    inputs = {"path": TARGET, "rounds": 2}
    return RunRequest(flow="discussion", brief=QUESTION, inputs=inputs, agents=["quinn", "edwin", "mara"])


def review() -> RunRequest:
    """The review of the accepted file."""
    inputs = {"path": TARGET, "draft": False, "polish": False}
    return RunRequest(flow="review", brief=BRIEF, inputs=inputs, agents=["edwin", "mara"])


_OPENING = (
    "",
    "A small cache is correct in most places and slow in one. Two agents write five new versions of it, a third",
    "judges them. Their answers were written beforehand (scripted: no model, no network); all the rest is real:",
    "the checks run, the splice parses, the lock excludes, the log is a chain of hashes.",
    "",
    "1. Five variations, each tested and measured in a private copy of the project.",
)


async def play(
    space: Space, folder: ProjectFolder, surroundings: Surroundings, *, quiet: bool, interrupted_by: list[int]
) -> Story:
    """Do what a person would do, gate by gate.

    Raises:
        FlowError: A step failed.
    """
    began = time.monotonic()
    show = Show(output="none", quiet=quiet, headline=False)

    def tell(*lines: str) -> None:
        for line in () if quiet else lines:
            say(line)

    async def answer(driven: Driven, text: str) -> None:
        [gate] = await space.read(Gates(run=driven.run))
        await space.execute(AnswerGate(gate=gate.id, answer=text))
        tell(f"  @{space.actor.id}: {text}")

    async def go_on(resume: str | None, asked: RunRequest | None = None) -> Driven:
        driven = await drive(
            space,
            folder,
            asked or request(),
            surroundings=surroundings,
            show=show,
            resume=resume,
            interrupted_by=interrupted_by,
        )
        if driven.exit_code not in {0, 3} or driven.result is None:
            raise _failure(driven)
        return driven

    tell(*_OPENING)
    driven = await go_on(None)
    tell(
        "",
        "2. You put 2 and 4 on the short list, say why, and ask for two more. Only that is sent to the agents.",
    )
    view = await space.read(OneVariationSet("last"))
    await space.batch(
        [
            ShortlistVariation(set=view.set.id, number=2),
            ShortlistVariation(set=view.set.id, number=4),
            NoteVariation(set=view.set.id, number=4, text="Reads best, but eviction looks at every entry."),
            NoteVariation(set=view.set.id, number=2, text="This eviction is the cheap one."),
        ]
    )
    await answer(driven, "more 2 keep the short list's interface")
    driven = await go_on(driven.run)
    tell("", "3. The tests of 2 fail, but its eviction is fast. You say which part you want, and where.")
    await answer(driven, SENTENCE)
    driven = await go_on(driven.run)
    assert driven.result is not None
    outputs, totals, run = driven.result.outputs, driven.result.totals, driven.result.run
    tell(
        "",
        "4. You ask what the others think of the bound. What they come to becomes a decision when you agree.",
    )
    driven = await go_on(None, discussion())
    await answer(driven, "approve")
    driven = await go_on(driven.run, discussion())
    assert driven.result is not None
    thread, decided = driven.result.outputs["thread"], driven.result.outputs["decisions"][0]
    totals = _sum(totals, driven.result.totals)
    tell(
        "", "5. A review of the file: rejected once, with reasons; the drafter deals with them; you sign off."
    )
    driven = await go_on(None, review())
    await answer(driven, "approve")
    driven = await go_on(driven.run, review())
    assert driven.result is not None
    reviewed = await space.read(OneReview(driven.result.outputs["review"]))
    decision = await space.read(OneDecision(decided))
    return Story(
        project=str(folder.root),
        path=outputs["path"],
        version=outputs["version"],
        run=run,
        set=await space.read(OneVariationSet(outputs["set"])),
        chosen=outputs["chosen"],
        sentence=SENTENCE,
        thread=thread,
        messages=(await space.read(FindThread(thread))).count,
        decision={"number": decision.number, "text": decision.text},
        review=reviewed.review.id,
        reasons=[
            reason["text"]
            for each in reviewed.verdicts
            if each.verdict == "reject"
            for reason in each.reasons
        ],
        approved=driven.result.outputs["version"],
        events=await space.head(),
        problems=[problem.what for problem in await space.read(Verify())],
        seconds=round(time.monotonic() - began, 1),
        totals=_sum(totals, driven.result.totals),
    )


def _sum(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What two runs used together; an unknown cost stays unknown."""
    return {
        name: None if value is None or other.get(name) is None else round(value + other[name], 3)
        for name, value in one.items()
        if isinstance(value, int | float | None)
    }


def _failure(driven: Driven) -> FlowError:
    from flowide.errors import from_dict

    return from_dict(driven.error or {"code": "failed", "message": "the run of the demo failed"})
