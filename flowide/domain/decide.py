"""The whole rule book: which rule decides which command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from flowide.domain import (
    artifacts,
    decisions,
    discussion,
    drafts,
    git,
    granting,
    locks,
    members,
    reviews,
    runs,
    variations,
)
from flowide.domain import commands as c
from flowide.domain.actors import Caller, Now
from flowide.domain.roles import check_role
from flowide.domain.rows import Draft, Ticket
from flowide.domain.view import Decision, View
from flowide.errors import BadInput

Rule = Callable[[View, Any, Caller, Now], Decision]

RULES: dict[type[c.Command[Any]], Rule] = {
    c.CreateArtifact: artifacts.create,
    c.SaveArtifact: artifacts.save,
    c.MoveArtifact: artifacts.move,
    c.DeleteArtifact: artifacts.delete,
    c.RestoreArtifact: artifacts.restore,
    c.AcquireLock: locks.acquire,
    c.RenewLock: locks.renew,
    c.ReleaseLock: locks.release,
    c.CancelTicket: locks.cancel,
    c.TransferLock: locks.transfer,
    c.ForceLock: locks.force,
    c.AppendDraft: drafts.append,
    c.KeepDraft: drafts.keep,
    c.AdoptDraft: drafts.adopt,
    c.DiscardDraft: drafts.discard,
    c.OpenVariationSet: variations.open_set,
    c.AddVariation: variations.add,
    c.RecordCheck: variations.check,
    c.TagVariation: variations.tag,
    c.ShortlistVariation: variations.shortlist,
    c.RejectVariation: variations.reject,
    c.NoteVariation: variations.note,
    c.AcceptVariation: variations.accept,
    c.StartRun: runs.start,
    c.QueueRun: runs.queue,
    c.ClaimRun: runs.claim,
    c.RenewRun: runs.renew,
    c.RecordStep: runs.step,
    c.StreamStep: runs.stream,
    c.FinishRun: runs.finish,
    c.CancelRun: runs.cancel,
    c.OpenGate: runs.open_gate,
    c.AnswerGate: runs.answer_gate,
    c.RecordCommit: git.record_commit,
    c.OpenThread: discussion.open_thread,
    c.PinArtifact: discussion.pin,
    c.SetThreadAgent: discussion.set_agent,
    c.PostMessage: discussion.post,
    c.AskAgent: discussion.ask,
    c.TakeTurn: discussion.take,
    c.FailTurn: discussion.fail,
    c.StopTurn: discussion.stop,
    c.ProposeDecision: decisions.propose,
    c.AgreeDecision: decisions.agree,
    c.ReopenDecision: decisions.reopen,
    c.SupersedeDecision: decisions.supersede,
    c.OpenReview: reviews.open_review,
    c.HandOver: reviews.hand_over,
    c.JudgeReview: reviews.judge,
    c.FinishReview: reviews.finish,
    c.InviteMember: members.invite,
    c.JoinMember: members.join,
    c.ChangeRole: members.role,
    c.RemoveMember: members.remove,
    c.CreateToken: members.create_token,
    c.RevokeToken: members.revoke,
}
"""One rule for each command but `batch`, which the arbiter takes apart."""
SILENT_KINDS = frozenset(c.COMMANDS[name] for name in c.SILENT)


def decide(view: View, command: c.Command[Any], caller: Caller, now: Now) -> Decision:
    """What a command does to the space as `view` shows it.

    `settle` has been applied before, for the artifact that `concerns` names.

    Raises:
        FlowError: The refusal; the command has no effect.
    """
    rule = RULES.get(type(command))
    if rule is None:
        raise BadInput(f"there is no command {command.wire_name()}")
    check_role(view, command, caller, now)
    decision = rule(view, command, caller, now)
    if not now.policy.members or type(command) in SILENT_KINDS:
        return decision
    joining = members.enrolment(view, caller.actor, now)
    return decision if joining is None else replace(decision, facts=[joining, *decision.facts])


def concerns(view: View, command: c.Command[Any]) -> str | None:
    """The artifact whose lock a command looks at, so that due lapses are written first; None = no lock."""
    if isinstance(command, c.CreateArtifact | c.OpenVariationSet):
        return None
    if isinstance(command, c.CancelTicket):
        ticket = view.get(Ticket, command.ticket)
        return None if ticket is None else ticket.artifact
    if isinstance(command, c.AdoptDraft):
        draft = view.get(Draft, command.draft)
        return None if draft is None else draft.artifact
    artifact: str | None = getattr(command, "artifact", None)
    return artifact


settle = granting.settle
