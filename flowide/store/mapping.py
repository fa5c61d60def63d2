"""Rows as SQL: statements and decoders made once for each row class, the same for every database.

Statements are written once, as SQLite takes them for its one space; `for_postgres` makes of them what PostgreSQL
takes, where a database holds many spaces.
"""

from __future__ import annotations

from functools import cache
from inspect import get_annotations
from types import UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

from msgspec import json, structs

from flowide.domain.rows import Row
from flowide.patterns import lazy

R = TypeVar("R", bound=Row)


class Table(Generic[R]):
    """How one row class is stored."""

    def __init__(self, row: type[R]) -> None:
        self.row = row
        self.name = row.TABLE
        self.columns = row.__struct_fields__
        # As they are written: to evaluate the annotations of all rows takes longer than to open the workspace.
        written = [_annotation(row, name) for name in self.columns]
        self.json = tuple(_is_json(each) for each in written)
        self.bools = tuple(each == "bool" for each in written)
        names = ", ".join(f'"{name}"' for name in self.columns)
        marks = ", ".join("?" for _ in self.columns)
        by_key = " AND ".join(f'"{name}" = ?' for name in row.KEY)
        key = ", ".join(f'"{name}"' for name in row.KEY)
        rest = ", ".join(f'"{name}" = excluded."{name}"' for name in self.columns if name not in row.KEY)
        self.upsert = (
            f'INSERT INTO "{self.name}" ({names}) VALUES ({marks}) '  # noqa: S608
            f"ON CONFLICT ({key}) DO {f'UPDATE SET {rest}' if rest else 'NOTHING'}"
        )
        self.select = f'SELECT {names} FROM "{self.name}"'  # noqa: S608
        self.by_key = f"{self.select} WHERE {by_key}"
        self.delete = f'DELETE FROM "{self.name}" WHERE {by_key}'  # noqa: S608
        self._key_at = tuple(self.columns.index(name) for name in row.KEY)
        self._json_at = tuple(at for at, is_json in enumerate(self.json) if is_json)
        self._bool_at = tuple(at for at, is_bool in enumerate(self.bools) if is_bool)
        self._plain = not self._json_at and not self._bool_at
        self._queries: dict[tuple[Any, ...], str] = {}
        self._by_key = by_key
        self._updates: dict[tuple[int, ...], str] = {}

    def values(self, raw: tuple[Any, ...]) -> tuple[Any, ...]:
        """The fields of a row as column values."""
        if not self._json_at:
            return raw
        values = list(raw)
        for at in self._json_at:
            if values[at] is not None:
                values[at] = json.encode(values[at], order="sorted").decode()
        return tuple(values)

    def key(self, raw: tuple[Any, ...]) -> tuple[Any, ...]:
        """The primary key among the fields of a row."""
        return tuple([raw[at] for at in self._key_at])

    def update(
        self, before: tuple[Any, ...], after: tuple[Any, ...], key: tuple[Any, ...]
    ) -> tuple[str, tuple[Any, ...]]:
        """The statement, with its parameters, that writes just the columns whose fields changed."""
        changed = (
            tuple([at for at, (old, new) in enumerate(zip(before, after, strict=True)) if old != new])
            or self._key_at
        )
        sql = self._updates.get(changed)
        if sql is None:
            setting = ", ".join(f'"{self.columns[at]}" = ?' for at in changed)
            sql = self._updates[changed] = f'UPDATE "{self.name}" SET {setting} WHERE {self._by_key}'  # noqa: S608
        after = self.values(after)
        return sql, (*[after[at] for at in changed], *key)

    def decode(self, values: tuple[Any, ...]) -> R:
        """Column values as a row."""
        if self._plain:
            return self.row(*values)
        fields = list(values)
        for at in self._bool_at:
            fields[at] = bool(fields[at])
        for at in self._json_at:
            if fields[at] is not None:
                fields[at] = json.decode(fields[at])
        return self.row(*fields)

    def query(self, equal: dict[str, Any], order: str, limited: bool) -> str:
        """`SELECT` with equality on columns, ordered by a field (`-field` = descending), and by the key."""
        key = (order, limited, *equal, *_nulls(equal))
        found = self._queries.get(key)
        if found is None:
            found = self.select + self.where(equal)
            column, down = order.lstrip("-"), " DESC" if order.startswith("-") else ""
            if order and column not in self.columns:
                raise ValueError(f"{self.name} has no column {column}")
            names = dict.fromkeys([column, *self.row.KEY] if order else self.row.KEY)
            found += " ORDER BY " + ", ".join(f'"{name}"{down}' for name in names)
            if limited:
                found += " LIMIT ?"
            self._queries[key] = found
        return found

    def counting(self, equal: dict[str, Any]) -> str:
        """`SELECT count(*)` with equality on columns."""
        key = (*equal, *_nulls(equal))
        found = self._queries.get(key)
        if found is None:
            found = self._queries[key] = f'SELECT count(*) FROM "{self.name}"{self.where(equal)}'  # noqa: S608
        return found

    def where(self, equal: dict[str, Any]) -> str:
        """The condition that columns have these values: `NULL` for None, else a parameter."""
        unknown = set(equal) - set(self.columns)
        if unknown:
            raise ValueError(f"{self.name} has no column {sorted(unknown)}")
        parts = [f'"{name}" IS NULL' if value is None else f'"{name}" = ?' for name, value in equal.items()]
        return " WHERE " + " AND ".join(parts) if parts else ""


