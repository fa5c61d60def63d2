"""One session of an editor: a thread of the space. A prompt is said there, runs a flow, or answers a question."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import Any, cast

import acp
from msgspec import Struct

from flowide.acp_server.asking import ask, has_options, in_words
from flowide.acp_server.telling import RunTelling
from flowide.acp_server.wishes import Wish, wish_of
from flowide.agents.acp.recipes import installed, split_by_file
from flowide.agents.definition import AgentDefinition
from flowide.agents.load import find_agents
from flowide.agents.readiness import problem_of
from flowide.domain import rows
from flowide.domain.commands import AnswerGate, OpenThread
from flowide.domain.events import Event
from flowide.domain.ids import uuid7
from flowide.errors import FlowError, Gone, NotFound
from flowide.flows import engine
from flowide.flows.api import RunRequest, RunResult
from flowide.flows.discussion.posting import Writing, compose
from flowide.flows.load import find_flows, load_flow
from flowide.flows.surroundings import Surroundings
from flowide.project.folder import ProjectFolder
from flowide.settings import Settings
from flowide.space.api import Space
from flowide.space.queries import FindThread, Gates, ThreadMessages

MAX_RESULT = 20_000
"""Characters of a flow's result that are shown."""


class Project(Struct, frozen=True):
    """Where sessions work."""

    folder: ProjectFolder
    space: Space
    settings: Settings
    around: Surroundings
    agents: tuple[str, ...] = ()
    """Agents that were named on the command line; the first answers who mentions nobody."""


