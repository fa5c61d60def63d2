"""Gives coding agents a private copy for each turn of a run, and brings back what they changed."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from flowide.agents.acp.desk import SERVER, Answer, Question, Seat, SpaceTools
from flowide.agents.acp.recipes import recipe_of
from flowide.agents.api import Progress, ReasoningDelta, Request
from flowide.agents.definition import AgentDefinition
from flowide.agents.tools.permissions import rule_of
from flowide.confinement.methods import confinement
from flowide.errors import FlowError, NeedsInput
from flowide.flows.coding.bringing import Bringing
from flowide.flows.coding.parking import tell_everybody
from flowide.flows.coding.permits import Permits
from flowide.flows.coding.places import Place, Sessions, TakenPlace, clear_up, place_of
from flowide.flows.coding.telling import Telling
from flowide.flows.state import RunState
from flowide.project.private.changes import changed_since, changes_in
from flowide.project.private.copying import PrivateCopy, lay
from flowide.project.turn import uninterrupted
from flowide.space.queries import ArtifactAt, FindArtifact

if TYPE_CHECKING:
    from flowide.flows.surroundings import ServeTools

_SAVING = frozenset({"discuss", "edit", "draft", "revise", "write"})
"""Purposes in which what an agent changes besides its answer may be saved; in others it waits."""
_SESSIONS = "acp-sessions.json"


class _Left(Struct):
    """A copy whose changes wait to be brought back."""

    place: Place
    copy: PrivateCopy


class CodingDesk:
    """The desk of one run; see `flowide.agents.acp.desk.Desk`."""

    def __init__(self, *, turn_s: float, keep_copies: bool, serve_tools: ServeTools | None = None) -> None:
        """`turn_s` are the seconds a turn may take; with `keep_copies` a copy stays, and its place is told.

        `serve_tools` gives agents the space as tools; None = they get none.
        """
        self.turn_s = turn_s
        self._keep = keep_copies
        self._serve_tools = serve_tools
        self._state: RunState | None = None
        self._left: dict[str, _Left] = {}
        self._telling: dict[str, Telling] = {}

    def bind(self, state: RunState) -> None:
        """Work for this run."""
        self._state = state

    @property
    def state(self) -> RunState:
        """The run."""
        assert self._state is not None
        return self._state

    @asynccontextmanager
    async def seat(self, agent: AgentDefinition, request: Request) -> AsyncIterator[Seat]:
        """A copy of the project as it is now.

        The same copy as before when the agent is asked again for one answer, and when it goes on with a turn that
        stopped at a question, or with its process.
        """
        state, name = self.state, (agent.handle, request.session)
        clear_up()
        found = await asyncio.to_thread(confinement)
        if not found.works:
            state.warn_once(f"@{agent.handle}: {found.told()}")
        sessions = Sessions(state.folder.dot_dir / _SESSIONS)
        session = sessions.get(*name)
        left = self._left.pop(request.step, None)
        if left is None:
            place = self._place(agent, request)
            copy = place.left("working", request.step) if session is not None else None
            if copy is None:
                copy = await self._laid(place, agent, link_installed=found.works)
                place.note("working", request.step, copy)
            left = _Left(place, copy)
        permits = Permits(state, agent, request.step)
        try:
            async with self._tools(agent, left.copy) as tools:
                going_on = session if left.place.named else None
                yield _CodingSeat(left, permits, sessions, name, going_on, tools)
        except NeedsInput:
            left.place.give_back()  # it goes on there when the question is answered
            raise
        except BaseException:
            await uninterrupted(self._fail(left, request))
            raise
        left.place.note("done", request.step, left.copy)
        self._left[request.step] = left

    @asynccontextmanager
    async def _tools(self, agent: AgentDefinition, copy: PrivateCopy) -> AsyncIterator[SpaceTools | None]:
        """The space as tools, unless it is not to have them."""
        async with AsyncExitStack() as serving:
            tools = None
            if self._serve_tools is not None and agent.mcp and recipe_of(agent).mcp:
                state = self.state

                def may(tool: str) -> bool:
                    return rule_of(agent.permissions, SERVER, tool, trusted=True)[0] != "deny"

                served = self._serve_tools(state.folder, state.space, agent.handle, copy.folder, may)
                try:
                    tools = await serving.enter_async_context(served)
                except OSError as error:
                    state.warn_once(f"@{agent.handle} gets no tools of the space: {error.strerror}")
            yield tools

    def _place(self, agent: AgentDefinition, request: Request) -> Place:
        """The place of the conversation, or another one when somebody works there."""
        place = place_of(self.state.folder.root, agent.handle, request.session)
        try:
            place.take()
        except TakenPlace:
            place = Place(place.top.with_name(f"{place.top.name}-{uuid.uuid4().hex[:8]}"))
            place.named = False
            place.take()
        return place

    async def _laid(self, place: Place, agent: AgentDefinition, *, link_installed: bool) -> PrivateCopy:
        """A new copy; what was left there and nobody took over is kept aside."""
        state = self.state
        before = place.stage()
        copy = None if before is None else place.left(*before)  # type: ignore[arg-type]  # as it was noted
        if before is not None and copy is not None and await self._changed(copy):
            aside = place.set_aside()
            state.observer.warning(
                f"what @{agent.handle} changed in its turn {before[1]} was not taken over; it is in {aside}"
            )
            place.take()
        place.clear()
        paths = list(state.folder.scan())
        laying = asyncio.ensure_future(
            asyncio.to_thread(lay, state.folder.root, place.work, paths, link_installed=link_installed)
        )
        try:
            copy = await asyncio.shield(laying)
        except BaseException:
            await uninterrupted(_abandoned(laying, place))
            raise
        place.temporary.mkdir(exist_ok=True)
        return copy

    async def _changed(self, copy: PrivateCopy) -> bool:
        try:
            found = await asyncio.to_thread(changes_in, copy, self.state.folder.root)
        except FlowError:
            return False
        return bool(found.changes or found.beyond)

    async def _fail(self, left: _Left, request: Request) -> None:
        """The turn failed: what was changed until then is no result, but it is not thrown away either."""
        changed = request.json_schema is None and await self._changed(left.copy)
        if changed or self._keep:
            aside = left.place.set_aside()
            what = "changed files before its turn failed" if changed else "failed"
            self.state.observer.warning(f"@{request.agent} {what}; its copy is in {aside}")
        else:
            await asyncio.to_thread(left.place.remove)

    # --- at the end of a turn -----------------------------------------------------------------------

    async def told(self, request: Request, delta: Progress | ReasoningDelta) -> None:
        """Something the agent does, or thinks aloud."""
        telling = self._telling.setdefault(request.step, Telling(self.state, request.step, request.agent))
        if isinstance(delta, ReasoningDelta):
            telling.thought(delta.text)
        else:
            await telling.told(delta)

    async def bring_back(self, request: Request, text: str) -> str:
        """Take over what a finished turn changed, once; the answer, with what became of the changes said in talk.

        Raises:
            NeedsInput: Somebody must say whether a file is deleted.
        """
        state, step = self.state, f"{request.step}/changes"
        done = state.done(step)
        if done is None:
            told = await self._bring(request)
            result = {"by": request.agent, "by_kind": "agent", **told}
            await state.commit(state.record(step, "changes", "completed", result=result))
        else:
            told = done.result
        summary = told.get("summary", "")
        return f"{text}\n\n{summary}" if summary and request.purpose == "discuss" else text

    async def _bring(self, request: Request) -> dict[str, Any]:
        state, key, agent = self.state, request.step, request.agent
        telling = self._telling.pop(key, None)
        if telling is not None:
            await telling.end()
        left = self._left.pop(key, None) or self._found(request)
        if left is None:
            state.observer.warning(f"{key}: the copy of @{agent} is gone, and what it changed with it")
            return {"gone": True}
        try:
            found = await asyncio.to_thread(changes_in, left.copy, state.folder.root)
            save = request.purpose in _SAVING and request.json_schema is None
            bringing = Bringing(state, key, agent, left.copy, save=save, but=request.target)
            brought = await bringing.bring(found)
        except BaseException:
            left.place.give_back()  # it waits there for whoever goes on with the run
            raise
        if not (await asyncio.to_thread(confinement)).works:
            await self._look_outside(request, left.copy)
        told = brought.told()
        summary = brought.summary()
        waits = bool(brought.parked or brought.refused or brought.left)
        if summary:
            told["summary"] = summary
        if waits:
            await self._tell(request, summary, brought.parked[0].path if brought.parked else "")
        if self._keep or brought.left:
            aside = left.place.set_aside()
            told["kept"] = str(aside)
            state.observer.warning(f"{key}: the copy of @{agent} is in {aside}")
        else:
            await asyncio.to_thread(left.place.remove)
        return told

    async def _look_outside(self, request: Request, copy: PrivateCopy) -> None:
        """Say which files of the project itself changed meanwhile; unconfined, it may have been the agent."""
        state = self.state
        changed = [
            path
            for path in await asyncio.to_thread(changed_since, copy, state.folder.root)
            if (row := await state.space.read(ArtifactAt(path))) is None
            or row.sha256 == copy.files[path].sha256
        ]
        if changed:
            state.observer.warning(
                f"{request.step}: while @{request.agent} worked in its copy, files of the project itself changed: "
                f"{', '.join(changed[:10])}; nothing keeps it from writing there"
            )

    def _found(self, request: Request) -> _Left | None:
        """The copy that a process which is gone has left."""
        place = place_of(self.state.folder.root, request.agent, request.session)
        try:
            place.take()
        except TakenPlace:
            return None
        copy = place.left("done", request.step)
        if copy is None:
            place.give_back()
            return None
        return _Left(place, copy)

    async def _tell(self, request: Request, summary: str, path: str) -> None:
        key, agent = request.step, request.agent
        for line in summary.splitlines():
            self.state.observer.warning(f"{key}: @{agent}: {line.removeprefix('- ')}")
        if request.purpose == "discuss":
            return  # it is said in the answer
        about = None
        if path:
            try:
                about = (await self.state.space.read(FindArtifact(path))).id
            except FlowError:
                about = None
        said = f"Not everything that I changed in {key} could be saved:\n\n{summary}"
        await tell_everybody(self.state, key, agent, said, about)


async def _abandoned(laying: asyncio.Future[PrivateCopy], place: Place) -> None:
    """Remove a copy, once no thread makes it any more."""
    await asyncio.wait({laying})
    if not laying.cancelled():
        laying.exception()  # was raised where it was waited for
    await asyncio.to_thread(place.remove)


class _CodingSeat:
    """See `flowide.agents.acp.desk.Seat`."""

    confined = True

    def __init__(
        self,
        left: _Left,
        permits: Permits,
        sessions: Sessions,
        name: tuple[str, str],
        session: str | None,
        tools: SpaceTools | None,
    ) -> None:
        self.base: Path = left.place.work
        self.folder: Path = left.copy.folder
        self.temporary: Path = left.place.temporary
        self.logs: Path = left.place.logs
        self.session, self.tools, self.trusted = session, tools, permits.trusted
        self._named = left.place.named
        self._permits, self._sessions, self._name = permits, sessions, name

    def remember(self, session: str | None) -> None:
        """Note it beside the workspace."""
        if self._named:
            self._sessions.put(*self._name, session)

    async def permit(self, question: Question) -> Answer:
        """A rule's or a person's answer."""
        return await self._permits.answer(question)
