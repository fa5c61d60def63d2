"""What `say` and `thread` have in common: the agents there are, having them answer, and printing messages."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from flowide.cli.desk import Desk, Place

if TYPE_CHECKING:
    from flowide.agents.definition import AgentDefinition
    from flowide.domain import rows
    from flowide.flows.engine import Surroundings
    from flowide.headless.run import Driven


def answer_options(command: Any) -> Any:
    """The options of commands that have agents answer."""
    for option in reversed(
        [
            click.option(
                "--agents", metavar="A,B", help="Also these models or agents, e.g. openai/gpt-4o-mini."
            ),
            click.option("--model", metavar="MODEL", help="Instead of the model of every agent."),
            click.option(
                "--context",
                type=click.IntRange(1),
                metavar="N",
                help="Tokens of what an agent is told; by default [discussion] context.",
            ),
            click.option(
                "--lock-timeout",
                type=click.FloatRange(0),
                metavar="S",
                help="Seconds an agent that is asked to edit waits for the lock.",
            ),
            click.option(
                "--timeout",
                type=click.FloatRange(0, min_open=True),
                metavar="S",
                help="Seconds for all answers.",
            ),
            click.option(
                "--allow",
                metavar="TOOL",
                multiple=True,
                help="A tool agents may use without asking: git/git_status, git, '*'; again for more.",
            ),
            click.option("--trust", is_flag=True, help="Let the project's programs and tool servers run."),
        ]
    ):
        command = option(command)
    return command


class Cast:
    """The agents of a project, by handle."""

    def __init__(self, desk: Desk, options: dict[str, Any]) -> None:
        from flowide import settings
        from flowide.agents.acp.recipes import installed
        from flowide.agents.load import choose_agents, find_agents
        from flowide.cli.around import surroundings

        loaded = settings.load(desk.folder.root)
        self.settings = loaded.settings
        self.around: Surroundings = surroundings(desk.folder.root, loaded=loaded)
        self._options, self._root = options, desk.folder.root
        found = find_agents(desk.folder.root, self.around.user_agents)
        names = [each for each in (options.get("agents") or "").split(",") if each.strip()]
        chosen = choose_agents(found, names, list(self.around.models))
        self.broken = found.broken
        by_name = {each.handle: each for each in chosen}
        self.agents: dict[str, AgentDefinition] = {**installed(self.around.env), **found.agents, **by_name}
        self.known = [*dict.fromkeys([*found.agents, *by_name])]
        """Who `@all` means: agents with a file, and those that were named."""
        self.also = [each for each in self.agents if each not in self.known]
        """Coding agents that are installed: they are asked by their names only."""
        self.names = {each.handle: name for name, each in zip(names, chosen, strict=False)}
        """How agents that are no files were named."""

    async def check(self, asked: Sequence[str]) -> None:
        """Raise what would make an answer fail."""
        for handle in asked:
            problem = await self._problem(handle)
            if problem is not None:
                raise problem

    async def ready(self, asked: Sequence[str]) -> list[str]:
        """Names of those who could answer, the asked ones first; coding agents without a file only when asked."""
        others = [
            handle
            for handle, agent in self.agents.items()
            if handle not in asked and (agent.origin != "recipe" or handle in self.names)
        ]
        trusted = bool(self._options.get("trust")) or self.settings.trusts(self._root)
        able = [
            handle
            for handle in others
            if (trusted or not self.agents[handle].needs_trust) and await self._problem(handle) is None
        ]
        return [self.names.get(handle, handle) for handle in [*asked, *able] if handle in self.agents]

    async def _problem(self, handle: str) -> Any:
        from flowide.agents.readiness import problem_of

        agent = self.agents.get(handle)
        if agent is None:
            return None  # told when the answer is due
        return await problem_of(
            agent, models=self.around.models, env=self.around.env, model=self._options.get("model")
        )

    async def answer(self, desk: Desk, at: Place, thread: str, asked: Sequence[str]) -> Driven:
        """Have everybody answer who is asked in a thread; first runs whose process is gone go on."""
        from flowide.flows.api import RunRequest
        from flowide.headless.run import Show, drive

        settings, options = self.settings, self._options
        inputs = {"thread": thread, "context": options.get("context") or settings.discussion.context}
        lock_timeout = options.get("lock_timeout")
        request = RunRequest(
            flow="say",
            inputs=inputs,
            agents=await self.ready(asked),
            model=options.get("model"),
            parallel=settings.limits.parallel,
            lock_timeout_s=settings.lock.timeout_s if lock_timeout is None else lock_timeout,
            timeout_s=options.get("timeout"),
            allow=[each for given in options.get("allow", ()) for each in given.split(",") if each.strip()],
            trust=bool(options.get("trust")),
        )
        quiet = bool(click.get_current_context().meta.get("flowide.quiet"))
        show = Show(output="none", quiet=quiet or not sys.stderr.isatty())
        driven: Driven | None = None
        for run in [*await _left(desk, thread), None]:
            if run is None and driven is not None and not await owed(desk, thread):
                break
            driven = await drive(
                desk.space,
                desk.folder,
                request,
                surroundings=self.around,
                show=show,
                resume=run,
                interrupted_by=at.caught,
            )
            if driven.exit_code > 128:
                break
        assert driven is not None
        return driven


async def owed(desk: Desk, thread: str | None = None) -> list[rows.Turn]:
    """Answers that are due."""
    from flowide.space.queries import Turns

    return [
        *await desk.space.read(Turns(thread)),
        *await desk.space.read(Turns(thread, "taken")),
    ]


async def _left(desk: Desk, thread: str) -> list[str]:
    """Runs of `say` that broke off while they wrote an answer of this thread."""
    from flowide.space.queries import OneRun, Turns

    left: list[str] = []
    for turn in await desk.space.read(Turns(thread, "taken")):
        if turn.run is None or turn.run in left:
            continue
        view = await desk.space.read(OneRun(turn.run))
        if view.run.flow == "say" and not view.alive and view.run.status not in {"completed", "rejected"}:
            left.append(turn.run)
    return left


async def messages_after(desk: Desk, thread: str, number: int) -> list[rows.Message]:
    """What was said after a message."""
    from flowide.space.queries import ThreadMessages

    view = await desk.space.read(ThreadMessages(thread, limit=1000))
    return [each for each in view.messages if each.number > number]


def print_message(message: rows.Message) -> None:
    """A message for people."""
    from flowide.text import printable

    who = f"@{message.actor}" + (f" ({message.model})" if message.model else "")
    click.echo(f"#{message.number} {printable(who)}  {message.ts[:16].replace('T', ' ')}")
    click.echo("\n".join(f"  {line}".rstrip() for line in printable(message.text).strip().splitlines()))
    click.echo()
