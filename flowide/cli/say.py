"""`flowide say`: a message in a thread, and the answers to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from flowide.cli.desk import Desk, Place, print_json, read_stdin, say, warn, workspace_command
from flowide.cli.talking import Cast, answer_options, messages_after, print_message

if TYPE_CHECKING:
    from flowide.domain import rows
    from flowide.domain.commands import Command, Posted


@click.command(
    "say",
    epilog="\b\nExamples:\n"
    "  flowide say --wait '@edwin what do you think of #src/cache.py:LRUCache.get?'\n"
    "  flowide say --thread last '@mara apply that to #docs/test-approach.md' --wait\n"
    "  git diff | flowide say - --new --title 'Today' ",
)
@click.argument("text")
@click.option(
    "--thread", "ref", metavar="T", help="Id, start of it, or title; by default where was spoken last."
)
@click.option("--new", is_flag=True, help="Open a new thread.")
@click.option("--title", metavar="TEXT", help="Of a new thread; by default the start of the message.")
@click.option("--about", metavar="PATH", help="What a new thread is about; by default the first #path.")
@click.option(
    "--default-agent", metavar="HANDLE", help="Who answers in a new thread when nobody is mentioned."
)
@click.option("--wait", is_flag=True, help="Have the answers written now, and print them.")
@answer_options
@workspace_command
def say_(text: str, at: Place, **options: Any) -> None:
    """Say TEXT in a thread; - reads stdin. Agents that it mentions with @handle are asked to answer.

    #path, #path@3 and #path:Piece point at artifacts, #12 at a message, "what @quinn just said" at the latest
    one of quinn. Without --wait the answers are written by `flowide thread answer`.
    """

    async def work(desk: Desk) -> None:
        code = await _say(desk, at, _text(text), options)
        if code:
            raise click.exceptions.Exit(code)

    at.run(work)


def _text(given: str) -> str:
    from flowide.errors import BadInput

    if given == "-":
        try:
            given = read_stdin().decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadInput(
                f"the text on stdin is not UTF-8: byte {error.start}", hint="Send UTF-8."
            ) from None
    try:
        given.encode()
    except UnicodeEncodeError:
        raise BadInput("the text is not valid Unicode", hint="Send UTF-8.") from None
    if not given.strip():
        raise BadInput("there is nothing to say", hint="Give a text, or - to read stdin.")
    return given


async def _say(desk: Desk, at: Place, text: str, options: dict[str, Any]) -> int:
    from flowide.flows.discussion.posting import Writing, compose

    cast = Cast(desk, options)
    thread, opening = await _thread(desk, cast, text, options)
    writing = Writing(thread=thread, text=text, known=cast.known, also=cast.also)
    composed = await compose(desk.space, desk.folder, writing)
    for warning in [*composed.warnings, *_unknown(cast, text)]:
        warn(warning)
    if options["wait"]:
        await cast.check(composed.command.mentions)
    posted: Posted
    [*_, posted] = (await desk.space.batch([*opening, composed.command])).ok
    told = {
        "thread": thread,
        "message": composed.command.message,
        "number": posted.number,
        "asks": posted.asks,
        "refs": composed.command.refs,
        "edits": composed.command.edits,
    }
    if not options["wait"] or not posted.asks:
        who = ", ".join(f"@{each}" for each in posted.asks)
        desk.tell(f"#{posted.number} in thread {thread}" + (f"; {who} asked" if who else ""), told)
        if posted.asks and not desk.json:
            say(f"have it answered with: flowide thread answer {thread[:13]}")
        return 0
    driven = await cast.answer(desk, at, thread, posted.asks)
    replies = await messages_after(desk, thread, posted.number)
    if desk.json:
        print_json(told | {"run": driven.run, "replies": replies, "error": driven.error})
    else:
        for reply in replies:
            print_message(reply)
        if driven.error is not None:
            say(f"error: {driven.error['message']}")
            if driven.error.get("hint"):
                say(driven.error["hint"])
        if driven.exit_code:
            say(f"go on with: flowide thread answer {thread[:13]}")
    return driven.exit_code


def _unknown(cast: Cast, text: str) -> list[str]:
    """What there is to say about names that ask nobody."""
    from pathlib import Path

    from flowide.domain.mentions import ALL, parse

    broken = {Path(path).stem.lower(): error for path, error in cast.broken.items()}
    warnings = []
    for name in parse(text).names:
        if name in broken:
            warnings.append(f"@{name} cannot be asked: {broken[name].message}")
        elif name not in cast.agents and name != ALL:
            warnings.append(f"there is no agent @{name}; the name is plain text")
    return warnings


async def _thread(
    desk: Desk, cast: Cast, text: str, options: dict[str, Any]
) -> tuple[str, list[Command[Any]]]:
    """The thread to speak in, and what opens it when it is new."""
    from flowide.domain.ids import uuid7
    from flowide.errors import BadInput
    from flowide.space.queries import FindThread, Threads

    wants_new = options["new"] or any(options[each] for each in ("title", "about", "default_agent"))
    if options["ref"] is not None:
        if wants_new:
            raise BadInput("--thread names a thread that is there", hint="Leave out --new, --title, --about.")
        return (await desk.space.read(FindThread(options["ref"]))).id, []
    latest = await desk.space.read(Threads(limit=1))
    if latest and not wants_new:
        return latest[0].id, []
    from flowide.domain.commands import OpenThread
    from flowide.text import one_line

    about = await _about(desk, text, options["about"])
    id = uuid7()
    title = options["title"] or one_line(text, 80)
    agent = (options["default_agent"] or "").removeprefix("@") or None
    bounds = cast.settings.discussion
    opened = OpenThread(
        thread=id,
        title=title,
        about=None if about is None else about.id,
        agent=agent,
        depth=bounds.depth,
        rate=bounds.rate,
    )
    return id, [opened]


async def _about(desk: Desk, text: str, path: str | None) -> rows.Artifact | None:
    """What a new thread is about: the named file, else the first one the text points at."""
    from flowide.domain.mentions import parse
    from flowide.errors import FlowError

    if path is not None:
        return await desk.look(path)
    for reference in parse(text).references:
        try:
            found = await desk.folder.artifact(desk.space, reference.target)
        except FlowError:
            continue
        if not found.deleted:
            return found
    return None
