"""What PostgreSQL could not do, said in our words and without its password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from flowide.errors import BadInput, FlowError, StorageFailed
from flowide.store.postgres.wire import Lost, Refused

_HINTS = {
    "53100": "Free some space on the disk of the server; nothing was changed, and work goes on when there is room.",
    "53200": "The server is out of memory; nothing was changed. Try again when it has some.",
    "53300": "Close other programs that use the database, or raise max_connections.",
    "25006": "Connect to the server that takes writes, not to a copy that only follows it.",
    "28P01": "Check the user and the password; the password may stand in ~/.pgpass or PGPASSWORD.",
    "28000": "Check the user, and what pg_hba.conf of the server allows it.",
    "3D000": "Make the database first: createdb NAME.",
    "42501": "Give the role its rights; docs/postgresql.md says which.",
    "55P03": "Another hub has kept the space busy; nothing was changed. Try again.",
    "42P01": "The tables are not those of this version; restart this program.",
    "42703": "The tables are not those of this version; restart this program.",
    "XX001": "Keep a copy of the database. `flowide verify` says what is damaged; an export brings it back.",
    "XX002": "Keep a copy of the database. `flowide verify` says what is damaged; an export brings it back.",
}
_AGAIN = ("40", "57P", "08", "25P03", "25P04")
"""States after which the same may simply be tried once more: the transaction was ended from outside."""
_UNSTORABLE = ("22",)
"""Values no column can hold."""


@contextmanager
def explained(shown: str) -> Iterator[None]:
    """Raise `StorageFailed` for what the database could not do; `shown` is its address without the password.

    Raises:
        BadInput: A number or text that no database can hold.
    """
    try:
        yield
    except (Refused, Lost) as error:
        raise failure(shown, error) from error
    except msgspec.DecodeError as error:
        raise StorageFailed(
            f"the database {shown} holds a row that cannot be read: {error}",
            hint="Keep a copy of it. `flowide verify` names it; `flowide verify --rebuild` makes it again.",
        ) from error
    except UnicodeEncodeError as error:
        raise _unstorable(str(error)) from error


def failure(shown: str, error: Refused | Lost) -> FlowError:
    """What happened, and what to do now. `again` in the data says that the same may be tried once more at once."""
    if isinstance(error, Lost):
        return StorageFailed(
            f"the connection to the database {shown} broke: {error}",
            hint="Nothing was changed. It is tried again when the server is back.",
            again=True,
        )
    if error.state.startswith(_UNSTORABLE):
        return _unstorable(str(error))
    more = {"again": True} if error.state.startswith(_AGAIN) else {}
    return StorageFailed(
        f"the database {shown} could not be used: {error}",
        hint=_HINTS.get(error.state, "See the log of the server, then try again."),
        **more,
    )


def _unstorable(why: str) -> BadInput:
    return BadInput(f"a value cannot be stored: {why}", hint="Numbers have 64 bits, texts are valid Unicode.")
