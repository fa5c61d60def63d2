"""Search in PostgreSQL finds what the store in memory finds, whatever is asked."""

from __future__ import annotations

import pytest

from flowide.domain import commands as c
from flowide.space import queries as q
from flowide.space.local import LocalSpace
from flowide.testing import MemorySpace
from tests.store.postgres.conftest import Place

TEXTS = [
    "def snake_case_name(): return cache_size",
    "snake something case name",
    "Ünïcödé and Straße, İstanbul, 漢字 仮名",
    "a 'quoted' \"word\" \\ back:slash & amp | pipe ! not <-> near:*",
    "x" * 5000 + " long word",
    "one two three " * 6000 + "needle_in_haystack at the end",
    "1.5e10 v2.0.1 C++ C# 3,000 user@example.org https://example.org/a?b=c",
    "",
]
QUESTIONS = [
    "snake_case", "snake case", "snake", "CASE", "cache_si", "name snake", "unicode", "strasse", "istanbul", "漢字",
    "漢", "'quoted'", '"word"', "\\", "&", "back:slash", "near:*", "x" * 5000, "x" * 300, "needle_in_hay", "three one",
    "three_one", "2.0.1", "C++", "user@example.org", "https://example.org/a?b", "nothing", "!", "a b c d e",
]  # fmt: skip


async def fill(space: LocalSpace) -> LocalSpace:
    for at, text in enumerate(TEXTS):
        await space.execute(c.CreateArtifact(id=f"a{at}", path=f"{at}.md", text=text))
    return space


async def test_the_same_is_found_as_in_memory(place: Place) -> None:
    here, memory = await fill(place.open()), await fill(MemorySpace())

    for question in QUESTIONS:
        found = {(hit.ref, hit.excerpt) for hit in await here.read(q.Search(question))}
        assert found == {(hit.ref, hit.excerpt) for hit in await memory.read(q.Search(question))}, question


@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_the_best_come_first_and_no_more_than_were_asked_for(place: Place, limit: int) -> None:
    space = place.open()
    for at in range(6):
        await space.execute(c.CreateArtifact(path=f"{at}.md", text="otter " * (at + 1) + "other " * 20))

    hits = await space.read(q.Search("otter", limit=limit))

    assert [hit.title for hit in hits] == [f"{at}.md" for at in range(5, -1, -1)][:limit]


async def test_a_text_of_more_words_than_an_index_takes_is_found_all_the_same(place: Place) -> None:
    space = place.open()
    many = " ".join(f"word{at}" for at in range(150_000))
    blob = await space.put_blob(many.encode())
    await space.execute(c.CreateArtifact(path="many.md", blob=blob))

    assert [hit.title for hit in await space.read(q.Search("word7"))] == ["many.md"]
    assert await space.read(q.Verify()) == []
