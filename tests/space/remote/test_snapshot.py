"""A snapshot puts another log in place of the replica's, all of it or nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flowide.domain import commands as c
from flowide.domain.actors import Actor
from flowide.domain.rows import PROJECTIONS
from flowide.errors import FlowError
from flowide.space.local import LocalSpace
from flowide.space.remote.replica import Diverged, Replica
from flowide.space.wire import snapshot
from flowide.store.sqlite import SqliteStore
from tests.contract.sample import live_a_little

ANA = Actor("ana")


@pytest.fixture
async def hub(tmp_path: Path) -> SqliteStore:
    store = SqliteStore(tmp_path / "hub.db")
    await live_a_little(LocalSpace(store, ANA))
    return store


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Replica]:
    made = Replica(tmp_path / "replica.db")
    yield made
    made.close()


def lines(store: SqliteStore) -> list[bytes]:
    return b"".join(snapshot.lines(store, "h")).splitlines()


def rows(store: SqliteStore) -> list[list[str]]:
    with store.read():
        return [sorted(map(repr, store.rows(kind))) for kind in PROJECTIONS]


async def test_a_replica_made_from_a_snapshot_is_the_hubs_log_and_tables(
    hub: SqliteStore, replica: Replica
) -> None:
    head = replica.replace(iter(lines(hub)))

    assert (head.hub, replica.position()) == ("h", hub.position())
    assert replica.store.bodies(0, 100) == hub.bodies(0, 100)
    assert rows(replica.store) == rows(hub)


async def test_tables_of_another_version_are_folded_from_the_log(hub: SqliteStore, replica: Replica) -> None:
    older = [
        line.replace(b'"path_key",', b"").replace(b'"doc.md","doc.md"', b'"doc.md"') for line in lines(hub)
    ]

    replica.replace(iter(older))

    assert rows(replica.store) == rows(hub)


async def test_a_replica_that_followed_the_stream_is_the_same(hub: SqliteStore, replica: Replica) -> None:
    events = hub.events(0, 100)

    await replica.follow(events[:5])
    await replica.follow(events[3:])

    assert replica.position() == hub.position()
    assert rows(replica.store) == rows(hub)


@pytest.mark.parametrize(
    "harm", ["cut", "no end", "an event changed", "an event missing", "garbage", "empty"]
)
async def test_a_snapshot_that_is_not_whole_changes_nothing(
    hub: SqliteStore, replica: Replica, harm: str
) -> None:
    await replica.follow(hub.events(0, 3))
    before = rows(replica.store)
    sent = lines(hub)
    harmed = {
        "cut": sent[:10],
        "no end": sent[:-1],
        "an event changed": [line.replace(b"rod", b"ben") for line in sent],
        "an event missing": sent[:4] + sent[5:],
        "garbage": [sent[0], b"\xff\x00 nonsense", *sent[1:]],
        "empty": [],
    }[harm]

    with pytest.raises(Diverged):
        replica.replace(iter(harmed))

    assert replica.position().seq == 3
    assert rows(replica.store) == before


async def test_events_of_another_log_are_noticed(hub: SqliteStore, replica: Replica, tmp_path: Path) -> None:
    other = SqliteStore(tmp_path / "other.db")
    await live_a_little(LocalSpace(other, ANA))
    await replica.follow(hub.events(0, 5))

    with pytest.raises(Diverged):
        await replica.follow(other.events(5, 3))
    with pytest.raises(Diverged, match="follows"):
        await replica.follow(hub.events(7, 3))

    assert replica.position().seq == 5
    other.close()


async def test_the_search_finds_what_a_new_snapshot_brings(hub: SqliteStore, replica: Replica) -> None:
    space = LocalSpace(hub, ANA)
    replica.replace(iter(lines(hub)))
    assert replica.store.search("kingfisher", 5) == []
    await space.execute(c.CreateArtifact(path="bird.md", text="a kingfisher\n"))
    replica.replace(iter(lines(hub)))

    replica.keep_blobs({name: hub.blob(name) or b"" for name in hub.blob_names()})

    from flowide.space import queries as q

    assert [hit.title for hit in replica.answer(q.Search("kingfisher"), space.now())] == ["bird.md"]


def test_a_content_that_is_not_what_its_name_says_is_refused(replica: Replica) -> None:
    with pytest.raises(FlowError, match="other bytes"):
        replica.keep_blobs({"0" * 64: b"hello"})

    assert replica.store.blob_names() == []


async def test_following_that_was_given_up_leaves_the_replica_free(
    hub: SqliteStore, replica: Replica
) -> None:
    busy, go = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as one:
        asyncio.get_running_loop().set_default_executor(one)
        one.submit(lambda: [each() for each in (busy.set, go.wait)])
        busy.wait(60)
        events = hub.events(0, 100)
        assert len(events) > 16

        following = asyncio.create_task(replica.follow(events))
        await asyncio.sleep(0.05)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        go.set()
        one.submit(lambda: None).result(60)

        assert await replica.follow(events) == hub.position()
