"""The queue of what waits, from anywhere in the app."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flowide.domain.commands import AcquireLock, OpenGate, OpenThread, PostMessage, ProposeDecision
from flowide.space.queries import FindArtifact, Gates
from tests.tui.conftest import app_on, other_process
from tests.tui.terminal.conftest import Start, Terminal, start

__all__ = ["start"]

ASKED = OpenGate(kind="permission", question="May edwin fetch the prices?", options=["once", "always", "no"])


def rings(app: Terminal) -> bool:
    """Whether the bell was rung; it also ends control sequences."""
    return b"\a" in re.sub(rb"\x1b\][^\x07\x1b]*\x07", b"", app.raw)


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
async def test_one_key_leads_to_the_queue_even_while_text_is_typed_and_a_number_answers(
    project: Path, size: tuple[int, int]
) -> None:
    async with app_on(project, size=size) as app, other_process(project) as mia:
        await app.open("plan.md")
        await app.press("t")
        await app.sees("NEW THREAD")
        await app.type("half a tho")
        await mia.execute(ASKED)
        await app.sees("May edwin")
        await app.press("ctrl+g")
        await app.sees("1 once")
        await app.press("2")
        await app.sees("Nothing waits for you.")
        await app.press("ctrl+g")
        await app.sees("half a tho")
        [gate] = await mia.read(Gates(status="answered"))
        assert (gate.answer, gate.by) == ("no", "ana")


async def test_who_waits_for_a_lock_is_told_to_its_holder(project: Path) -> None:
    async with app_on(project, size=(80, 24)) as app, other_process(project) as mia:
        await app.open("plan.md")
        await app.press("e")
        await app.sees("you are editing")
        artifact = await mia.read(FindArtifact("docs/plan.md"))
        await mia.execute(AcquireLock(artifact=artifact.id, purpose="a date", wait=True))
        await app.sees("mia waits for your lock: a date")
        await app.press("ctrl+g", "enter")
        await app.sees("you are editing")


async def test_an_open_decision_leads_to_its_thread(project: Path) -> None:
    async with app_on(project) as app, other_process(project) as mia:
        opened = OpenThread(title="Eviction")
        said = PostMessage(thread=opened.thread, text="Eight entries, then?")
        await mia.batch([opened, said])
        await mia.execute(ProposeDecision(text="Eight entries", message=said.message))
        await app.press("ctrl+g")
        await app.sees("D1  Eight entries")
        await app.press("enter")
        await app.sees("Eight entries, then?")


async def test_a_person_who_looks_elsewhere_hears_of_it_and_one_who_is_there_does_not(
    start: Start, project: Path
) -> None:
    app = start(str(project), TERM="xterm-256color", TMUX="")
    app.sees("plan.md")
    app.read(0.5)
    async with other_process(project) as mia:
        await mia.execute(OpenGate(kind="approve", question="Seen at once?"))
        app.sees("Seen at once?")
        app.read(0.3)
        assert not rings(app)
        app.send("\x1b[O")  # the terminal says that it lost the focus
        app.read(0.3)
        await mia.execute(OpenGate(kind="approve", question="Are you there?"))
        app.until(lambda: rings(app) and b"9;FlowIDE: Are you there?" in app.raw, "the bell")
    app.send("\x11")
    assert app.ends() == 0


async def test_notifications_can_be_switched_off(start: Start, project: Path) -> None:
    (project / ".flowide" / "config.toml").write_text('[app]\nnotify = "off"\n')
    app = start(str(project))
    app.sees("plan.md")
    app.read(0.5)
    app.send("\x1b[O")
    app.read(0.3)
    async with other_process(project) as mia:
        await mia.execute(OpenGate(kind="approve", question="Are you there?"))
        app.sees("Are you there?")
        app.read(0.3)
    assert not rings(app)
    assert b"\x1b]9;" not in app.raw
    app.send("\x11")
    assert app.ends() == 0


async def test_a_question_about_a_tool_is_asked_with_what_it_is(project: Path) -> None:
    context = {"agent": "mara", "tool": "files__write", "server": "npx files", "about": "Writes a file."}
    asked = OpenGate(
        kind="permission", question="May @mara use it?", options=["once", "always", "deny"], context=context
    )
    async with app_on(project) as app, other_process(project) as mia:
        await mia.execute(asked)
        await app.sees("? 1 ^g")
        await app.press("ctrl+g")
        await app.sees("npx files")
        await app.press("enter")
        await app.sees("this time")
        assert app.screen().count("May @mara use it?") == 3  # in the list, in full, and as it is asked
        assert app.screen().count("npx files") == 2
        await app.type("a")
        await app.press("enter")
        await app.sees("Type always in full")