class Conversation:
    """One session. Prompts come one at a time."""

    def __init__(self, project: Project, client: Any, session: str) -> None:
        """`session` is the thread's id."""
        self._project, self._client, self.session = project, client, session
        self._task: asyncio.Task[str] | None = None
        self._waiting: tuple[str, rows.Gate] | None = None
        """A run that has stopped at a question which is answered by words."""
        self._out: asyncio.Queue[Any] = asyncio.Queue()
        self._seen = 0
        """`seq` of the last event that was told."""
        self._speaker, self._spoken = "", ""
        """Whose answer is shown while it is written, and what of it was shown."""

    # --- what the editor asks for -------------------------------------------------------------------

    async def prompt(self, text: str) -> str:
        """Do what was typed; why the turn ended: `end_turn` or `cancelled`."""
        self._task = asyncio.create_task(self._do(text))
        sending = asyncio.create_task(self._send())
        try:
            return await asyncio.shield(self._task)
        except asyncio.CancelledError:
            if self._task.cancelled():
                return "cancelled"
            self._task.cancel()
            await asyncio.wait({self._task})
            raise
        finally:
            self._task = None
            self._out.put_nowait(None)
            await sending

    def cancel(self) -> None:
        """Call the turn off; what it has done until then stays."""
        if self._task is not None:
            self._task.cancel()

    async def commands(self) -> list[tuple[str, str]]:
        """Flows as commands, with what they are about."""
        found = []
        for name in self._flows():
            with contextlib.suppress(FlowError):
                loaded = self._load(name)
                found.append((name, loaded.flow.about or f"Run the flow {name}."))
        return found

    async def replay(self) -> None:
        """Tell what was said in the thread, for an editor that opens it again."""
        view = await self._project.space.read(ThreadMessages(self.session, 1000))
        for message in view.messages:
            if message.kind == "human":
                await self._tell(acp.update_user_message_text(message.text))
            else:
                await self._tell(acp.update_agent_message_text(f"**@{message.actor}**: {message.text}\n\n"))

    # --- doing it -----------------------------------------------------------------------------------

    async def _do(self, text: str) -> str:
        try:
            if self._waiting is not None:
                await self._answer_in_words(text)
                return "end_turn"
            wish = wish_of(text, self._flows())
            await (self._run(wish) if wish.flow is not None else self._talk(wish.words))
        except FlowError as error:
            self._say(f"{error.message}\n{error.hint}".strip())
        return "end_turn"

    async def _talk(self, words: str) -> None:
        """Say it in the thread, and have whoever is asked answer."""
        project = self._project
        agents = self._agents()
        ready = await self._ready(agents)
        await self._thread(words, ready[0] if ready else None)
        known, also = split_by_file(agents)
        writing = Writing(thread=self.session, text=words, known=known, also=also)
        composed = await compose(project.space, project.folder, writing)
        posted = (await project.space.execute(composed.command)).ok
        if not posted.asks:
            self._say(
                "It is said; nobody was asked. Mention somebody: "
                + (
                    ", ".join(f"@{each}" for each in agents)
                    or "there are no agents yet, see `flowide agents`."
                )
            )
            return
        named = [*posted.asks, *(each for each in ready if each not in posted.asks)]
        inputs = {"thread": self.session, "context": project.settings.discussion.context}
        await self._drive(RunRequest(flow="say", inputs=inputs, agents=named, **self._terms()), plan=False)

    async def _run(self, wish: Wish) -> None:
        request = RunRequest(
            flow=wish.flow or "",
            brief=wish.words,
            inputs=dict(wish.inputs),
            agents=list(self._project.agents),
            **self._terms(),
        )
        result = await self._drive(request, plan=True)
        if result is not None:
            self._tell_result(result)

    def _terms(self) -> dict[str, Any]:
        settings = self._project.settings
        return {
            "on_gate": "wait",
            "parallel": settings.limits.parallel,
            "lock_timeout_s": settings.lock.timeout_s,
            "trust": settings.trusts(self._project.folder.root),
        }

    async def _answer_in_words(self, text: str) -> None:
        assert self._waiting is not None
        (run, gate), self._waiting = self._waiting, None
        project = self._project
        with contextlib.suppress(Gone):  # somebody else was quicker
            await project.space.execute(AnswerGate(gate=gate.id, answer=text.strip()))
        result = await self._watched(
            run,
            lambda: engine.resume(
                project.space, project.folder, run,
                request=RunRequest(flow="", **self._terms()), observer=self, surroundings=project.around,
            ),
            RunTelling(project.space, project.folder.root, run, None),
        )  # fmt: skip
        if result is not None:
            self._tell_result(result)

    async def _drive(self, request: RunRequest, *, plan: bool) -> RunResult | None:
        project, run = self._project, uuid7()
        telling = RunTelling(
            project.space, project.folder.root, run, self._load(request.flow) if plan else None
        )
        first = telling.plan()
        if first is not None:
            self._out.put_nowait(first)
        return await self._watched(
            run,
            lambda: engine.start(
                project.space, project.folder, request,
                observer=self, run_id=run, surroundings=project.around,
            ),
            telling,
        )  # fmt: skip

    async def _watched(self, run: str, start: Callable[[], Any], telling: RunTelling) -> RunResult | None:
        """Drive a run and tell its story; None = it waits for words."""
        space = self._project.space
        self._speaker, self._spoken = "", ""
        self._seen = after = await space.head()
        driving = asyncio.ensure_future(start())
        following = asyncio.create_task(self._follow(after, telling, driving))
        try:
            result: RunResult = await driving
        except asyncio.CancelledError:
            if self._waiting is not None:
                return None  # its question is answered by the next prompt
            raise
        finally:
            driving.cancel()
            following.cancel()
            await asyncio.wait({driving, following})
            async for event in space.events(self._seen):
                await self._event(event, telling, None)
        return result

    async def _follow(self, after: int, telling: RunTelling, driving: asyncio.Future[Any]) -> None:
        events = cast("AsyncGenerator[Event]", self._project.space.events(after, follow=True))
        async with contextlib.aclosing(events) as stream:
            async for event in stream:
                await self._event(event, telling, driving)

    async def _event(self, event: Event, telling: RunTelling, driving: asyncio.Future[Any] | None) -> None:
        self._seen = event.seq
        for update in await telling.updates(event):
            self._out.put_nowait(update)
        if event.data.get("run") != telling.run:
            return
        if event.type == "message.posted" and event.data.get("thread") == self.session:
            self._posted(event.actor["id"], event.data["text"])
        if event.type == "gate.opened" and driving is not None:
            await self._gate(event.data["gate"], telling.run, driving)

    async def _gate(self, id: str, run: str, driving: asyncio.Future[Any]) -> None:
        space = self._project.space
        gate = next((each for each in await space.read(Gates(run=run)) if each.id == id), None)
        if gate is None:
            return  # answered already
        if not has_options(gate):
            self._waiting = (run, gate)
            self._say(in_words(gate))
            driving.cancel()
            return
        await self._sent()
        answer = await ask(self._client, self.session, gate)
        if answer is None:
            self.cancel()
            return
        with contextlib.suppress(Gone):
            await space.execute(AnswerGate(gate=gate.id, answer=answer))

    # --- what is told -------------------------------------------------------------------------------

    def delta(self, step: str, actor: str, text: str, *, restart: bool) -> None:
        """Somebody writes; whoever began first is shown while writing, the others when they are done."""
        if step.rpartition("/")[2] != actor or self._speaker not in ("", actor):
            return  # a text of a flow is shown when it is saved
        if not self._speaker:
            self._speaker = actor
            self._say(f"**@{actor}**: ")
        if restart and self._spoken:
            self._say("\n\n(again) ")
            self._spoken = ""
        self._spoken += text
        self._say(text)

    def warning(self, message: str) -> None:
        """Something a person should know."""
        self._out.put_nowait(acp.update_agent_thought_text(f"{message}\n"))

    def _posted(self, actor: str, text: str) -> None:
        """An answer is complete: what of it was not shown yet is."""
        if self._speaker == actor:
            shown = self._spoken.strip()
            rest = text[len(shown) :] if text.startswith(shown) else f"\n\n{text}"
            self._say(f"{rest}\n\n")
            self._speaker, self._spoken = "", ""
        else:
            self._say(f"**@{actor}**: {text}\n\n")

    def _tell_result(self, result: RunResult) -> None:
        outputs = result.outputs
        if result.error is not None:
            self._say(f"{result.error['message']}\n{result.error.get('hint', '')}".strip())
        elif outputs.get("text"):
            text = str(outputs["text"])
            more = "\n[…]" if len(text) > MAX_RESULT else ""
            named = outputs.get("path") or (
                f"variation {outputs['chosen']}" if outputs.get("chosen") else "result"
            )
            self._say(f"{named}:\n\n````\n{text[:MAX_RESULT]}{more}\n````")
        else:
            self._say(f"the run is {result.status}")

    def _say(self, text: str) -> None:
        if text:
            self._out.put_nowait(acp.update_agent_message_text(text))

    async def _send(self) -> None:
        """Send what is told, in its order, until the end of the turn."""
        while (update := await self._out.get()) is not None:
            if isinstance(update, asyncio.Event):
                update.set()
            else:
                await self._tell(update)

    async def _sent(self) -> None:
        """Wait until everything that was told is on its way: a question comes after what led to it."""
        mark = asyncio.Event()
        self._out.put_nowait(mark)
        await mark.wait()

    async def _tell(self, update: Any) -> None:
        await self._client.session_update(self.session, update)

    # --- what there is ------------------------------------------------------------------------------

    def _flows(self) -> list[str]:
        around = self._project.around
        return [
            name for name, _, _ in find_flows(self._project.folder.root, around.user_flows) if name != "say"
        ]

    def _load(self, name: str) -> Any:
        return load_flow(name, self._project.folder.root, self._project.around.user_flows)

    def _agents(self) -> dict[str, AgentDefinition]:
        project = self._project
        found = find_agents(project.folder.root, project.around.user_agents)
        return {**installed(project.around.env), **found.agents}

    async def _ready(self, agents: dict[str, AgentDefinition]) -> list[str]:
        """Those who could answer: the named ones first, coding agents without a file only when named."""
        project = self._project
        able = []
        for handle in dict.fromkeys([*project.agents, *agents]):
            agent = agents.get(handle)
            if agent is None or (agent.origin == "recipe" and handle not in project.agents):
                continue
            if await problem_of(agent, models=project.around.models, env=project.around.env) is None:
                able.append(handle)
        return able

    async def _thread(self, words: str, agent: str | None) -> None:
        """The thread of the session, made when something is said for the first time."""
        space = self._project.space
        try:
            await space.read(FindThread(self.session))
        except NotFound:
            bounds = self._project.settings.discussion
            title = " ".join(words.split())[:60]
            await space.execute(
                OpenThread(
                    thread=self.session, title=title, agent=agent, depth=bounds.depth, rate=bounds.rate
                )
            )
