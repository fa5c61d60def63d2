"""`flowide tools`: MCP servers, what they have, who may use it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from flowide.cli.desk import print_json, print_table, print_text, say

if TYPE_CHECKING:
    from flowide.agents.tools.permissions import Permissions
    from flowide.agents.tools.results import Answer
    from flowide.agents.tools.toolbox import Toolbox

T = TypeVar("T")
_PROJECT = click.option(
    "--project", metavar="PATH", help="Folder of the project; by default the one around here."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_TRUST = click.option("--trust", is_flag=True, help="Let servers that come with the project be started.")


@click.group(invoke_without_command=True, epilog="\b\nExample:\n  flowide tools show git")
@_PROJECT
@_JSON
@click.pass_context
def tools(context: click.Context, project: str | None, as_json: bool) -> None:
    """Tools of MCP servers. Without a command: list the servers; none is started by that."""
    if context.invoked_subcommand is None:
        _list(project, as_json)


@tools.command("list", epilog="\b\nExample:\n  flowide tools list --json")
@_PROJECT
@_JSON
def list_(project: str | None, as_json: bool) -> None:
    """List the servers of settings and .mcp.json; none is started."""
    _list(project, as_json)


@tools.command(epilog="\b\nExamples:\n  flowide tools show git\n  flowide tools show git --trust --json")
@click.argument("server")
@_TRUST
@_PROJECT
@_JSON
def show(server: str, trust: bool, project: str | None, as_json: bool) -> None:
    """Start a server and show what it has: tools, resources, prompts."""
    at = _Around(project)

    async def ask(box: Toolbox) -> dict[str, Any]:
        found = await box.tools(server)
        connection = box.connection(server)
        return {
            "server": server,
            "tools": [
                {
                    "name": each.name,
                    "about": each.description or each.title,
                    "reads_only": each.reads_only,
                    "arguments": each.schema,
                }
                for each in found
            ],
            "resources": await connection.resources(),
            "prompts": await connection.prompts(),
        }

    told = at.asking(ask, trust=trust)
    if as_json:
        print_json(told)
        return
    rows = [
        (f"{server}/{each['name']}", _arguments(each["arguments"]), each["about"]) for each in told["tools"]
    ]
    print_table(("TOOL", "ARGUMENTS", "ABOUT"), [(name, takes, about[:100]) for name, takes, about in rows])
    if told["resources"]:
        click.echo()
        print_table(
            ("RESOURCE", "KIND", "NAME"),
            [(each["uri"], each["mime"] or None, each["name"]) for each in told["resources"]],
        )
    if told["prompts"]:
        click.echo()
        prompts = [
            (each["name"], ", ".join(a["name"] for a in each["arguments"]) or None, each["about"])
            for each in told["prompts"]
        ]
        print_table(("PROMPT", "ARGUMENTS", "ABOUT"), prompts)


@tools.command(
    epilog="\b\nExamples:\n"
    '  flowide tools call git/git_status \'{"repo_path": "."}\'\n'
    "  flowide tools call shots/take '{}' --images pictures/"
)
@click.argument("tool")
@click.argument("arguments", default="{}")
@click.option(
    "--images",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for pictures in the answer.",
)
@_TRUST
@_PROJECT
@_JSON
def call(
    tool: str, arguments: str, images: Path | None, trust: bool, project: str | None, as_json: bool
) -> None:
    """Call a tool yourself; its arguments are JSON. Exit 1 when it says that it failed."""
    from flowide.errors import BadInput

    try:
        given = json.loads(arguments)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"the arguments are no JSON: {error}", hint='For example: \'{"path": "."}\'') from None
    if not isinstance(given, dict):
        raise BadInput("the arguments are no object", hint='For example: \'{"path": "."}\'')

    async def ask(box: Toolbox) -> Answer:
        offer = await box.find(tool)
        return await box.connection(offer.server.name).call(offer.found.name, given, progress=_progress)

    answer = _Around(project).asking(ask, trust=trust)
    _print_answer(answer, images, as_json=as_json)
    if answer.failed:
        raise click.exceptions.Exit(1)


@tools.command(epilog="\b\nExample:\n  flowide tools read docs memo://greeting")
@click.argument("server")
@click.argument("uri")
@click.option("--images", type=click.Path(path_type=Path, file_okay=False), help="Folder for pictures in it.")
@_TRUST
@_PROJECT
@_JSON
def read(server: str, uri: str, images: Path | None, trust: bool, project: str | None, as_json: bool) -> None:
    """Read a resource of a server."""

    async def ask(box: Toolbox) -> Answer:
        return await box.connection(server).read(uri)

    _print_answer(_Around(project).asking(ask, trust=trust), images, as_json=as_json)


@tools.command(epilog="\b\nExample:\n  flowide tools prompt docs review what=locks")
@click.argument("server")
@click.argument("name")
@click.argument("arguments", nargs=-1, metavar="[KEY=VALUE]...")
@_TRUST
@_PROJECT
def prompt(server: str, name: str, arguments: tuple[str, ...], trust: bool, project: str | None) -> None:
    """Print a prompt of a server, filled in."""
    from flowide.errors import BadInput

    given: dict[str, str] = {}
    for each in arguments:
        key, equals, value = each.partition("=")
        if not equals:
            raise BadInput(f"{each[:100]!r} is no key=value", hint="For example: what=locks")
        given[key] = value

    async def ask(box: Toolbox) -> str:
        return await box.connection(server).prompt(name, given)

    print_text(_Around(project).asking(ask, trust=trust).rstrip("\n").encode() + b"\n")


@tools.command(epilog="\b\nExample:\n  flowide tools permissions")
@_JSON
def permissions(as_json: bool) -> None:
    """List what was allowed for good, in all projects."""
    import msgspec

    kept = _permissions()
    everything = kept.all()
    if as_json:
        print_json(msgspec.to_builtins(everything))
        return
    if not everything:
        say("nothing is allowed for good")
        return
    print_table(
        ("TOOL", "BY", "IN", "ALLOWED BY", "SINCE"),
        [(each.tool, f"@{each.agent}", each.project, f"@{each.by}", each.since) for each in everything],
    )
    say(f"kept in {kept.path}")


@tools.command(
    epilog="\b\nExamples:\n  flowide tools revoke git/git_commit\n  flowide tools revoke '*' --agent edwin"
)
@click.argument("tool")
@click.option("--agent", metavar="HANDLE", help="Only of this agent.")
@click.option("--project", metavar="PATH", help="Only in this project; by default in all.")
def revoke(tool: str, agent: str | None, project: str | None) -> None:
    """Take back what was allowed for good; it is asked again."""
    folder = None if project is None else Path(project)
    gone = _permissions().revoke(folder, None if agent is None else agent.removeprefix("@"), tool)
    for each in gone:
        say(f"{each.tool} by @{each.agent} in {each.project} is asked again")


def _list(project: str | None, as_json: bool) -> None:
    at = _Around(project)
    for error in at.found.broken:
        say(f"{error.message}\n  {error.hint}" if error.hint else error.message)
    told = [
        {
            "name": server.name,
            "runs": server.told(),
            "origin": server.origin,
            "source": server.source,
            "state": at.state(server.name),
            "tools": list(server.spec.tools),
        }
        for server in at.found.known.values()
    ]
    if as_json:
        print_json(told)
        return
    if not told:
        say("no tool servers yet; put them into .mcp.json, or as [mcp.<name>] into config.toml")
        return
    print_table(
        ("SERVER", "RUNS", "FROM", "STATE"),
        [(each["name"], each["runs"], each["source"], each["state"]) for each in told],
    )


def _arguments(schema: dict[str, Any]) -> str | None:
    """Names of the arguments, those that may be left out in brackets."""
    required = schema.get("required", [])
    names = schema.get("properties", {})
    return " ".join(each if each in required else f"[{each}]" for each in names) or None


def _print_answer(answer: Answer, images: Path | None, *, as_json: bool) -> None:
    written = [] if images is None else _write_images(answer, images)
    if as_json:
        print_json(
            {
                "text": answer.text,
                "data": answer.data,
                "failed": answer.failed,
                "images": written or [{"mime": each.mime, "size": len(each.data)} for each in answer.images],
            }
        )
        return
    print_text(answer.text.rstrip("\n").encode() + b"\n")
    for each in written:
        say(f"written to {each}")


def _write_images(answer: Answer, folder: Path) -> list[str]:
    from flowide.errors import BadInput

    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, image in enumerate(answer.images, 1):
            file = folder / f"{number}.{image.mime.removeprefix('image/')}"
            file.write_bytes(image.data)
            written.append(str(file))
    except OSError as error:
        raise BadInput(
            f"{folder} cannot be written: {error.strerror}", hint="Choose another folder."
        ) from error
    return written


def _progress(at: float, of: float | None, said: str) -> None:
    say(f"{at:g}{'' if of is None else f' of {of:g}'}{': ' if said else ''}{said}")


def _permissions() -> Permissions:
    from flowide.agents.tools.permissions import Permissions
    from flowide.settings import user_folder

    return Permissions(user_folder())


class _Around:
    """The servers that hold for a project."""

    def __init__(self, project: str | None) -> None:
        from flowide import settings
        from flowide.agents.keys import find_keys
        from flowide.agents.tools.servers import find_servers
        from flowide.cli.around import project_root

        self.root = project_root(project)
        self.loaded = settings.load(self.root)
        self.found = find_servers(self.root, self.loaded)
        self.trusted = self.loaded.settings.trusts(self.root)
        self.env = find_keys(self.root, self.loaded.settings).env

    def state(self, name: str) -> str:
        """Whether the server would be started."""
        server = self.found.known[name]
        if server.spec.disabled:
            return "disabled"
        if server.foreign and not self.trusted:
            return "not trusted"
        return "ready"

    def asking(self, ask: Callable[[Toolbox], Awaitable[T]], *, trust: bool) -> T:
        """What comes of a question to servers; they are ended after it."""
        from flowide.agents.tools.toolbox import Toolbox

        async def run() -> T:
            box = Toolbox(
                self.found.known.values(),
                root=self.root,
                env=self.env,
                trusted=trust or self.trusted,
            )
            async with box:
                return await ask(box)

        return asyncio.run(run())
