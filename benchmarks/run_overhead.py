"""What a run adds to the time of its answers: n variations against the slowest one, ten steps against all of them.

The answers are scripted and take a fixed time each, so what is above it is the run's: its steps in the log, previews,
leases. Requests in flight are counted at a model server on loopback, through the real model worker.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from contextlib import aclosing
from pathlib import Path
from typing import Any

from benchmarks import Row, row
from flowide.agents.api import Message, Request
from flowide.agents.load import load_agent
from flowide.agents.scripted import ScriptedBackend
from flowide.domain.actors import Actor
from flowide.flows import engine
from flowide.flows.api import RunRequest
from flowide.project.folder import ProjectFolder
from flowide.space.open import open_space

PACE = 2000
"""Characters a second."""
SLOWEST_S = 2.0
STEP_S = 1.0
VARIATIONS = 5
LIMIT = 4
MANY = 10
ROUNDS = 3

_VARY = (
    "flow: only-vary\ninputs:\n  n: {type: integer}\nsteps:\n"
    "  - vary: {n: '{{ n }}', path: notes.md, brief: Notes}\n"
)
_TEN = (
    "flow: ten-steps\nsteps:\n  - vary: {n: 2, path: notes.md, brief: Notes}\n"
    + "  - critique: {by: critic, optional: false}\n" * 9
)


def _reply(seconds: float, number: int) -> str:
    """A document that takes so long to say."""
    text = f"# Notes {number}\n\n"
    return text + "word " * ((int(seconds * PACE) - len(text)) // 5) + "\n"


def _verdicts() -> str:
    strengths = ["x" * (int(STEP_S * PACE - 90) // 4)] * 4
    said = {"verdicts": [{"variation": 1, "score": 5, "strengths": strengths}]}
    return json.dumps(said)


def _agent(root: Path, handle: str, replies: list[dict[str, Any]], role: str = "") -> Path:
    folder = root / ".flowide" / "agents"
    folder.mkdir(parents=True, exist_ok=True)
    head = f"---\nhandle: {handle}\nrole: '{role}'\nbackend: scripted\nscript: {handle}.yaml\n---\n"
    (folder / f"{handle}.md").write_text(head)
    (folder / f"{handle}.yaml").write_text(json.dumps({"pace": PACE, "replies": replies}))
    return folder / f"{handle}.md"


def _flow(root: Path, name: str, text: str) -> str:
    (root / name).write_text(text)
    return str(root / name)


async def _run(root: Path, request: RunRequest, env: dict[str, str]) -> float:
    """Seconds of a run on a workspace of its own, from the call to its end in the log."""
    folder = ProjectFolder.open(root)
    space = await open_space(folder.database, actor=Actor("ana"))
    try:
        start = time.perf_counter()
        result = await engine.start(space, folder, request, surroundings=engine.Surroundings(env=env))
        took = time.perf_counter() - start
    finally:
        await space.close()
    if result.status != "completed":
        raise RuntimeError(f"the run {result.status}: {result.error}")
    return took


async def _ask(agent: Path, purpose: str) -> float:
    """Seconds of one answer without a run around it."""
    answering = ScriptedBackend(load_agent(agent))
    request = Request(agent=agent.stem, purpose=purpose, messages=[Message("user", "?")])
    start = time.perf_counter()
    async with aclosing(answering.stream(request)) as stream:  # type: ignore[type-var]
        async for _ in stream:
            pass
    return time.perf_counter() - start


def variations() -> tuple[float, float]:
    """Median seconds of a run of n variations, and of its slowest answer alone."""
    runs, answers = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as place:
            root = Path(place)
            agents = [
                _agent(root, f"a{at}", [{"on": "vary", "text": _reply(SLOWEST_S * (1 - at * 0.1), at)}])
                for at in range(VARIATIONS)
            ]
            request = RunRequest(
                flow=_flow(root, "only-vary.yaml", _VARY), inputs={"n": VARIATIONS}, parallel=VARIATIONS
            )
            runs.append(asyncio.run(_run(root, request, {})))
            answers.append(asyncio.run(_ask(agents[0], "vary")))
    return sorted(runs)[ROUNDS // 2], sorted(answers)[ROUNDS // 2]


def waves() -> float:
    """Median seconds of a run of ten variations, four at a time, whose answers take a second each."""
    runs = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as place:
            root = Path(place)
            _agent(root, "writer", [{"on": "vary", "text": _reply(STEP_S, 1)}])
            request = RunRequest(
                flow=_flow(root, "only-vary.yaml", _VARY), inputs={"n": MANY}, parallel=LIMIT
            )
            runs.append(asyncio.run(_run(root, request, {})))
    return sorted(runs)[ROUNDS // 2]


def ten_steps(rounds: int) -> tuple[float, float]:
    """Median seconds of a run of ten steps, and of its ten answers one after the other."""
    runs, answers = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as place:
            root = Path(place)
            writer = _agent(root, "writer", [{"on": "vary", "text": _reply(STEP_S, 1)}])
            critic = _agent(root, "critic", [{"on": "critique", "text": _verdicts()}], "critic")
            request = RunRequest(flow=_flow(root, "ten.yaml", _TEN))
            runs.append(asyncio.run(_run(root, request, {})))
            answers.append(asyncio.run(_one_after_the_other(writer, critic)))
    return sorted(runs)[rounds // 2], sorted(answers)[rounds // 2]


async def _one_after_the_other(writer: Path, critic: Path) -> float:
    return await _ask(writer, "vary") + sum([await _ask(critic, "critique") for _ in range(9)])


def _one_answer() -> float:
    """Seconds of one answer of a second."""
    with tempfile.TemporaryDirectory() as place:
        writer = _agent(Path(place), "writer", [{"on": "vary", "text": _reply(STEP_S, 1)}])
        return asyncio.run(_ask(writer, "vary"))


class _Server:
    """Answers like OpenAI, a moment later; counts how many it answers at a time."""

    def __init__(self) -> None:
        self.now = self.most = self.requests = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].split()[0])
        await reader.readexactly(length)
        self.now, self.requests = self.now + 1, self.requests + 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.3)
        self.now -= 1
        parts: list[dict[str, Any]] = [
            {"delta": {"content": "# Notes\n\nShort.\n"}, "finish_reason": None},
            {"delta": {}, "finish_reason": "stop"},
        ]
        events = [json.dumps({"id": "c", "model": "m", "choices": [{"index": 0, **part}]}) for part in parts]
        body = "".join(f"data: {event}\n\n" for event in [*events, "[DONE]"]).encode()
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n"
            b"content-length: %d\r\n\r\n%b" % (len(body), body)
        )
        await writer.drain()
        writer.close()


async def _most_in_flight() -> _Server:
    counted = _Server()
    server = await asyncio.start_server(counted.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    env = {**os.environ, "OPENAI_API_BASE": f"http://127.0.0.1:{port}/v1", "OPENAI_API_KEY": "none"}
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        request = RunRequest(
            flow=_flow(root, "only-vary.yaml", _VARY), inputs={"n": 10}, agents=["openai/m"], parallel=LIMIT
        )
        await _run(root, request, env)
    server.close()
    return counted


def run(quick: bool) -> list[Row]:
    """All rows; `quick` takes one run of ten steps instead of the median of three."""
    whole, slowest = variations()
    ten, answers = ten_steps(1 if quick else ROUNDS)
    many, one = waves(), _one_answer()
    counted = asyncio.run(_most_in_flight())
    if counted.requests != 10 or counted.most < LIMIT:
        print(f"only {counted.most} of {LIMIT} requests were in flight", file=sys.stderr)
    return [
        row(
            f"run of {VARIATIONS} variations",
            whole * 1e3,
            "ms",
            slowest * 1e3,
            goal="≤ 1.05 × the slowest answer + 50 ms",
            at_most=1.05,
            plus=50,
        ),
        row(
            f"run of {MANY} variations, {LIMIT} at a time",
            many * 1e3,
            "ms",
            -(-MANY // LIMIT) * one * 1e3,
            goal=f"≤ 1.05 × ⌈{MANY}/{LIMIT}⌉ answers + 50 ms",
            at_most=1.05,
            plus=50,
        ),
        row("run of ten steps", ten * 1e3, "ms", answers * 1e3, goal="≤ 1.03 × its answers", at_most=1.03),
        row("requests in flight, 10 variations", counted.most, "requests", LIMIT, goal=f"{LIMIT}", at_most=1),
    ]
