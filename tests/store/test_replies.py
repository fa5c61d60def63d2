"""Stored replies: long enough for everybody who sends again, and not for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowide.domain import commands as c
from flowide.domain.ids import uuid7
from flowide.space import queries as q
from flowide.store.api import StoredReply
from flowide.store.sqlite import SqliteStore
from flowide.store.views import REPLY_DAYS
from tests.store.conftest import Open, sql

DAY_MS = 86_400_000
NOW_MS = 1_800_000_000_000


def id_of(wall_ms: int, last: str) -> str:
    """A UUIDv7 of a moment."""
    stamp = f"{wall_ms:012x}"
    return f"{stamp[:8]}-{stamp[8:]}-7{uuid7()[15:34]}{last}"


def test_replies_are_let_go_after_fourteen_days_and_not_before(database: Path) -> None:
    store = SqliteStore(database)
    answer = StoredReply("0" * 64, b'{"seq": 0, "ok": {}}')
    ages = {"old": REPLY_DAYS * DAY_MS + 1, "older": 100 * DAY_MS, "young": REPLY_DAYS * DAY_MS - 1000}
    ids = {name: id_of(NOW_MS - age, "01") for name, age in ages.items()}
    with store.write() as tx:
        for name, id in ids.items():
            tx.put_reply(id, answer, NOW_MS - ages[name])
        tx.put_reply("a name that is no UUID", answer, NOW_MS - 100 * DAY_MS)

    with store.write() as tx:
        tx.put_reply(id_of(NOW_MS, "00"), answer, NOW_MS)

    with store.write() as tx:
        assert {name: tx.reply(id) is not None for name, id in ids.items()} == {
            "old": False, "older": False, "young": True,
        }  # fmt: skip
    store.close()


async def test_a_reply_outlives_the_process_that_got_it(open_here: Open) -> None:
    id, command = uuid7(), c.CreateArtifact(path="a.md", text="x")
    first = await open_here().execute(command, id=id)

    assert await open_here().execute(command, id=id) == first


@pytest.mark.parametrize("text", ["short", "compressible " * 5000], ids=["raw", "packed"])
async def test_the_same_bytes_are_stored_once(open_here: Open, database: Path, text: str) -> None:
    space = open_here()
    for path in ("a.md", "b.md"):
        made = (await space.execute(c.CreateArtifact(path=path, text=text))).ok
        assert await space.read(q.Content(made.artifact)) == text.encode()

    [(count, stored)] = sql(database, 'SELECT count(*), sum(length("data")) FROM "blobs"')
    assert count == 1 and stored <= max(100, len(text) // 10)
