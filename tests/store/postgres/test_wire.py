"""Values and statements on the way to PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowide.store.mapping import for_postgres
from flowide.store.postgres.address import Address
from flowide.store.postgres.statements import MOST_BYTES, MOST_WAITING, Statements
from flowide.store.postgres.wire import Lost, Refused, Row, Session, Statement


@pytest.fixture(scope="module")
def session(shared: str) -> Iterator[Session]:
    made = Session(Address(shared).connect())
    yield made
    made.close()


@given(
    text=st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    data=st.binary(),
    number=st.integers(-(2**63), 2**63 - 1),
)
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_every_value_comes_back_as_it_went(session: Session, text: str, data: bytes, number: int) -> None:
    asked = "SELECT $1::text, $2::bytea, $3::bigint, $4::bigint, $5::text, $6::bool"

    [[row]] = session.run([(asked, (text, data, number, None, f"\x01{text}\0", True))])

    assert row == (text, data, number, None, f"\x01{text}\0", True)


def test_a_refusal_ends_the_rest_and_the_connection_goes_on(session: Session) -> None:
    with pytest.raises(Refused) as refused:
        session.run([("SELECT 1", ()), ("SELECT 1/$1::bigint", (0,)), ("SELECT 2", ())])

    assert refused.value.state == "22012"
    assert session.run([("SELECT 2", ()), ("SELECT 1", ())]) == [[(2,)], [(1,)]]


def test_a_text_that_is_no_unicode_is_refused_before_anything_is_sent(session: Session) -> None:
    with pytest.raises(UnicodeEncodeError):
        session.run([("CREATE TABLE never (x int)", ()), ("SELECT $1::text", ("\ud800",))])

    assert session.run([("SELECT to_regclass('never') IS NULL", ())]) == [[(True,)]]


def test_more_than_the_buffers_of_both_sides_hold_goes_through(session: Session) -> None:
    large = "x" * 1_000_000

    rows = session.run([("SELECT $1::text", (large,))] * 20)

    assert [len(found[0][0]) for found in rows] == [1_000_000] * 20


def test_a_transaction_that_is_left_is_over_before_the_next_statement(session: Session) -> None:
    session.run([("BEGIN", ()), ("CREATE TEMPORARY TABLE passing (x int)", ())])
    session.leave("ROLLBACK")

    assert session.run([("SELECT to_regclass('pg_temp.passing') IS NULL", ())]) == [[(True,)]]


def test_a_server_that_does_not_answer_is_lost_after_a_while(shared: str) -> None:
    session = Session(Address(shared).connect())

    with pytest.raises(Lost):
        session.run([("SELECT pg_sleep(30)", ())], patience_s=0.2)

    assert session.broken


@pytest.mark.parametrize(
    ("sqlite", "postgres"),
    [
        ('SELECT "a" FROM "t" WHERE "b" = ? AND "c" IS NULL ORDER BY "a" LIMIT ?',
         'SELECT "a" FROM "t" WHERE "space" = $1 AND "b" = $2 AND "c" IS NULL ORDER BY "a" LIMIT $3'),
        ('SELECT "a" FROM "t" ORDER BY "a"', 'SELECT "a" FROM "t" WHERE "space" = $1 ORDER BY "a"'),
        ('SELECT count(*) FROM "t"', 'SELECT count(*) FROM "t" WHERE "space" = $1'),
        ('UPDATE "t" SET "a" = ?', 'UPDATE "t" SET "a" = $2 WHERE "space" = $1'),
        ('DELETE FROM "t"', 'DELETE FROM "t" WHERE "space" = $1'),
        ('INSERT INTO "t" VALUES (?, ?) ON CONFLICT ("a") DO NOTHING',
         'INSERT INTO "t" VALUES ($1, $2, $3) ON CONFLICT ("space", "a") DO NOTHING'),
        ('INSERT INTO "t" ("a") VALUES (?) ON CONFLICT ("a") DO UPDATE SET "a" = excluded."a"',
         'INSERT INTO "t" ("space", "a") VALUES ($1, $2) ON CONFLICT ("space", "a") DO UPDATE SET "a" = excluded."a"'),
        ('DELETE FROM "t" WHERE "a" IN (SELECT "a" FROM "t" WHERE "b" < ? LIMIT 9)',
         'DELETE FROM "t" WHERE "space" = $1 AND "a" IN (SELECT "a" FROM "t" WHERE "space" = $1 AND "b" < $2 LIMIT 9)'),
    ],
)  # fmt: skip
def test_a_statement_about_one_space_becomes_one_about_one_of_many(sqlite: str, postgres: str) -> None:
    assert for_postgres(sqlite) == postgres


def test_what_waits_is_bounded_in_number_and_size() -> None:
    sent: list[int] = []

    class Counting:
        def run(self, statements: Sequence[Statement]) -> list[list[Row]]:
            sent.append(len(statements))
            return [[] for _ in statements]

    statements = Statements(cast("Session", Counting()), 1)
    for _ in range(MOST_WAITING):
        statements.send('UPDATE "t" SET "a" = ?', (1,))
    for _ in range(10):
        statements.send('UPDATE "t" SET "a" = ?', (b"x" * (MOST_BYTES // 4),))

    assert sent == [MOST_WAITING, 4, 4]
