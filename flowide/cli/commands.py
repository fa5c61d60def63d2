"""The table of commands: where each is, and what it does in one line."""

from __future__ import annotations

SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Work": {
        "run": ("flowide.cli.run:run", "Run a flow: variations, checks, gates, accept."),
        "worker": ("flowide.cli.worker:worker", "Drive the runs that were queued."),
        "runs": ("flowide.cli.runs:runs", "Runs: list, show, manifest."),
        "events": ("flowide.cli.events:events", "Replay or follow the log as JSON lines."),
        "gate": ("flowide.cli.gate:gate", "List and answer the questions of runs."),
        "variations": (
            "flowide.cli.variations:variations",
            "Compare, blend, short-list, accept variations.",
        ),
        "demo": ("flowide.cli.demo:demo", "A whole story on an example project, without keys or network."),
    },
    "Discussion": {
        "say": ("flowide.cli.say:say_", "Say something in a thread; agents that are mentioned answer."),
        "thread": ("flowide.cli.thread:thread", "Threads: list, show, open, answer, manifest, pin."),
        "decisions": (
            "flowide.cli.decisions:decisions",
            "Decisions: list, propose, agree, reopen, supersede.",
        ),
        "reviews": ("flowide.cli.reviews:reviews", "Reviews: list, show, reasons."),
    },
    "Artifacts": {
        "artifact": (
            "flowide.cli.artifact:artifact",
            "Artifacts: list, show, create, history, diff, restore, blame.",
        ),
        "edit": ("flowide.cli.edit:edit", "Lock, open the editor, save, unlock."),
        "save": ("flowide.cli.save:save", "Save stdin under a lock taken earlier."),
        "lock": ("flowide.cli.lock:lock", "Locks: acquire, release, renew, list, transfer, force, wait."),
        "drafts": ("flowide.cli.drafts:drafts", "List drafts that ended without a save."),
        "draft": ("flowide.cli.draft:draft", "Show, adopt or discard a draft."),
        "conflicts": (
            "flowide.cli.conflicts:conflicts",
            "Texts that met another change: list, show, resolve.",
        ),
        "watch": ("flowide.cli.watch:watch", "Keep artifacts in step with files that other programs change."),
        "git": ("flowide.cli.git:git", "Versions in the git repository: status, commit, notes."),
        "pieces": ("flowide.cli.pieces:pieces", "List the symbols or sections of a file."),
        "splice": ("flowide.cli.pieces:splice", "Put pieces of other files into a file."),
    },
    "What there is": {
        "search": ("flowide.cli.search:search", "Search artifacts, variations, messages, decisions."),
        "log": ("flowide.cli.log:log", "The audit trail, for people."),
        "verify": ("flowide.cli.verify:verify", "Check hash chain, blobs and projections."),
        "stats": ("flowide.cli.stats:stats", "Who held what how long, waits, saves, cost, acceptance."),
        "export": ("flowide.cli.export:export", "Write the whole space as plain files and JSON lines."),
        "import": ("flowide.cli.import_:import_", "Fill an empty space from an export."),
        "flows": ("flowide.cli.flows:flows", "Flow files: list, show, validate, new."),
        "agents": ("flowide.cli.agents:agents", "Agents: list, test, new."),
        "keys": ("flowide.cli.keys:keys", "Keys: which there are and where, set, remove; never shown."),
        "tools": ("flowide.cli.tools:tools", "Tools of MCP servers: list, show, call; who may use them."),
        "serve": ("flowide.cli.serve:serve", "Serve spaces to several people and machines: the hub."),
        "database": ("flowide.cli.database:database", "The database of a hub: prepare, list, verify."),
        "invite": ("flowide.cli.members:invite", "Make a code with which somebody joins a space on a hub."),
        "members": ("flowide.cli.members:members", "Members of a space on a hub: list, role, remove."),
        "token": ("flowide.cli.token:token", "Tokens of a hub: create, list, revoke."),
        "join": ("flowide.cli.join:join", "Join a space of a hub, or move this project's space there."),
        "outbox": ("flowide.cli.outbox:outbox", "What waits for the hub, and what it refused of that."),
        "web": ("flowide.cli.web:web", "The terminal app in a browser on this machine."),
        "mcp": ("flowide.cli.mcp:mcp", "Serve the space to agents of other programs, as MCP tools."),
        "acp": ("flowide.cli.acp:acp", "Agents and flows in an editor that speaks ACP: Zed, Neovim, Toad."),
    },
    "Installation": {
        "local": ("flowide.cli.local:local", "Serve a tiny real model on this machine."),
        "doctor": ("flowide.cli.doctor:doctor", "Check the installation; show where settings come from."),
        "reset-terminal": (
            "flowide.cli.reset_terminal:reset_terminal",
            "Make the terminal usable again after a kill.",
        ),
        "schema": ("flowide.cli.schema:schema", "JSON Schemas of flow files, agent files and events."),
        "completion": ("flowide.cli.completion:completion", "Print the shell's completion script."),
    },
}
"""Place and line of each command, by heading, in the order in which `--help` lists them."""

COMMANDS = {name: each for commands in SECTIONS.values() for name, each in commands.items()}
