"""Whether a price is known is told before a call, and by the same list as after it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from flowide.agents.definition import AgentDefinition
from flowide.agents.prices import unpriced

SERVER = {"house": {"model": "qwen", "api_base": "http://127.0.0.1:9/v1", "price_in": 0.1, "price_out": 0.2}}


def agent(model: str) -> dict[str, AgentDefinition]:
    return {"ann": AgentDefinition(handle="ann", name="Ann", backend="model", model=model)}


@pytest.mark.parametrize("model", ["openai/gpt-4o-mini", "gpt-4o-mini", "house", "openrouter/some/thing"])
def test_a_price_is_known_from_the_list_the_settings_or_the_provider(model: str) -> None:
    assert unpriced(agent(model), SERVER, {}) is None


def test_the_first_agent_without_a_price_is_named() -> None:
    assert unpriced(agent("openai/no-such-model"), SERVER, {}) == "@ann (openai/no-such-model)"
    assert unpriced(agent("openai/gpt-4o-mini"), SERVER, {}, model="openai/m") == "@ann (openai/m)"


def test_a_scripted_agent_costs_nothing() -> None:
    assert unpriced({"ann": AgentDefinition(handle="ann", name="Ann", backend="scripted")}, {}, {}) is None


def test_it_is_told_without_loading_litellm() -> None:
    code = """
import sys
from flowide.agents.definition import AgentDefinition
from flowide.agents.prices import unpriced

agent = AgentDefinition(handle="a", name="A", backend="model", model="openai/gpt-4o")
assert unpriced({"a": agent}, {}, {}) is None
assert "litellm" not in sys.modules
"""

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_price_of_a_coding_agent_is_not_known_before() -> None:
    coding = {"gem": AgentDefinition(handle="gem", name="Gem", backend="acp", recipe="gemini")}

    assert unpriced(coding, {}, {}) == "@gem (a coding agent)"
