"""`flowide flows`: flow files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowide.cli.desk import print_json, print_table, say

if TYPE_CHECKING:
    from flowide.flows.called import Called
    from flowide.flows.load import LoadedFlow

_TEMPLATE = """\
# {name}: what it is for, in one line.
flow: {name}
about: Variations of a file, with a question before anything is saved.

inputs:
  brief:
    type: text
    required: true
    about: What is wanted.
  path:
    type: path
    required: true
    about: The file to vary, or to make.

steps:
  - vary:
      n: 3
  - check: {{}}
  - choose:
      question: Which variation shall it be?
  - accept: {{}}
"""


@click.group(invoke_without_command=True, epilog="\b\nExample:\n  flowide flows show variations")
@click.option("--project", metavar="PATH", help="Folder of the project; by default the one around here.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def flows(context: click.Context, project: str | None, as_json: bool) -> None:
    """Flow files: those of the project, of the user, and the shipped ones. Without a command: list them."""
    if context.invoked_subcommand is None:
        _list(project, as_json)


@flows.command("list", epilog="\b\nExample:\n  flowide flows list --json")
@click.option("--project", metavar="PATH", help="Folder of the project; by default the one around here.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(project: str | None, as_json: bool) -> None:
    """List flows; a nearer one hides a farther one of the same name."""
    _list(project, as_json)


def _list(project: str | None, as_json: bool) -> None:
    from flowide.errors import BadInput
    from flowide.flows.load import find_flows, load_flow

    root, user = _where(project)
    found: list[dict[str, object]] = []
    for name, origin, path in find_flows(root, user):
        try:
            flow = load_flow(str(path), root, user).flow
            found.append(
                {"flow": name, "origin": origin, "path": str(path), "about": flow.about, "error": None}
            )
        except BadInput as error:
            found.append(
                {"flow": name, "origin": origin, "path": str(path), "about": "", "error": error.message}
            )
    if as_json:
        print_json(found)
        return
    print_table(
        ("FLOW", "ORIGIN", "ABOUT"),
        [(each["flow"], each["origin"], each["about"] or f"broken: {each['error']}") for each in found],
    )


@flows.command(epilog="\b\nExample:\n  flowide flows show variations > .flowide/flows/mine.yaml")
@click.argument("name")
@click.option("--steps", is_flag=True, help="Draw its steps instead, those of flows that it calls too.")
@click.option("--project", metavar="PATH", help="Folder of the project; by default the one around here.")
def show(name: str, steps: bool, project: str | None) -> None:
    """Print the file of a flow."""
    from flowide.flows.load import load_flow

    root, user = _where(project)
    loaded = load_flow(name, root, user)
    if not steps:
        click.echo(loaded.text, nl=False)
        return
    from flowide.flows.called import load_called
    from flowide.flows.drawing import drawn

    for line in drawn(loaded.flow, load_called(loaded, root, user)):
        click.echo(line)


@flows.command(epilog="\b\nExample:\n  flowide flows validate .flowide/flows/*.yaml")
@click.argument("files", nargs=-1, required=True)
@click.option("--project", metavar="PATH", help="Folder of the project; by default the one around here.")
def validate(files: tuple[str, ...], project: str | None) -> None:
    """Check flow files, the flows that they call and the agents that they name. Exit 2 if there is a mistake.

    Each mistake is told with file, line and column.
    """
    from flowide.errors import BadInput, NotFound
    from flowide.flows.called import load_called
    from flowide.flows.load import load_flow

    root, user = _where(project)
    bad = 0
    for file in files:
        try:
            loaded = load_flow(file, root, user)
            _check_agents(loaded, load_called(loaded, root, user), root, user)
        except (BadInput, NotFound) as error:
            bad += 1
            say(f"{error.message}\n  {error.hint}" if error.hint else error.message)
        else:
            click.echo(f"{file}: flow {loaded.flow.flow}, {len(loaded.flow.steps)} steps")
    if bad:
        raise click.exceptions.Exit(2)


@flows.command(epilog="\b\nExample:\n  flowide flows new tidy")
@click.argument("name")
@click.option("--project", metavar="PATH", help="Folder of the project; by default the one around here.")
def new(name: str, project: str | None) -> None:
    """Make a flow file in the project, to be changed."""
    from flowide.errors import Exists
    from flowide.flows.load import parse_flow
    from flowide.project.folder import ProjectFolder

    text = _TEMPLATE.format(name=name)
    parse_flow(text, name)
    root = _where(project)[0]
    file = ProjectFolder.open(root).dot_dir / "flows" / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        raise Exists(f"{file} is there already", hint="Choose another name, or change that file.") from None
    click.echo(str(file))


def _check_agents(loaded: LoadedFlow, called: dict[str, Called], root: Path, user: Path) -> None:
    """Raise BadInput for an agent that the file names and that is nowhere, or whose own file is wrong."""
    from flowide import settings
    from flowide.agents.load import choose_agents, find_agents
    from flowide.flows.called import everywhere
    from flowide.flows.naming import check_steps, check_top

    found = find_agents(root, user / "agents")
    models = list(settings.load(root).settings.models)
    check_top(loaded, found, models)
    for each in everywhere(called):
        check_top(each.loaded, found, models)
    named = loaded.flow.agents or list(found.agents)
    agents = [agent.handle for agent in choose_agents(found, named, models)]
    more = [name for each in everywhere(called) for name in each.flow.agents]
    everyone = [*agents, *(agent.handle for agent in choose_agents(found, more, models))]
    check_steps(loaded, called, agents, everyone)


def _where(project: str | None) -> tuple[Path, Path]:
    from flowide.cli.around import project_root
    from flowide.settings import user_folder

    return project_root(project), user_folder()
