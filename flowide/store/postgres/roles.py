"""What a hub may do in its database: work in spaces, and never change what the log says or what tables look like."""

from __future__ import annotations

from flowide.domain.rows import PROJECTIONS, TRANSIENT
from flowide.errors import BadInput, NotFound
from flowide.patterns import lazy
from flowide.store.postgres.database import Database
from flowide.store.postgres.explained import explained
from flowide.store.postgres.schema import Session

_NAME = lazy(r"[a-z_][a-z0-9_]{0,62}\Z")


def grants(role: str) -> list[str]:
    """The statements that give a role what a hub needs, and nothing else."""
    rows = ", ".join(f'flowide."{row.TABLE}"' for row in (*PROJECTIONS, *TRANSIENT))
    return [
        f'REVOKE ALL ON ALL TABLES IN SCHEMA flowide FROM "{role}"',
        f'GRANT USAGE ON SCHEMA flowide TO "{role}"',
        f'GRANT SELECT ON flowide.meta, flowide.migrations TO "{role}"',
        f'GRANT SELECT, INSERT ("name", "seq", "chain", "shape"), UPDATE ("seq", "chain", "tick", "indexed") '
        f'ON flowide.space TO "{role}"',
        f'GRANT SELECT, INSERT ON flowide.events, flowide.blobs TO "{role}"',
        f'GRANT SELECT, INSERT, DELETE ON flowide.replies TO "{role}"',
        f'GRANT SELECT, INSERT, UPDATE ON flowide.texts TO "{role}"',
        f'GRANT SELECT, INSERT, UPDATE, DELETE ON {rows} TO "{role}"',
    ]


def grant_again(session: Session) -> None:
    """After tables were made anew: to all roles that had their rights before."""
    [found] = session.run(
        [("SELECT role FROM flowide.hubs JOIN pg_roles ON rolname = role ORDER BY role", ())]
    )
    for (role,) in found:
        for statement in grants(role):
            session.run([(statement, ())])


def prepare(url: str, role: str | None = None) -> None:
    """Make the tables, or bring them forward, as their owner; `role` is one that hubs will use from now on.

    Raises:
        BadInput: A name that is none of a role.
        NotFound: There is no such role.
        StorageFailed: The database cannot be used, or the user may not make tables.
    """
    if role is not None and not _NAME.match(role):
        raise BadInput(f"{role[:80]!r} is no name of a role", hint="Use a-z, 0-9 and _.")
    database = Database.of(url)
    try:
        if role is None:
            return
        with explained(database.shown):
            if not database.ask(("SELECT 1 FROM pg_roles WHERE rolname = $1", (role,)))[0]:
                raise NotFound(
                    f"there is no role {role} on this server", hint=f"Make it: CREATE ROLE {role} LOGIN;"
                )
            remember = "INSERT INTO flowide.hubs VALUES ($1) ON CONFLICT DO NOTHING"
            database.ask(
                ("BEGIN", ()), (remember, (role,)), *((each, ()) for each in grants(role)), ("COMMIT", ())
            )
    finally:
        database.close()
