"""Rules of decisions: anyone proposes, people agree, and what was agreed is ended only openly."""

from __future__ import annotations

from typing import Literal

from flowide.domain.actors import Caller, Now
from flowide.domain.commands import (
    AgreeDecision,
    Done,
    Proposed,
    ProposeDecision,
    ReopenDecision,
    SupersedeDecision,
)
from flowide.domain.discussion import message_row
from flowide.domain.facts import (
    DecisionAgreed,
    DecisionProposed,
    DecisionReopened,
    DecisionSuperseded,
)
from flowide.domain.limits import MAX_NAME, MAX_NOTE, check_text
from flowide.domain.rows import Decision as Row
from flowide.domain.runs import answered_by
from flowide.domain.view import Decision, View
from flowide.errors import BadInput, Exists, Gone, NotFound

MAX_TEXT = 4 * 1024
"""Bytes of one decision: it goes into every prompt."""


def propose(view: View, command: ProposeDecision, caller: Caller, now: Now) -> Decision:
    """Put something up."""
    check_text("decision", command.decision, MAX_NAME, least=1)
    check_text("text", command.text.strip(), MAX_TEXT, least=1)
    if view.get(Row, command.decision) is not None:
        raise Exists(f"there is a decision {command.decision} already", hint="Make a new id.")
    message = None if command.message is None else message_row(view, command.message)
    number = view.count(Row) + 1
    proposed = DecisionProposed(
        decision=command.decision,
        number=number,
        text=command.text.strip(),
        thread=None if message is None else message.thread,
        message=command.message,
        refs=command.refs or ([] if message is None else message.refs),
        run=command.run,
    )
    return Decision(ok=Proposed(number), facts=[proposed])


def agree(view: View, command: AgreeDecision, caller: Caller, now: Now) -> Decision:
    """Make it hold."""
    row = _row(view, command.decision)
    _check(row, {"open"}, "agreed")
    check_text("reason", command.reason, MAX_NOTE)
    by = answered_by(view, command.gate, caller)
    return Decision(ok=Done(), facts=[DecisionAgreed(decision=row.id, reason=command.reason.strip(), by=by)])


def reopen(view: View, command: ReopenDecision, caller: Caller, now: Now) -> Decision:
    """Put it up again."""
    row = _row(view, command.decision)
    _check(row, {"agreed", "superseded"}, "reopened")
    check_text("reason", command.reason, MAX_NOTE)
    return Decision(ok=Done(), facts=[DecisionReopened(decision=row.id, reason=command.reason.strip())])


def supersede(view: View, command: SupersedeDecision, caller: Caller, now: Now) -> Decision:
    """End it."""
    row = _row(view, command.decision)
    _check(row, {"open", "agreed"}, "superseded")
    check_text("reason", command.reason, MAX_NOTE)
    if command.by is not None:
        other = _row(view, command.by)
        if other.id == row.id:
            raise BadInput(f"D{row.number} cannot supersede itself", hint="Name another decision.")
        if other.status == "superseded":
            raise BadInput(f"D{other.number} is superseded itself", hint="Name one that holds.")
    fact = DecisionSuperseded(decision=row.id, by=command.by, reason=command.reason.strip())
    return Decision(ok=Done(), facts=[fact])


def _row(view: View, id: str) -> Row:
    row = view.get(Row, id)
    if row is None:
        raise NotFound(f"there is no decision {id[:100]}", hint="List them with `flowide decisions`.")
    return row


Status = Literal["open", "agreed", "superseded"]


def _check(row: Row, before: set[Status], what: str) -> None:
    if row.status not in before:
        raise Gone(
            f"D{row.number} is {row.status} and cannot be {what}",
            hint="See `flowide decisions`.",
            status=row.status,
        )