def _nulls(equal: dict[str, Any]) -> tuple[int, ...]:
    return tuple([at for at, value in enumerate(equal.values()) if value is None])


def _annotation(row: type[Row], name: str) -> str:
    owned = (get_annotations(each) for each in row.__mro__)
    return next(str(each[name]) for each in owned if name in each)


def _is_json(annotation: str) -> bool:
    return any(part.strip().startswith(("list[", "dict[")) for part in annotation.split("|"))


def _parts(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)


@cache
def column_types(row: type[Row]) -> dict[str, str]:
    """SQL types of the columns: INTEGER, or TEXT for everything else."""
    hints = get_type_hints(row)
    return {
        field.name: "INTEGER" if set(_parts(hints[field.name])) & {int, bool} else "TEXT"
        for field in structs.fields(row)
    }


@cache
def table(row: type[R]) -> Table[R]:
    """The table of a row class."""
    return Table(row)


@cache
def for_postgres(sql: str) -> str:
    """The statement about one of many spaces: its number is `$1`, and the parameters `?` follow as `$2`, `$3` …

    Every table has the number of the space as its first column. Works for statements as this package writes them:
    quoted names, `WHERE` joined by `AND`, no `?` and no key word in a literal.
    """
    sql = _INSERT.sub(r'\1"space", ', sql)
    sql = _VALUES.sub("VALUES ($1, ", sql)
    sql = _CONFLICT.sub('ON CONFLICT ("space", ', sql)
    sql, conditions = _WHERE.subn(' WHERE "space" = $1 AND ', sql)
    if not conditions and not sql.startswith("INSERT"):
        end = _TAIL.search(sql)
        at = end.start() if end else len(sql)
        sql = f'{sql[:at]} WHERE "space" = $1{sql[at:]}'
    number = iter(range(2, 1000))
    return _MARK.sub(lambda _: f"${next(number)}", sql)


_INSERT = lazy(r'^(INSERT INTO "\w+" \()')
_VALUES = lazy(r"\bVALUES \(")
_CONFLICT = lazy(r"\bON CONFLICT \(")
_WHERE = lazy(r" WHERE ")
_TAIL = lazy(r" (?:ORDER BY|LIMIT|RETURNING|FOR UPDATE)\b")
_MARK = lazy(r"\?")
