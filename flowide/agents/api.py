"""The seam between a flow and whatever answers it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Literal, Protocol

from msgspec import Struct, field


class Image(Struct, frozen=True):
    """A picture that is shown to a model."""

    mime: str
    """`image/png`, `image/jpeg` …"""
    data: bytes


class Tool(Struct, frozen=True):
    """Something that a model may ask to have done."""

    name: str
    """As models want it: letters, digits, `_` and `-`, at most 64."""
    description: str
    parameters: dict[str, Any]
    """JSON Schema of the arguments, an object."""


class ToolCall(Struct, frozen=True):
    """What a model asks to have done."""

    id: str
    name: str
    arguments: dict[str, Any]


class Message(Struct, frozen=True):
    """One turn of the conversation an agent is sent."""

    role: Literal["system", "user", "assistant", "tool"]
    """`tool` = the result of a tool call."""
    content: str
    images: list[Image] = []
    """Shown with the words of a user; a model that takes none gets the words alone."""
    tool_calls: list[ToolCall] = []
    """What an assistant asked for."""
    tool_call: str = ""
    """Id of the call that a `tool` message is the result of."""


class Request(Struct, frozen=True, kw_only=True):
    """One call to an agent."""

    agent: str
    """Handle of the agent that answers."""
    purpose: str
    """What the answer is for: `vary`, `critique`, `resolve`, `test` …; scripted agents choose by it."""
    messages: list[Message]
    turn: int = 1
    """The how-manyeth call with this purpose this agent gets in this run, from 1; the same after a resume."""
    temperature: float | None = None
    """None = the agent's own setting."""
    max_tokens: int | None = None
    """None = the provider's limit."""
    json_schema: dict[str, Any] | None = None
    """When set, the text of the answer must be JSON of this schema."""
    images: list[Image] = []
    """Shown with the last words of the user."""
    tools: list[Tool] = []
    """What the agent may ask for; then the answer may be tool calls instead of a text."""
    deadline_s: float = 300.0
    """Seconds for the whole call, all retries included."""
    target: str = ""
    """Path of the file that the answer is the new text of; an agent that writes files itself writes there.
    Empty = the answer is what the agent says."""
    step: str = ""
    """Key of the step of a run that the call is made for; empty = it belongs to no run."""
    session: str = ""
    """What the call belongs to: calls of one session are one conversation for agents that remember."""


class Usage(Struct, frozen=True):
    """What a call used. Prices are micro-dollars, so that sums stay exact."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int | None = None
    """Millionths of a US dollar; None = the price is unknown (never 0 for unknown)."""


class TextDelta(Struct, frozen=True, tag="text"):
    """The next part of the answer."""

    text: str


class ReasoningDelta(Struct, frozen=True, tag="reasoning"):
    """The next part of what the model thinks aloud; never part of the answer."""

    text: str


class Progress(Struct, frozen=True, tag="progress"):
    """Something that an agent which works by itself does besides talking."""

    kind: Literal["plan", "tool", "mode", "note"]
    id: str
    """The same in all that is told of one tool call."""
    title: str
    status: Literal["started", "running", "completed", "failed"] = "completed"
    data: dict[str, Any] = {}
    """What kind of tool, paths, a diff, the last output, entries of the plan …; bounded."""


class Retrying(Struct, frozen=True, tag="retrying"):
    """The call failed and is made again; text shown so far for it is void."""

    attempt: int
    """The attempt that is about to start, from 2."""
    why: str
    wait_ms: int


class Spent(Struct, frozen=True, tag="spent"):
    """An attempt was answered, and the answer is no use; it is paid for all the same."""

    usage: Usage


class Finished(Struct, frozen=True, tag="finished"):
    """The provider said that the answer is complete. A stream that ends without this is incomplete."""

    text: str
    """The whole answer, of the last attempt."""
    model: str
    """The model that answered, as the provider names it."""
    usage: Usage = field(default_factory=Usage)
    attempts: int = 1
    tool_calls: list[ToolCall] = []
    """What the agent wants done before it goes on; each is whole. Only when tools were offered."""


Delta = TextDelta | ReasoningDelta | Progress | Retrying | Spent | Finished


class Backend(Protocol):
    """Answers requests. Implementations: `scripted.ScriptedBackend`, `model.ModelBackend`, `acp.backend.AcpBackend`."""

    def stream(self, request: Request) -> AsyncIterator[Delta]:
        """Yield the answer as it comes; the last item is `Finished`.

        Closing the iterator (or cancelling the task) stops the call and closes its connection.

        Raises:
            Incomplete: The answer was truncated, empty or malformed, after bounded retries.
            AuthFailed: The key is missing or refused.
            Unavailable: The provider did not answer, after bounded retries or at the deadline.
            BadInput: The provider refuses the request as such (unknown model, too long).
        """
        ...

    async def check(self) -> None:
        """Raise what would make every call fail (no key, no script), without making one."""
        ...

    async def close(self) -> None:
        """Stop what is running and free processes; may be called twice."""
        ...
