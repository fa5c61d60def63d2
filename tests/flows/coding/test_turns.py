"""Coding agents vary, review, judge and edit like every other agent, and a killed process loses nothing of theirs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from flowide.confinement.methods import VARIABLE, _found
from flowide.space.queries import History, Locks, OneVariationSet, VariationText
from tests.agents.acp.desks import AGENT
from tests.flows.coding.conftest import Coding
from tests.flows.talk import NOTES
from tests.project_with_agents import SHOP
from tests.sleeping import running


async def test_variations_are_what_it_wrote_into_the_file_and_the_project_stays(coding: Coding) -> None:
    result = await coding.bench.start(
        brief="Better:\n!append src/shop.py # more\\n\n!write beside.txt x\n!say I added a line",
        agents=["doer"],
        trust=True,
        inputs={"n": 2, "path": "src/shop.py"},
        on_gate="approve",
    )

    view = await coding.space.read(OneVariationSet(result.outputs["set"]))
    assert await coding.space.read(VariationText(view.set.id, 1)) == f"{SHOP}# more\n"
    assert view.variations[0].variation.actor == "doer"
    assert view.variations[0].variation.model == "acp/acp"
    assert not (coding.root / "beside.txt").exists()
    assert any("beside.txt is not saved" in each for each in coding.bench.watcher.warnings)


async def test_variations_are_written_side_by_side_each_in_a_copy_of_its_own(
    coding: Coding, own_temporary: Path
) -> None:
    await coding.bench.start(
        brief="Better:\n!append src/shop.py # more\\n\n!sleep 0.5\n!ids",
        agents=["doer"],
        trust=True,
        inputs={"n": 3, "path": "src/shop.py"},
        on_gate="approve",
    )

    view = await coding.space.read(OneVariationSet("last"))
    texts = [await coding.space.read(VariationText(view.set.id, n)) for n in (1, 2, 3)]
    assert texts == [f"{SHOP}# more\n"] * 3
    assert list(own_temporary.iterdir()) == []


async def test_an_edit_that_was_asked_for_is_saved_under_the_lock_that_is_held_for_the_turn(
    coding: Coding,
) -> None:
    await coding.say("@doer please change #notes.md:\n!append notes.md More.\\n\n!say I added a line")
    await coding.answer(trust=True, agents=["doer"])

    assert (coding.root / "notes.md").read_text() == f"{NOTES}More.\n"
    artifact = (await coding.artifact("notes.md")).id
    versions = await coding.space.read(History(artifact))
    assert (versions[-1].version, versions[-1].actor) == (2, "doer")
    grants = [
        event async for event in coding.space.events()
        if event.type == "lock.acquired" and event.data["artifact"] == artifact and event.actor["id"] == "doer"
    ]  # fmt: skip
    assert len(grants) == 1
    assert (await coding.last_words()).startswith("I added a line")
    [state] = await coding.space.read(Locks(artifact))
    assert state.lock.state == "free"


async def test_a_verdict_is_the_json_it_ends_with(coding: Coding) -> None:
    verdict = json.dumps({"verdict": "approve", "reasons": []})
    await coding.bench.start(
        "review",
        brief=f"Do it:\n!append src/shop.py # more\\n\n!say {verdict}",
        inputs={"path": "src/shop.py"},
        agents=["doer"],
        trust=True,
        on_gate="approve",
    )

    assert (coding.root / "src/shop.py").read_text().startswith(f"{SHOP}# more\n")


async def test_where_nothing_confines_it_is_said_before_the_first_turn(
    coding: Coding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "none")
    _found.cache_clear()

    await coding.do("!say hello")

    assert any("not kept from writing outside" in each for each in coding.bench.watcher.warnings)
    assert await coding.last_words() == "hello"


async def test_copies_stay_when_that_is_wished(coding: Coding, own_temporary: Path) -> None:
    from msgspec import structs

    coding.bench.around = structs.replace(coding.bench.around, keep_copies=True)

    await coding.do("!write a.md x\n!say done")

    [aside] = list(own_temporary.iterdir())
    assert (aside / "work/project/a.md").read_text() == "x"
    assert (coding.root / "a.md").read_text() == "x"


def remembering(coding: Coding) -> None:
    """From now on the agent can load its sessions."""
    sessions = coding.root.parent / "own"
    sessions.mkdir()
    file = coding.root / ".flowide" / "agents" / "doer.md"
    text = file.read_text().replace("agent.py ", f"agent.py --load {sessions}/sessions ")
    file.write_text(text.replace("env:", f"writes: [{sessions}]\nenv:"))


async def test_a_thread_is_one_conversation_for_an_agent_that_remembers(coding: Coding) -> None:
    remembering(coding)

    await coding.do("!ids")
    first = await coding.last_words()
    await coding.do("!ids")

    assert (await coding.last_words()).split()[0] == first.split()[0]
    assert (await coding.last_words()).split()[2] == first.split()[2]


async def test_a_turn_that_stopped_at_a_question_goes_on_in_its_copy(
    coding: Coding, own_temporary: Path
) -> None:
    remembering(coding)
    await coding.do("!first write made.md before the question\n!permit execute npm test\n!say done")
    assert coding.last.status == "waiting"
    assert not (coding.root / "made.md").exists()

    result = await coding.bench.answer(coding.last, "once")

    assert result.status == "completed"
    assert (coding.root / "made.md").read_text() == "before the question"
    assert list(own_temporary.iterdir()) == []


async def test_what_an_abandoned_turn_changed_is_kept_aside_when_another_begins(
    coding: Coding, own_temporary: Path
) -> None:
    await coding.do("!write made.md abandoned\n!permit execute npm test")
    assert coding.last.status == "waiting"
    from flowide.flows.coding.places import place_of

    place = place_of(coding.root, "doer", f"thread {coding.thread}")
    assert (place.work / "project" / "made.md").read_text() == "abandoned"

    await coding.say("@doer !say another", actor="bob")
    coding.last = await coding.answer(trust=True, agents=["doer"], on_gate="reject")

    [aside] = [each for each in own_temporary.iterdir() if "kept" in each.name]
    assert (aside / "work/project/made.md").read_text() == "abandoned"
    assert any(str(aside) in each for each in coding.bench.watcher.warnings)


async def test_a_copy_has_the_project_s_history_and_no_way_back(coding: Coding) -> None:
    env = {**os.environ, "GIT_AUTHOR_NAME": "ana", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "ana",
           "GIT_COMMITTER_EMAIL": "a@b"}  # fmt: skip
    for command in ("git init -q", "git add notes.md src", "git commit -q -m first"):
        subprocess.run(command.split(), cwd=coding.root, env=env, check=True)  # noqa: ASYNC221 - nothing else runs

    await coding.do("!run git log --format=%s; git remote; git status --short; git rev-parse --show-toplevel")

    words = await coding.last_words()
    assert words.startswith("first\n")
    assert "flowide-copy-" in words
    assert str(coding.root) not in words


def flowide(root: Path, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flowide", *words],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **more,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a keeper adopt every descendant")
def test_a_killed_flowide_leaves_no_process_and_the_run_goes_on(
    own_temporary: Path, own_home: Path, tmp_path: Path
) -> None:
    root = tmp_path / "project"
    Coding(root)
    (own_home / "flowide").mkdir()
    (own_home / "flowide" / "config.toml").write_text(f"[trust]\nprojects = ['{root}']\n")
    mark = f"75{os.getpid()}.5"
    go = tmp_path / "go"
    script = (
        f"@doer please:\n!write made.md yes\n!fork\n!run while ! test -e {go}; do sleep 0.1; done\n!say done"
    )
    env = {**os.environ, "AGENT_MARK": mark, "TMPDIR": str(own_temporary)}
    said = subprocess.Popen(
        [sys.executable, "-m", "flowide", "say", "--wait", "--", script], cwd=root, env=env,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    until = time.monotonic() + 60
    while not running(mark):
        assert time.monotonic() < until, said.stderr and said.stderr.read()
        time.sleep(0.05)

    said.send_signal(signal.SIGKILL)
    said.wait()
    if said.stderr is not None:
        said.stderr.close()

    until = time.monotonic() + 15
    while running(mark) or running(f"{AGENT.name}.*{tmp_path}"):
        assert time.monotonic() < until
        time.sleep(0.05)
    go.touch()
    assert not (root / "made.md").exists()
    resumed = flowide(root, "run", "say", "--resume", "last", "--headless", env=env)
    assert resumed.returncode == 0, resumed.stderr
    assert (root / "made.md").read_text() == "yes"


async def test_where_nothing_confines_a_write_into_the_project_itself_is_told(
    coding: Coding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "none")

    await coding.do(f"!write {coding.root}/notes.md # Past all locks\\n\n!say done")

    told = [each for each in coding.bench.watcher.warnings if "files of the project itself changed" in each]
    assert len(told) == 1
    assert "notes.md" in told[0]
    assert "@doer" in told[0]
