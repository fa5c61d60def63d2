"""Backends killed at each statement, servers restarted, hubs stopped: nothing is lost, and nothing done twice."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from flowide.domain import commands as c
from flowide.domain.ids import uuid7
from flowide.errors import StorageFailed
from flowide.space import queries as q
from flowide.store.by_url import create_space
from flowide.store.postgres import store as postgres_store
from flowide.store.postgres.address import IDLE_S, LOCK_S
from flowide.store.postgres.store import PostgresStore
from flowide.store.postgres.wire import Lost, Session, Statement
from tests.postgres import Server
from tests.store.postgres.conftest import ROOT, Place
from tests.store.test_disk import can_run

SUICIDE: Statement = ("SELECT pg_terminate_backend(pg_backend_pid())", ())


class Killer:
    """Has the backend end itself before the statement of a number, counted over all connections."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left: int | None = None
        """Statements until it happens; None = it will not."""
        plain = Session.run

        def run(session: Session, statements: Sequence[Statement], **more: Any) -> list[Any]:
            if self.left is not None:
                at, self.left = self.left, self.left - len(statements)
                if at <= len(statements):
                    self.left = None
                    statements = [*statements[:at], SUICIDE, *statements[at:]]
            return plain(session, statements, **more)

        monkeypatch.setattr(Session, "run", run)


@pytest.fixture
def killer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Killer]:
    yield Killer(monkeypatch)


async def test_a_backend_killed_at_any_statement_of_a_cycle_changes_nothing_about_it(
    place: Place, killer: Killer
) -> None:
    space = place.open()
    doc = (await space.execute(c.CreateArtifact(path="doc.md", text="0"))).ok.artifact
    version, deaths, survived = 1, 0, 0
    while not survived:
        killer.left = deaths
        granted = (await space.execute(c.AcquireLock(artifact=doc))).ok
        fence = granted.fence or 0
        await space.execute(c.AppendDraft(artifact=doc, fence=fence, off=0, text="words"))
        await space.execute(c.RenewLock(artifact=doc, fence=fence))
        version = (
            await space.execute(
                c.SaveArtifact(artifact=doc, fence=fence, base=version, text=f"{deaths} " * 5000)
            )
        ).ok.version
        await space.read(q.History(doc))
        survived = killer.left is not None
        deaths += 1
        killer.left = None

    assert deaths > 40
    types = [event.type async for event in space.events()]
    assert types.count("artifact.saved") == types.count("lock.acquired") - 1 == deaths
    assert version == deaths + 1
    assert await space.read(q.Verify()) == []


@pytest.mark.parametrize("silent", [False, True], ids=["with a stored answer", "without"])
async def test_a_commit_whose_answer_is_lost_is_not_told_as_failed(
    place: Place, monkeypatch: pytest.MonkeyPatch, silent: bool
) -> None:
    space = place.open()
    doc = (await space.execute(c.CreateArtifact(path="doc.md", text="0", lock=True))).ok.artifact
    id = uuid7()
    command: c.Command[Any] = c.AppendDraft(artifact=doc, fence=1, off=0, text="words")
    if not silent:
        command = c.ReleaseLock(artifact=doc, fence=1)
    monkeypatch.setattr("flowide.space.away.AGAIN_S", ())  # nothing is tried twice
    plain = Session.run
    lost: list[Session] = []

    def run(session: Session, statements: Sequence[Statement], **more: Any) -> list[Any]:
        rows = plain(session, statements, **more)
        if statements[-1][0] == "COMMIT" and not lost:
            lost.append(session)
            session.close()
            raise Lost("the answer was lost")
        return rows

    monkeypatch.setattr(Session, "run", run)
    reply = await space.execute(command, id=id)

    assert lost and reply.seq == await space.head() == (2 if silent else 3)
    if silent:
        live = await space.read(q.LiveDraft(doc))
        assert live is not None and live.text == "words"
    else:
        assert await space.execute(command, id=id) == reply


