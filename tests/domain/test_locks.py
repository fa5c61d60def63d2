"""What a lock promises."""

from __future__ import annotations

from typing import Any

import pytest

from flowide.domain import commands as c
from flowide.domain import rows as r
from flowide.domain.actors import Actor
from flowide.domain.policy import Policy
from flowide.errors import BadInput, Busy, Conflict, Fenced, FlowError, Gone, Limit, NotAllowed, NotFound
from tests.domain.board import ANA, EDWIN, ROD, Board

TTL = 1000


def take(board: Board, doc: str, actor: object = ANA, **more: object) -> c.Granted:
    granted: c.Granted = board.do(c.AcquireLock(artifact=doc, ttl_ms=TTL, **more), actor)  # type: ignore[arg-type]
    return granted


def test_fences_strictly_increase_over_grants_releases_and_transfers(board: Board, doc: str) -> None:
    fences = []
    for _ in range(3):
        granted = take(board, doc)
        assert granted.fence is not None
        fences.append(granted.fence)
        board.do(c.ReleaseLock(artifact=doc, fence=granted.fence))

    assert fences == sorted(set(fences))


def test_a_held_lock_says_who_holds_it_and_what_to_do(board: Board, doc: str) -> None:
    take(board, doc, purpose="drafting")

    with pytest.raises(Busy) as refused:
        take(board, doc, ROD)

    assert refused.value.data["holder"] == "ana"
    assert refused.value.data["purpose"] == "drafting"
    assert refused.value.hint


def test_a_second_client_of_the_holder_is_told_so(board: Board, doc: str) -> None:
    take(board, doc)

    with pytest.raises(Busy) as refused:
        board.do(c.AcquireLock(artifact=doc), ANA, client="laptop")

    assert refused.value.data["holder"] == "you, elsewhere"


def test_the_same_client_is_not_given_a_second_fence(board: Board, doc: str) -> None:
    granted = take(board, doc)

    with pytest.raises(Busy) as refused:
        take(board, doc)

    assert refused.value.data["fence"] == granted.fence


def test_a_lock_that_ran_out_but_was_not_taken_still_saves(board: Board, doc: str) -> None:
    granted = take(board, doc)
    board.sleep(TTL * 10)

    saved = board.do(c.SaveArtifact(artifact=doc, fence=granted.fence or 0, base=1, text="two\n"))

    assert saved.version == 2
    assert "lock.lapsed" in board.types()


def test_a_lapsed_lock_may_be_taken_and_the_old_fence_is_dead(board: Board, doc: str) -> None:
    old = take(board, doc)
    board.sleep(TTL)

    new = take(board, doc, ROD)

    assert (new.fence or 0) == (old.fence or 0) + 1
    with pytest.raises(Fenced) as refused:
        board.do(c.SaveArtifact(artifact=doc, fence=old.fence or 0, base=1, text="late"))
    assert refused.value.data == {"fence": new.fence, "holder": "rod"}


def test_no_lapse_before_the_lease_has_run_its_full_length(board: Board, doc: str) -> None:
    granted = take(board, doc)
    board.sleep(TTL - 1)
    board.do(c.RenewLock(artifact=doc, fence=granted.fence))
    board.sleep(TTL - 1)

    with pytest.raises(Busy):
        take(board, doc, ROD)


def test_a_lease_of_another_boot_has_run_out(board: Board, doc: str) -> None:
    take(board, doc)
    board.boot = "next boot"

    assert take(board, doc, ROD).state == "held"
    assert [e.data["why"] for e in board.log if e.type == "lock.lapsed"] == ["lease"]


def test_renewing_a_lapsed_lock_that_nobody_took_revives_it(board: Board, doc: str) -> None:
    granted = take(board, doc)
    board.sleep(TTL)

    board.do(c.RenewLock(artifact=doc, fence=granted.fence))

    assert board.get(r.Lock, doc).state == "held"  # type: ignore[union-attr]
    assert board.types()[-2:] == ["lock.lapsed", "lock.revived"]


