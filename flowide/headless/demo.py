"""The whole story on an example project: variations, checks, critique, more, a blend, an accepted artifact."""

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
from flowide.space.queries import Gates, OneVariationSet, SetView, Verify

TARGET = "src/boundedcache/cache.py"
BRIEF = "Make eviction of the bounded cache cheap and correct: it must keep what its README promises."
CHECKS = ["tests: python -m unittest discover -s tests", "bench: python bench.py"]
SENTENCE = "4 but with the _evict of 2"


class Story(Struct, frozen=True, kw_only=True):
    """What happened, and where it is."""

    project: str
    path: str
    version: int
    run: str
    set: SetView
    chosen: int
    sentence: str
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
    """The run of the demo."""
    return RunRequest(flow="variations", brief=BRIEF, inputs={"path": TARGET, "n": n, "checks": CHECKS})


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

    async def go_on(resume: str | None) -> Driven:
        driven = await drive(
            space,
            folder,
            request(),
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
    outputs = driven.result.outputs
    return Story(
        project=str(folder.root),
        path=outputs["path"],
        version=outputs["version"],
        run=driven.result.run,
        set=await space.read(OneVariationSet(outputs["set"])),
        chosen=outputs["chosen"],
        sentence=SENTENCE,
        events=await space.head(),
        problems=[problem.what for problem in await space.read(Verify())],
        seconds=round(time.monotonic() - began, 1),
        totals=driven.result.totals,
    )


def _failure(driven: Driven) -> FlowError:
    from flowide.errors import from_dict

    return from_dict(driven.error or {"code": "failed", "message": "the run of the demo failed"})
