"""A project whose agents talk, and a thread in it."""

from __future__ import annotations

from copy import copy
from pathlib import Path
from typing import Any

from flowide.agents.context import Manifest, decode
from flowide.domain import rows
from flowide.domain.actors import Actor
from flowide.domain.commands import OpenThread
from flowide.errors import StorageFailed
from flowide.flows.api import RunResult
from flowide.flows.discussion.posting import Writing, compose
from flowide.space.queries import OneMessage, ThreadMessages, Threads, Turns
from tests.flows.conftest import Bench
from tests.flows.test_resume import Failing
from tests.project_with_agents import SHOP, write_agent

NOTES = "# Notes\n\n## Risks\n\nStale values.\n\n## Tests\n\nEnough.\n"


def make_talkers(root: Path, **scripts: Any) -> Path:
    """A project with a document and agents that say what the test wants, by handle."""
    (root / "src").mkdir(parents=True, exist_ok=True)
    (root / "src" / "shop.py").write_text(SHOP)
    (root / "notes.md").write_text(NOTES)
    for handle, replies in scripts.items():
        entries = replies if isinstance(replies, list) else [{"on": "*", "text": replies}]
        write_agent(root, handle, entries)
    return root


class Breaking(Failing):
    """A space whose disk is full from the n-th change on, whoever makes it."""

    def acting_as(self, actor: Actor) -> Breaking:
        other = copy(self)
        other.actor = actor
        return other

    def _count(self) -> None:
        Breaking.left -= 1
        if Breaking.left < 0:
            raise StorageFailed("the disk is full")


class Talk:
    """Says things in a thread and has them answered."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.space = bench, bench.space
        self.thread = ""

    async def open(self, **more: Any) -> str:
        command = OpenThread(title="talk", **more)
        await self.space.execute(command)
        self.thread = command.thread
        return self.thread

    async def say(self, text: str, actor: str = "ana", known: tuple[str, ...] = ()) -> rows.Message:
        from flowide.agents.load import find_agents

        if not self.thread:
            await self.open()
        handles = known or tuple(find_agents(self.bench.root).agents)
        space = self.space.acting_as(Actor(actor))
        composed = await compose(
            space, self.bench.folder, Writing(thread=self.thread, text=text, known=handles)
        )
        await space.execute(composed.command)
        return await self.space.read(OneMessage(composed.command.message))

    async def answer(self, **request: Any) -> RunResult:
        return await self.bench.start("say", inputs={"thread": self.thread}, **request)

    async def messages(self) -> list[rows.Message]:
        return (await self.space.read(ThreadMessages(self.thread, 1000))).messages

    async def said(self) -> list[tuple[str, str]]:
        return [(each.actor, each.text) for each in await self.messages()]

    async def manifest(self, number: int) -> Manifest:
        message = await self.space.read(OneMessage(str(number), self.thread))
        return decode(await self.space.blob(message.manifest or ""))

    async def turns(self, state: str = "waiting") -> list[str]:
        return [each.agent for each in await self.space.read(Turns(self.thread, state))]

    async def threads(self) -> list[rows.Thread]:
        return await self.space.read(Threads())


def talk_of(tmp_path: Path, **scripts: Any) -> Talk:
    """A talk in a project whose agents say this, by handle."""
    return Talk(Bench(make_talkers(tmp_path / "project", **scripts)))
