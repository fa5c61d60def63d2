"""What an agent is told, as lines: each item with its share of the budget, and what is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from flowide.tui.views.actors import colour_of
from flowide.tui.views.budget import bar
from flowide.tui.views.spans import Span, clean, fit, spread
from flowide.tui.views.words import count

if TYPE_CHECKING:
    from flowide.agents.context import Manifest


def manifest_lines(told: Manifest, book: Mapping[str, str], width: int) -> list[list[Span]]:
    """A head with the sum, then a line for each item."""
    share = told.tokens / told.budget if told.budget else 0
    head: list[Span] = [
        (f"@{clean(told.agent)}  ", f"{colour_of(book, told.agent)} b"),
        *bar(share, "accent"),
    ]
    lines = [
        [*head, (f"  {count(told.tokens, 'token')} of {told.budget:,}".replace(",", "\u202f"), "quiet")],
        [],
    ]
    for each in told.given:
        left: list[Span] = [(f"  {clean(each.kind):<13}", "quiet"), (clean(each.name), "")]
        lines.append(spread(left, [(f"{each.tokens}", "quiet")], width))
        if each.reason:
            lines.append(fit([(" " * 15, ""), (clean(each.reason), "quiet i")], width, pad=False))
    if told.left_out:
        lines += [[], [("  LEFT OUT", "warn b")]]
        for each in told.left_out:
            lines.append(
                fit([(f"  {clean(each.kind):<13}", "quiet"), (clean(each.name), "")], width, pad=False)
            )
            lines.append(fit([(" " * 15, ""), (clean(each.why), "warn")], width, pad=False))
    return [*lines, []]
