"""Who may use which tool: the agent's file, what was given for the run, what was allowed for good, else a person."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct, structs

from flowide.agents.definition import AgentDefinition
from flowide.agents.tools.naming import matches, precision
from flowide.errors import BadInput, NotFound, StorageFailed
from flowide.toml_file import TomlFile

FILE = "permissions.toml"
"""In the user's folder: a project cannot allow itself anything."""
OPTIONS = ("once", "session", "always", "deny")
"""What a person can answer; `session` = until this run ends."""
Decided = Literal["allow", "deny", "ask"]
_HEAD = (
    "# Tools that you allowed for good. Take an entry out, or `flowide tools revoke`, to be asked again.\n"
)


class Always(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that was allowed for good."""

    project: str
    """Folder."""
    agent: str
    """Handle, or the name of a flow."""
    tool: str
    """`server/tool`."""
    server: str
    """What is started or called for it: when that changes, it is asked again."""
    since: str
    by: str


class _File(Struct, forbid_unknown_fields=True):
    always: list[Always] = []


def rule_of(
    permissions: Mapping[str, Decided], server: str, tool: str, *, trusted: bool
) -> tuple[Decided, str]:
    """What an agent's file says, and by which pattern; a project that is not trusted cannot allow."""
    fitting = [pattern for pattern in permissions if matches(pattern, server, tool)]
    if not fitting:
        return "ask", ""
    best = max(fitting, key=precision)
    said = permissions[best]
    return ("ask" if said == "allow" and not trusted else said), best


def decide(
    agent: AgentDefinition | None,
    server: str,
    tool: str,
    *,
    allow: Sequence[str],
    trusted: bool,
    always: bool,
) -> tuple[Decided, str]:
    """Whether a tool may be used without asking, and why; None as agent = a flow's own step.

    A `deny` in an agent's file holds whatever else is said.
    """
    permissions = {} if agent is None else agent.permissions
    own = agent is None or trusted or agent.origin in ("user", "model")
    said, pattern = rule_of(permissions, server, tool, trusted=own)
    if said == "deny":
        return "deny", f"@{agent.handle if agent else ''} may not: '{pattern}' is denied in its file"
    given = next((each for each in allow if matches(each, server, tool)), None)
    if given is not None:
        return "allow", f"--allow {given}"
    if said == "allow":
        return "allow", f"'{pattern}' is allowed in the file of the agent"
    if agent is None and trusted:
        return "allow", "the project is trusted"
    return ("allow", "always") if always else ("ask", "")


class Permissions:
    """What was allowed for good, in the user's folder."""

    def __init__(self, folder: Path) -> None:
        """The file is read when it is needed; it need not exist."""
        self.path = folder / FILE

    def all(self) -> list[Always]:
        """Everything, the oldest first.

        Raises:
            BadInput: The file is wrong.
        """
        file = TomlFile(self.path)
        try:
            return msgspec.convert(file.table, _File).always
        except msgspec.ValidationError as error:
            raise BadInput(
                f"{self.path}: {error}", hint="Mend the file, or delete it to be asked again."
            ) from None

    def holds(self, project: Path, agent: str, tool: str, server: str) -> bool:
        """Whether this was allowed for good."""
        wanted = (str(project.resolve()), agent, tool, server)
        return any((each.project, each.agent, each.tool, each.server) == wanted for each in self.all())

    def add(self, project: Path, agent: str, tool: str, server: str, *, by: str) -> None:
        """Allow it for good."""
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        new = Always(project=str(project.resolve()), agent=agent, tool=tool, server=server, since=now, by=by)
        with _locked(self.path.parent):
            kept = [each for each in self.all() if structs.replace(each, since=now, by=by) != new]
            self._write([*kept, new])

    def revoke(self, project: Path | None, agent: str | None, tool: str | None) -> list[Always]:
        """Take back what fits; None = whatever it is. Gives what was taken back.

        Raises:
            NotFound: Nothing fits.
        """
        with _locked(self.path.parent):
            everything = self.all()
            gone = [each for each in everything if _fits(each, project, agent, tool)]
            if not gone:
                raise NotFound("nothing like that is allowed for good", hint="flowide tools permissions")
            self._write([each for each in everything if each not in gone])
        return gone

    def _write(self, entries: list[Always]) -> None:
        text = _HEAD + "".join(
            "\n[[always]]\n"
            + "".join(f"{name} = {_toml(value)}\n" for name, value in structs.asdict(each).items())
            for each in entries
        )
        try:
            made, name = tempfile.mkstemp(prefix=f".{FILE}", dir=self.path.parent)
            with os.fdopen(made, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(name, self.path)
        except OSError as error:
            raise StorageFailed(f"{self.path} cannot be written: {error.strerror}") from error


def _fits(entry: Always, project: Path | None, agent: str | None, tool: str | None) -> bool:
    server, _, name = entry.tool.partition("/")
    return (
        (project is None or entry.project == str(project.resolve()))
        and (agent is None or entry.agent == agent)
        and (tool is None or matches(tool, server, name))
    )


def _toml(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


class _locked:  # noqa: N801 - used like a function
    """One writer at a time, among all processes of the user."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        import fcntl

        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self._folder / f".{FILE}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)
