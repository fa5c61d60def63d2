"""`flowide agents`: who can be asked, and whether they would answer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowide.cli.desk import print_json, print_table, print_text, say

if TYPE_CHECKING:
    from flowide.agents.api import Finished
    from flowide.agents.definition import AgentDefinition
    from flowide.agents.load import FoundAgents
    from flowide.errors import FlowError

_PROJECT = click.option(
    "--project", metavar="PATH", help="Folder of the project; by default the one around here."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_MODEL = click.option("--model", metavar="MODEL", help="A model instead of the agents' own.")

_TEMPLATE = """\
---
handle: {handle}
name: {name}
role: {role}
backend: model
{model}
# temperature: 0.7
# max_tokens: 8000
---
You are {you}. Say here what you are good at, what you look for first, and how you write.
"""

_CODING = """\
---
handle: {handle}
name: {name}
role: {role}
backend: acp
recipe: {recipe}
# permissions: {{edit: allow, execute: ask}}
---
"""

_QUESTION = "Say in one short sentence who you are and that you are ready."


@click.group(invoke_without_command=True, epilog="\b\nExample:\n  flowide agents test openai/gpt-4o-mini")
@_PROJECT
@_JSON
@click.pass_context
def agents(context: click.Context, project: str | None, as_json: bool) -> None:
    """Agents: files of the project and the user, and models. Without a command: list them."""
    if context.invoked_subcommand is None:
        _list(project, as_json)


@agents.command("list", epilog="\b\nExample:\n  flowide agents list --json")
@_PROJECT
@_JSON
def list_(project: str | None, as_json: bool) -> None:
    """List agents with what answers for them and whether it could; also coding agents that FlowIDE knows."""
    _list(project, as_json)


@agents.command(epilog="\b\nExample:\n  flowide agents show edwin")
@click.argument("name")
@_PROJECT
@_JSON
def show(name: str, project: str | None, as_json: bool) -> None:
    """Show all that is known of an agent, with its instructions."""
    from flowide.text import one_line, printable

    at = _Around(project)
    [agent] = at.choose([name])
    told = _in_full(agent, at.problem(agent))
    if as_json:
        print_json(told)
        return
    instructions = told.pop("instructions")
    told.pop("scripted")
    for key, value in told.items():
        if value not in (None, "", [], {}):
            click.echo(f"{key}: {one_line(str(value))}")
    if instructions:
        click.echo(f"\n{printable(instructions)}")


@agents.command(
    epilog="\b\nExamples:\n  flowide agents check\n  flowide agents check edwin openai/gpt-4o-mini"
)
@click.argument("names", nargs=-1)
@_MODEL
@_PROJECT
def check(names: tuple[str, ...], model: str | None, project: str | None) -> None:
    """Check agent files, models, keys and scripts without a call. Exit 2 for a wrong file, 7 for a missing key."""
    from flowide.text import one_line

    at = _Around(project)
    chosen = at.choose(names) if names else list(at.found.agents.values())
    problems: list[FlowError] = [] if names else list(at.found.broken.values())
    for agent in chosen:
        problem = at.problem(agent, model)
        if problem is None:
            click.echo(one_line(f"@{agent.handle}: {_answering(agent, model)}"))
        else:
            problems.append(problem)
    for problem in problems:
        say(f"{problem.message}\n  {problem.hint}" if problem.hint else problem.message)
    if problems:
        raise click.exceptions.Exit(problems[0].exit_code)


@agents.command(
    epilog="\b\nExamples:\n  flowide agents test edwin\n  flowide agents test ollama/llama3.2 --timeout 300"
)
@click.argument("name")
@click.option("--prompt", metavar="TEXT", default=_QUESTION, help="What to ask.")
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
)
@_MODEL
@_PROJECT
@_JSON
def test(
    name: str, prompt: str, timeout: float, model: str | None, project: str | None, as_json: bool
) -> None:
    """Ask an agent, or a model such as openai/gpt-4o-mini, one small question. This calls the provider."""
    import asyncio
    import time

    at = _Around(project)
    [agent] = at.choose([name])
    started = time.monotonic()
    answer = asyncio.run(at.ask(agent, prompt, timeout, model))
    seconds = time.monotonic() - started
    used = answer.usage
    if as_json:
        print_json(
            {
                "handle": agent.handle,
                "backend": agent.backend,
                "model": answer.model,
                "text": answer.text,
                "usage": used,
                "attempts": answer.attempts,
                "seconds": round(seconds, 3),
            }
        )
        return
    print_text(answer.text.rstrip("\n").encode() + b"\n")
    cost = "unknown price" if used.cost_micros is None else f"${used.cost_micros / 1e6:.6f}"
    say(
        f"{_answering(agent, model)}: {used.input_tokens} tokens in, {used.output_tokens} out, "
        f"{cost}, {seconds:.1f} s with loading"
    )


@agents.command(epilog="\b\nExample:\n  flowide agents new edwin --model openai/gpt-4o-mini --role drafter")
@click.argument("handle")
@click.option("--name", metavar="NAME", help="As shown to people; by default the handle with a capital.")
@click.option("--role", metavar="TEXT", default="", help="What it is for, in a word or a sentence.")
@click.option("--model", metavar="MODEL", help="For example openai/gpt-4o-mini, or an alias of the settings.")
@click.option("--recipe", metavar="NAME", help="A coding agent that FlowIDE knows, for example gemini.")
@click.option("--user", is_flag=True, help="For all projects of this user instead of this project.")
@_PROJECT
def new(
    handle: str,
    name: str | None,
    role: str,
    model: str | None,
    recipe: str | None,
    user: bool,
    project: str | None,
) -> None:
    """Make an agent file, to be changed. Prints its path."""
    import json

    from flowide.agents.load import check_handle, parse_agent, user_agents_folder
    from flowide.errors import Exists

    handle = check_handle(handle.removeprefix("@"))

    def quoted(text: str) -> str:
        return json.dumps(text, ensure_ascii=False)

    shown = name or handle.capitalize()
    template = _TEMPLATE if recipe is None else _CODING
    text = template.format(
        recipe=quoted(recipe or ""),
        handle=quoted(handle),
        name=quoted(shown),
        role=quoted(role),
        model=f"model: {quoted(model)}" if model else "# model: openai/gpt-4o-mini",
        you=shown,
    )
    if user:
        folder = user_agents_folder(os.environ)
    else:
        from flowide.project.folder import ProjectFolder

        folder = ProjectFolder.open(_Around.root_of(project)).dot_dir / "agents"
    file = folder / f"{handle}.md"
    parse_agent(text, file)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        raise Exists(f"{file} is there already", hint="Choose another handle, or change that file.") from None
    click.echo(str(file))


def _list(project: str | None, as_json: bool) -> None:
    at = _Around(project)
    told = [(agent, at.problem(agent)) for agent in [*at.found.agents.values(), *at.known()]]
    for error in at.found.broken.values():
        say(f"{error.message}\n  {error.hint}" if error.hint else error.message)
    if as_json:
        print_json([_in_full(agent, problem) for agent, problem in told])
        return
    if all(agent.origin == "recipe" for agent, _ in told):
        say("no agents yet; make one: flowide agents new edwin --model openai/gpt-4o-mini")
    print_table(
        ("AGENT", "ROLE", "ANSWERED BY", "FROM", "STATE"),
        [
            (
                f"@{agent.handle}",
                agent.role[:40] or None,
                agent.label,
                agent.origin,
                _state(agent, problem),
            )
            for agent, problem in told
        ],
    )


def _state(agent: AgentDefinition, problem: FlowError | None) -> str:
    if problem is None:
        return "ready" if agent.backend != "acp" else "found"
    return f"not found: {problem.hint}" if agent.origin == "recipe" else problem.message


def _in_full(agent: AgentDefinition, problem: FlowError | None) -> dict[str, Any]:
    """All that is known of an agent; `problem` None = it could answer."""
    return {
        "handle": agent.handle,
        "name": agent.name,
        "role": agent.role,
        "backend": agent.backend,
        "scripted": agent.backend == "scripted",
        "model": agent.model,
        "command": agent.command,
        "recipe": agent.recipe or None,
        "env": agent.env,
        "writes": agent.writes,
        "temperature": agent.temperature,
        "max_tokens": agent.max_tokens,
        "script": agent.script,
        "tools": agent.tools,
        "permissions": agent.permissions,
        "colour": agent.colour,
        "origin": agent.origin,
        "source": agent.source or None,
        "ready": problem is None,
        "problem": None if problem is None else problem.message,
        "hint": None if problem is None else problem.hint,
        "instructions": agent.instructions,
    }


def _answering(agent: AgentDefinition, model: str | None = None) -> str:
    """What answers for an agent; a model given goes before its own."""
    return model if model and agent.backend == "model" else agent.label


class _Around:
    """The agents and models that hold for a project."""

    def __init__(self, project: str | None) -> None:
        from flowide import settings
        from flowide.agents.keys import find_keys
        from flowide.agents.load import find_agents, user_agents_folder

        root = self.root_of(project)
        found = settings.load(root).settings
        self.models: dict[str, Any] = found.models
        self.trusted = found.trusts(root)
        self.env = find_keys(root, found).env
        self.found: FoundAgents = find_agents(root, user_agents_folder(os.environ))

    @staticmethod
    def root_of(project: str | None) -> Path:
        from flowide.cli.around import project_root

        return project_root(project)

    def known(self) -> list[AgentDefinition]:
        """The coding agents that FlowIDE knows and no file has taken the name of."""
        from flowide.agents.acp.recipes import agent_of, recipes

        return [agent_of(recipe) for recipe in recipes().values() if recipe.id not in self.found.agents]

    def choose(self, names: tuple[str, ...] | list[str]) -> list[AgentDefinition]:
        from flowide.agents.load import choose_agents
        from flowide.errors import BadInput

        chosen = choose_agents(self.found, names, self.models)
        if not chosen:
            raise BadInput("no agent is named", hint="For example: flowide agents show edwin")
        return chosen

    def problem(self, agent: AgentDefinition, model: str | None = None) -> FlowError | None:
        import asyncio

        from flowide.agents.readiness import problem_of

        return asyncio.run(problem_of(agent, models=self.models, env=self.env, model=model))

    async def ask(self, agent: AgentDefinition, prompt: str, seconds: float, model: str | None) -> Finished:
        from contextlib import aclosing

        from flowide.agents.api import Finished, Message, Request, Retrying
        from flowide.agents.pool import AgentPool
        from flowide.agents.readiness import check_trust
        from flowide.errors import Incomplete

        check_trust(agent, self.trusted)
        said = [Message("system", agent.instructions)] if agent.instructions else []
        said.append(Message("user", prompt))
        request = Request(agent=agent.handle, purpose="test", messages=said, deadline_s=seconds)
        async with AgentPool([agent], models=self.models, env=self.env, model=model) as pool:
            answering = pool.backend(agent.handle)
            await answering.check()
            async with aclosing(answering.stream(request)) as stream:  # type: ignore[type-var]
                async for delta in stream:
                    if isinstance(delta, Retrying):
                        say(f"{delta.why}; attempt {delta.attempt} follows")
                    elif isinstance(delta, Finished):
                        return delta
        raise Incomplete(f"the answer of @{agent.handle} ended early", hint="Try again.")
