"""The lines of a run: a closed set of types in one envelope, in JSON and in words."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from flowide.domain.actors import Actor
from flowide.errors import Busy, Incomplete
from flowide.flows import engine
from flowide.flows.api import RunRequest
from flowide.headless import envelope, progress
from flowide.headless.envelope import Line
from flowide.headless.schema import events_schema
from flowide.headless.stream import RunStream
from flowide.project.folder import ProjectFolder
from flowide.testing import MemorySpace
from tests.project_with_agents import make_project


async def told(root: Path, **request: Any) -> list[Line]:
    """What a run of the variations flow says."""
    space, said = MemorySpace(Actor("ana")), []

    async def keep(line: Line) -> None:
        said.append(line)

    stream = RunStream(space, "run-1", keep, deltas=True)
    await stream.start(resumed=False)
    asked = RunRequest(flow="variations", brief="Better", inputs={"path": "src/shop.py", "n": 4}, **request)
    around = engine.Surroundings(env={"FLOWIDE_SCRIPTED_PACE": "0"})
    result = await engine.start(
        space, ProjectFolder.open(root), asked, observer=stream, run_id="run-1", surroundings=around
    )
    await stream.finish()
    data = {"run": "run-1", "status": result.status, "exit_code": result.exit_code, "error": result.error}
    await stream.last(data)
    return said


async def test_every_line_is_of_a_known_type_and_fits_the_schema(tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")

    lines = await told(make_project(tmp_path / "p"), on_gate="approve")

    for line in lines:
        jsonschema.validate(json.loads(envelope.encode(line)), events_schema())
    assert {line["type"] for line in lines} >= {
        "run.started", "step.started", "step.completed", "message", "message.delta", "variation.created",
        "variation.checked", "gate.opened", "gate.answered", "lock.acquired", "artifact.saved",
        "variation.accepted", "lock.released", "usage", "run.finished",
    }  # fmt: skip


async def test_cursors_never_go_back(tmp_path: Path) -> None:
    lines = await told(make_project(tmp_path / "p"), on_gate="approve")

    cursors = [line["seq"] for line in lines]
    assert cursors == sorted(cursors)


async def test_deltas_are_the_answer(tmp_path: Path) -> None:
    lines = await told(make_project(tmp_path / "p"), on_gate="approve")

    first = [line for line in lines if line["type"] == "message.delta" and line["step"] == "vary#1"]
    assert "the 1th way" in "".join(line["data"]["text"] for line in first)
    assert {line["actor"]["id"] for line in first} == {"anders"}


async def test_agents_are_told_with_their_model(tmp_path: Path) -> None:
    lines = await told(make_project(tmp_path / "p"))

    used = [line for line in lines if line["type"] == "usage"]
    assert {line["actor"]["model"] for line in used} == {
        f"scripted/{name}" for name in ("anders", "bea", "carl")
    }
    assert len(used) == 5


async def test_a_run_in_words_is_short_and_foreign_text_stays_on_its_line(tmp_path: Path) -> None:
    lines = await told(make_project(tmp_path / "p"), on_gate="approve")

    words = [said for line in lines if (said := progress.tell(line)) is not None]
    assert "? Which variation shall it be?" in words
    assert "  saved src/shop.py version 2" in words
    assert len(words) < 30


def test_text_that_is_no_unicode_can_be_printed() -> None:
    made = envelope.line("warning", {"message": "\ud800 \u2028 ä"}, seq=1, ts="t", run=None)

    text = envelope.encode(made)

    assert text.count(b"\n") == 1
    assert json.loads(text.decode())["data"]["message"].endswith("ä")


def test_an_error_says_whether_another_try_may_help() -> None:
    cut = envelope.error_data(Incomplete("cut off", provider_status=200, retryable=False).to_dict())
    busy = envelope.error_data(Busy("locked").to_dict())

    assert cut is not None
    assert (cut["code"], cut["retryable"], cut["provider_status"]) == ("incomplete", False, 200)
    assert busy is not None
    assert (busy["retryable"], busy["provider_status"]) == (True, None)
    assert envelope.error_data(None) is None


@pytest.mark.parametrize("status", ["completed", "rejected", "waiting", "failed", "cancelled"])
def test_only_a_run_that_can_go_on_says_how(status: str) -> None:
    data = {"status": status, "exit_code": 1, "outputs": {"text": "long", "version": 2}}

    ended = envelope.run_finished(data, flow="my flow", run="r1", project="/a b")

    assert ended["outputs"] == {"version": 2}
    if status in {"completed", "rejected"}:
        assert ended["resume_command"] is None
    else:
        assert shlex.split(ended["resume_command"]) == [
            "flowide", "run", "my flow", "--resume", "r1", "--project", "/a b",
        ]  # fmt: skip
