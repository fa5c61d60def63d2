"""The log can be checked by anybody who reads its format."""

from __future__ import annotations

import json
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowide.domain.commands import COMMANDS
from flowide.domain.decide import RULES
from flowide.domain.events import GENESIS, Event, canonical_json, chain_after
from flowide.domain.facts import FACTS, Fact
from flowide.domain.ids import uuid7
from flowide.store.projections import FOLDS

texts = st.text(st.characters(exclude_categories=["Cs"]))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_canonical_json_round_trips_and_is_stable(value: object) -> None:
    encoded = canonical_json(value)

    assert json.loads(encoded) == value
    assert canonical_json(json.loads(encoded)) == encoded


def test_canonical_json_is_sorted_tight_and_unescaped() -> None:
    assert canonical_json({"b": "é", "a": [1, None]}) == '{"a":[1,null],"b":"é"}'.encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"])
def test_what_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        canonical_json(value)


def test_the_chain_hashes_the_previous_value_and_the_body() -> None:
    assert chain_after(GENESIS, b"{}") == sha256(bytes(32) + b"{}").hexdigest()


@pytest.mark.parametrize("kind", FACTS.values(), ids=FACTS.keys())
def test_every_fact_survives_the_wire(kind: type[Fact]) -> None:
    required = {
        field.name: {"str": "x", "int": 1}.get(str(getattr(field.type, "__name__", "")))
        for field in msgspec.structs.fields(kind)
        if field.required
    }
    holder = {"actor": "a", "client": "c"}
    literal = {"why": "lease" if kind.event_type() == "lock.lapsed" else "granted", "status": "completed"}
    if kind.event_type() == "variation.checked":
        literal["status"] = "passed"
    if kind.event_type() == "draft.kept":
        literal["why"] = "x"
    data = {
        name: holder if name in {"holder", "to", "by"} else literal.get(name, value)
        for name, value in required.items()
    }
    fact = msgspec.convert({"type": kind.event_type(), **data}, kind)

    event = Event(1, 1, "", "", {}, "", "", fact.event_type(), json.loads(canonical_json(fact.to_data())))

    assert event.fact() == fact


def test_an_unknown_event_type_is_skipped_not_an_error() -> None:
    assert Event(1, 1, "", "", {}, "", "", "moon.landed", {}).fact() is None


def test_every_command_has_a_rule_and_every_fact_a_fold() -> None:
    assert set(COMMANDS.values()) - set(RULES) == {COMMANDS["batch"]}
    assert set(FACTS.values()) == set(FOLDS)


def test_ids_are_uuid_version_7_and_sort_by_time() -> None:
    ids = [uuid7() for _ in range(3)]

    assert all(id[14] == "7" and id[19] in "89ab" and len(id) == 36 for id in ids)
    assert len(set(ids)) == 3
