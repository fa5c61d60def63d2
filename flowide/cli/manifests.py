"""What an agent was told, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowide.cli.desk import print_table

if TYPE_CHECKING:
    from flowide.agents.context import Manifest


def summary(manifest: Manifest) -> str:
    """How much there was of how much."""
    return f"{manifest.tokens} of {manifest.budget} tokens ({manifest.estimate})"


def print_items(manifest: Manifest) -> None:
    """A line for each item, given or left out."""
    rows = [
        [each.kind, each.name, each.tokens, each.reason if each.included else f"left out: {each.why}"]
        for each in manifest.items
    ]
    print_table(["KIND", "ITEM", "TOKENS", "REASON"], rows)
