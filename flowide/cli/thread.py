"""`flowide thread`: conversations, what agents were told in them, and answers that are due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from flowide.cli.desk import Desk, Place, print_json, say, workspace_command
from flowide.cli.manifests import print_items, summary
from flowide.cli.talking import Cast, answer_options, messages_after, owed, print_message

if TYPE_CHECKING:
    from flowide.domain import rows


@click.group(epilog="\b\nExample:\n  flowide thread manifest last --agent edwin --text 'And now?'")
def thread() -> None:
    """Conversations of people and agents."""


@thread.command("list", epilog="\b\nExample:\n  flowide thread list --about src/cache.py --json")
@click.option("--about", metavar="PATH", help="Only those about this artifact.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@workspace_command
def list_(about: str | None, limit: int, at: Place) -> None:
    """List threads, the one somebody spoke in last first."""

    async def work(desk: Desk) -> None:
        import msgspec

        from flowide.space.queries import Artifacts, Threads

        artifact = None if about is None else (await desk.ever(about)).id
        found = await desk.space.read(Threads(artifact, limit))
        paths = {row.id: row.path for row in await desk.space.read(Artifacts(deleted=True))}
        desk.print_rows(
            ["THREAD", "TITLE", "ABOUT", "MESSAGES", "LAST", "BY"],
            [
                [
                    each.id,
                    each.title,
                    paths.get(each.about or ""),
                    each.count,
                    each.last_ts,
                    f"@{each.last_actor}",
                ]
                for each in found
            ],
            [msgspec.to_builtins(each) | {"path": paths.get(each.about or "")} for each in found],
            none="There are no threads; `flowide say` opens one.",
        )

    at.run(work)


@thread.command(
    "open", epilog="\b\nExample:\n  flowide thread open 'Eviction' --about src/cache.py --agent edwin"
)
@click.argument("title")
@click.option("--about", metavar="PATH", help="What it is about.")
@click.option("--agent", metavar="HANDLE", help="Who answers people who mention nobody.")
@click.option("--depth", type=click.IntRange(0, 20), metavar="N", help="Longest chain of agents; default 3.")
@click.option(
    "--rate", type=click.IntRange(0, 200), metavar="N", help="Replies until a person speaks; default 12."
)
@workspace_command
def open_(
    title: str, about: str | None, agent: str | None, depth: int | None, rate: int | None, at: Place
) -> None:
    """Open a thread. --depth and --rate bound how long agents go on by mentioning each other.

    Their defaults are settings: [discussion] depth and rate.
    """

    async def work(desk: Desk) -> None:
        from flowide import settings
        from flowide.domain.commands import OpenThread

        bounds = settings.load(desk.folder.root).settings.discussion

        artifact = None if about is None else (await desk.look(about)).id
        handle = (agent or "").removeprefix("@") or None
        command = OpenThread(
            title=title,
            about=artifact,
            agent=handle,
            depth=bounds.depth if depth is None else depth,
            rate=bounds.rate if rate is None else rate,
        )
        await desk.space.execute(command)
        desk.tell(command.thread, {"thread": command.thread, "title": title})

    at.run(work)


@thread.command(epilog="\b\nExample:\n  flowide thread show last --limit 5")
@click.argument("ref", metavar="THREAD", default="last")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Newest messages.")
@click.option("--before", type=click.IntRange(1), metavar="N", help="Only messages with smaller numbers.")
@click.option("--all", "everything", is_flag=True, help="All messages.")
@workspace_command
def show(ref: str, limit: int, before: int | None, everything: bool, at: Place) -> None:
    """Show what was said, which answers are due, and those being written as far as they are.

    THREAD: id, start of it, title, or last.
    """

    async def work(desk: Desk) -> None:
        import msgspec

        from flowide.space.queries import FindThread, StepText, ThreadMessages
        from flowide.text import one_line, printable

        found = await desk.space.read(FindThread(ref))
        most = max(1, found.count) if everything else limit
        view = await desk.space.read(ThreadMessages(found.id, most, before))
        live = {
            turn.agent: await desk.space.read(StepText(turn.run or "", turn.step or ""))
            for turn in view.turns
            if turn.state == "taken"
        }
        if desk.json:
            print_json(msgspec.to_builtins(view) | {"live": live})
            return
        about = f", about {view.path}" if view.path else ""
        click.echo(one_line(f"{found.title}{about} ({found.id})") + "\n")
        if view.messages and view.messages[0].number > 1:
            say(f"{view.messages[0].number - 1} earlier messages; --all shows them")
        for message in view.messages:
            print_message(message)
        for turn in view.turns:
            why = f", {turn.why}" if turn.why else ""
            click.echo(one_line(f"@{turn.agent} to #{turn.number}: {turn.state}{why}"))
            for line in printable(live.get(turn.agent, "")).splitlines():
                click.echo(f"  {line}".rstrip())

    at.run(work)


@thread.command(epilog="\b\nExample:\n  flowide thread pin last README.md")
@click.argument("ref", metavar="THREAD")
@click.argument("path")
@click.option(
    "--version", type=click.IntRange(1), metavar="N", help="This version; by default always the newest."
)
@workspace_command
def pin(ref: str, path: str, version: int | None, at: Place) -> None:
    """Have PATH in the context of every answer in THREAD."""
    _pin(ref, path, version, at, on=True)


@thread.command(epilog="\b\nExample:\n  flowide thread unpin last README.md")
@click.argument("ref", metavar="THREAD")
@click.argument("path")
@workspace_command
def unpin(ref: str, path: str, at: Place) -> None:
    """No longer have PATH in the context of every answer."""
    _pin(ref, path, None, at, on=False)


def _pin(ref: str, path: str, version: int | None, at: Place, *, on: bool) -> None:
    async def work(desk: Desk) -> None:
        from flowide.domain.commands import PinArtifact
        from flowide.space.queries import FindThread

        found = await desk.space.read(FindThread(ref))
        artifact = await (desk.look(path) if on else desk.ever(path))
        await desk.space.execute(PinArtifact(thread=found.id, about=artifact.id, version=version, on=on))
        told = {
            "thread": found.id,
            "artifact": artifact.id,
            "path": artifact.path,
            "version": version,
            "pinned": on,
        }
        desk.tell(f"{artifact.path} is {'' if on else 'no longer '}pinned in {found.title}", told)

    at.run(work)


@thread.command(epilog="\b\nExample:\n  flowide thread default last edwin")
@click.argument("ref", metavar="THREAD")
@click.argument("answers", metavar="[HANDLE]", required=False)
@workspace_command
def default(ref: str, answers: str | None, at: Place) -> None:
    """Choose who answers people who mention nobody; without HANDLE nobody does."""

    async def work(desk: Desk) -> None:
        from flowide.domain.commands import SetThreadAgent
        from flowide.space.queries import FindThread

        found = await desk.space.read(FindThread(ref))
        agent = (answers or "").removeprefix("@") or None
        await desk.space.execute(SetThreadAgent(thread=found.id, agent=agent))
        said = (
            f"@{agent} answers in {found.title}" if agent else f"nobody answers by default in {found.title}"
        )
        desk.tell(said, {"thread": found.id, "agent": agent})

    at.run(work)


@thread.command(epilog="\b\nExample:\n  flowide thread answer last")
@click.argument("ref", metavar="THREAD", default="last")
@click.option("--retry", is_flag=True, help="Also ask again for answers that failed.")
@answer_options
@workspace_command
def answer(ref: str, at: Place, **options: Any) -> None:
    """Have the answers written that are due in THREAD; those whose process is gone are gone on with."""

    async def work(desk: Desk) -> None:
        code = await _answer(desk, at, ref, options)
        if code:
            raise click.exceptions.Exit(code)

    at.run(work)


async def _answer(desk: Desk, at: Place, ref: str, options: dict[str, Any]) -> int:
    from flowide.domain.commands import AskAgent
    from flowide.space.queries import FindThread, Turns

    found = await desk.space.read(FindThread(ref))
    if options["retry"]:
        for turn in await desk.space.read(Turns(found.id, "failed")):
            await desk.space.execute(AskAgent(message=turn.message, agent=turn.agent))
    turns = await owed(desk, found.id)
    if not turns:
        desk.tell("no answer is due", {"thread": found.id, "replies": [], "error": None})
        return 0
    cast = Cast(desk, options)
    asked = list(dict.fromkeys(turn.agent for turn in turns))
    await cast.check(asked)
    driven = await cast.answer(desk, at, found.id, asked)
    replies = await messages_after(desk, found.id, found.count)
    if desk.json:
        print_json({"thread": found.id, "run": driven.run, "replies": replies, "error": driven.error})
    else:
        for reply in replies:
            print_message(reply)
        if driven.error is not None:
            say(f"error: {driven.error['message']}")
    return driven.exit_code


@thread.command(
    epilog="\b\nExamples:\n"
    "  flowide thread manifest last --message 4          what @quinn was told for #4\n"
    "  flowide thread manifest last --agent edwin --prompt --text '@edwin what about #a.md?'"
)
@click.argument("ref", metavar="THREAD", default="last")
@click.option("--message", metavar="N|ID", help="What its author was told; by default the newest answer.")
@click.option("--agent", metavar="HANDLE", help="What this agent would be told now.")
@click.option("--text", metavar="TEXT", default="", help="With --agent: as if you said this.")
@click.option("--prompt", is_flag=True, help="With --agent: also the prompt itself.")
@click.option(
    "--context", type=click.IntRange(1), metavar="N", help="Tokens; by default [discussion] context."
)
@workspace_command
def manifest(ref: str, at: Place, **options: Any) -> None:
    """Show what an answer was based on, or what an agent would be told: items, tokens, and what is left out."""

    async def work(desk: Desk) -> None:
        from flowide.errors import BadInput
        from flowide.space.queries import FindThread

        found = await desk.space.read(FindThread(ref))
        if options["agent"] is None and (options["prompt"] or options["text"]):
            raise BadInput("--text and --prompt need --agent", hint="For example: --agent edwin.")
        if options["agent"] is None:
            await _sent(desk, found, options["message"])
        else:
            await _unsent(desk, found, options)

    at.run(work)


async def _sent(desk: Desk, found: rows.Thread, ref: str | None) -> None:
    import msgspec

    from flowide.agents.context import decode
    from flowide.errors import NotFound
    from flowide.space.queries import OneMessage, ThreadMessages

    if ref is not None:
        message = await desk.space.read(OneMessage(ref.removeprefix("#"), found.id))
    else:
        view = await desk.space.read(ThreadMessages(found.id, 1000))
        answers = [each for each in view.messages if each.manifest is not None]
        if not answers:
            raise NotFound(
                "no agent has answered in this thread", hint="Give --agent to see what one would be told."
            )
        message = answers[-1]
    if message.manifest is None:
        raise NotFound(f"#{message.number} has no manifest: @{message.actor} was told nothing")
    manifest = decode(await desk.space.blob(message.manifest))
    if desk.json:
        told = {"thread": found.id, "message": message.id, "number": message.number}
        print_json(told | msgspec.to_builtins(manifest))
    else:
        click.echo(f"#{message.number} by @{manifest.agent}: {summary(manifest)}")
        print_items(manifest)


async def _unsent(desk: Desk, found: rows.Thread, options: dict[str, Any]) -> None:
    import msgspec

    from flowide.errors import NotFound
    from flowide.flows.discussion.context import Asked, discuss_task, tell
    from flowide.flows.discussion.posting import Writing, compose
    from flowide.space.queries import ThreadMessages
    from flowide.text import printable

    cast = Cast(desk, {})
    handle = options["agent"].removeprefix("@")
    if handle not in cast.agents:
        raise NotFound(f"there is no agent @{handle}", hint="`flowide agents` lists them.", agent=handle)
    agent = cast.agents[handle]
    others = [each for each in cast.agents if each != handle]
    text, refs, number = options["text"], [], found.count + 1
    actor, by_person = desk.space.actor.id, True
    if text:
        writing = Writing(thread=found.id, text=text, known=cast.known, also=cast.also)
        composed = await compose(desk.space, desk.folder, writing)
        refs = composed.command.refs
    else:
        view = await desk.space.read(ThreadMessages(found.id, 1))
        if not view.messages:
            raise NotFound("nothing was said in this thread", hint="Give --text.")
        last = view.messages[-1]
        text, refs, number, actor, by_person = (
            last.text,
            last.refs,
            last.number,
            last.actor,
            last.kind == "human",
        )
    asked = Asked(
        agent=agent,
        others=others,
        thread=found,
        number=number,
        actor=actor,
        by_person=by_person,
        text=text,
        refs=refs,
        upto=found.count,
        task=discuss_task(agent, others),
    )
    budget = options["context"] or cast.settings.discussion.context
    told = await tell(desk.space, desk.folder, asked, budget)
    manifest = told.fitted.manifest
    if desk.json:
        more = {"messages": told.messages} if options["prompt"] else {}
        print_json(
            msgspec.to_builtins({"thread": found.id, "message": None}) | msgspec.to_builtins(manifest) | more
        )
        return
    click.echo(f"@{handle} would be told: {summary(manifest)}")
    print_items(manifest)
    if options["prompt"]:
        for message in told.messages:
            click.echo(f"\n--- {message.role}\n{printable(message.content)}")
