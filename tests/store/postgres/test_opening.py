"""Which databases are opened, what is said about those that are not, and how older ones are brought forward."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from flowide.domain import commands as c
from flowide.domain.rows import PROJECTIONS, TRANSIENT
from flowide.errors import BadInput, Exists, FlowError, NotFound, StorageFailed
from flowide.space import queries as q
from flowide.store.by_url import create_space, open_store, spaces
from flowide.store.postgres import address, schema
from flowide.store.postgres.database import Database
from flowide.store.postgres.roles import grants, prepare
from flowide.store.shape import shape
from tests.postgres import Server
from tests.store.postgres.conftest import ROOT, Place


def database_of(url: str) -> str:
    return urlsplit(url).path.lstrip("/")


def test_spaces_are_made_found_and_listed_by_name(own: str) -> None:
    create_space(own, "team")
    create_space(own, "a-b")

    assert spaces(own) == ["a-b", "team"]
    with pytest.raises(Exists):
        create_space(own, "team")
    with pytest.raises(NotFound):
        open_store(own, "teem")


async def test_spaces_of_one_database_know_nothing_of_each_other(own: str) -> None:
    places = [Place(own, name) for name in ("one", "other")]
    for place in places:
        create_space(own, place.name)
    one, other = (place.open() for place in places)

    await one.execute(c.CreateArtifact(id="same", path="doc.md", text="words of one"), id="same-id")
    await other.execute(c.CreateArtifact(id="same", path="doc.md", text="words of other"), id="same-id")
    await other.execute(c.CreateArtifact(path="more.md", text="more"))

    assert (await one.head(), await other.head()) == (3, 6)
    assert await one.read(q.Content("same")) == b"words of one"
    found = [hit.excerpt for space in (one, other) for hit in await space.read(q.Search("words"))]
    assert found == ["words of one", "words of other"]
    assert [row.path for row in await one.read(q.Artifacts())] == ["doc.md"]
    await one.rebuild()
    for space in (one, other):
        assert await space.read(q.Verify()) == []
        await space.close()


def test_many_programs_that_start_at_once_make_the_tables_once(own: str) -> None:
    failed: list[BaseException] = []
    ready = threading.Barrier(5)

    def start() -> None:
        database = Database(own)
        try:
            ready.wait()
            database.prepare()
        except BaseException as error:
            failed.append(error)
        finally:
            database._shut()

    threads = [threading.Thread(target=start) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    assert spaces(own) == []


# --- refused ----------------------------------------------------------------------------------------


SECRET = "s3cr3t-w0rd"


def refusal(url: str) -> FlowError:
    with pytest.raises(FlowError) as refused:
        spaces(url)
    told = "".join(traceback.format_exception(refused.value)) + repr(refused.value.to_dict())
    assert SECRET not in told and "%40" not in told
    assert refused.value.hint and "\n" not in refused.value.message
    return refused.value


def test_a_wrong_password_is_one_clear_error_without_it(postgres: Server) -> None:
    postgres.sql("DROP ROLE IF EXISTS guarded; CREATE ROLE guarded LOGIN PASSWORD 'right'")

    wrong = refusal(postgres.url(user="guarded", password=f"{SECRET}%40x"))
    none = refusal(postgres.url(user="guarded"))
    rejected = refusal(postgres.url(user="nobody_here", password=SECRET))
    postgres.sql("DROP ROLE guarded")

    assert isinstance(wrong, StorageFailed) and "password" in wrong.message and "again" not in wrong.data
    assert "password" in none.hint and "pg_hba" in rejected.hint


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"postgresql://u:{SECRET}@/db?host=/nowhere", "Check that the server runs"),
        (f"postgresql://u:{SECRET}@127.0.0.1:1/db", "Check that the server runs"),
        (f"postgresql://u:{SECRET}@no-such-host.invalid/db", "Check that the server runs"),
        (f"postgresql://u:{SECRET}%zz@h/db", "%40"),
        (f"postgresql://u:{SECRET}@h:port/db", "Check"),
        (f"postgresql://u:{SECRET}@h/db?nonsense=1", "postgresql://user@host"),
    ],
)  # fmt: skip
def test_an_address_that_leads_nowhere_is_told_without_its_password(url: str, words: str) -> None:
    with pytest.raises(FlowError) as refused:
        spaces(url)
    told = "".join(traceback.format_exception(refused.value)) + repr(refused.value.to_dict())

    assert SECRET not in told and words in refused.value.hint


def test_a_database_that_is_missing_is_told(postgres: Server) -> None:
    assert "createdb" in refusal(postgres.url("not_there")).hint


def test_an_old_server_is_refused(own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "OLDEST", 99)

    assert "Use 99 or newer" in refusal(own).hint


def test_without_the_library_the_way_to_get_it_is_told() -> None:
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from flowide.store.by_url import spaces\n"
        "try: spaces('postgresql://h/d')\n"
        "except Exception as error: print(type(error).__name__, error.hint)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip

    assert done.stdout == "BadInput Install it: pip install 'flowide[postgres]'.\n"


# --- versions ---------------------------------------------------------------------------------------


async def test_a_newer_schema_is_refused_and_left_alone(lived_in: Place, postgres: Server) -> None:
    postgres.sql("UPDATE flowide.meta SET version = 99", database_of(lived_in.url))

    with pytest.raises(StorageFailed) as refused:
        lived_in.open()

    assert refused.value.data["schema"] == 99 and "Update FlowIDE" in refused.value.hint
    assert postgres.sql("SELECT version FROM flowide.meta", database_of(lived_in.url)) == [(99,)]


async def test_tables_of_another_shape_are_made_again_from_the_log_for_all_spaces(
    lived_in: Place, postgres: Server
) -> None:
    database = database_of(lived_in.url)
    create_space(lived_in.url, "second")
    second = Place(lived_in.url, "second").open()
    await second.execute(c.CreateArtifact(path="second.md", text="x"))
    await second.close()
    drafts = postgres.sql("SELECT * FROM flowide.live_drafts", database)
    postgres.sql(
        "ALTER TABLE flowide.locks ADD COLUMN colour text; DROP TABLE flowide.gates; "
        "DROP INDEX flowide.idx_tickets_artifact_seq; ALTER TABLE flowide.live_drafts ADD COLUMN mood text; "
        "UPDATE flowide.meta SET shape = 'of another day'",
        database,
    )

    space, second = lived_in.open(), Place(lived_in.url, "second").open()

    assert drafts and postgres.sql("SELECT * FROM flowide.live_drafts", database) == drafts
    assert [gate.id for gate in await space.read(q.Gates(None))] == ["g"]
    assert [row.path for row in await second.read(q.Artifacts())] == ["second.md"]
    for each in (space, second):
        assert await each.read(q.Verify()) == []
    await second.close()
    assert postgres.sql("SELECT shape FROM flowide.meta", database) == [(shape(),)]


async def test_a_hub_that_is_at_work_notices_that_the_tables_are_of_another_version(
    lived_in: Place, postgres: Server
) -> None:
    space = lived_in.open()
    postgres.sql("UPDATE flowide.space SET shape = 'of a newer day'", database_of(lived_in.url))

    with pytest.raises(StorageFailed) as refused:
        await space.execute(c.CreateArtifact(path="x.md", text=""))

    assert "Restart" in refused.value.hint


async def test_a_migration_that_fails_leaves_the_database_as_it_was(
    own: str, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_space(own, "team")
    before = postgres.run("pg_dump", "--restrict-key", "x", own)

    def broken(session: schema.Session) -> None:
        session.run([("DROP TABLE flowide.events", ())])
        session.run([("SELECT 1/0", ())])

    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, broken))
    with pytest.raises(FlowError):
        open_store(own, "team")
    monkeypatch.undo()

    assert postgres.run("pg_dump", "--restrict-key", "x", own) == before
    open_store(own, "team").close()


def test_a_new_database_needs_no_fitting(own: str) -> None:
    create_space(own, "team")
    database = Database.of(own)
    with database.fresh() as session:
        made = [schema._replace(session, row, keep=False) for row in (*PROJECTIONS, *TRANSIENT)]
    database.close()

    assert not any(made)


# --- rights -----------------------------------------------------------------------------------------


@pytest.fixture
def hub_role(postgres: Server) -> str:
    postgres.sql(
        "DO $$ BEGIN CREATE ROLE hub LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$; "
        "ALTER ROLE hub NOSUPERUSER"
    )
    return "hub"


async def test_a_hub_works_with_the_rights_it_is_given_and_cannot_rewrite_history(
    own: str, postgres: Server, hub_role: str
) -> None:
    database = database_of(own)
    prepare(own, hub_role)
    url = postgres.url(database, user=hub_role)
    create_space(url, "team")
    space = Place(url, "team").open()

    from tests.contract.sample import live_a_little

    await live_a_little(space)
    assert await space.read(q.Search("variation"))
    await space.rebuild()
    assert await space.read(q.Verify()) == []
    await space.close()
    for forbidden in (
        "UPDATE flowide.events SET body = ''", "DELETE FROM flowide.events", "DELETE FROM flowide.blobs",
        "UPDATE flowide.blobs SET data = ''", "UPDATE flowide.replies SET reply = ''", "DELETE FROM flowide.space",
        "UPDATE flowide.space SET name = 'x'", "DROP TABLE flowide.events", "CREATE TABLE flowide.mine (x int)",
        "TRUNCATE flowide.events", "UPDATE flowide.meta SET version = 1", "TABLE flowide.hubs",
    ):  # fmt: skip
        import psycopg

        with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(forbidden.encode())


async def test_rights_come_back_when_tables_are_made_again(own: str, postgres: Server, hub_role: str) -> None:
    prepare(own, hub_role)
    url = postgres.url(database_of(own), user=hub_role)
    create_space(own, "team")
    postgres.sql(
        "ALTER TABLE flowide.locks ADD COLUMN colour text; UPDATE flowide.meta SET shape = ''",
        database_of(own),
    )

    with pytest.raises(StorageFailed) as refused:
        open_store(url, "team")
    open_store(own, "team").close()
    space = Place(url, "team").open()
    await space.execute(c.CreateArtifact(path="x.md", text="", lock=True))
    await space.close()

    assert "flowide database prepare" in refused.value.hint


def test_a_role_that_is_not_there_or_no_name_is_refused(own: str) -> None:
    with pytest.raises(NotFound):
        prepare(own, "not_there")
    with pytest.raises(BadInput):
        prepare(own, 'x"; DROP TABLE events; --')


def test_the_rights_that_are_documented_are_those_that_are_given() -> None:
    page = (ROOT / "docs" / "postgresql.md").read_text()
    rows = ", ".join(f'flowide."{row.TABLE}"' for row in (*PROJECTIONS, *TRANSIENT))
    for statement in grants("flowide_hub"):
        assert statement.replace(rows, "…") in page


# --- backup -----------------------------------------------------------------------------------------


async def test_a_backup_comes_back_whole_and_goes_on(
    lived_in: Place, postgres: Server, tmp_path: Path
) -> None:
    file = tmp_path / "backup.dump"
    before = open_store(lived_in.url, lived_in.name)
    head = before.position()
    before.close()
    postgres.run("pg_dump", "-Fc", "-f", str(file), lived_in.url)
    restored = postgres.new_database()

    postgres.run("pg_restore", "--exit-on-error", "-d", postgres.url(restored), str(file))

    place = Place(postgres.url(restored), lived_in.name)
    space = place.open()
    assert space.store.position() == head
    assert await space.read(q.Verify()) == []
    assert await space.read(q.Search("variation"))
    made = await space.execute(c.CreateArtifact(path="after.md", text="x"))
    assert made.seq == head.seq + 3
    create_space(place.url, "another")
    await space.close()
    postgres.sql(f"DROP DATABASE {restored} WITH (FORCE)")
