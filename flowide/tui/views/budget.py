"""What a run has used, against what it may use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from flowide.tui.views.actors import colour_of
from flowide.tui.views.spans import Row, Span, clean
from flowide.tui.views.words import count, dollars

if TYPE_CHECKING:
    from flowide.flows.api import Budget
    from flowide.space.queries import RunView

BAR = 12
"""Cells of the bar that shows a share."""


class Share(Struct):
    """What one agent of a run has used."""

    calls: int = 0
    tokens: int = 0
    cost: int = 0
    """Millionths of a dollar, of the calls whose price is known."""
    unpriced: int = 0
    """Calls whose price is unknown."""


def shares(view: RunView) -> dict[str, Share]:
    """Calls, tokens and cost by agent, in the order they were first asked."""
    found: dict[str, Share] = {}
    for step in view.steps:
        agent = step.result.get("agent")
        if not agent or not step.usage:
            continue
        share = found.setdefault(str(agent), Share())
        share.calls += 1
        share.tokens += int(step.usage.get("input_tokens") or 0) + int(step.usage.get("output_tokens") or 0)
        if step.usage.get("cost_micros") is None:
            share.unpriced += 1
        else:
            share.cost += int(step.usage["cost_micros"])
    return found


def spent(view: RunView) -> Share:
    """All agents together."""
    total = Share()
    for share in shares(view).values():
        total.calls += share.calls
        total.tokens += share.tokens
        total.cost += share.cost
        total.unpriced += share.unpriced
    return total


def spent_words(view: RunView, budget: int | None = None) -> str:
    """`$0.32 of $2.00`, or how many tokens where nothing is paid; empty before the first call."""
    total = spent(view)
    if total.cost or budget:
        unknown = " and more" if total.unpriced else ""
        of = f" of {dollars(budget)}" if budget else ""
        return f"{dollars(total.cost) or '$0'}{unknown}{of}"
    return count(total.tokens, "token") if total.tokens else ""


def cost_rows(view: RunView, book: Mapping[str, str], bounds: Budget | None) -> list[Row]:
    """The bounds of the run as bars, then who has used what."""
    found: list[Row] = []
    total, by_agent = spent(view), shares(view)
    if bounds is not None:
        if bounds.cost_micros:
            words = f"{dollars(total.cost) or '$0'} of {dollars(bounds.cost_micros)}"
            found.append(_bound("money", total.cost / bounds.cost_micros, words))
        if bounds.tokens:
            words = f"{count(total.tokens, 'token')} of {count(bounds.tokens, 'token')}"
            found.append(_bound("tokens", total.tokens / bounds.tokens, words))
        if bounds.turns:
            words = f"{total.calls} of {count(bounds.turns, 'call')}"
            found.append(_bound("calls", total.calls / bounds.turns, words))
    most = max((share.cost or share.tokens for share in by_agent.values()), default=0)
    for agent, share in by_agent.items():
        left: list[Span] = [("  ", ""), (f"{clean(agent):<10.10} ", colour_of(book, agent))]
        left += bar((share.cost or share.tokens) / most if most else 0, colour_of(book, agent))
        left.append((f"  {count(share.calls, 'call')} · {count(share.tokens, 'token')}", "quiet"))
        cost = dollars(share.cost) or ("price unknown" if share.unpriced else "no cost")
        found.append(Row(tuple(left), ((cost, "quiet"),)))
    if not found:
        found.append(Row((("  No agent was asked yet.", "quiet"),)))
    return found


def _bound(name: str, share: float, words: str) -> Row:
    role = "bad" if share >= 1 else "warn" if share >= 0.8 else "good"
    return Row(((f"  {name:<10} ", "quiet"), *bar(share, role), (f"  {words}", "")))


def bar(share: float, role: str, cells: int = BAR) -> tuple[Span, Span]:
    """A share from 0 to 1 as a bar of so many cells."""
    full = round(max(0.0, min(1.0, share)) * cells)
    if share > 0:
        full = max(1, full)
    return ("━" * full, role), ("─" * (cells - full), "hairline")
