"""Our small schema check says what the jsonschema library says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowide.agents.json_fit import is_plain, misfits
from flowide.flows.prompting import CRITIQUE_SCHEMA, RESOLVE_SCHEMA

jsonschema = pytest.importorskip("jsonschema")

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-20, 20)
    | st.floats(allow_nan=False, width=16)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=8,
)
LEAVES = st.one_of(
    st.fixed_dictionaries(
        {}, optional={"type": st.sampled_from(["string", "boolean", "null", "number", "integer"])}
    ),
    st.fixed_dictionaries(
        {"type": st.just("string"), "minLength": st.integers(0, 4), "maxLength": st.integers(0, 4)}
    ),
    st.fixed_dictionaries({"minimum": st.integers(-9, 9), "maximum": st.integers(-9, 9)}),
    st.fixed_dictionaries(
        {"enum": st.lists(st.integers(-2, 2) | st.booleans() | st.text(max_size=1), min_size=1)}
    ),
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("array")},
            optional={"items": inner, "minItems": st.integers(0, 3), "maxItems": st.integers(0, 3)},
        ),
        st.fixed_dictionaries(
            {},
            optional={
                "type": st.just("object"),
                "properties": st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
                "required": st.lists(st.sampled_from("abcd"), unique=True, max_size=2),
                "additionalProperties": st.booleans(),
            },
        ),
    ),
    max_leaves=6,
)


@given(value=VALUES, schema=SCHEMAS)
def test_a_value_fits_when_the_library_says_so(value: Any, schema: dict[str, Any]) -> None:
    assert is_plain(schema)
    assert (not list(misfits(value, schema))) == jsonschema.Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize("schema", [CRITIQUE_SCHEMA, RESOLVE_SCHEMA])
def test_our_own_schemas_need_no_library(schema: dict[str, Any]) -> None:
    assert is_plain(schema)


@pytest.mark.parametrize(
    "schema", [{"anyOf": []}, {"type": ["string", "null"]}, True, {"items": {"pattern": "x"}}]
)
def test_what_it_does_not_know_is_no_plain_schema(schema: Any) -> None:
    assert not is_plain(schema)


def test_a_misfit_says_what_and_where() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "array", "items": {"type": "integer"}}}}

    assert list(misfits({"n": [1, "x"]}, schema)) == ["'x' is not of type 'integer' (at $.n[1])"]