def test_the_queue_is_served_in_order(board: Board, doc: str) -> None:
    holder = take(board, doc)
    first = take(board, doc, ROD, wait=True)
    second = take(board, doc, EDWIN, wait=True)

    board.do(c.ReleaseLock(artifact=doc, fence=holder.fence or 0))

    assert (first.position, second.position) == (1, 2)
    lock = board.get(r.Lock, doc)
    assert lock is not None and lock.actor == "rod"
    assert [ticket.actor for ticket in board.find(r.Ticket)] == ["edwin"]


def test_a_dead_waiter_is_passed_over(board: Board, doc: str) -> None:
    holder = take(board, doc)
    take(board, doc, ROD, wait=True)
    board.sleep(TTL - 1)
    board.do(c.RenewLock(artifact=doc, fence=holder.fence))
    take(board, doc, EDWIN, wait=True)
    board.sleep(10)

    board.do(c.ReleaseLock(artifact=doc, fence=holder.fence or 0))

    lock = board.get(r.Lock, doc)
    assert lock is not None and lock.actor == "edwin"


def test_a_dead_holder_does_not_keep_a_live_waiter_out(board: Board, doc: str) -> None:
    holder = take(board, doc)
    waiting = take(board, doc, ROD, wait=True)
    board.sleep(TTL - 1)
    board.do(c.RenewLock(artifact=doc, ticket=waiting.ticket), ROD)
    board.sleep(1)

    with pytest.raises(Gone):
        board.do(c.RenewLock(artifact=doc, ticket=waiting.ticket), ROD)

    lock = board.get(r.Lock, doc)
    assert lock is not None and lock.actor == "rod" and lock.fence == (holder.fence or 0) + 1


def test_an_idle_holder_lapses_although_it_renews(board: Board, doc: str) -> None:
    granted = board.do(c.AcquireLock(artifact=doc, ttl_ms=600_000), EDWIN)
    board.sleep(3 * 60_000 - 1)
    board.do(c.RenewLock(artifact=doc, fence=granted.fence, active=False), EDWIN)
    board.sleep(1)

    assert take(board, doc).state == "held"
    assert board.log[-2].data["why"] == "idle"


def test_an_agent_that_holds_too_long_lapses_only_when_somebody_waits(board: Board, doc: str) -> None:
    granted = board.do(c.AcquireLock(artifact=doc, ttl_ms=86_400_000), EDWIN)
    for _ in range(10):
        board.sleep(60_000)
        board.do(c.RenewLock(artifact=doc, fence=granted.fence), EDWIN)
    lock = board.get(r.Lock, doc)
    assert lock is not None and lock.state == "held"

    board.do(c.AcquireLock(artifact=doc, wait=True), ANA)
    with pytest.raises(Fenced):
        board.do(c.RenewLock(artifact=doc, fence=granted.fence), EDWIN)


def test_leaving_the_queue_ends_the_ticket(board: Board, doc: str) -> None:
    take(board, doc)
    waiting = take(board, doc, ROD, wait=True)

    board.do(c.CancelTicket(ticket=waiting.ticket or ""), ROD)

    assert board.find(r.Ticket) == []
    with pytest.raises(Gone):
        board.do(c.CancelTicket(ticket=waiting.ticket or ""), ROD)


def test_nobody_leaves_the_queue_for_another(board: Board, doc: str) -> None:
    take(board, doc)
    waiting = take(board, doc, ROD, wait=True)

    with pytest.raises(Gone):
        board.do(c.CancelTicket(ticket=waiting.ticket or ""), EDWIN)


def test_a_transfer_hands_over_lock_and_draft(board: Board, doc: str) -> None:
    mine = take(board, doc)
    board.do(c.AppendDraft(artifact=doc, fence=mine.fence or 0, off=0, text="half"))

    board.do(c.TransferLock(artifact=doc, fence=mine.fence or 0, to="rod"))

    theirs = (mine.fence or 0) + 1
    assert board.do(c.AppendDraft(artifact=doc, fence=theirs, off=4, text=" done"), ROD).have == 9
    with pytest.raises(Fenced):
        board.do(c.ReleaseLock(artifact=doc, fence=mine.fence or 0))