async def test_a_commit_that_nobody_can_ask_about_is_told_as_unknown_and_the_id_tells_later(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = place.open()
    id, command = uuid7(), c.CreateArtifact(path="doc.md", text="0")
    plain = Session.run
    away = False

    def run(session: Session, statements: Sequence[Statement], **more: Any) -> list[Any]:
        nonlocal away
        if away:
            session.close()
            raise Lost("still away")
        rows = plain(session, statements, **more)
        if statements[-1][0] == "COMMIT":
            away = True
            session.close()
            raise Lost("the answer was lost")
        return rows

    monkeypatch.setattr(Session, "run", run)
    monkeypatch.setattr(postgres_store, "RESOLVE_S", 0.2)
    with pytest.raises(StorageFailed) as refused:
        await space.execute(command, id=id)
    monkeypatch.setattr(Session, "run", plain)

    assert "not known" in refused.value.hint and "same id" in refused.value.hint
    assert "again" not in refused.value.data
    assert (await space.execute(command, id=id)).seq == await space.head() == 3


async def test_connections_that_were_lost_while_idle_are_passed_over(
    place: Place, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = place.open()
    store = space.store
    assert isinstance(store, PostgresStore)
    sessions = [store._database.begin([("SELECT 1", ())])[0] for _ in range(4)]
    for session in sessions:
        store._database.end(session)
    monkeypatch.setattr("flowide.space.away.AGAIN_S", ())  # nothing is tried twice

    for session in sessions:
        postgres.sql(f"SELECT pg_terminate_backend({session.backend}, 10000)")

    await space.execute(c.CreateArtifact(path="doc.md", text="0"))
    assert await space.head() == 3


async def test_work_goes_on_over_a_restart_of_the_server(place: Place, postgres: Server) -> None:
    space, other = place.open(), place.open()
    doc = (await space.execute(c.CreateArtifact(path="doc.md", text="0"))).ok.artifact
    cycles, restarted = 0, False

    async def work() -> None:
        nonlocal cycles
        after = 0
        while after < 3:
            after += restarted
            fence = (await space.execute(c.AcquireLock(artifact=doc))).ok.fence or 0
            cycles += 1
            await space.execute(c.SaveArtifact(artifact=doc, fence=fence, base=cycles, text=f"{cycles}"))
            assert (await other.read(q.Artifacts()))[0].version == cycles + 1

    working = asyncio.create_task(work())
    for _ in range(3):
        while cycles % 5 < 4:
            await asyncio.sleep(0)
        postgres.stop(signal.SIGINT)
        postgres.start()
    restarted = True
    await working

    assert await space.read(q.Verify()) == []
    versions = [event.data["version"] async for event in other.events() if "version" in event.data]
    assert versions == list(range(1, cycles + 2))


async def test_a_server_that_stays_away_is_told_and_work_goes_on_when_it_is_back(
    place: Place, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = place.open()
    await space.execute(c.CreateArtifact(path="a.md", text="0"))
    monkeypatch.setattr("flowide.space.away.AGAIN_S", (0.0, 0.05))
    postgres.stop(signal.SIGQUIT)
    try:
        for work in (
            space.execute(c.CreateArtifact(path="b.md", text="")),
            space.read(q.Artifacts()),
            space.head(),
        ):
            with pytest.raises(StorageFailed) as refused:
                await work
            assert refused.value.hint and "flowide@" in refused.value.message
    finally:
        postgres.start()

    await space.execute(c.CreateArtifact(path="b.md", text=""))
    assert await space.read(q.Verify()) == []


STOPPED = """
import sys, time
from flowide.domain import commands as c
from flowide.domain.actors import Actor, Caller
from flowide.space.arbiter import Work, run
from flowide.space.away import StoreClock, persistently
from flowide.store.postgres import address
from flowide.store.postgres.store import PostgresStore

address._SETTINGS += ("SET idle_in_transaction_session_timeout = '1s'",)
store = PostgresStore(sys.argv[1], sys.argv[2])
slow = True

def work():
    global slow
    turn = store.write()
    if slow:
        slow = False
        print("mine", flush=True)
        sys.stdin.readline()
    command = Work(c.CreateArtifact(id="late", path="late.md", text="x"), Caller(Actor("rod"), "c", "id-of-late"))
    return run(command, turn, StoreClock(store))

print(persistently(work), flush=True)
store.close()
"""


def start(code: str, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


async def test_a_hub_that_is_stopped_within_a_transaction_holds_nobody_up(place: Place) -> None:
    space = place.open()
    stopped = start(STOPPED, place.url, place.name)
    try:
        assert stopped.stdout is not None and stopped.stdin is not None
        assert await asyncio.to_thread(stopped.stdout.readline) == "mine\n"
        stopped.send_signal(signal.SIGSTOP)

        await space.execute(c.CreateArtifact(path="meanwhile.md", text=""))

        assert stopped.poll() is None
        stopped.send_signal(signal.SIGCONT)
        said, _ = await asyncio.to_thread(stopped.communicate, "go on\n")
        assert "Reply(seq=6" in said
    finally:
        stopped.kill()
        stopped.communicate()
    paths = [row.path for row in await space.read(q.Artifacts())]
    assert sorted(paths) == ["late.md", "meanwhile.md"]
    assert await space.read(q.Verify()) == []


def test_the_server_ends_what_is_stopped_before_others_give_up_on_it(place: Place) -> None:
    store = PostgresStore(place.url, place.name)
    [[(idle,)], [(lock,)], [(synchronous,)]] = store._database.ask(
        *(
            (f"SHOW {name}", ())
            for name in ("idle_in_transaction_session_timeout", "lock_timeout", "synchronous_commit")
        )
    )
    store.close()

    assert (idle, lock, synchronous) == (f"{IDLE_S}s", f"{LOCK_S}s", "on") and IDLE_S < LOCK_S


@pytest.mark.parametrize(
    ("state", "words"),
    [("53100", "Free some space"), ("53200", "memory"), ("42501", "rights"), ("XX001", "verify")],
)
async def test_what_the_server_cannot_do_is_a_storage_failure_and_nothing_is_half_done(
    lived_in: Place, postgres: Server, state: str, words: str
) -> None:
    space = lived_in.open()
    head, blobs = await space.head(), len(space.store.blob_names())
    database = lived_in.url.split("/")[3].split("?")[0]
    postgres.sql(
        f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'it is full' "
        f"USING ERRCODE = '{state}'; END $$; "
        "CREATE TRIGGER fail BEFORE INSERT ON flowide.replies FOR EACH ROW EXECUTE FUNCTION fail()",
        database,
    )

    with pytest.raises(StorageFailed) as refused:
        await space.execute(c.CreateArtifact(path="x.md", text="x"))

    assert "it is full" in refused.value.message and words in refused.value.hint
    assert (await space.head(), len(space.store.blob_names())) == (head, blobs)
    postgres.sql("DROP TRIGGER fail ON flowide.replies", database)
    await space.execute(c.CreateArtifact(path="x.md", text="x"))
    assert await space.read(q.Verify()) == []


async def test_on_a_full_disk_reading_goes_on_and_work_does_when_there_is_room(postgres: Server) -> None:
    name = f"full{uuid.uuid4().hex[:8]}"
    folder = postgres.folder / name
    folder.mkdir()
    size = f"size=14m,uid={postgres.folder.stat().st_uid}"
    if not can_run("mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)):
        pytest.skip("needs the right to mount")
    try:
        postgres.sql(f"CREATE TABLESPACE {name} LOCATION '{folder}'")
        postgres.sql(f"CREATE DATABASE {name} TABLESPACE {name}")
        place = Place(postgres.url(name))
        create_space(place.url, place.name)
        space = place.open()
        doc = (await space.execute(c.CreateArtifact(path="doc.md", text="start"))).ok.artifact
        fence = (await space.execute(c.AcquireLock(artifact=doc, ttl_ms=86_400_000))).ok.fence or 0
        base = 1
        with pytest.raises(StorageFailed) as refused:
            for _ in range(400):
                text = os.urandom(60_000).hex()
                save = c.SaveArtifact(artifact=doc, fence=fence, base=base, text=text, then="keep")
                base = (await space.execute(save)).ok.version
        assert "Free some space" in refused.value.hint

        assert [row.version for row in await space.read(q.History(doc))] == list(range(1, base + 1))
        assert can_run("mount", "-o", "remount,size=60m", str(folder))
        await space.execute(c.SaveArtifact(artifact=doc, fence=fence, base=base, text="there is room"))
        assert await space.read(q.Verify()) == []
        await space.close()
    finally:
        postgres.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        postgres.sql(f"DROP TABLESPACE IF EXISTS {name}")
        can_run("umount", "-l", str(folder))


async def test_a_server_that_only_follows_another_is_told(lived_in: Place, postgres: Server) -> None:
    database = lived_in.url.split("/")[3].split("?")[0]
    postgres.sql(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    space = lived_in.open()

    assert await space.head() > 0
    with pytest.raises(StorageFailed) as refused:
        await space.execute(c.CreateArtifact(path="x.md", text="x"))

    assert "takes writes" in refused.value.hint


async def test_two_stores_with_many_threads_and_dying_backends_keep_one_dense_log(
    place: Place, postgres: Server
) -> None:
    stores = [PostgresStore(place.url, place.name) for _ in range(2)]
    space = place.open()
    docs = [
        (await space.execute(c.CreateArtifact(id=f"d{at}", path=f"{at}.md", text=""))).ok.artifact
        for at in range(3)
    ]
    holders: dict[str, set[int]] = {doc: set() for doc in docs}
    errors: list[BaseException] = []
    until = time.monotonic() + 3

    def fight(number: int) -> None:
        from flowide.domain.actors import Actor, Caller
        from flowide.errors import FlowError
        from flowide.space.arbiter import Work, run
        from flowide.space.away import StoreClock, persistently

        store = stores[number % 2]

        def send(command: c.Command[Any]) -> Any:
            work = Work(command, Caller(Actor(f"w{number}"), f"c{number}", uuid7()))
            return persistently(lambda: run(work, store.write(), StoreClock(store)))

        try:
            while time.monotonic() < until:
                for doc in docs:
                    granted = send(c.AcquireLock(artifact=doc))
                    if isinstance(granted, FlowError):
                        continue
                    assert granted.ok.fence not in holders[doc]
                    holders[doc].add(granted.ok.fence)
                    base = granted.ok.version
                    saved = send(
                        c.SaveArtifact(artifact=doc, fence=granted.ok.fence, base=base, text=f"{number}")
                    )
                    assert saved.ok.version == base + 1
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=fight, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    while time.monotonic() < until:
        await asyncio.sleep(0.3)
        postgres.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'flowide' "
            "AND pid <> pg_backend_pid() ORDER BY random() LIMIT 2"
        )
    for thread in threads:
        thread.join()
    for store in stores:
        store.close()

    assert errors == []
    events = [event async for event in space.events()]
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    saves = sum(event.type == "artifact.saved" for event in events)
    assert saves == sum(map(len, holders.values())) > 10
    assert await space.read(q.Verify()) == []
