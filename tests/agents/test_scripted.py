"""Scripted agents: the same answers every time, at a pace, and failures on request."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from flowide.agents.api import Delta, Finished, Message, Request, Retrying, TextDelta
from flowide.agents.definition import AgentDefinition
from flowide.agents.scripted import PACE_VARIABLE, ScriptedBackend
from flowide.errors import AuthFailed, BadInput, FlowError, Incomplete, Unavailable


def agent(folder: Path, replies: list[dict[str, Any]], **head: Any) -> ScriptedBackend:
    (folder / "s.yaml").write_text(json.dumps({"replies": replies, **head}, ensure_ascii=False))
    return ScriptedBackend(
        AgentDefinition(handle="edwin", name="Edwin", backend="scripted", script=str(folder / "s.yaml"))
    )


async def said(backend: ScriptedBackend, purpose: str = "vary", asked: str = "?", **more: Any) -> list[Delta]:
    request = Request(agent="edwin", purpose=purpose, messages=[Message("user", asked)], **more)
    async with aclosing(backend.stream(request)) as stream:  # type: ignore[type-var]
        return [delta async for delta in stream]


async def text(backend: ScriptedBackend, *args: Any, **more: Any) -> str:
    last = (await said(backend, *args, **more))[-1]
    assert isinstance(last, Finished)
    return last.text


async def test_the_first_reply_that_fits_answers(tmp_path: Path) -> None:
    backend = agent(
        tmp_path,
        [
            {"on": "vary", "when": "cache", "text": "about caches"},
            {"on": ["vary", "more"], "text": "about anything"},
            {"on": "*", "text": "whatever"},
        ],
    )

    assert await text(backend, asked="a cache") == "about caches"
    assert await text(backend) == "about anything"
    assert await text(backend, "critique") == "whatever"


async def test_the_turn_chooses_so_that_a_resumed_run_hears_the_same(tmp_path: Path) -> None:
    (tmp_path / "long.md").write_text("long")
    backend = agent(tmp_path, [{"on": "vary", "texts": ["one", "two"]}, {"on": "more", "files": ["long.md"]}])

    assert [await text(backend, turn=turn) for turn in (2, 1, 3, 2)] == ["two", "one", "one", "two"]
    assert await text(backend, "more", turn=5) == "long"


async def test_what_streams_is_what_is_said_in_the_end_and_is_called_scripted(tmp_path: Path) -> None:
    whole = "Ünïcode 🙂 " * 40
    deltas = await said(agent(tmp_path, [{"on": "vary", "text": whole}], pace=100_000, chunk=7))

    last = deltas[-1]
    assert isinstance(last, Finished)
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == whole == last.text
    assert len(deltas) > 40
    assert (last.model, last.usage.cost_micros) == ("scripted/edwin", 0)


@pytest.mark.parametrize(
    ("fail", "kind"), [("auth", AuthFailed), ("unavailable", Unavailable), ("incomplete", Incomplete)]
)
async def test_failures_come_as_often_as_the_script_says(
    tmp_path: Path, fail: str, kind: type[FlowError]
) -> None:
    backend = agent(tmp_path, [{"on": "vary", "fail": fail, "times": 2, "text": "at last"}])

    for _ in range(2):
        with pytest.raises(kind):
            await said(backend)
    assert await text(backend) == "at last"


async def test_a_retry_breaks_off_and_then_answers(tmp_path: Path) -> None:
    deltas = await said(agent(tmp_path, [{"on": "vary", "fail": "retry", "text": "abcdef"}]))

    again = next(at for at, delta in enumerate(deltas) if isinstance(delta, Retrying))
    assert "".join(delta.text for delta in deltas[:again] if isinstance(delta, TextDelta)) == "abc"
    assert "".join(delta.text for delta in deltas[again:] if isinstance(delta, TextDelta)) == "abcdef"


async def test_a_deadline_ends_an_answer_that_is_too_slow(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="too slow"):
        await said(agent(tmp_path, [{"on": "vary", "text": "x" * 100}], pace=1), deadline_s=0.05)


async def test_a_cancelled_answer_stops(tmp_path: Path) -> None:
    answering = asyncio.create_task(said(agent(tmp_path, [{"on": "vary", "text": "x" * 100}], pace=1)))
    await asyncio.sleep(0)

    answering.cancel()

    with pytest.raises(asyncio.CancelledError):
        await answering


async def test_a_purpose_without_a_reply_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no reply for 'more'") as refused:
        await said(agent(tmp_path, [{"on": "vary", "text": "x"}]), "more")

    assert "s.yaml" in refused.value.hint


@pytest.mark.parametrize(
    ("script", "place"),
    [
        ("replies:\n  - on: vary\n", "2:5"),
        ("replies:\n  - {on: vary, text: a, texts: [b]}\n", "2:"),
        ("replies:\n  - {on: vary, file: gone.md}\n", "2:"),
        ("replies:\n  - {on: vary, when: '(', text: a}\n", "2:"),
        ("replies:\n  - {on: vary, fail: often, text: a}\n", "2:"),
        ("replies:\n  - {no: vary, text: a}\n", "2:"),
        ("pace: -1\n", "1:7"),
        ("chunk: 0\n", "1:8"),
    ],
)
async def test_a_wrong_script_is_told_with_its_place_before_any_call(
    tmp_path: Path, script: str, place: str
) -> None:
    backend = agent(tmp_path, [])
    (tmp_path / "s.yaml").write_text(script)

    with pytest.raises(BadInput, match=rf"s\.yaml:{place}"):
        await backend.check()


@pytest.mark.parametrize("pace", ["fast", "-1", "inf", "nan"])
async def test_a_wrong_pace_in_the_environment_is_told(tmp_path: Path, pace: str) -> None:
    agent(tmp_path, [{"on": "vary", "text": "x"}])
    definition = AgentDefinition(handle="e", name="E", backend="scripted", script=str(tmp_path / "s.yaml"))

    with pytest.raises(BadInput, match=PACE_VARIABLE):
        await ScriptedBackend(definition, {PACE_VARIABLE: pace}).check()