def test_force_takes_the_lock_and_keeps_the_text_of_who_held_it(board: Board, doc: str) -> None:
    theirs = take(board, doc, EDWIN)
    board.do(c.AppendDraft(artifact=doc, fence=theirs.fence or 0, off=0, text="half"), EDWIN)

    forced = board.do(c.ForceLock(artifact=doc, reason="it hangs", take=True))

    assert forced.fence == (theirs.fence or 0) + 1
    draft = board.find(r.Draft)[0]
    assert (draft.actor, board.blobs[draft.sha256]) == ("edwin", b"half")


def test_force_without_take_serves_the_queue(board: Board, doc: str) -> None:
    take(board, doc, EDWIN)
    take(board, doc, ROD, wait=True)

    board.do(c.ForceLock(artifact=doc, reason="it hangs"))

    lock = board.get(r.Lock, doc)
    assert lock is not None and lock.actor == "rod"


def test_force_needs_a_reason_and_a_person(board: Board, doc: str) -> None:
    take(board, doc)

    with pytest.raises(BadInput):
        board.do(c.ForceLock(artifact=doc, reason="  "), ROD)
    with pytest.raises(NotAllowed):
        board.do(c.ForceLock(artifact=doc, reason="mine"), EDWIN)


def test_an_agent_holds_three_locks_at_most(board: Board) -> None:
    ids = [board.do(c.CreateArtifact(path=f"{n}.md", text="")).artifact for n in range(4)]
    for id in ids[:3]:
        take(board, id, EDWIN)

    with pytest.raises(Limit):
        take(board, ids[3], EDWIN)


@pytest.mark.parametrize("ttl", [0, -1, 499, 86_400_001])
def test_a_lease_outside_the_bounds_is_refused(board: Board, doc: str, ttl: int) -> None:
    with pytest.raises(BadInput):
        board.do(c.AcquireLock(artifact=doc, ttl_ms=ttl))


def test_an_unknown_artifact_is_not_found(board: Board) -> None:
    with pytest.raises(NotFound):
        take(board, "nothing")


def test_a_save_on_an_old_base_is_a_conflict_even_with_the_lock(board: Board, doc: str) -> None:
    mine = take(board, doc)
    board.do(c.SaveArtifact(artifact=doc, fence=mine.fence or 0, base=1, text="2", then="keep"))

    with pytest.raises(Conflict) as refused:
        board.do(c.SaveArtifact(artifact=doc, fence=mine.fence or 0, base=1, text="2b"))

    assert refused.value.data["version"] == 2


def test_another_actor_cannot_use_a_fence_it_read(board: Board, doc: str) -> None:
    mine = take(board, doc)

    with pytest.raises(Fenced):
        board.do(c.SaveArtifact(artifact=doc, fence=mine.fence or 0, base=1, text="x"), ROD)


# --- what the space allows, and odd clocks ----------------------------------------------------------


def test_the_policy_says_when_a_holder_is_idle(board: Board, doc: str) -> None:
    board.policy = Policy(human_idle_ms=5000)
    granted = board.do(c.AcquireLock(artifact=doc, ttl_ms=600_000))
    board.sleep(4999)
    board.do(c.RenewLock(artifact=doc, fence=granted.fence, active=False))
    board.sleep(1)

    assert take(board, doc, ROD).state == "held"


def test_a_lock_that_went_idle_is_held_again_once_its_holder_writes(board: Board, doc: str) -> None:
    board.policy = Policy(human_idle_ms=5000)
    fence = board.do(c.AcquireLock(artifact=doc, ttl_ms=600_000)).fence
    board.sleep(5000)
    board.do(c.RenewLock(artifact=doc, fence=fence, active=False))
    assert board.get(r.Lock, doc).state == "lapsed"  # type: ignore[union-attr]

    board.do(c.AppendDraft(artifact=doc, fence=fence, off=0, text="back again"))
    board.do(c.RenewLock(artifact=doc, fence=fence, active=False))

    assert board.get(r.Lock, doc).state == "held"  # type: ignore[union-attr]


