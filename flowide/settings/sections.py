"""The sections of the settings with their defaults; the line below a field is its manual."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Span = Annotated[float, Meta(gt=0, le=86400)]
"""Seconds, up to a day."""
Count = Annotated[int, Meta(ge=1, le=10**9)]


class Me(Struct, frozen=True, forbid_unknown_fields=True):
    """`[me]`"""

    handle: str = ""
    """Who acts when no --as is given; empty = the git user, else the login name."""


class App(Struct, frozen=True, forbid_unknown_fields=True):
    """`[app]`"""

    theme: str = ""
    """Name of a theme; empty = one that suits the terminal."""
    notify: Literal["on", "bell", "desktop", "off"] = "on"
    """What is done when something waits for you while you look elsewhere: `bell`, `desktop`, or `on` for both."""


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """`[limits]`"""

    parallel: Annotated[int, Meta(ge=1, le=64)] = 4
    """Model calls in flight in a run."""
    silence_s: Span = 60.0
    """Seconds without a word from a model after which an attempt is given up."""
    call_s: Span = 300.0
    """Seconds for one answer of an agent, all attempts included."""
    context: Count = 100_000
    """Tokens of what an agent is told in a step that writes, judges or reads; `[discussion] context` is for threads."""
    providers: dict[str, Annotated[int, Meta(ge=1, le=64)]] = {}
    """Model calls in flight at one provider, or for one alias, e.g. `{ollama = 1}`; others are not bounded."""
    tool_rounds: Annotated[int, Meta(ge=1, le=200)] = 12
    """Calls of a model for one answer, when it uses tools."""
    tool_chars: Annotated[int, Meta(ge=1000, le=10**6)] = 30_000
    """Characters of a tool's result that a model is told."""


class Keys(Struct, frozen=True, forbid_unknown_fields=True):
    """`[keys]`: where keys are looked for besides the environment; only in the user's file."""

    dotenv: bool = False
    """Read keys, and nothing else, from the project's `.env`."""
    keyring: bool = False
    """Ask the system's keyring (needs the extra `keyring`)."""


class Agents(Struct, frozen=True, forbid_unknown_fields=True):
    """`[agents]`"""

    turn_s: Span = 1800.0
    """Seconds for one turn of a coding agent; the time a person takes to answer it does not count."""
    keep_copies: bool = False
    """Whether the private copies in which coding agents work stay after their turns, to be looked at."""


class Lock(Struct, frozen=True, forbid_unknown_fields=True):
    """`[lock]`"""

    timeout_s: Annotated[float, Meta(ge=0, le=86400)] = 30.0
    """Seconds a run waits for a lock."""
    ttl_s: Annotated[float, Meta(ge=0.5, le=86400)] = 30.0
    """Seconds a lock lives without a renewal; it is renewed every third of that."""
    idle_s: Span = 900.0
    """A person without a sign of work for so long lapses: others may take the lock."""
    agent_idle_s: Span = 180.0
    """An agent without progress for so long lapses."""
    agent_hold_s: Span = 600.0
    """An agent lapses after so long when somebody waits."""
    per_person: Count = 20
    """Locks one person may hold from one process."""
    per_agent: Count = 3
    """Locks one agent may hold from one process."""
    draft_days: Count = 30
    """Days that drafts which ended without a save are offered."""


class Hub(Struct, frozen=True, forbid_unknown_fields=True):
    """`[hub]`"""

    space: str = ""
    """The project's space on a hub: its address, or the name of one this device has joined; empty = its own space."""
    plain_http: bool = False
    """Send tokens over http:// too, as in a network that is safe by itself."""
    people: Annotated[int, Meta(ge=1, le=1000)] = 20
    """People that a space of this hub may have."""
    agents: Annotated[int, Meta(ge=0, le=1000)] = 10
    """Agents that a space of this hub may have."""
    wrong_tokens: Count = 10
    """Wrong tokens and codes that one address may send this hub in a minute."""
    streams: Count = 64
    """Streams that one token may have open at this hub."""
    connections: Count = 256
    """Connections that one address may have open to this hub; not counted behind a proxy."""


class Stream(Struct, frozen=True, forbid_unknown_fields=True):
    """`[stream]`: chunks in which a hub sends on what is being written; 2 to 5 times those of the terminal app."""

    hub_ms: Annotated[int, Meta(ge=100, le=250)] = 200
    """Milliseconds from one chunk to the next, at most."""
    hub_bytes: Annotated[int, Meta(ge=512, le=1280)] = 1024
    """Bytes after which a chunk is sent earlier."""


