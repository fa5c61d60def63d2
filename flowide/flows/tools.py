"""What a run needs to use tools; nothing of it is made before an agent or a step wants a tool."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flowide.agents.definition import AgentDefinition
from flowide.flows.called import Called, everywhere
from flowide.flows.load import LoadedFlow, shipped_folder
from flowide.settings import Loaded, Settings

if TYPE_CHECKING:
    from flowide.agents.tools.permissions import Permissions
    from flowide.agents.tools.servers import Server
    from flowide.agents.tools.toolbox import Offered, Toolbox


class Tools:
    """The tool servers of a run and the rules for them."""

    def __init__(
        self,
        root: Path,
        *,
        loaded: Loaded | None = None,
        env: Mapping[str, str] | None = None,
        user_folder: Path | None = None,
        trusted: bool = False,
        flows: Iterable[LoadedFlow] = (),
    ) -> None:
        """`user_folder` holds what was allowed for good, `flows` may bring servers of their own."""
        self.root, self.trusted = root, trusted
        self.env = dict(env or {})
        limits = (Settings() if loaded is None else loaded.settings).limits
        self.rounds, self.chars = limits.tool_rounds, limits.tool_chars
        self._loaded, self._user_folder = loaded, user_folder
        self._flows = list(flows)
        self._box: Toolbox | None = None
        self._offered: dict[str, Offered] = {}

    @property
    def box(self) -> Toolbox:
        """The servers. Made at the first look.

        Raises:
            BadInput: Two flows bring different servers of one name.
        """
        if self._box is None:
            from flowide.agents.tools.toolbox import Toolbox

            self._box = Toolbox(self._servers(), root=self.root, env=self.env, trusted=self.trusted)
        return self._box

    @property
    def permissions(self) -> Permissions | None:
        """What was allowed for good; None = there is no place for it."""
        from flowide.agents.tools.permissions import Permissions

        return None if self._user_folder is None else Permissions(self._user_folder)

    async def offered(self, agent: AgentDefinition) -> Offered:
        """The tools an agent is offered in this run; its servers are asked once."""
        if agent.handle not in self._offered:
            self._offered[agent.handle] = await self.box.offered(agent)
        return self._offered[agent.handle]

    async def close(self) -> None:
        """End the servers."""
        if self._box is not None:
            await self._box.close()

    def _servers(self) -> list[Server]:
        from flowide.agents.tools.servers import find_servers, servers_of_flow
        from flowide.errors import BadInput

        known: dict[str, Server] = {}
        for each in self._flows:
            origin = each.origin if self._vouched(each) else "project"
            for server in servers_of_flow(each.flow.mcp, each.flow.flow, origin):
                there = known.setdefault(server.name, server)
                if there.spec != server.spec:
                    raise BadInput(
                        f"{there.source} and {server.source} bring different tool servers '{server.name}'",
                        hint="Give one of them another name.",
                    )
        if self._loaded is not None:
            found = find_servers(self.root, self._loaded)
            for name, server in found.known.items():
                known.setdefault(name, server)
        return list(known.values())

    def _vouched(self, flow: LoadedFlow) -> bool:
        """Whether a flow really is one of ours or of the user's; a run that is gone on with could say anything."""
        folders = {"shipped": shipped_folder(), "user": self._user_folder and self._user_folder / "flows"}
        folder = folders.get(flow.origin)
        if folder is None:
            return False
        try:
            return any(each.read_text("utf-8") == flow.text for each in folder.glob("*.yaml"))
        except (OSError, UnicodeDecodeError):
            return False


def flows_of(loaded: LoadedFlow, called: Mapping[str, Called]) -> list[LoadedFlow]:
    """A flow and all that it calls."""
    return [loaded, *(each.loaded for each in everywhere(called))]
