"""The kinds of steps."""

from __future__ import annotations

import inspect

import pytest

from flowide.flows import schema
from flowide.flows.steps import MODULES, step_of


def test_every_kind_that_a_flow_may_name_does_something() -> None:
    assert set(schema.KINDS) <= set(MODULES)


@pytest.mark.parametrize("kind", MODULES)
def test_a_kind_is_found_in_its_module(kind: str) -> None:
    assert inspect.iscoroutinefunction(step_of(kind))
