"""A database that was tampered with is told, and spaces move between databases bit by bit."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from flowide.domain import commands as c
from flowide.space import queries as q
from flowide.store.by_url import create_space
from flowide.testing import MemorySpace
from tests.contract.sample import live_a_little
from tests.contract.test_audit import files_of
from tests.postgres import Server
from tests.store.postgres.conftest import Place


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ("UPDATE events SET body = replace(body, '\"ana\"', '\"eve\"') WHERE seq = 7", "log"),
        ("DELETE FROM events WHERE seq = 7", "log"),
        ("UPDATE space SET seq = seq - 1", "log"),
        ("UPDATE versions SET note = 'forged'", "table"),
        ("DELETE FROM locks", "table"),
        ("UPDATE blobs SET data = '\\x00' WHERE size = (SELECT max(size) FROM blobs)", "content"),
        ("DELETE FROM blobs", "content"),
        ("UPDATE replies SET reply = 'x'", "file"),
        ("DELETE FROM replies", "file"),
        ("UPDATE texts SET sha256 = 'x' WHERE kind = 'version'", "file"),
        ("UPDATE space SET indexed = 10000", "file"),
        ("DELETE FROM migrations", "file"),
        ("DELETE FROM live_drafts", "live"),
    ],
)
async def test_what_was_changed_by_hand_is_named(
    lived_in: Place, postgres: Server, change: str, where: str
) -> None:
    space = lived_in.open()
    await space.read(q.Search("variation"))
    assert await space.read(q.Verify()) == []
    postgres.sql(f"SET search_path = flowide; {change}", urlsplit(lived_in.url).path.lstrip("/"))

    found = await space.read(q.Verify())

    assert where in {problem.where for problem in found}
    if where == "log" and "7" in change:
        assert found[0].seq == 7


async def test_tables_that_do_not_follow_from_the_log_are_made_again(
    lived_in: Place, postgres: Server
) -> None:
    space = lived_in.open()
    postgres.sql("UPDATE flowide.versions SET note = 'forged'", urlsplit(lived_in.url).path.lstrip("/"))
    assert await space.read(q.Verify())

    await space.rebuild()

    assert await space.read(q.Verify()) == []


async def test_a_log_that_was_cut_is_searched_as_far_as_it_goes(own: str, postgres: Server) -> None:
    create_space(own, "team")
    space = Place(own, "team").open()
    for at in range(2):
        await space.execute(c.CreateArtifact(path=f"{at}.md", text=f"otter {at}"))
    postgres.sql("DELETE FROM flowide.events WHERE seq > 3", urlsplit(own).path.lstrip("/"))

    hits = await space.read(q.Search("otter"))

    assert [hit.title for hit in hits] == ["0.md"]
    await space.close()


async def test_a_space_moves_into_postgresql_and_out_again_bit_by_bit(place: Place, tmp_path: Path) -> None:
    source = MemorySpace()
    await live_a_little(source)
    await source.export_to(tmp_path / "one")
    space = place.open()

    await space.import_from(tmp_path / "one")
    await space.export_to(tmp_path / "two")

    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    assert await space.read(q.Verify()) == []
    assert space.store.position() == source.store.position()


async def test_an_import_that_is_refused_leaves_nothing(place: Place, tmp_path: Path) -> None:
    source = MemorySpace()
    await live_a_little(source)
    await source.export_to(tmp_path / "one")
    (tmp_path / "one" / "events.jsonl").write_bytes((tmp_path / "one" / "events.jsonl").read_bytes()[:-5])
    space = place.open()

    with pytest.raises(Exception, match=r"events\.jsonl"):
        await space.import_from(tmp_path / "one")

    assert await space.head() == 0 and space.store.blob_names() == []


async def test_the_content_of_a_version_is_stored_packed_and_once(place: Place, postgres: Server) -> None:
    space = place.open()
    for path in ("a.md", "b.md"):
        await space.execute(c.CreateArtifact(path=path, text="compressible " * 5000))

    found = postgres.sql(
        "SELECT count(*), sum(length(data)) FROM flowide.blobs JOIN flowide.space USING (space) WHERE name = %s",
        "postgres", place.name,
    )  # fmt: skip
    [(storage,)] = postgres.sql(
        "SELECT attstorage::text FROM pg_attribute WHERE attrelid = 'flowide.blobs'::regclass AND attname = 'data'"
    )

    assert found[0][0] == 1 and int(str(found[0][1])) < 6500
    assert storage == "e"
