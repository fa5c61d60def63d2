"""What a coding agent changes in its copy comes back under locks; what may not be changed waits, and is told."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from flowide.domain.actors import Actor
from flowide.domain.commands import AcquireLock
from flowide.space.queries import (
    Content,
    Gates,
    History,
    Locks,
    OneVariationSet,
    Threads,
    VariationText,
    Verify,
)
from tests.flows.coding.conftest import Coding
from tests.flows.talk import NOTES


async def test_files_are_made_changed_moved_and_made_programs_by_the_agent_under_its_fences(
    coding: Coding, own_temporary: Path
) -> None:
    (coding.root / "go.sh").write_text("#!/bin/sh\n")
    (coding.root / "old.txt").write_text("one\ntwo\nthree\n")

    await coding.do(
        "!append notes.md More.\\n\n!write docs/new.md # New\\n\n!binary logo.bin\n!program go.sh\n"
        "!rename old.txt sub/new.txt\n!append sub/new.txt four\\n\n!say done"
    )

    assert (coding.root / "notes.md").read_text() == NOTES + "More.\n"
    assert (coding.root / "docs/new.md").read_text() == "# New\n"
    assert (coding.root / "logo.bin").read_bytes() == bytes(range(256))
    assert (coding.root / "go.sh").stat().st_mode & stat.S_IXUSR
    assert (coding.root / "sub/new.txt").read_text() == "one\ntwo\nthree\nfour\n"
    assert not (coding.root / "old.txt").exists()
    versions = await coding.space.read(History((await coding.artifact("notes.md")).id))
    assert [(each.actor, each.kind, each.for_) for each in versions][-1] == ("doer", "agent", "ana")
    assert versions[-1].run == coding.last.run
    moved = await coding.space.read(History((await coding.artifact("sub/new.txt")).id))
    assert len(moved) == 3
    words = await coding.last_words()
    for line in (
        "changed notes.md@2",
        "made docs/new.md@1",
        "moved sub/new.txt@3 (was old.txt)",
        "the mode of go.sh",
    ):
        assert line in words
    assert list(own_temporary.iterdir()) == []
    assert await coding.space.read(Verify()) == []


async def test_every_version_is_saved_under_a_fence_of_the_agent(coding: Coding) -> None:
    await coding.do("!append notes.md More.\\n\n!say done")

    events = [event async for event in coding.space.events()]
    artifact = (await coding.artifact("notes.md")).id
    [granted] = [
        each for each in events if each.type == "lock.acquired" and each.data["artifact"] == artifact
        and each.actor["id"] == "doer"
    ]  # fmt: skip
    [saved] = [each for each in events if each.type == "artifact.saved" and each.data["artifact"] == artifact]
    assert saved.data["fence"] == granted.data["fence"]
    assert saved.actor["id"] == "doer"
    [state] = await coding.space.read(Locks(artifact))
    assert state.lock.state == "free"


async def test_a_file_that_a_person_has_locked_waits_as_a_variation_and_all_are_told(coding: Coding) -> None:
    artifact = await coding.folder.artifact(coding.space, "notes.md")
    bob = coding.space.acting_as(Actor("bob"))
    await bob.execute(AcquireLock(artifact=artifact.id, purpose="mine"))

    await coding.do("!write notes.md # Theirs\\n\n!write free.md # Free\\n\n!say done")

    assert (coding.root / "notes.md").read_text() == NOTES
    assert (coding.root / "free.md").read_text() == "# Free\n"
    view = await coding.space.read(OneVariationSet("last"))
    assert (view.set.path, view.set.artifact) == ("notes.md", artifact.id)
    assert await coding.space.read(VariationText(view.set.id, 1)) == "# Theirs\n"
    assert view.variations[0].variation.actor == "doer"
    words = await coding.last_words()
    assert "notes.md is not saved: bob holds the lock" in words
    assert any("bob holds the lock" in each for each in coding.bench.watcher.warnings)
    [state] = await coding.space.read(Locks(artifact.id))
    assert (state.lock.state, state.lock.actor) == ("held", "bob")


async def test_a_file_that_has_moved_on_waits(coding: Coding, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    from flowide.flows.coding.desk import CodingDesk

    bring = CodingDesk._bring

    async def meanwhile(self, request):  # type: ignore[no-untyped-def]
        (coding.root / "notes.md").write_text("# By hand\n")
        return await bring(self, request)

    monkeypatch.setattr(CodingDesk, "_bring", meanwhile)

    await coding.do("!write notes.md # Theirs\\n\n!say done")

    assert (coding.root / "notes.md").read_text() == "# By hand\n"
    view = await coding.space.read(OneVariationSet("last"))
    assert await coding.space.read(VariationText(view.set.id, 1)) == "# Theirs\n"
    assert "which is not what @doer began with" in await coding.last_words()


async def test_a_deletion_is_done_when_a_person_says_so_and_in_their_name(coding: Coding) -> None:
    await coding.do("!delete notes.md\n!say done")
    assert coding.last.status == "waiting"
    assert (coding.root / "notes.md").exists()
    [gate] = await coding.space.read(Gates(run=coding.last.run))
    assert (gate.kind, gate.options) == ("delete", ["delete", "keep"])

    await coding.bench.answer(coding.last, "delete")

    assert not (coding.root / "notes.md").exists()
    events = [event async for event in coding.space.events()]
    [deleted] = [each for each in events if each.type == "artifact.deleted"]
    assert deleted.actor["id"] == "ana"
    assert "deleted notes.md" in await coding.last_words()


async def test_a_deletion_that_is_not_wanted_is_not_done(coding: Coding, own_temporary: Path) -> None:
    await coding.do("!delete notes.md\n!say done", on_gate="reject")

    assert (coding.root / "notes.md").read_text() == NOTES
    assert "decided to keep it" in await coding.last_words()
    assert list(own_temporary.iterdir()) == []


async def test_links_and_odd_names_are_not_taken_over_and_it_is_said(coding: Coding, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")

    await coding.do(f"!link l {tmp_path}/secret\n!write odd\\\\name x\n!write con.txt x\n!say done")

    assert not (coding.root / "l").exists()
    words = await coding.last_words()
    assert "l is not taken over: a link" in words
    assert "con.txt is not taken over" in words


async def test_ignored_files_stay_in_the_copy(coding: Coding) -> None:
    (coding.root / ".gitignore").write_text("build/\n*.log\n")

    await coding.do("!write build/out.txt x\n!write a.log x\n!write src/__pycache__/x.pyc x\n!say done")

    assert await coding.last_words() == "done"
    assert not (coding.root / "build").exists()
    assert not (coding.root / "a.log").exists()


async def test_workspace_and_git_are_nobody_s_to_change(coding: Coding) -> None:
    (coding.root / ".git").mkdir()

    await coding.do("!write .flowide/agents/evil.md x\n!write .git/config x\n!say done")

    assert not (coding.root / ".flowide/agents/evil.md").exists()
    assert not (coding.root / ".git/config").exists()


async def test_an_edit_in_place_never_reaches_the_original_before_the_turn_is_over(coding: Coding) -> None:
    before = (coding.root / "notes.md").stat()

    await coding.do(
        "!append notes.md More.\\n\n!run cat ../../../project/notes.md 2>/dev/null; true\n!stop refusal"
    )

    after = (coding.root / "notes.md").stat()
    assert (coding.root / "notes.md").read_text() == NOTES
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


async def test_what_was_changed_before_a_turn_failed_is_kept_aside_and_told(
    coding: Coding, own_temporary: Path
) -> None:
    await coding.do("!write notes.md # Half\\n\n!break")

    assert (coding.root / "notes.md").read_text() == NOTES
    [aside] = list(own_temporary.iterdir())
    assert (aside / "work/project/notes.md").read_text() == "# Half\n"
    assert any(str(aside) in each for each in coding.bench.watcher.warnings)


async def test_installed_packages_can_be_read(coding: Coding) -> None:
    (coding.root / "node_modules" / "left-pad").mkdir(parents=True)
    (coding.root / "node_modules" / "left-pad" / "index.js").write_text("pad")

    await coding.do("!run cat node_modules/left-pad/index.js\n!say done")

    assert "pad (0)" in await coding.last_words()
    assert os.listdir(coding.root / "node_modules") == ["left-pad"]


async def test_everything_of_a_turn_is_in_the_log_with_the_agent_s_name(coding: Coding) -> None:
    await coding.do("!think hm\n!plan look\n!tool notes.md x\n!say done")

    steps = await coding.steps()
    assert steps["plan"].result["entries"] == [
        {"content": "look", "status": "completed", "priority": "medium"}
    ]
    assert (steps["tool-1"].kind, steps["tool-1"].status) == ("tool.call", "completed")
    assert steps["tool-1"].result["tool"] == "acp/edit"
    assert steps["tool-1"].result["arguments"]["title"] == "Edit notes.md"
    assert "+x" in steps["tool-1"].result["diff"]
    assert steps["thoughts"].result["text"] == "hm"
    assert steps["changes"].result["saved"] == [{"path": "notes.md", "kind": "edited", "version": 2}]
    assert {steps[name].result["by"] for name in ("plan", "tool-1", "thoughts", "changes")} == {"doer"}


async def test_a_project_that_is_not_trusted_starts_no_program_of_its_own(coding: Coding) -> None:
    import pytest

    from flowide.errors import NotAllowed

    await coding.say("@doer please:\n!say hello")

    with pytest.raises(NotAllowed, match="not trusted"):
        await coding.answer(agents=["doer"])


async def test_a_thread_for_what_waits_is_opened_when_there_is_none(coding: Coding) -> None:
    artifact = await coding.folder.artifact(coding.space, "notes.md")
    bob = coding.space.acting_as(Actor("bob"))
    await bob.execute(AcquireLock(artifact=artifact.id))

    result = await coding.bench.start(
        "review",
        brief="Do it:\n!write src/shop.py x = 1\\n\n!write notes.md # Theirs\\n\n!say done",
        inputs={"path": "src/shop.py"},
        agents=["doer"],
        trust=True,
        on_gate="approve",
    )

    del result
    threads = await coding.space.read(Threads())
    assert any("could not save" in each.title for each in threads)
    assert (coding.root / "notes.md").read_text() == NOTES
    assert await coding.space.read(Content(artifact.id)) == NOTES.encode()


async def test_many_deletions_are_one_question(coding: Coding) -> None:
    for number in range(12):
        (coding.root / f"f{number:02}.txt").write_text(f"{number}\n")

    await coding.do("!run rm f*.txt notes.md; chmod 000 src\n!say done")

    [gate] = await coding.space.read(Gates(run=coding.last.run))
    assert "f00.txt, f01.txt" in gate.question
    assert "and 3 more" in gate.question
    await coding.bench.answer(coding.last, "delete")
    assert sorted(each.name for each in coding.root.iterdir() if each.is_file()) == []


async def test_an_agent_that_never_stops_telling_is_told_once_in_a_while(coding: Coding) -> None:
    script = "\n".join(f"!plan step{number}" for number in range(150))

    await coding.do(f"{script}\n!say done")

    steps = await coding.steps()
    assert steps["plan"].result["entries"][0]["content"] == "step149"
    plans = [event async for event in coding.space.events() if event.data.get("kind") == "plan"]
    assert len(plans) == 101
