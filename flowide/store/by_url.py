"""Spaces by the database they are in: a folder of SQLite files, one SQLite file, or a PostgreSQL URL."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import cast

from flowide.errors import BadInput, Exists, NotFound
from flowide.patterns import lazy
from flowide.store.api import Store

_NAME = lazy(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?\Z")
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(1, 10))]
)
_SUFFIX = ".db"


def open_store(database: str, space: str) -> Store:
    """The store of a space that is there.

    `database` is a folder, where each space is a file `<space>.db`; a file ending in `.db`, which holds the one space
    of that name; or `postgresql://…`.

    Raises:
        BadInput: A name no space can have.
        NotFound: There is no such space.
        StorageFailed: The database cannot be used, or is of a newer schema.
    """
    check_space_name(space)
    if is_postgres(database):
        return cast("Store", _postgres().PostgresStore(database, space))
    from flowide.store.sqlite import SqliteStore

    file = _file(database, space)
    if not file.is_file():
        raise _missing(space, database)
    return SqliteStore(file)


def create_space(database: str, space: str) -> None:
    """Make a new, empty space; a folder is made with it.

    Raises:
        BadInput: A name no space can have.
        Exists: The space is there already.
        StorageFailed: The database cannot be used, or is of a newer schema.
    """
    check_space_name(space)
    if is_postgres(database):
        _postgres().create(database, space)
        return
    from flowide.store.explained import storage_failed
    from flowide.store.sqlite import SqliteStore

    file = _file(database, space)
    if file.exists():
        raise Exists(
            f"there is a space {space} already", hint="Take another name, or join the one that is there."
        )
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise storage_failed(file, error) from error
    SqliteStore(file).close()


def spaces(database: str) -> list[str]:
    """Names of the spaces of a database, sorted; none where nothing is yet.

    Raises:
        StorageFailed: The database cannot be used, or is of a newer schema.
    """
    if is_postgres(database):
        return cast("list[str]", _postgres().names(database))
    place = Path(database)
    if _is_file(place):
        return [place.stem] if place.is_file() and _NAME.match(place.stem) else []
    from flowide.store.explained import storage_failed

    try:
        names = [file.stem for file in place.iterdir() if file.suffix == _SUFFIX and file.is_file()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise storage_failed(place, error) from error
    return sorted(name for name in names if _NAME.match(name))


def prepare(database: str, role: str | None = None) -> int:
    """Make the tables or bring them to this version; returns how many spaces there are.

    `role` is one of PostgreSQL, with which hubs connect from now on; it gets the rights they need.

    Raises:
        BadInput: A role, and no PostgreSQL; or a name no role can have.
        NotFound: There is no such role.
        StorageFailed: The database cannot be used, or the user may not make tables.
    """
    if is_postgres(database):
        _postgres()
        from flowide.store.postgres.roles import prepare as prepare_postgres

        prepare_postgres(database, role)
    elif role is not None:
        raise BadInput(
            "only PostgreSQL has roles", hint="Leave --role out: who may read the files may use them."
        )
    names = spaces(database)
    if not is_postgres(database):
        for name in names:
            open_store(database, name).close()
    return len(names)


def check_space_name(space: str) -> None:
    """Raise BadInput unless a space may be called so: it becomes a part of addresses and of file names."""
    if not _NAME.match(space) or space in _DEVICES:
        raise BadInput(
            f"a space cannot be called {space[:80]!r}",
            hint="Use 1 to 63 of a-z, 0-9, - and _, with a letter or digit at both ends.",
        )


def is_postgres(database: str) -> bool:
    """Whether this is the address of a PostgreSQL database.

    Raises:
        BadInput: It is the address of something else.
    """
    scheme, separator, _ = database.partition("://")
    if not separator:
        return False
    if scheme not in {"postgresql", "postgres"}:
        raise BadInput(
            f"a space cannot be kept in a database of the kind {scheme[:40]!r}",
            hint="Give a folder, a file ending in .db, or postgresql://…",
        )
    return True


def _file(database: str, space: str) -> Path:
    place = Path(database)
    if not _is_file(place):
        return place / f"{space}{_SUFFIX}"
    if place.stem != space:
        raise NotFound(
            f"{place} holds the one space {place.stem}, not {space}",
            hint="Give a folder to keep several spaces.",
        )
    return place


def _is_file(place: Path) -> bool:
    return place.is_file() or (place.suffix == _SUFFIX and not place.is_dir())


def _missing(space: str, database: str) -> NotFound:
    there = spaces(database)
    hint = f"There are: {', '.join(there[:20])}." if there else "Make it first."
    return NotFound(f"there is no space {space}", hint=hint)


def _postgres() -> ModuleType:
    """The module for PostgreSQL, whose library is an extra."""
    try:
        from flowide.store.postgres import store
    except ImportError as error:
        raise BadInput(
            f"PostgreSQL cannot be used here: {error}", hint="Install it: pip install 'flowide[postgres]'."
        ) from error
    return store