class Git(Struct, frozen=True, forbid_unknown_fields=True):
    """`[git]`"""

    commit: Literal["off", "ask", "auto"] = "off"
    """Whether a version that is saved, accepted, moved … is committed to the project's repository."""
    branch: str = ""
    """Branch that commits go to, e.g. `flowide`; empty = the one that is checked out."""


class Discussion(Struct, frozen=True, forbid_unknown_fields=True):
    """`[discussion]`"""

    depth: Annotated[int, Meta(ge=0, le=20)] = 3
    """How long a chain of agents that mention each other may get in a new thread; 0 = none."""
    rate: Annotated[int, Meta(ge=0, le=200)] = 12
    """Replies of agents after which none is asked by another one, until a person speaks; in a new thread."""
    context: Count = 24_000
    """Tokens of what an agent is told."""


class Budget(Struct, frozen=True, forbid_unknown_fields=True):
    """`[budget]`: bounds of a run that is given none."""

    cost_usd: Annotated[float, Meta(gt=0, le=1e6)] | None = None
    """US dollars of all model calls together."""
    tokens: Count | None = None
    """Tokens of all model calls together, read and written."""
    minutes: Annotated[float, Meta(gt=0, le=1e6)] | None = None
    """Minutes that the run is driven, without those in which it waits for people."""
    turns: Count | None = None
    """Calls to agents."""
    cost_usd_per_agent: Annotated[float, Meta(gt=0, le=1e6)] | None = None
    """US dollars of all calls to one agent."""
    tokens_per_agent: Count | None = None
    """Tokens of all calls to one agent."""
    minutes_per_agent: Annotated[float, Meta(gt=0, le=1e6)] | None = None
    """Minutes in calls to one agent."""
    turns_per_agent: Count | None = None
    """Calls to one agent."""


class Trust(Struct, frozen=True, forbid_unknown_fields=True):
    """`[trust]`: only in the user's file, a project cannot trust itself."""

    projects: list[str] = []
    """Folders whose flows may run commands."""


class McpServer(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[mcp.<name>]`: a server whose tools agents and flows may use. `${VAR}` is filled in from the environment."""

    command: str = ""
    """Program of a server that is started here."""
    args: list[str] = []
    env: dict[str, str] = {}
    """Variables it gets besides PATH, HOME, language and time zone: name the keys that it needs."""
    cwd: str = ""
    """Folder it is started in; empty = the project."""
    url: str = ""
    """Address of a server that runs elsewhere (streamable HTTP)."""
    headers: dict[str, str] = {}
    """Sent with each request to `url`."""
    tools: list[str] = []
    """Only these tools are there, e.g. `["read_*"]`; empty = all."""
    writes: list[str] = []
    """Folders it may write to, where the system confines programs; besides its temporary and cache folders."""
    timeout_s: Span = 60.0
    """Seconds for its start, and for one call without a sign of progress."""
    disabled: bool = False


class Model(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[models.<alias>]`"""

    model: str
    """A litellm name; without a provider, and with an `api_base`, it is taken as OpenAI-compatible."""
    api_base: str | None = None
    """Base address of an OpenAI-compatible server, or of the provider's own when it is elsewhere."""
    key_env: str | None = None
    """Environment variable that holds the key; None = the provider's usual one, or none with an `api_base`."""
    price_in: Annotated[float, Meta(ge=0, le=1e6)] | None = None
    """US dollars per million input tokens; None = litellm's price list, else unknown."""
    price_out: Annotated[float, Meta(ge=0, le=1e6)] | None = None
    """US dollars per million output tokens."""
    silence_s: Span | None = None
    """Seconds without a word after which an attempt is given up; models that think long need more.
    None = the one of `[limits]`."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings, with defaults."""

    me: Me = Me()
    app: App = App()
    limits: Limits = Limits()
    agents: Agents = Agents()
    lock: Lock = Lock()
    hub: Hub = Hub()
    stream: Stream = Stream()
    git: Git = Git()
    discussion: Discussion = Discussion()
    budget: Budget = Budget()
    trust: Trust = Trust()
    keys: Keys = Keys()
    models: dict[str, Model] = field(default_factory=dict)
    """By alias."""
    mcp: dict[str, McpServer] = field(default_factory=dict)
    """By name."""

    def trusts(self, project: Path) -> bool:
        """Whether the user's file lists this folder."""
        return any(Path(each).expanduser().resolve() == project.resolve() for each in self.trust.projects)
