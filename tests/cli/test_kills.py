"""Every shipped flow, killed at every call to its model: resumed, it ends, and no finished call is made again."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from pathlib import Path

import pytest

from tests.agents.fault_server import BEHAVIOURS, Answer, FaultServer, serving
from tests.cli.conftest import Apart
from tests.cli.test_run_faults import KEY, ended
from tests.project_with_agents import SHOP, shop

REJECTED = {"verdict": "reject", "reasons": [{"kind": "clarity", "text": "Say what it is for."}]}
READ = {"claims": [{"claim": "It sells.", "quote": "A shop."}]}
COMPARED = {"findings": [{"finding": "It sells.", "claims": ["S1.1"], "sources": "alone"}]}


async def colleague(answer: Answer) -> None:
    """Knows an answer to everything that a shipped flow asks; rejects a text once."""
    asked = answer.body["messages"][-1]["content"]
    await asyncio.sleep(0.15)
    await answer.begin()
    await answer.words([_reply(asked)])
    await answer.finish()


def _reply(asked: str) -> str:
    if '"verdicts"' in asked:
        return json.dumps({"verdicts": [{"variation": 1, "score": 5}]})
    if '"back_to"' in asked:
        again = "It was sent back before" in asked
        return json.dumps({"verdict": "approve", "reasons": []} if again else REJECTED)
    if '"findings"' in asked:
        return json.dumps(COMPARED)
    if '"claims"' in asked:
        return json.dumps(READ)
    if "What is decided?" in asked:
        return "Eight it is."
    if "to be answered by you" in asked:
        return "One thing, and another."
    if "src/shop.py" in asked and "The document" not in asked:
        return f"So.\n\n```python\n{shop(7 if 'What it printed last' in asked else 1)}```\n"
    return f"So.\n\n```markdown\n# Text of {len(asked)}\n\nIt sells [S1.1].\n```\n"


BEHAVIOURS["colleague"] = colleague

FLOWS = {
    "variations": ["path=src/shop.py", "n=2", "checks=there: test -f src/shop.py"],
    "code": ["path=src/shop.py", "n=2", "repairs=1", "checks=word: grep -q '7th way' src/shop.py"],
    "story": ["path=scene.md", "n=2"],
    "research": ["path=r.md", "sources=src/shop.py"],
    "discussion": ["path=notes.md", "rounds=1"],
    "review": ["path=notes.md", "polish=no"],
    "writing": ["path=new.md"],
}


def prepare(root: Path) -> None:
    """Two agents of one model, in place of those that are there."""
    folder = root / ".flowide" / "agents"
    for old in folder.glob("*"):
        old.unlink()
    for handle, role in (("ada", "drafter"), ("eve", "editor")):
        head = f"handle: {handle}\nrole: {role}\nbackend: model\nmodel: openai/colleague\n"
        (folder / f"{handle}.md").write_text(f"---\n{head}---\nYou are {handle}.\n")
    (root / "src" / "shop.py").write_text(SHOP)
    (root / "notes.md").write_text("# Notes\n\nA shop.\n")


def command(flow: str) -> list[str]:
    words = [
        "run",
        flow,
        "--headless",
        "--json",
        "--on-gate",
        "approve",
        "--parallel",
        "1",
        "--brief",
        "Better",
    ]
    return [*words, *(word for given in FLOWS[flow] for word in ("--set", given))]


def wait_for(server: FaultServer, requests: int) -> None:
    until = time.monotonic() + 60
    while len(server.requests) < requests and time.monotonic() < until:
        time.sleep(0.002)


@pytest.mark.slow
@pytest.mark.parametrize("flow", list(FLOWS))
def test_a_flow_that_is_killed_at_any_call_goes_on_from_there(apart: Apart, flow: str) -> None:
    with serving() as server:
        env = {"OPENAI_API_BASE": server.url, "OPENAI_API_KEY": KEY}
        prepare(apart.root)
        whole = apart(*command(flow), env=env)
        assert whole.code == 0, whole
        calls = len(server.requests)
        text = apart("run", "--resume", "last").code  # it has ended: nothing to go on with
        assert text == 9
    for at in range(1, calls + 1):
        for old in (apart.root / ".flowide").glob("workspace.db*"):
            old.unlink()
        for made in ("scene.md", "r.md", "new.md"):
            (apart.root / made).unlink(missing_ok=True)
        prepare(apart.root)
        with serving() as server:
            env = {"OPENAI_API_BASE": server.url, "OPENAI_API_KEY": KEY}
            process = apart.begin(*command(flow), env=env)
            wait_for(server, at)
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=30)

            said = apart("run", "--resume", "last", "--headless", "--json", "--on-gate", "approve", env=env)

            assert said.code == 0, (at, said)
            assert len(server.requests) in {calls, calls + 1}, at  # the one in flight was not finished
            assert ended(said)["totals"]["calls"] == calls
        steps = [line["step"] for line in apart("events", "last").lines if line["type"] == "step.completed"]
        assert len(steps) == len(set(steps)), at
        assert apart("verify").code == 0
        assert apart("lock", "list", "--json").json == []
