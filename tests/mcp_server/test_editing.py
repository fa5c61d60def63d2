"""Lock, edit, save, unlock: an agent of another program keeps the rules, and is told what to do next."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest

from flowide.domain.commands import AcquireLock, ForceLock, SaveArtifact
from flowide.project.folder import ProjectFolder
from flowide.space.api import Space
from flowide.space.queries import Drafts, FindArtifact, History, LiveDraft, Locks
from tests.mcp_server.conftest import CACHE, Agent

EDIT = [{"old": "    return None", "new": "    return 1"}]


async def test_a_save_makes_a_version_by_the_agent_for_its_person_and_frees_the_lock(
    agent: Agent, ana: Space, root: Path
) -> None:
    await agent.call("lock", path="cache.py", purpose="answer")

    saved = await agent.call("save", path="cache.py", edits=EDIT, note="answers")

    row = await ana.read(FindArtifact("cache.py"))
    made = (await ana.read(History(row.id)))[-1]
    [state] = await ana.read(Locks(row.id))
    assert (made.version, made.actor, made.kind, made.for_, made.note) == (
        2,
        "mara",
        "agent",
        "ana",
        "answers",
    )
    assert (saved["version"], state.lock.state) == (2, "free")
    assert (root / "cache.py").read_text() == CACHE.replace("None", "1")


async def test_without_a_lock_nothing_is_saved_and_the_refusal_says_to_lock(agent: Agent, root: Path) -> None:
    refused = await agent.refused("save", path="cache.py", text="mine")

    assert refused["code"] == "fenced"
    assert "Call lock first" in refused["hint"]
    assert (root / "cache.py").read_text() == CACHE


async def test_a_lock_that_a_person_holds_is_refused_with_who_and_what_to_do(
    agent: Agent, ana: Space, folder: ProjectFolder
) -> None:
    row = await folder.find(ana, "cache.py")
    await ana.execute(AcquireLock(artifact=row.id, purpose="by hand"))

    refused = await agent.refused("lock", path="cache.py")

    assert refused["code"] == "busy"
    assert (refused["data"]["holder"], refused["data"]["purpose"]) == ("ana", "by hand")
    assert "wait_s" in refused["hint"] and "add_variation" in refused["hint"]


async def test_who_waits_gets_the_lock_when_it_is_given_back(agent: Agent, other: Agent) -> None:
    await agent.call("lock", path="cache.py")
    waiting = asyncio.create_task(other.call("lock", path="cache.py", wait_s=40))
    while not (await agent.call("list_locks"))["locks"][0]["queue"]:
        await asyncio.sleep(0.01)

    await agent.call("save", path="cache.py", edits=EDIT)

    assert (await waiting)["version"] == 2
    assert (await agent.refused("lock", path="cache.py"))["data"]["holder"] == "edwin"


async def test_a_wait_that_is_called_off_leaves_the_queue(agent: Agent, other: Agent, ana: Space) -> None:
    await agent.call("lock", path="cache.py")
    waiting = asyncio.create_task(other.call("lock", path="cache.py", wait_s=40))
    while not (await agent.call("list_locks"))["locks"][0]["queue"]:
        await asyncio.sleep(0.01)

    waiting.cancel()
    await asyncio.wait([waiting])

    assert (await agent.call("list_locks"))["locks"][0]["queue"] == 0


async def test_locking_again_is_the_same_lock(agent: Agent) -> None:
    first = await agent.call("lock", path="cache.py")

    again = await agent.call("lock", path="cache.py")

    assert (again["fence"], again["already"]) == (first["fence"], True)


async def test_a_draft_is_seen_by_others_and_becomes_the_version(agent: Agent, other: Agent) -> None:
    await agent.call("lock", path="notes.md")
    await agent.call("draft", path="notes.md", text="# N\n")
    await agent.call("draft", path="notes.md", text="more\n", mode="append")

    seen = await other.call("read_artifact", path="notes.md", draft=True)
    await agent.call("save", path="notes.md")

    assert (seen["text"], seen["draft_by"], seen["lock"]["mine"]) == ("# N\nmore\n", "mara", False)
    assert (await other.call("read_artifact", path="notes.md"))["text"] == "# N\nmore\n"


async def test_edits_are_all_made_or_none(agent: Agent) -> None:
    await agent.call("lock", path="cache.py")

    missing = await agent.refused("draft", path="cache.py", edits=[*EDIT, {"old": "nowhere", "new": "x"}])
    twice = await agent.refused("draft", path="cache.py", edits=[{"old": "return", "new": "x"}])

    assert (missing["data"]["edit"], twice["data"]["times"]) == (2, 2)
    assert (await agent.refused("save", path="cache.py"))["code"] == "bad_args"


async def test_line_ends_of_the_artifact_are_kept(agent: Agent, root: Path) -> None:
    (root / "dos.txt").write_bytes(b"one\r\ntwo\r\n")
    await agent.call("lock", path="dos.txt")

    await agent.call("save", path="dos.txt", edits=[{"old": "one\ntwo", "new": "one\n2"}], keep_lock=True)
    await agent.call("save", path="dos.txt", text="three\nfour\n", keep_lock=True)
    kept = (root / "dos.txt").read_bytes()
    await agent.call("save", path="dos.txt", text="five\n", exact=True)

    assert (kept, (root / "dos.txt").read_bytes()) == (b"three\r\nfour\r\n", b"five\n")


async def test_bytes_that_are_no_text_are_read_and_saved_as_base64(agent: Agent, root: Path) -> None:
    read = await agent.call("read_artifact", path="dot.png")
    await agent.call("lock", path="dot.png")

    await agent.call("save", path="dot.png", base64=base64.b64encode(b"\x00\xfe").decode())

    assert base64.b64decode(read["base64"]) == b"\x89PNG\r\n\x1a\n\x00\xff"
    assert (root / "dot.png").read_bytes() == b"\x00\xfe"


async def test_what_was_written_when_a_lock_is_taken_away_can_be_adopted(agent: Agent, ana: Space) -> None:
    await agent.call("lock", path="cache.py")
    await agent.call("draft", path="cache.py", text="mine\n")
    row = await ana.read(FindArtifact("cache.py"))
    await ana.execute(ForceLock(artifact=row.id, reason="deploy"))

    refused = await agent.refused("save", path="cache.py", text="newer\n")
    drafts = (await agent.call("list_drafts"))["drafts"]
    adopted = await agent.call("adopt_draft", draft=refused["data"]["draft"])
    saved = await agent.call("save", path="cache.py")

    assert refused["code"] == "fenced" and "kept" in refused["hint"]
    assert [each["mine"] for each in drafts] == [True, True]
    assert (adopted["text"], saved["version"]) == ("newer\n", 2)


async def test_a_save_on_top_of_what_was_not_seen_is_refused_and_the_text_kept(
    agent: Agent, ana: Space, root: Path
) -> None:
    await agent.call("lock", path="cache.py")
    (root / "cache.py").write_text("by another program\n")

    refused = await agent.refused("save", path="cache.py", text="mine\n")

    assert refused["code"] == "conflict" and "read_artifact" in refused["hint"]
    assert (root / "cache.py").read_text() == "by another program\n"
    assert "conflict" in refused["data"]


async def test_the_end_of_a_session_gives_locks_back_and_keeps_drafts(
    agent: Agent, other: Agent, ana: Space
) -> None:
    await agent.call("lock", path="cache.py")
    await agent.call("draft", path="cache.py", text="half\n")

    await agent.session.close()

    [kept] = await ana.read(Drafts())
    assert (kept.actor, kept.size) == ("mara", 5)
    assert (await other.call("lock", path="cache.py"))["version"] == 1


async def test_release_drops_a_draft_only_when_asked(agent: Agent, ana: Space) -> None:
    for draft in ("keep", "drop"):
        await agent.call("lock", path="cache.py")
        await agent.call("draft", path="cache.py", text=draft)
        await agent.call("release", path="cache.py", draft=draft)

    row = await ana.read(FindArtifact("cache.py"))
    assert [each.size for each in await ana.read(Drafts())] == [4]
    assert await ana.read(LiveDraft(row.id)) is None


async def test_a_lock_is_kept_alive_beyond_its_lease(
    root: Path, monkeypatch: pytest.MonkeyPatch, ana: Space
) -> None:
    from tests.mcp_server.conftest import an_agent

    monkeypatch.setenv("FLOWIDE_LOCK_TTL_S", "0.5")
    async with an_agent(root, "mara") as agent:
        held = await agent.call("lock", path="cache.py")
        await asyncio.sleep(1.2)

        row = await ana.read(FindArtifact("cache.py"))
        [state] = await ana.read(Locks(row.id))

    assert (state.lock.state, state.lock.fence, state.expires_ms != 0) == ("held", held["fence"], True)


async def test_create_move_and_restore(agent: Agent, root: Path) -> None:
    await agent.call("create", path="docs/new.md", text="# New\n")
    taken = await agent.refused("create", path="docs/new.md", text="other")
    moved = await agent.call("move", path="docs/new.md", new_path="docs/old.md")
    await agent.call("lock", path="docs/old.md")
    await agent.call("save", path="docs/old.md", text="# Old\n", keep_lock=True)
    restored = await agent.call("restore", path="docs/old.md", version=1)
    again = await agent.call("save", path="docs/old.md", edits=[{"old": "New", "new": "Newer"}])

    assert taken["code"] == "exists"
    assert (moved["version"], restored["version"], again["version"]) == (2, 4, 5)
    assert not (root / "docs" / "new.md").exists()
    assert (root / "docs" / "old.md").read_text() == "# Newer\n"


async def test_a_change_of_its_own_does_not_drop_an_unsaved_draft(agent: Agent) -> None:
    await agent.call("lock", path="cache.py")
    await agent.call("draft", path="cache.py", text="unsaved")

    refused = await agent.refused("move", path="cache.py", new_path="c.py")

    assert "unsaved draft" in refused["message"]
    assert (await agent.call("read_artifact", path="cache.py", draft=True))["text"] == "unsaved"


async def test_an_agent_holds_no_more_locks_than_the_space_allows(agent: Agent) -> None:
    for number in range(3):
        await agent.call("create", path=f"{number}.txt", text="")
        await agent.call("lock", path=f"{number}.txt")

    refused = await agent.refused("lock", path="cache.py")

    assert refused["code"] == "limit" and "release" in refused["hint"]


async def test_calls_at_the_same_time_take_turns(agent: Agent, ana: Space) -> None:
    await agent.call("lock", path="cache.py")

    answers = await asyncio.gather(
        *(agent.call("save", path="cache.py", text=f"{n}\n", keep_lock=True) for n in range(8)),
        *(agent.call("read_artifact", path="cache.py") for _ in range(8)),
    )

    row = await ana.read(FindArtifact("cache.py"))
    assert sorted(each["version"] for each in answers[:8]) == list(range(2, 10))
    made = await ana.read(History(row.id))
    assert [each.version for each in made] == list(range(1, 10))


@pytest.mark.parametrize(
    "path",
    ["../out.txt", "/etc/passwd", "cache.py/x", "a/../../b", ".git/config", ".flowide/agents/x.md", "a\0b", "\ud800",
     "C:\\x", "flowide://artifact/../x", "flowide://artifact/%ff", "flowide://artifact/%2e%2e/x"],
)  # fmt: skip
async def test_paths_outside_are_refused(agent: Agent, root: Path, path: str) -> None:
    for tool, given in (("read_artifact", {}), ("lock", {}), ("create", {"text": "x"})):
        refused = await agent.refused(tool, path=path, **given)
        assert refused["code"] in {"bad_path", "role", "not_found"} and refused["hint"]

    assert {each.name for each in root.iterdir()} == {".flowide", "cache.py", "notes.md", "dot.png"}


async def test_an_absolute_path_inside_the_project_is_understood(agent: Agent, root: Path) -> None:
    assert (await agent.call("read_artifact", path=str(root / "cache.py")))["path"] == "cache.py"


async def test_a_person_who_saves_first_is_not_overwritten(
    agent: Agent, ana: Space, folder: ProjectFolder
) -> None:
    await agent.call("lock", path="cache.py")
    row = await ana.read(FindArtifact("cache.py"))
    forced = (await ana.execute(ForceLock(artifact=row.id, reason="mine now", take=True))).ok
    assert forced.fence is not None
    await ana.execute(SaveArtifact(artifact=row.id, fence=forced.fence, base=1, text="ana's\n"))

    refused = await agent.refused("save", path="cache.py", text="mara's\n")

    assert refused["code"] == "fenced"
    assert (await agent.call("read_artifact", path="cache.py"))["text"] == "ana's\n"


async def test_more_of_a_text_comes_at_the_end_of_the_version_when_there_is_no_draft(agent: Agent) -> None:
    await agent.call("lock", path="cache.py")

    await agent.call("draft", path="cache.py", text="\n\nX = 1\n", mode="append")

    read = await agent.call("read_artifact", path="cache.py", draft=True)
    assert read["text"] == CACHE + "\n\nX = 1\n"


async def test_what_is_written_under_a_lock_that_was_lost_meanwhile_is_kept(
    root: Path, monkeypatch: pytest.MonkeyPatch, ana: Space
) -> None:
    from tests.mcp_server.conftest import an_agent

    monkeypatch.setenv("FLOWIDE_LOCK_TTL_S", "0.5")
    async with an_agent(root, "mara") as agent:
        for tool in ("draft", "save"):
            await agent.call("lock", path="cache.py")
            row = await ana.read(FindArtifact("cache.py"))
            await ana.execute(ForceLock(artifact=row.id, reason="deploy"))
            hold = agent.session.holds.get(row.id)
            assert hold is not None
            await hold.keeper.on_lost.wait()  # a renewal has told it

            refused = await agent.refused(tool, path="cache.py", text=f"by {tool}\n")

            assert (refused["code"], "kept" in refused["hint"]) == ("fenced", True)
            [kept] = [each for each in await ana.read(Drafts()) if each.id == refused["data"]["draft"]]
            assert (kept.actor, kept.size) == ("mara", len(f"by {tool}\n"))
