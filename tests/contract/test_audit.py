"""Search, statistics, export and import: the same on every store."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowide.domain import commands as c
from flowide.domain.events import GENESIS, canonical_json, chain_after
from flowide.errors import BadInput, Exists, Gone, NotFound
from flowide.space import queries as q
from flowide.space.local import LocalSpace
from flowide.store.sqlite import SqliteStore
from flowide.testing import ManualClock, MemorySpace
from tests.contract.sample import ROD, live_a_little


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


# --- search -----------------------------------------------------------------------------------------


async def test_search_finds_versions_variations_messages_and_decisions(space: LocalSpace, doc: str) -> None:
    await space.execute(c.OpenVariationSet(set="s", title="ideas"))
    await space.execute(c.AddVariation(set="s", text="an otter in a text\n"))
    await space.execute(c.OpenThread(thread="t", title="talk"))
    await space.execute(c.PostMessage(thread="t", message="m", text="Otters are nice."))
    await space.execute(c.ProposeDecision(decision="d", text="We keep the otter."))
    fence = (await space.execute(c.AcquireLock(artifact=doc))).ok.fence or 0
    await space.execute(c.SaveArtifact(artifact=doc, fence=fence, base=1, text="otter\n", then="keep"))
    await space.execute(c.SaveArtifact(artifact=doc, fence=fence, base=2, text="weasel\n"))

    now = {(hit.kind, hit.title) for hit in await space.read(q.Search("OTTER"))}
    ever = {(hit.kind, hit.title) for hit in await space.read(q.Search("otter", history=True))}

    assert now == {
        ("variation", "ideas, variation 1"), ("message", "talk, message 1"), ("decision", "decision 1"),
    }  # fmt: skip
    assert ever == now | {("version", "doc.md@2")}
    assert [hit.kind for hit in await space.read(q.Search("weasel"))] == ["artifact"]


async def test_a_deleted_artifact_is_found_in_its_history_only(space: LocalSpace, doc: str) -> None:
    fence = (await space.execute(c.AcquireLock(artifact=doc))).ok.fence or 0
    await space.execute(c.DeleteArtifact(artifact=doc, fence=fence, base=1))

    assert await space.read(q.Search("one")) == []
    assert [hit.title for hit in await space.read(q.Search("one", history=True))] == ["doc.md@1"]


async def test_an_excerpt_shows_the_words_around_a_match(space: LocalSpace) -> None:
    await space.execute(
        c.CreateArtifact(path="long.md", text="filler " * 500 + "the needle here\n" + "x " * 500)
    )

    [hit] = await space.read(q.Search("needle"))

    assert "the needle here" in hit.excerpt and len(hit.excerpt) < 200


# --- drafts -----------------------------------------------------------------------------------------


async def test_a_private_draft_needs_no_lock_and_is_replaced_under_its_id(
    space: LocalSpace, doc: str
) -> None:
    rod = space.acting_as(ROD)
    await space.execute(c.AcquireLock(artifact=doc))
    await rod.execute(c.KeepDraft(draft="mine", artifact=doc, base=1, text="first"))
    await rod.execute(c.KeepDraft(draft="mine", artifact=doc, base=1, text="second"))

    [draft] = await space.read(q.Drafts(doc))

    assert (draft.id, draft.actor, draft.base, draft.fence) == ("mine", "rod", 1, 0)
    assert await space.read(q.DraftContent("mine")) == b"second"
    with pytest.raises(Exists):
        await space.execute(c.KeepDraft(draft="mine", artifact=doc, base=1, text="not yours"))
    with pytest.raises(NotFound):
        await rod.execute(c.KeepDraft(artifact=doc, base=2, text="of no version"))


async def test_old_drafts_are_no_longer_offered_and_their_words_stay(
    space: LocalSpace, doc: str, clock: ManualClock
) -> None:
    await space.execute(c.KeepDraft(draft="old", artifact=doc, base=1, text="old words"))
    clock.sleep(30 * 86_400_000 - 1)
    assert [draft.id for draft in await space.read(q.Drafts())] == ["old"]
    clock.sleep(1)
    assert await space.read(q.Drafts()) == []

    await space.execute(c.KeepDraft(draft="new", artifact=doc, base=1, text="new words"))

    last = [event async for event in space.events()][-1]
    assert (last.type, last.data["draft"], last.data["why"]) == ("draft.discarded", "old", "expired")
    assert await space.read(q.DraftContent("old")) == b"old words"


# --- statistics -------------------------------------------------------------------------------------


async def test_stats_count_holds_waits_saves_and_cost(
    space: LocalSpace, doc: str, clock: ManualClock
) -> None:
    mine = (await space.execute(c.AcquireLock(artifact=doc, ttl_ms=600_000))).ok.fence or 0
    clock.sleep(5000)
    await space.acting_as(ROD).execute(c.AcquireLock(artifact=doc, wait=True))
    clock.sleep(2000)
    await space.execute(c.SaveArtifact(artifact=doc, fence=mine, base=1, text="two"))
    clock.sleep(1000)

    stats = await space.read(q.Stats())

    actors = {each.actor: each for each in stats.actors}
    assert (actors["ana"].held_ms, actors["ana"].longest_ms, actors["ana"].saves) == (7000, 7000, 2)
    assert (actors["rod"].waits, actors["rod"].waited_ms, actors["rod"].held_ms) == (1, 2000, 1000)
    assert [(each.path, each.actor, each.held_ms) for each in stats.holds] == [
        ("doc.md", "ana", 7000), ("doc.md", "rod", 1000),
    ]  # fmt: skip


async def test_stats_say_what_models_cost_and_how_many_variations_were_accepted(space: LocalSpace) -> None:
    doc = await live_a_little(space)
    await space.execute(c.ForceLock(artifact=doc, reason="now", take=True))
    [state] = await space.read(q.Locks(doc))
    await space.execute(c.AcceptVariation(set="s", number=1, artifact=doc, fence=state.lock.fence, base=2))

    [model] = (await space.read(q.Stats())).models

    assert (model.agent, model.model, model.calls, model.cost_micros) == ("edwin", "m", 1, 300)
    assert (model.variations, model.accepted) == (2, 1)


# --- export and import ------------------------------------------------------------------------------


async def test_an_exported_space_comes_back_and_goes_out_again_bit_by_bit(
    space: LocalSpace, tmp_path: Path
) -> None:
    doc = await live_a_little(space)
    other = MemorySpace()

    out = await space.export_to(tmp_path / "one")
    back = await other.import_from(tmp_path / "one")
    await other.export_to(tmp_path / "two")

    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    assert (back.events, back.blobs) == (out.events, out.blobs)
    assert await other.read(q.Verify()) == []
    assert [event async for event in other.events()] == [event async for event in space.events()]
    live = await other.read(q.LiveDraft(doc))
    assert live is not None and live.text == "rod writes 🙂"
    assert (tmp_path / "one" / "files" / "doc.md").read_bytes() == b"two\n"


async def test_an_imported_space_goes_on(space: LocalSpace, tmp_path: Path) -> None:
    doc = await live_a_little(space)
    await space.export_to(tmp_path / "out")
    other = MemorySpace()
    await other.import_from(tmp_path / "out")

    granted = (await other.execute(c.AcquireLock(artifact=doc))).ok

    [state] = await other.read(q.Locks(doc))
    assert granted.fence == state.lock.fence and await other.read(q.Verify()) == []


async def test_a_space_that_came_without_answers_is_sound_and_carries_nothing_out_twice(
    tmp_path: Path,
) -> None:
    space = MemorySpace()
    command = c.CreateArtifact(path="doc.md", text="one\n")
    await space.execute(command, id="once")
    await space.export_to(tmp_path / "out")
    (tmp_path / "out" / "replies.jsonl").write_bytes(b"")  # as a client of a hub exports it
    store = SqliteStore(tmp_path / "back.db")
    back = LocalSpace(store, space.actor)
    await back.import_from(tmp_path / "out")

    assert await back.read(q.Verify()) == []
    with pytest.raises(Gone, match="carried out before"):
        await back.execute(command, id="once")
    assert [row.path for row in await back.read(q.Artifacts())] == ["doc.md"]
    await back.export_to(tmp_path / "again")
    assert files_of(tmp_path / "again") == files_of(tmp_path / "out")
    await back.close()


async def test_an_export_needs_a_new_folder_and_an_import_an_empty_space(
    space: LocalSpace, tmp_path: Path
) -> None:
    await live_a_little(space)
    await space.export_to(tmp_path / "out")

    with pytest.raises(BadInput):
        await space.export_to(tmp_path / "out")
    with pytest.raises(Exists):
        await space.import_from(tmp_path / "out")


def edit_event(folder: Path, at: int, change: Callable[[dict[str, Any]], None]) -> None:
    """Change an event as somebody would who can compute chains."""
    events = [json.loads(line) for line in (folder / "events.jsonl").read_bytes().splitlines()]
    change(events[at - 1])
    chain = GENESIS
    for event in events:
        del event["chain"]
        chain = chain_after(chain, canonical_json(event))
        event["chain"] = chain
    (folder / "events.jsonl").write_bytes(b"".join(canonical_json(event) + b"\n" for event in events))
    manifest = json.loads((folder / "flowide-space.json").read_text())
    manifest |= {"head": len(events), "chain": chain}
    (folder / "flowide-space.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("ts", ["not a time", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "\\ud800", "~"])
async def test_times_that_cannot_be_keep_no_space_out(ts: str, tmp_path: Path) -> None:
    source, target = MemorySpace(), MemorySpace()
    await live_a_little(source)
    await source.export_to(tmp_path / "out")
    (tmp_path / "out" / "replies.jsonl").write_bytes(b"")
    edit_event(tmp_path / "out", 3, lambda event: event.update(ts=ts))

    moved = await target.import_from(tmp_path / "out")

    assert moved.events == await target.head()


def _path(path: str) -> Callable[[dict[str, Any]], None]:
    return lambda event: event["data"].update(path=path)


HOSTILE: dict[str, Callable[[Path], Any]] = {
    "events.jsonl:2 path up": lambda to: edit_event(to, 2, _path("../outside.md")),
    "events.jsonl:2 path absolute": lambda to: edit_event(to, 2, _path("/etc/passwd")),
    "events.jsonl:2 version": lambda to: edit_event(to, 2, lambda e: e["data"].update(version=7)),
    "events.jsonl:1 fence": lambda to: edit_event(to, 1, lambda e: e["data"].update(fence=0)),
    "events.jsonl:2 content": lambda to: edit_event(to, 2, lambda e: e["data"].update(sha256="../../x")),
    "events.jsonl:2 type": lambda to: edit_event(to, 2, lambda e: e["data"].update(version="one")),
    "events.jsonl:2 huge": lambda to: edit_event(to, 2, lambda e: e["data"].update(size=2**70)),
    "events.jsonl:3 actor": lambda to: edit_event(to, 3, lambda e: e["actor"].update(kind="god")),
    "events.jsonl:3 order": lambda to: edit_event(to, 3, lambda e: e.update(seq=4)),
    "events.jsonl:1 chain": lambda to: _replace(to / "events.jsonl", b'"purpose":"create"', b'"purpose":"CREATE"'),
    "events.jsonl:1 no json": lambda to: _replace(to / "events.jsonl", b"{", b"[", count=1),
    "events.jsonl:1 not canonical": lambda to: _replace(to / "events.jsonl", b'"actor":', b'"actor": ', count=1),
    "events.jsonl cut": lambda to: _cut(to / "events.jsonl", 10),
    "events.jsonl fewer": lambda to: _drop_line(to / "events.jsonl", -1),
    "blobs other bytes": lambda to: next((to / "blobs").rglob("*/*")).write_bytes(b"other"),
    "blobs missing": lambda to: next((to / "blobs").rglob("*/*")).unlink(),
    "blobs link out": lambda to: _link(next((to / "blobs").rglob("*/*"))),
    "blobs stranger": lambda to: _stranger(to / "blobs" / "zz"),
    "events.jsonl link out": lambda to: _link(to / "events.jsonl"),
    "events.jsonl fifo": lambda to: _fifo(to / "events.jsonl"),
    "replies.jsonl:1": lambda to: _replace(to / "replies.jsonl", b'"seq', b'"sex'),
    "live.jsonl no text": lambda to: _drop_line(to / "live.jsonl", 1),
    "flowide-space.json format": lambda to: _replace(to / "flowide-space.json", b'"format": 1', b'"format": 2'),
    "flowide-space.json missing": lambda to: (to / "flowide-space.json").unlink(),
}  # fmt: skip


def _replace(file: Path, old: bytes, new: bytes, count: int = -1) -> None:
    data = file.read_bytes()
    assert old in data
    file.write_bytes(data.replace(old, new, count))


def _cut(file: Path, size: int) -> None:
    file.write_bytes(file.read_bytes()[:-size])


def _drop_line(file: Path, at: int) -> None:
    lines = file.read_bytes().splitlines(keepends=True)
    del lines[at]
    file.write_bytes(b"".join(lines))


def _stranger(folder: Path) -> None:
    folder.mkdir()
    (folder / "x").touch()


def _fifo(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def _link(file: Path) -> None:
    """The same bytes, but behind a link that leads out."""
    outside = file.parents[1 if file.parent.name == "out" else 4] / f"outside-{file.name}"
    outside.write_bytes(file.read_bytes())
    file.unlink()
    file.symlink_to(outside)


@pytest.mark.parametrize("how", HOSTILE)
async def test_a_hostile_export_changes_nothing_and_its_place_is_named(how: str, tmp_path: Path) -> None:
    source, target = MemorySpace(), MemorySpace()
    await live_a_little(source)
    await source.export_to(tmp_path / "out")
    HOSTILE[how](tmp_path / "out")

    with pytest.raises(BadInput) as refused:
        await target.import_from(tmp_path / "out")

    assert how.split(maxsplit=1)[0] in refused.value.message
    assert await target.head() == 0 and target.store.blob_names() == []
