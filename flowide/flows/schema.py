"""What a flow file may say. A value marked *template* may hold `{{ … }}`, see `templates`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from flowide.settings import McpServer

Amount = Annotated[float, Meta(ge=0, le=1e6)]
Count = Annotated[int, Meta(ge=0, le=10**9)]
InputType = Literal["text", "path", "integer", "number", "boolean", "list"]


class Input(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something a run is told."""

    type: InputType = "text"
    about: str = ""
    default: Any = None
    """Used when nothing is given; None = empty, or refused when `required`."""
    required: bool = False


class Vary(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Several agents, or one several times, each write a variation."""

    n: int | str = 5
    """2 to 10. Template."""
    path: str = "{{ path }}"
    """File to start from, or to make; `file:Piece` asks for one piece of it. Template."""
    brief: str = "{{ brief }}"
    """Template."""
    agents: list[str] = []
    """Handles; empty = the run's."""
    temperatures: list[float] = []
    """Used in turn; empty = each agent's own."""
    at_least: int | str = 1
    """Fewer good variations than this fail the step; those there are stay. Template."""


class More(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another round of a set of variations: exactly its short list and notes are sent."""

    set: str = "last"
    """Id of the set, the start of one, or `last`. Template."""
    n: int | str = 3
    """1 to 10. Template."""
    wish: str = ""
    """What should be different. Template."""
    agents: list[str] = []
    """Handles; empty = the run's."""


class Check(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Commands run on every variation, in a private copy of the project."""

    commands: list[str] | str = []
    """Shell command lines, or `name: command`. Template."""
    timeout_s: float = 120.0


class Repair(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Variations whose checks failed go back to their writers, with what the checks printed."""

    n: int | str = 2
    """At most so many, the best first; 1 to 10. Template."""
    ask: str = ""
    """What the writers are told besides. Template."""
    agents: list[str] = []
    """Handles of those who mend; empty = each variation's own writer."""


class Picture(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A browser shows every variation; the picture, and what is on the page, are kept with it."""

    page: str = ""
    """Page that shows the file, when it is none itself. Template."""
    width: int | str = 1024
    """Pixels. Template."""
    height: int | str = 768
    """Pixels. Template."""
    optional: bool | str = True
    """True = without a browser the step is skipped and says so. Template."""


class Refine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The chosen variation, or the best, goes back to its writer with what was said of it and its picture."""

    ask: str = ""
    """What the writer is told besides. Template."""
    agents: list[str] = []
    """Handles, of which the first writes; empty = the variation's own writer."""


class Critique(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An agent reads all variations and gives each a score and reasons."""

    by: str | None = None
    """Handle; None = the first agent with the role `critic`, else the last agent of the run."""
    optional: bool = True
    """True = a critique that fails is a warning."""


class Choose(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person picks a variation, a blend, or asks for more."""

    question: str = "Which variation?"
    """Template."""


class Accept(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The chosen variation is saved under the lock."""

    note: str = ""
    """Template; empty = the brief."""


class Gate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question to a person."""

    question: str
    """Template."""
    options: list[str] = field(default_factory=lambda: ["approve", "reject"])


class Research(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Files of the project are read, compared and written up; code checks that what is cited is there."""

    sources: list[str] | str
    """Files or patterns such as `docs/**/*.md`, one an item or a line. Template."""
    question: str = "{{ brief }}"
    """Template."""
    path: str = "{{ path }}"
    """The document. Template."""
    agents: list[str] = []
    """Handles of those who read, in turn; empty = the run's that do not judge."""
    compare_by: str = "critic"
    """Handle or role of the agent that compares what they read."""
    by: str = "drafter"
    """Handle or role of the agent that writes."""


class Command(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command run in the project folder; it fails the run when it fails."""

    command: str
    """Shell command line. Template."""
    timeout_s: float = 600.0


class Discuss(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """People's words are answered by the agents they mention, or every agent speaks in turn."""

    thread: str = ""
    """Id or title of a thread, or `last`; empty = a new one. Template."""
    title: str = ""
    """Of a new thread; empty = the start of the message. Template."""
    about: str = "{{ path }}"
    """File a new thread is about; empty = none. Template."""
    message: str = "{{ brief }}"
    """What is said first, by the person who runs; empty = nothing. Template."""
    agents: list[str] = []
    """Handles, in the order in which they speak; empty = the run's."""
    rounds: int | str = 0
    """How often every agent speaks; 0 = only who is mentioned answers. Template."""
    context: int | str = 24000
    """Tokens of what an agent is told. Template."""


class Decide(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Open decisions of a discussion are put to a person; one is worded first when there is none."""

    thread: str = ""
    """Id or title of the thread; empty = that of the discuss step before. Template."""
    by: str | None = None
    """Handle of the agent that words it; None = the first that does not judge."""
    text: str = ""
    """The decision itself; then no agent is asked. Template."""
    context: int = 24000
    """Tokens of what the agent is told."""
    required: bool = False
    """True = the run is rejected when nothing is agreed."""


class Tool(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tool of an MCP server is called."""

    tool: str
    """`server/tool`. Template."""
    arguments: dict[str, Any] = {}
    """What it is told. Templates."""
    optional: bool | str = False
    """True = when it fails, or there is no such server, the step says so and the run goes on. Template."""


class Draft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An agent writes a text, or its next version, under the lock."""

    path: str = "{{ path }}"
    """File to write; `file:Piece` asks for one piece of it. Template."""
    brief: str = "{{ brief }}"
    """Template."""
    by: str = "drafter"
    """Handle or role of the agent."""
    ask: str = ""
    """What it is told besides. Template."""
    hunks: bool | str = False
    """A person says which changes are taken. Template."""


class Revise(Draft, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An agent changes a text that is there, under the lock."""

    by: str = "editor"
    """Handle or role of the agent."""


class Stage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One stage of a review."""

    stage: str
    """Its name."""
    by: str
    """Handle or role of an agent, or `person`."""
    does: Literal["write", "rewrite", "judge", "edit"] = "judge"
    """`rewrite` = writes only when the text was sent back here; `edit` = judges, then writes."""
    ask: str = ""
    """What the agent is told besides, or a person is asked. Template."""
    back_to: str | None = None
    """Stage that a rejection goes back to; None = the first."""
    hunks: bool | str = False
    """A person says which changes of a writer are taken. Template."""
    when: str | bool | None = None
    """The stage is passed over when this is false or empty. Template."""


class Review(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text goes through stages; each judges or writes, and sends it back with reasons or hands it on."""

    path: str = "{{ path }}"
    """File that is reviewed. Template."""
    brief: str = "{{ brief }}"
    """Template."""
    stages: list[Stage]
    rounds: int | str = 5
    """How often the text may go through, from 1 to 20; then the review is rejected. Template."""


class Blend(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A blend of variations is made and chosen; the splice is code."""

    base: int | str = ""
    """Number of the variation that takes pieces of others. Template."""
    takes: list[str] | str = []
    """`2:LRUCache.get`, one an item or a line. Template."""
    say: str = ""
    """Instead of both a sentence, such as `4 but with the helper of 2`. Template."""
    set: str = ""
    """Id of the set, the start of one, or `last`; empty = the run's. Template."""


class Call(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another flow, run as a step of this one."""

    flow: str
    """Its name, or a `.yaml` file beside this one."""
    inputs: dict[str, Any] = {}
    """Values of its inputs; `brief` and `path` are passed on when they are not named. Templates."""


class Parallel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Branches of steps that go on at the same time."""

    branches: dict[str, list[Step]]
    """By name; each sees the results of the steps before, and its own."""
    on_failure: Literal["stop", "tolerate"] = "stop"
    """`stop` = the first branch that fails ends the others; `tolerate` = they go on, one must come through."""


class Repeat(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Steps that are taken again until a condition holds, in bounded rounds."""

    steps: list[Step]
    until: str
    """Looked at after each round. Template, which sees `round` and the steps of the round."""
    times: int | str = 3
    """Most rounds, from 1 to 20. Template."""
    required: bool | str = False
    """True = the run is rejected when the condition does not hold after the last round. Template."""


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step: an id, a condition, and exactly one of the kinds."""

    id: str = ""
    """Empty = the kind, with a number when it is used again."""
    when: str | bool | None = None
    """Skipped when this is false or empty. Template."""
    vary: Vary | None = None
    more: More | None = None
    check: Check | None = None
    repair: Repair | None = None
    picture: Picture | None = None
    critique: Critique | None = None
    choose: Choose | None = None
    refine: Refine | None = None
    blend: Blend | None = None
    accept: Accept | None = None
    gate: Gate | None = None
    discuss: Discuss | None = None
    decide: Decide | None = None
    draft: Draft | None = None
    revise: Revise | None = None
    review: Review | None = None
    research: Research | None = None
    run: Command | None = None
    tool: Tool | None = None
    call: Call | None = None
    parallel: Parallel | None = None
    repeat: Repeat | None = None

    @property
    def kind(self) -> str:
        """Which kind it is."""
        return next(name for name in KINDS if getattr(self, name) is not None)

    @property
    def spec(self) -> Any:
        """What the file says of that kind."""
        return getattr(self, self.kind)


KINDS = (
    "vary",
    "more",
    "check",
    "repair",
    "picture",
    "critique",
    "choose",
    "refine",
    "blend",
    "accept",
    "gate",
    "discuss",
    "decide",
    "draft",
    "revise",
    "review",
    "research",
    "run",
    "tool",
    "call",
    "parallel",
    "repeat",
)
"""Step kinds, in the order in which they are explained."""


class Bounds(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of a run, checked before each call to a model."""

    cost_usd: Amount | None = None
    tokens: Count | None = None
    minutes: Amount | None = None
    turns: Count | None = None
    """Calls to agents."""
    cost_usd_per_agent: Amount | None = None
    tokens_per_agent: Count | None = None
    minutes_per_agent: Amount | None = None
    """In calls to the agent."""
    turns_per_agent: Count | None = None


class Flow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A flow file."""

    flow: str
    """Its name."""
    about: str = ""
    inputs: dict[str, Input] = field(default_factory=dict)
    agents: list[str] = []
    """Handles; empty = all agents of the project."""
    budget: Bounds = Bounds()
    mcp: dict[str, McpServer] = {}
    """Tool servers that the flow brings, by name, as in the settings."""
    steps: list[Step]
