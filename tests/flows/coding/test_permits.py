"""What a coding agent asks for is a gate: once, for the session, always, or no; rules answer before people."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowide.domain.commands import AnswerGate
from flowide.space.queries import Gates
from tests.flows.coding.conftest import Coding

ASK = "!permit execute npm test"


async def gates(coding: Coding) -> list[tuple[str, str | None]]:
    found = await coding.space.read(Gates(status=None))
    return [(gate.question, gate.answer) for gate in reversed(found)]


async def test_a_question_stops_the_run_and_its_answer_is_found_when_it_goes_on(coding: Coding) -> None:
    await coding.do(f"{ASK}\n!write made.md yes\n!say done")
    assert coding.last.status == "waiting"
    [gate] = await coding.space.read(Gates())
    assert gate.question == "May @doer run: npm test"
    assert gate.options == ["once", "session", "always", "deny"]
    assert (gate.context["agent"], gate.context["tool"]) == ("doer", "acp/execute npm")
    assert not (coding.root / "made.md").exists()

    result = await coding.bench.answer(coding.last, "once")

    assert result.status == "completed"
    assert (coding.root / "made.md").read_text() == "yes"
    assert await coding.last_words() == "<x3> done\n\n- made made.md@1"
    assert len(await gates(coding)) == 1


async def test_once_is_once(coding: Coding) -> None:
    await coding.do(f"{ASK}\n{ASK}\n!say done")

    second = await coding.bench.answer(coding.last, "once")

    assert second.status == "waiting"
    assert [answer for _, answer in await gates(coding)] == ["once", None]


async def test_for_the_session_is_for_the_run(coding: Coding) -> None:
    await coding.do(f"{ASK}\n{ASK} --all\n!permit execute rm -rf build\n!say done")

    second = await coding.bench.answer(coding.last, "session")

    assert second.status == "waiting"
    assert await gates(coding) == [
        ("May @doer run: npm test", "session"),
        ("May @doer run: rm -rf build", None),
    ]


async def test_always_is_for_ever_and_can_be_taken_back_by_its_user(coding: Coding, own_home: Path) -> None:
    await coding.do(f"{ASK}\n!say done")
    await coding.bench.answer(coding.last, "always")

    await coding.do(f"{ASK}\n!say again")

    assert coding.last.status == "completed"
    assert len(await gates(coding)) == 1
    assert "acp/execute npm" in (own_home / "flowide" / "permissions.toml").read_text()


async def test_a_no_holds(coding: Coding) -> None:
    await coding.do(f"{ASK}\n!write made.md yes\n!say done", on_gate="reject")

    assert coding.last.status == "completed"
    assert not (coding.root / "made.md").exists()
    assert [answer for _, answer in await gates(coding)] == ["deny"]


@pytest.mark.parametrize(
    ("rule", "words", "asked"),
    [("allow", "<x3> done", 0), ("deny", "<x1>", 0), ("ask", "<x1>", 1)],
)
async def test_the_file_of_the_agent_answers_first(coding: Coding, rule: str, words: str, asked: int) -> None:
    file = coding.root / ".flowide" / "agents" / "doer.md"
    file.write_text(file.read_text().replace("env:", f"permissions: {{execute: {rule}}}\nenv:"))

    await coding.do(f"{ASK}\n!say done", on_gate="reject")

    assert await coding.last_words() == words
    assert len(await gates(coding)) == asked


async def test_a_person_answers_while_the_agent_waits(coding: Coding) -> None:
    import asyncio

    async def answer() -> None:
        while not (found := await coding.space.read(Gates())):
            await asyncio.sleep(0.02)
        await coding.space.execute(AnswerGate(gate=found[0].id, answer="once"))

    answering = asyncio.create_task(answer())
    await coding.do(f"{ASK}\n!say done", on_gate="wait")
    await answering

    assert await coding.last_words() == "<x3> done"


async def test_what_is_allowed_holds_for_the_copy_only(coding: Coding, tmp_path: Path) -> None:
    file = coding.root / ".flowide" / "agents" / "doer.md"
    file.write_text(file.read_text().replace("env:", "permissions: {edit: allow}\nenv:"))

    await coding.do(f"!reach {tmp_path}/outside.txt\n!write made.md yes\n!say done", on_gate="approve")

    [(question, answer)] = await gates(coding)
    assert question == f"May @doer, outside of its copy, edit: {tmp_path}/outside.txt"
    assert answer == "deny"
    assert not (coding.root / "made.md").exists()
