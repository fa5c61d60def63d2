"""Any order of commands gives the same replies, events and rows on every store; rebuilding changes nothing."""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from flowide.domain import commands as c
from flowide.domain.actors import Actor
from flowide.domain.ids import uuid7
from flowide.domain.rows import PROJECTIONS, TRANSIENT, Row
from flowide.errors import FlowError
from flowide.space import queries as q
from flowide.space.local import LocalSpace
from flowide.store.api import Store
from flowide.store.by_url import create_space, open_store
from flowide.store.sqlite import SqliteStore
from flowide.testing import ManualClock, MemorySpace
from tests.domain.board import ANA, EDWIN, ROD

T = TypeVar("T")
TTL = 1000
actors = st.sampled_from([ANA, ROD, EDWIN])
clients = st.sampled_from(["pc", "laptop"])
docs = st.sampled_from(["a.md", "b.md"])
texts = st.text(max_size=12)


@pytest.fixture(scope="module", autouse=True)
def _postgres(postgres_url: str) -> Iterator[None]:
    Equality.postgres = postgres_url
    yield
    Equality.postgres = ""


class Equality(RuleBasedStateMachine):
    """Three spaces that are told the same, at the same time."""

    postgres: ClassVar[str] = ""
    """A database for the third one."""

    @initialize()
    def start(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        store = SqliteStore(Path(self.folder.name) / "workspace.db")
        self.spaces: list[LocalSpace] = [
            MemorySpace(ANA, client="pc", clock=self.clock),
            LocalSpace(store, ANA, client="pc", clock=self.clock),
            LocalSpace(self.new_store(), ANA, client="pc", clock=self.clock),
        ]
        self.ids = {
            path: self.send(c.CreateArtifact(id=path, path=path, text="one\n"), ANA, "pc")
            for path in ("a.md", "b.md")
        }
        self.sent: list[tuple[c.Command[Any], Actor, str, str]] = []
        self.send(c.OpenVariationSet(set="s", title="t"), ANA, "pc")
        self.send(c.StartRun(run="r", flow="f", flow_sha256="", flow_text="", ttl_ms=TTL), ANA, "pc")

    def new_store(self) -> Store:
        name = uuid.uuid4().hex
        create_space(self.postgres, name)
        return open_store(self.postgres, name)

    def teardown(self) -> None:
        for space in self.spaces:
            self.wait(space.close())
        self.loop.close()
        self.folder.cleanup()

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def send(self, command: c.Command[Any], actor: Actor, client: str, id: str | None = None) -> Any:
        """Send to all; the answers have to be the same."""
        id = id or uuid7()
        answers = []
        for space in self.spaces:
            view = LocalSpace(space.store, actor, client=client, clock=self.clock)
            try:
                reply = self.wait(view.execute(command, id=id))
            except FlowError as refused:
                answers.append(("refused", msgspec.json.encode(refused.to_dict(), order="sorted")))
            else:
                answers.append(("ok", msgspec.json.encode([reply.seq, reply.ok])))
        assert answers[0] == answers[1] == answers[2]
        if hasattr(self, "sent"):
            self.sent.append((command, actor, client, id))
        return answers[0]

    def fence(self, doc: str) -> int:
        [state] = self.wait(self.spaces[0].read(q.Locks(doc)))
        return state.lock.fence

    # --- what may happen ----------------------------------------------------------------------------

    @rule(ms=st.sampled_from([1, TTL - 1, TTL, 40 * 86_400_000]))
    def time_passes(self, ms: int) -> None:
        self.clock.sleep(ms)

    @rule()
    def the_machine_starts_again(self) -> None:
        self.clock.boot = f"{self.clock.boot}'"
        self.clock.mono_ms = 5000

    @rule(doc=docs, actor=actors, client=clients, wait=st.booleans())
    def acquire(self, doc: str, actor: Actor, client: str, wait: bool) -> None:
        self.send(c.AcquireLock(artifact=doc, wait=wait, ttl_ms=TTL), actor, client)

    @rule(
        doc=docs,
        actor=actors,
        client=clients,
        age=st.integers(0, 1),
        text=texts,
        keep=st.booleans(),
        back=st.integers(0, 1),
    )
    def save(self, doc: str, actor: Actor, client: str, age: int, text: str, keep: bool, back: int) -> None:
        base = self.wait(self.spaces[0].read(q.FindArtifact(doc))).version - back
        command = c.SaveArtifact(
            artifact=doc,
            fence=self.fence(doc) - age,
            base=base,
            text=text,
            then="keep" if keep else "release",
        )
        self.send(command, actor, client)

    @rule(doc=docs, actor=actors, off=st.integers(0, 9), text=texts, cut=st.booleans())
    def write(self, doc: str, actor: Actor, off: int, text: str, cut: bool) -> None:
        self.send(
            c.AppendDraft(artifact=doc, fence=self.fence(doc), off=off, text=text, cut=cut), actor, "pc"
        )

    @rule(doc=docs, actor=actors, active=st.booleans())
    def renew(self, doc: str, actor: Actor, active: bool) -> None:
        self.send(c.RenewLock(artifact=doc, fence=self.fence(doc), active=active), actor, "pc")

    @rule(doc=docs, actor=actors, drop=st.booleans())
    def release(self, doc: str, actor: Actor, drop: bool) -> None:
        command = c.ReleaseLock(artifact=doc, fence=self.fence(doc), draft="drop" if drop else "keep")
        self.send(command, actor, "pc")

    @rule(doc=docs, actor=actors, take=st.booleans())
    def force(self, doc: str, actor: Actor, take: bool) -> None:
        self.send(c.ForceLock(artifact=doc, reason="must", take=take, ttl_ms=TTL), actor, "pc")

    @rule(doc=docs, actor=actors, to=actors, along=st.booleans())
    def transfer(self, doc: str, actor: Actor, to: Actor, along: bool) -> None:
        command = c.TransferLock(
            artifact=doc, fence=self.fence(doc), to=to.id, to_kind=to.kind, with_draft=along
        )
        self.send(command, actor, "pc")

    @rule(doc=docs, actor=actors, id=st.sampled_from(["d1", "d2"]), text=texts)
    def keep_a_draft(self, doc: str, actor: Actor, id: str, text: str) -> None:
        self.send(c.KeepDraft(draft=id, artifact=doc, base=1, text=text), actor, "pc")

    @rule(actor=actors, data=st.data(), adopt=st.booleans())
    def end_a_draft(self, actor: Actor, data: st.DataObject, adopt: bool) -> None:
        drafts = self.wait(self.spaces[0].read(q.Drafts()))
        if drafts:
            draft = data.draw(st.sampled_from([draft.id for draft in drafts]))
            self.send(c.AdoptDraft(draft=draft) if adopt else c.DiscardDraft(draft=draft), actor, "pc")

    @rule(doc=docs, actor=actors, path=st.sampled_from(["c.md", "B.md", "x/../y"]))
    def move_delete_or_restore(self, doc: str, actor: Actor, path: str) -> None:
        fence, base = self.fence(doc), self.wait(self.spaces[0].read(q.FindArtifact(doc))).version
        self.send(c.MoveArtifact(artifact=doc, fence=fence, base=base, path=path, then="keep"), actor, "pc")
        self.send(c.DeleteArtifact(artifact=doc, fence=fence, base=base), actor, "pc")
        self.send(c.RestoreArtifact(artifact=doc, fence=fence, base=base, version=1), actor, "pc")

    @rule(doc=docs, actor=actors, text=texts)
    def vary_and_accept(self, doc: str, actor: Actor, text: str) -> None:
        self.send(c.AddVariation(set="s", id=uuid7(), text=text, lineage={"f": {"ratio": 0.25}}), actor, "pc")
        base = self.wait(self.spaces[0].read(q.FindArtifact(doc))).version
        accept = c.AcceptVariation(set="s", number=1, artifact=doc, fence=self.fence(doc), base=base)
        self.send(accept, actor, "pc")

    @rule(doc=docs, actor=actors, text=texts)
    def batch(self, doc: str, actor: Actor, text: str) -> None:
        fence = self.fence(doc) + 1
        base = self.wait(self.spaces[0].read(q.FindArtifact(doc))).version
        self.send(
            c.Batch(
                cmds=[
                    c.AcquireLock(artifact=doc, ttl_ms=TTL),
                    c.SaveArtifact(artifact=doc, fence=fence, base=base, text=text),
                ]
            ),
            actor,
            "pc",
        )

    @rule(data=st.data())
    def say_it_again(self, data: st.DataObject) -> None:
        loud = [each for each in self.sent if each[0].wire_name() not in c.SILENT]
        if loud:
            command, actor, client, id = data.draw(st.sampled_from(loud))
            self.send(command, actor, client, id)

    @rule(actor=actors)
    def drive_a_run(self, actor: Actor) -> None:
        self.send(c.ClaimRun(run="r", ttl_ms=TTL), actor, "pc")
        self.send(c.RecordStep(run="r", fence=1, key="k", kind="vary", status="completed"), actor, "pc")

    # --- what has to hold ---------------------------------------------------------------------------

    @invariant()
    def all_say_the_same(self) -> None:
        if not hasattr(self, "spaces"):
            return
        positions = [space.store.position() for space in self.spaces]
        assert positions[0] == positions[1] == positions[2]
        for kinds in (TRANSIENT, PROJECTIONS):
            assert self.rows(0, kinds) == self.rows(1, kinds) == self.rows(2, kinds)

    @rule()
    def rebuilding_changes_nothing(self) -> None:
        for at, space in enumerate(self.spaces):
            before = self.rows(at, PROJECTIONS)
            self.wait(space.rebuild())
            assert self.rows(at, PROJECTIONS) == before

    def rows(self, which: int, kinds: tuple[type[Row], ...]) -> list[bytes]:
        with self.spaces[which].store.read() as view:
            found = [(kind.TABLE, row) for kind in kinds for row in view.find(kind)]
        return sorted(msgspec.json.encode(each, order="sorted") for each in found)


TestEquality = Equality.TestCase
TestEquality.settings = settings(
    max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
