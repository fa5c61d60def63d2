"""Rows become SQL: what is JSON and what is a truth value is read from how the annotations are written."""

from __future__ import annotations

from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest

from flowide.domain.rows import Row
from flowide.store.mapping import table


def every_row(base: type[Row] = Row) -> list[type[Row]]:
    found = []
    for each in base.__subclasses__():
        found += ([each] if "TABLE" in vars(each) else []) + every_row(each)
    return found


def parts(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)


@pytest.mark.parametrize("row", every_row(), ids=lambda row: row.TABLE)
def test_the_written_annotations_say_what_the_types_say(row: type[Row]) -> None:
    hints, made = get_type_hints(row), table(row)

    for at, name in enumerate(made.columns):
        kinds = {get_origin(each) or each for each in parts(hints[name])}
        assert made.json[at] == bool(kinds & {list, dict}), name
        assert made.bools[at] == (hints[name] is bool), name
