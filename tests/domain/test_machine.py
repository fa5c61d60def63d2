"""Any order of commands, by anybody, at any time, keeps the promises of locks and versions."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from flowide.domain import commands as c
from flowide.domain import rows as r
from flowide.domain.actors import Actor
from flowide.domain.live_text import live_text
from flowide.errors import Busy, Conflict, Fenced, FlowError, Gone, Limit
from tests.domain.board import ANA, EDWIN, ROD, Board

TTL = 1000
actors = st.sampled_from([ANA, ROD, EDWIN])


@dataclass
class Model:
    """What a careful observer believes, from the replies alone."""

    fence: int = 1
    holder: str | None = None
    renewed_at: int = 0
    version: int = 1
    texts: list[str] = field(default_factory=lambda: ["0"])
    draft: str = ""
    kept: list[str] = field(default_factory=list)

    def alive(self, now: int) -> bool:
        return self.holder is not None and now < self.renewed_at + TTL

    def end_fence(self) -> None:
        if self.draft:
            self.kept.append(self.draft)
        self.draft, self.holder = "", None


class Locking(RuleBasedStateMachine):
    """No queue here, so the observer can predict every reply; the queue has its own machine below."""

    @initialize()
    def start(self) -> None:
        self.board = Board()
        self.model = Model()
        self.doc = self.board.do(c.CreateArtifact(path="a.md", text="0")).artifact

    @rule(ms=st.sampled_from([1, TTL - 1, TTL, TTL * 3]))
    def time_passes(self, ms: int) -> None:
        self.board.sleep(ms)

    @rule(actor=actors)
    def acquire(self, actor: Actor) -> None:
        model, now = self.model, self.board.mono_ms
        try:
            granted = self.board.do(c.AcquireLock(artifact=self.doc, ttl_ms=TTL), actor)
        except Busy as refused:
            assert model.alive(now)
            assert refused.data["fence"] == model.fence
            return
        assert not model.alive(now)
        assert granted.fence == model.fence + 1
        model.end_fence()
        model.fence, model.holder, model.renewed_at = granted.fence, actor.id, now

    @rule(actor=actors, age=st.integers(0, 2))
    def renew(self, actor: Actor, age: int) -> None:
        model = self.model
        fence = model.fence - age
        try:
            self.board.do(c.RenewLock(artifact=self.doc, fence=fence), actor)
        except Fenced:
            assert age or model.holder != actor.id
            return
        assert not age and model.holder == actor.id
        model.renewed_at = self.board.mono_ms

    @rule(actor=actors, age=st.integers(0, 2), back=st.integers(0, 1), keep=st.booleans())
    def save(self, actor: Actor, age: int, back: int, keep: bool) -> None:
        self._save(actor, age, back, keep)

    def _save(self, actor: Actor, age: int, back: int, keep: bool) -> None:
        model, text = self.model, f"v{len(self.board.log)}"
        legal = not age and model.holder == actor.id
        command = c.SaveArtifact(
            artifact=self.doc,
            fence=model.fence - age,
            base=model.version - back,
            text=text,
            then="keep" if keep else "release",
        )
        try:
            saved = self.board.do(command, actor)
        except Fenced:
            assert not legal
            return
        except Conflict as refused:
            assert legal and back
            assert refused.data["version"] == model.version
            return
        assert legal and not back
        model.version += 1
        model.texts.append(text)
        model.draft = ""
        model.renewed_at = self.board.mono_ms
        if not keep:
            model.holder = None
        assert saved.version == model.version

    @rule(keep=st.booleans())
    def the_holder_saves(self, keep: bool) -> None:
        self._save(next((a for a in (ROD, EDWIN) if a.id == self.model.holder), ANA), 0, 0, keep)

    @rule(actor=actors, text=st.text(max_size=5))
    def write(self, actor: Actor, text: str) -> None:
        model = self.model
        command = c.AppendDraft(
            artifact=self.doc, fence=model.fence, off=len(model.draft.encode()), text=text
        )
        try:
            self.board.do(command, actor)
        except Fenced:
            assert model.holder != actor.id
            return
        assert model.holder == actor.id
        model.draft += text

    @rule(actor=actors)
    def release(self, actor: Actor) -> None:
        model = self.model
        try:
            self.board.do(c.ReleaseLock(artifact=self.doc, fence=model.fence), actor)
        except Fenced:
            assert model.holder != actor.id
            return
        assert model.holder == actor.id
        model.end_fence()

    @rule(actor=st.sampled_from([ANA, ROD]), take=st.booleans())
    def force(self, actor: Actor, take: bool) -> None:
        model = self.model
        command = c.ForceLock(artifact=self.doc, reason="must", take=take, ttl_ms=TTL)
        try:
            forced = self.board.do(command, actor)
        except FlowError:
            assert model.holder is None
            return
        model.end_fence()
        if take:
            assert forced.fence == model.fence + 1
            model.fence, model.holder = forced.fence, actor.id
            model.renewed_at = self.board.mono_ms

    @invariant()
    def versions_are_dense_and_never_change(self) -> None:
        versions = self.board.find(r.Version, artifact=self.doc, order="version")
        assert [self.board.blobs[v.sha256].decode() for v in versions] == self.model.texts

    @invariant()
    def no_words_are_lost(self) -> None:
        kept = [self.board.blobs[d.sha256].decode() for d in self.board.find(r.Draft, order="seq")]
        assert kept == self.model.kept
        if self.model.holder is not None:
            assert live_text(self.board, self.doc, self.model.fence) == self.model.draft


class Queueing(RuleBasedStateMachine):
    """With a queue: grants follow ticket order among live tickets, and nobody waits for nothing."""

    @initialize()
    def start(self) -> None:
        self.board = Board()
        self.doc = self.board.do(c.CreateArtifact(path="a.md", text="0")).artifact
        self.tickets: list[str] = []

    @rule(ms=st.sampled_from([1, TTL - 1, TTL]))
    def time_passes(self, ms: int) -> None:
        self.board.sleep(ms)

    @rule(actor=actors)
    def wait(self, actor: Actor) -> None:
        try:
            granted = self.board.do(c.AcquireLock(artifact=self.doc, wait=True, ttl_ms=TTL), actor)
        except Limit:
            # An agent holds or waits for three at most.
            assert self.board.count(r.Ticket) >= 2
            return
        if granted.ticket is not None:
            self.tickets.append(granted.ticket)

    @rule(data=st.data(), actor=actors)
    def renew_a_ticket(self, data: st.DataObject, actor: Actor) -> None:
        if self.tickets:
            ticket = data.draw(st.sampled_from(self.tickets))
            with suppress(Gone):
                self.board.do(c.RenewLock(artifact=self.doc, ticket=ticket), actor)

    @rule()
    def holder_releases(self) -> None:
        lock = self.board.get(r.Lock, self.doc)
        if lock is not None and lock.actor is not None:
            actor = next(a for a in (ANA, ROD, EDWIN) if a.id == lock.actor)
            try:
                self.board.do(c.ReleaseLock(artifact=self.doc, fence=lock.fence), actor)
            except Fenced:
                now = self.board.get(r.Lock, self.doc)
                assert now is not None and now.fence > lock.fence

    @invariant()
    def grants_follow_the_order_of_tickets(self) -> None:
        ended = [e.data for e in self.board.log if e.type == "lock.dequeued" and e.data["why"] == "granted"]
        order = [self.tickets.index(data["ticket"]) for data in ended if data["ticket"] in self.tickets]
        assert order == sorted(order)

    @invariant()
    def a_queue_stands_only_behind_a_lock(self) -> None:
        lock = self.board.get(r.Lock, self.doc)
        if self.board.count(r.Ticket):
            assert lock is not None and lock.state != "free"

    @invariant()
    def fences_strictly_increase(self) -> None:
        fences = [e.data["fence"] for e in self.board.log if e.type == "lock.acquired"]
        assert fences == sorted(set(fences))


TestLocking = Locking.TestCase
TestQueueing = Queueing.TestCase
TestLocking.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestQueueing.settings = TestLocking.settings
