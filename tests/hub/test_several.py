"""Several hubs on one database are one hub to their clients: on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.hub.client import Person, Stream, chained, command
from tests.hub.conftest import RunningHub, running_hub, token_of

_names = itertools.count(1)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def hubs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RunningHub, RunningHub]]:
    """Two hubs on one database."""
    if request.param == "postgres":
        server = request.getfixturevalue("postgres")
        database = server.url(server.new_database())
    else:
        database = str(tmp_path_factory.mktemp("hubs") / "spaces")
    with running_hub(database) as one, running_hub(database) as two:
        yield one, two


@pytest.fixture
def seats(hubs: tuple[RunningHub, RunningHub]) -> tuple[Person, Person]:
    """Ana at the one hub, rod at the other, in a new space."""
    space = f"shared-{next(_names)}"
    people = [
        Person(hub.base, space, token_of(hub.database, space, handle))
        for hub, handle in zip(hubs, ("ana", "rod"), strict=True)
    ]
    return people[0], people[1]


def test_two_hubs_on_one_database_are_one_space(seats: tuple[Person, Person]) -> None:
    ana, rod = seats
    with ana.stream() as here, rod.stream() as there:
        for stream in (here, there):
            stream.until("up_to_date")
        for number in range(10):
            seats[number % 2].do("artifact.create", path=f"{number}.md", text="")
        for stream in (here, there):
            while len([event for event in stream.events if event["type"] == "artifact.created"]) < 10:
                stream.next()

    assert here.events == there.events == ana.events() == rod.events()
    assert here.seen[0]["hub"] == there.seen[0]["hub"]
    chained(here.events)


def test_a_lock_is_one_through_two_hubs(seats: tuple[Person, Person]) -> None:
    ana, rod = seats
    doc = ana.do("artifact.create", path="a.md", text="")["artifact"]
    ana.do("lock.acquire", artifact=doc)

    assert rod.refused("lock.acquire", artifact=doc)["data"]["holder"] == "ana"


def test_many_at_once_through_two_hubs_get_dense_versions_and_growing_fences(
    seats: tuple[Person, Person],
) -> None:
    doc = seats[0].do("artifact.create", path="a.md", text="0")["artifact"]

    def work(person: Person) -> int:
        saved = 0
        with person.stream() as stream:
            while saved < 5:
                [got] = stream.post(command("lock.acquire", artifact=doc))
                if "err" in got:
                    assert got["err"]["code"] == "busy"
                    continue
                ok = got["ok"]
                [done] = stream.post(
                    command(
                        "artifact.save", artifact=doc, fence=ok["fence"], base=ok["version"], text=f"{saved}"
                    )
                )
                assert "ok" in done, done
                saved += 1
        return saved

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, [person.again() for person in seats for _ in range(2)])) == [5] * 4

    events = seats[0].events()
    chained(events)
    versions = [event["data"]["version"] for event in events if event["type"] == "artifact.saved"]
    fences = [event["data"]["fence"] for event in events if event["type"] == "lock.acquired"]
    assert versions == list(range(2, 22))
    assert fences == sorted(set(fences))


def test_the_same_command_through_both_hubs_happens_once(seats: tuple[Person, Person]) -> None:
    ana, rod = seats
    elsewhere = Person(rod.base, ana.space, ana.token)
    elsewhere.client = ana.client
    sent = command("artifact.create", path="a.md", text="")

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda person: person.post(sent), (ana, elsewhere))

    assert first == second
    assert len([event for event in ana.events() if event["type"] == "artifact.created"]) == 1


def test_a_draft_is_watched_through_another_hub(seats: tuple[Person, Person]) -> None:
    ana, rod = seats
    doc = ana.do("artifact.create", path="a.md", text="")["artifact"]
    fence = ana.do("lock.acquire", artifact=doc)["fence"]
    with rod.stream() as stream:
        stream.send({"type": "sub", "drafts": [doc]})
        stream.ask("Artifacts")
        text = bytearray()

        def take(until: str) -> None:
            while text.decode() != until:
                frame = stream.until("draft")
                if frame["cut"]:
                    del text[frame["off"] :]
                text[frame["off"] :] = frame["text"].encode()

        ana.do("draft.append", artifact=doc, fence=fence, off=0, text="one two")
        take("one two")
        ana.do("draft.append", artifact=doc, fence=fence, off=4, text="six", cut=True)
        take("one six")
        ana.do("draft.append", artifact=doc, fence=fence, off=3, text="", cut=True)
        take("one")


def test_a_revocation_through_one_hub_ends_the_stream_of_another(seats: tuple[Person, Person]) -> None:
    ana, rod = seats
    with rod.stream() as stream:
        stream.until("up_to_date")
        ana.do("member.remove", member="rod")

        assert stream.until("bye")["code"] == "auth"


def test_an_invitation_of_one_hub_is_good_at_the_other(seats: tuple[Person, Person]) -> None:
    ana, rod = seats
    code = ana.do("member.invite", role="viewer")["code"]

    answer = rod.http("POST", "/v1/join", {"code": code, "handle": "vera", "device": "pc"})

    assert answer.json["role"] == "viewer"
    assert Person(ana.base, ana.space, answer.json["token"]).get("/v1/me").json["member"] == "vera"


def test_all_who_are_connected_are_seen_whatever_hub_they_came_through(seats: tuple[Person, Person]) -> None:
    ana, rod = seats

    def until(stream: Stream, here: list[tuple[str, str | None]]) -> None:
        while [(each["actor"], each["at"]) for each in stream.until("presence")["here"]] != here:
            pass

    with rod.stream() as there:
        with ana.stream() as here:
            for stream in (here, there):
                until(stream, [("rod", None), ("ana", None)])
            here.send({"type": "sub", "drafts": [], "at": "a.md"})
            until(there, [("rod", None), ("ana", "a.md")])
        until(there, [("rod", None)])
