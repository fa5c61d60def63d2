"""Where a database is, and how it is told about without its password."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict

from flowide.errors import BadInput, FlowError, StorageFailed
from flowide.store.postgres.explained import failure
from flowide.store.postgres.wire import Lost, Refused

CONNECT_S = 10
IDLE_S = 5
"""A transaction whose program says nothing for so long is ended by the server, and its locks are free."""
LOCK_S = 15
"""Longest wait for a lock: longer than `IDLE_S`, so that a hub that was stopped holds nobody up for good."""
OLDEST = 15
"""Major version of PostgreSQL."""
_SETTINGS = (
    "SET search_path = flowide, pg_catalog",
    "SET synchronous_commit = on",
    f"SET idle_in_transaction_session_timeout = '{IDLE_S}s'",
    f"SET lock_timeout = '{LOCK_S}s'",
    "SET default_transaction_isolation = 'read committed'",
    "SET client_min_messages = error",
    "SET client_encoding = 'UTF8'",
    "SET jit = off",
)

_SIGNS = {
    "28P01": ("password authentication failed", "no password supplied"),
    "28000": ("no pg_hba.conf entry", "pg_hba.conf rejects", "Peer authentication failed"),
    "53300": ("too many clients", "remaining connection slots"),
    "57P03": ("starting up", "shutting down", "in recovery mode", "not yet accepting"),
}
"""What libpq says when it cannot connect, by SQLSTATE, which it does not hand on."""


class Address:
    """The URL of a database, taken apart."""

    def __init__(self, url: str) -> None:
        """Raises:
        BadInput: It cannot be read. What is wrong with it is not repeated: it may be a part of the password.
        """
        try:
            self._parts: dict[str, Any] = dict(conninfo_to_dict(url))
        except psycopg.ProgrammingError:
            raise BadInput(
                "the address of the PostgreSQL database cannot be read",
                hint="It looks like postgresql://user@host:5432/database; write special characters of a password "
                "as %40 and so on, or keep it in ~/.pgpass.",
            ) from None
        self.password = str(self._parts.get("password") or "")
        host = str(self._parts.get("host") or "")
        place = "" if host.startswith("/") else host
        if "port" in self._parts and place:
            place = f"{place}:{self._parts['port']}"
        user = f"{self._parts['user']}@" if "user" in self._parts else ""
        self.shown = f"postgresql://{user}{place}/{self._parts.get('dbname') or ''}"
        """For people: without the password and without options."""

    def connect(self) -> Connection[Any]:
        """A connection with the settings that every one has, in autocommit mode.

        Raises:
            StorageFailed: There is none to be had; `again` in the data when the server may just be starting.
        """
        options: dict[str, Any] = {
            "connect_timeout": CONNECT_S, "application_name": "flowide", "tcp_user_timeout": 30_000,
            "keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3,
        }  # fmt: skip
        try:
            connection = psycopg.connect(**{**options, **self._parts}, autocommit=True)
        except psycopg.Error as error:
            raise self._unreachable(error) from None  # the cause holds the address
        try:
            version = connection.info.server_version // 10_000
            if version < OLDEST:
                raise StorageFailed(
                    f"the server of {self.shown} is PostgreSQL {version}", hint=f"Use {OLDEST} or newer."
                )
            connection.execute("; ".join(_SETTINGS).encode())
        except psycopg.Error as error:
            connection.close()
            raise self._unreachable(error) from None
        except BaseException:
            connection.close()
            raise
        return connection

    def _unreachable(self, error: psycopg.Error) -> FlowError:
        said = " ".join(str(error).split())
        if self.password:
            said = said.replace(self.password, "…")
        state = error.sqlstate or _state_of(said)
        if state is None:
            return StorageFailed(
                f"the database {self.shown} cannot be reached: {said}",
                hint="Check that the server runs, and its address and port.",
                again=True,
            )
        return failure(self.shown, Lost(said) if state == "57P03" else Refused(state, said))


def _state_of(said: str) -> str | None:
    """SQLSTATE of what libpq says when it cannot connect, which it does not hand on."""
    for state, signs in _SIGNS.items():
        if any(sign in said for sign in signs):
            return state
    if 'database "' in said and "does not exist" in said:
        return "3D000"
    if 'role "' in said and "does not exist" in said:
        return "28000"
    return None