def test_the_policy_says_how_long_an_agent_holds_while_somebody_waits(board: Board, doc: str) -> None:
    board.policy = Policy(agent_hold_ms=2000)
    granted = board.do(c.AcquireLock(artifact=doc, ttl_ms=600_000), EDWIN)
    board.do(c.AcquireLock(artifact=doc, wait=True, ttl_ms=600_000), ANA)
    board.sleep(1999)
    board.do(c.RenewLock(artifact=doc, fence=granted.fence), EDWIN)
    board.sleep(1)

    with pytest.raises(Fenced):
        board.do(c.RenewLock(artifact=doc, fence=granted.fence), EDWIN)
    assert board.log[-1].data["holder"]["actor"] == "ana"


def test_waiting_counts_as_much_as_holding(board: Board, doc: str) -> None:
    board.policy = Policy(human_locks=2)
    other = board.do(c.CreateArtifact(path="other.md", text="")).artifact
    third = board.do(c.CreateArtifact(path="third.md", text="")).artifact
    take(board, doc, ROD)
    take(board, other, ANA)
    take(board, doc, ANA, wait=True)

    with pytest.raises(Limit) as refused:
        take(board, third, ANA)
    assert refused.value.data == {"limit": 2} and refused.value.hint
    assert board.do(c.AcquireLock(artifact=third), ANA, client="laptop").state == "held"


def test_a_lock_that_ran_out_no_longer_counts(board: Board, doc: str) -> None:
    board.policy = Policy(human_locks=1)
    other = board.do(c.CreateArtifact(path="other.md", text="")).artifact
    take(board, doc)
    board.sleep(TTL)

    assert take(board, other).state == "held"


def test_a_clock_that_was_set_back_gives_each_lease_its_full_length_again(board: Board, doc: str) -> None:
    board.sleep(10_000_000)
    take(board, doc)
    board.mono_ms = 5000

    with pytest.raises(Busy):
        take(board, doc, ROD)
    board.sleep(TTL - 1)
    with pytest.raises(Busy):
        take(board, doc, ROD)
    board.sleep(1)
    assert take(board, doc, ROD).state == "held"


def test_the_target_of_a_transfer_is_told_that_the_lock_is_theirs(board: Board, doc: str) -> None:
    mine = take(board, doc)
    board.do(c.TransferLock(artifact=doc, fence=mine.fence or 0, to="rod"))

    with pytest.raises(Busy) as refused:
        take(board, doc, ROD)

    assert refused.value.data["holder"] == "rod"
    assert f"fence {(mine.fence or 0) + 1}" in refused.value.hint


def test_a_target_that_does_not_come_loses_a_transferred_lock(board: Board, doc: str) -> None:
    mine = take(board, doc)
    board.do(c.AppendDraft(artifact=doc, fence=mine.fence or 0, off=0, text="half"))
    board.do(c.TransferLock(artifact=doc, fence=mine.fence or 0, to="rod"))
    board.sleep(TTL)

    take(board, doc)

    [draft] = board.find(r.Draft)
    assert (draft.actor, board.blobs[draft.sha256]) == ("rod", b"half")


@pytest.mark.parametrize("act", ["acquire", "queue", "save", "release", "transfer", "renew", "force"])
def test_every_refusal_says_what_to_do_next(board: Board, doc: str, act: str) -> None:
    commands: dict[str, c.Command[Any]] = {
        "acquire": c.AcquireLock(artifact=doc),
        "queue": c.AcquireLock(artifact=doc, wait=True, ttl_ms=1),
        "save": c.SaveArtifact(artifact=doc, fence=1, base=1, text=""),
        "release": c.ReleaseLock(artifact=doc, fence=1),
        "transfer": c.TransferLock(artifact=doc, fence=1, to="rod"),
        "renew": c.RenewLock(artifact=doc),
        "force": c.ForceLock(artifact=doc, reason=""),
    }
    take(board, doc)

    with pytest.raises(FlowError) as refused:
        board.do(commands[act], ROD)

    assert refused.value.message and refused.value.hint


def test_an_agent_of_one_person_does_not_save_with_the_lock_it_holds_for_another(
    board: Board, doc: str
) -> None:
    granted = board.do(c.AcquireLock(artifact=doc), Actor("edwin", "agent", "ana"))

    with pytest.raises(Fenced):
        board.do(
            c.SaveArtifact(artifact=doc, fence=granted.fence, base=1, text="x"),
            Actor("edwin", "agent", "rod"),
        )
