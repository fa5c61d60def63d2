"""What a coding agent may do: its file, what was given for the run, what was allowed before, else a person."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import cast

from flowide import settings
from flowide.agents.acp.desk import SERVER as SPACE
from flowide.agents.acp.desk import Answer, Question
from flowide.agents.definition import AgentDefinition
from flowide.agents.tools.permissions import OPTIONS, Permissions, decide, rule_of
from flowide.flows.state import RunState
from flowide.flows.steps.gate import answered
from flowide.space.queries import Gates

SERVER = "acp"
"""What stands before a kind of action where tools are named: `acp/edit`."""
KIND = "permission"
MOST_QUESTIONS = 100
"""Questions of one turn that a person is asked; after that the answer is no."""


class Permits:
    """The answers to one agent's questions in one run."""

    def __init__(self, state: RunState, agent: AgentDefinition, key: str) -> None:
        """`key` is of the step whose turn it is."""
        self._state, self._agent, self._key = state, agent, key
        self._asked: Counter[str] = Counter()

    async def answer(self, question: Question) -> Answer:
        """Once, for the session, always, or no.

        Raises:
            NeedsInput: A person must say, and nobody can be asked now.
        """
        state, agent = self._state, self._agent
        forever = Permissions(settings.user_folder())
        scope = f"{SPACE}/{question.tool}" if question.tool else f"{SERVER}/{question.scope}"
        said, _ = decide(
            agent,
            SERVER,
            question.kind,
            allow=getattr(state.request, "allow", ()),
            trusted=state.request.trust,
            always=forever.holds(state.folder.root, agent.handle, scope, self._program),
        )
        if said == "deny":
            return "deny"
        if question.tool:
            rule, pattern = rule_of(agent.permissions, SPACE, question.tool, trusted=True)
            if rule != "ask" or not pattern:  # what a tool of the space may do, the space says
                return "deny" if rule == "deny" else "once"
        # What was allowed holds for the copy: outside of it a person is asked each time.
        if said == "allow" and not question.outside:
            return "once"
        if not question.outside and await self._allowed_in_this_run(scope):
            return "session"
        answer = await self._gate(question, scope)
        if answer == "always":
            forever.add(state.folder.root, agent.handle, scope, self._program, by=state.space.actor.id)
        return answer

    @property
    def trusted(self) -> bool:
        """Whether a person trusts the project."""
        return self._state.request.trust

    @property
    def _program(self) -> str:
        """What is run: when that changes, it is asked again."""
        return " ".join(self._agent.command) or self._agent.recipe

    async def _allowed_in_this_run(self, scope: str) -> bool:
        gates = await self._state.space.read(Gates(status=None, run=self._state.run))
        return any(
            gate.kind == KIND
            and gate.answer == "session"
            and (gate.context.get("agent"), gate.context.get("tool")) == (self._agent.handle, scope)
            for gate in gates
        )

    async def _gate(self, question: Question, scope: str) -> Answer:
        if self._asked.total() >= MOST_QUESTIONS:
            self._state.warn_once(f"{self._key}: @{self._agent.handle} asks too much; it is denied the rest")
            return "deny"
        mark = sha256(f"{scope}\0{question.title}\0{question.command}".encode()).hexdigest()[:12]
        self._asked[mark] += 1
        policy = {"approve": "deny" if question.outside else "once", "reject": "deny"}
        gate = await answered(
            self._state,
            f"{self._key}/permit-{mark}-{self._asked[mark]}",
            kind=KIND,
            question=self._words(question),
            options=list(OPTIONS),
            by_policy=policy.get(self._state.request.on_gate),
            context={
                "agent": self._agent.handle,
                "tool": scope,
                "title": question.title,
                "command": question.command,
                "paths": question.paths,
                "diff": question.diff,
            },
        )
        for option in ("once", "session", "always"):
            if gate.answer == option:
                return cast("Answer", option)
        return "deny"

    def _words(self, question: Question) -> str:
        what = question.command or ", ".join(question.paths) or question.title
        where = ", outside of its copy," if question.outside else ""
        return f"May @{self._agent.handle}{where} {_VERBS.get(question.kind, 'do this')}: {what[:500]}"


_VERBS = {
    "read": "read", "edit": "edit", "delete": "delete", "move": "move", "search": "search", "execute": "run",
    "think": "think about", "fetch": "fetch",
}  # fmt: skip
