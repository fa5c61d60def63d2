"""What an agent is told when it is its turn in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from flowide.agents.api import Message
from flowide.agents.context import Fitted, Item, Kind, fit, quoted, tokens_of
from flowide.agents.definition import AgentDefinition
from flowide.domain import rows
from flowide.errors import FlowError, NotFound
from flowide.flows.decided import decision_items
from flowide.flows.prompt import standing, task
from flowide.flows.prompting import project_rules
from flowide.project.folder import ProjectFolder
from flowide.project.kinds import is_text
from flowide.space.api import Space
from flowide.space.queries import Content, FindArtifact, OneMessage, ThreadMessages

BUDGET = 24_000
"""Tokens of a prompt when nobody says otherwise."""
PAGE = 100
_SYSTEM: frozenset[Kind] = frozenset({"instructions", "rules", "notes", "decision", "task"})


class Asked(Struct, frozen=True, kw_only=True):
    """Who answers what, and what is known at that moment."""

    agent: AgentDefinition
    others: Sequence[str]
    """Handles of the other agents."""
    thread: rows.Thread
    number: int
    """Of the message that is answered; one more than the newest for one that is not sent yet."""
    actor: str
    by_person: bool = True
    text: str
    refs: Sequence[dict[str, Any]]
    upto: int
    """Number of the newest message that counts."""
    task: str
    """What kind of answer is wanted."""
    edit: Item | None = None
    """The text that is to be changed."""


class Told(Struct, frozen=True):
    """A prompt, and what went into it."""

    messages: list[Message]
    fitted: Fitted


async def tell(space: Space, folder: ProjectFolder, asked: Asked, budget: int) -> Told:
    """Gather what concerns a question and fit it into the budget.

    Raises:
        BadInput: What must be given takes more than the budget.
    """
    standing = await _standing(space, folder, asked)
    things = await _things(space, asked)
    talk = await _talk(space, asked, budget)
    items = [*standing, *things, *talk]
    fitted = fit(asked.agent.handle, items, budget, order=_order(items))
    return Told(_messages(fitted.items), fitted)


def _order(items: Sequence[Item]) -> list[int]:
    """Positions by how much they are wanted: what is asked about, then rules, then the talk from its end."""
    wanted: dict[str, int] = {"reference": 0, "artifact": 1, "rules": 2, "notes": 3, "message": 4}
    return sorted(
        range(len(items)),
        key=lambda at: (wanted.get(items[at].kind, 0), -at if items[at].kind == "message" else at),
    )


async def _standing(space: Space, folder: ProjectFolder, asked: Asked) -> list[Item]:
    """Who the agent is, the project's rules, its notes, and what was decided."""
    *items, marks = standing(asked.agent, project_rules(folder))
    items += await decision_items(space)
    return [*items, task(f"{asked.task}\n\n{marks.text}")]


async def _things(space: Space, asked: Asked) -> list[Item]:
    """Pinned artifacts, the one the thread is about, those the question points at, and messages it means."""
    items: dict[tuple[Any, ...], Item] = {}

    async def add(ref: dict[str, Any], kind: Kind, reason: str, *, must: bool = False) -> None:
        item = await artifact_item(space, ref, kind, reason, must=must)
        items.setdefault((item.id, item.version, ref.get("piece")), item)

    if asked.edit is not None:
        items[asked.edit.id, asked.edit.version, None] = asked.edit
    for pin in asked.thread.pins:
        await add({"artifact": pin["artifact"], "version": pin["version"]}, "pinned", "pinned", must=True)
    for ref in asked.refs:
        if ref["kind"] == "artifact":
            await add(ref, "reference", f"#{asked.number} points at it")
    if asked.thread.about is not None:
        await add({"artifact": asked.thread.about}, "artifact", "the thread is about it")
    meant = [ref for ref in asked.refs if ref["kind"] == "message"]
    return [
        *items.values(),
        *[item for ref in meant if (item := await _meant(space, asked, ref)) is not None],
    ]


async def artifact_item(
    space: Space, ref: dict[str, Any], kind: Kind, reason: str, *, must: bool = False
) -> Item:
    """An artifact at a version, or one piece of it; a deleted one as it was last."""
    try:
        row = await space.read(FindArtifact(ref["artifact"]))
        version = ref.get("version") or row.version
        data = await space.read(Content(row.id, version))
    except NotFound as error:
        name = str(ref.get("path") or ref["artifact"])
        return Item(kind=kind, name=name, text="", reason=reason, missing=error.message)
    piece = ref.get("piece")
    name = f"{row.path}@{version}" + (f":{piece}" if piece else "")
    newest = "" if version == row.version else f", {row.version} is the newest"
    missing = ""
    if not is_text(data):
        missing = "it is no text"
    elif piece:
        data, missing = _piece(row.path, piece, data)
    since = "; deleted since" if row.deleted else ""
    return Item(
        kind=kind,
        name=name,
        id=row.id,
        version=version,
        text="" if missing else f"{name} ({reason}{newest}{since}):\n{quoted(data.decode())}",
        reason=reason + since,
        must=must and not missing,
        missing=missing,
    )


def _piece(path: str, piece: str, data: bytes) -> tuple[bytes, str]:
    from flowide.pieces import language_of, take

    language = language_of(path)
    if language is None:
        return b"", f"pieces of {path} are not known"
    try:
        return take(data, piece, language), ""
    except FlowError as error:
        return b"", error.message


async def _meant(space: Space, asked: Asked, ref: dict[str, Any]) -> Item | None:
    try:
        message = await space.read(OneMessage(ref["message"]))
    except NotFound:
        return None
    if message.thread == asked.thread.id and message.number == asked.number:
        return None
    item = message_item(message, asked.agent.handle)
    text = f"What #{asked.number} means:\n{item.text}"
    return Item(
        kind="reference", name=item.name, id=message.id, text=text, reason=f"#{asked.number} points at it"
    )


def message_item(message: rows.Message, agent: str) -> Item:
    """A message as an agent sees it."""
    who = f"@{message.actor}" + (" (you)" if message.actor == agent else "")
    name = f"#{message.number} @{message.actor}"
    return Item(
        kind="message",
        name=name,
        id=message.id,
        text=f"#{message.number} {who}:\n{quoted(message.text)}",
        reason="said in the thread",
    )


async def _talk(space: Space, asked: Asked, budget: int) -> list[Item]:
    """The thread, and at its end what is to be answered; of a long thread only what could have room."""
    items: list[Item] = []
    elsewhere = {ref.get("message") for ref in asked.refs}
    before, size = asked.upto + 1, 0
    while before > 1 and size <= budget:
        view = await space.read(ThreadMessages(asked.thread.id, PAGE, before))
        shown = [each for each in view.messages if each.number != asked.number and each.id not in elsewhere]
        page = [message_item(each, asked.agent.handle) for each in shown]
        items = [*page, *items]
        size += sum(tokens_of(item.text) for item in page)
        if not view.messages:
            break
        before = view.messages[0].number
    if before > 1:
        name = f"#1 to #{before - 1}"
        older = "the newer ones alone take more than the budget"
        items.insert(0, Item(kind="message", name=name, text="", reason="said in the thread", missing=older))
    # What a person asks is meant as it stands; what an agent or a file says is material.
    text = asked.text.strip() if asked.by_person else quoted(asked.text)
    question = f"#{asked.number} @{asked.actor}, to be answered by you:\n{text}"
    items.append(
        Item(
            kind="task",
            name=f"#{asked.number} @{asked.actor}",
            text=question,
            reason="it is to be answered",
            must=True,
        )
    )
    return items


def _messages(items: Sequence[Item]) -> list[Message]:
    *shown, question = items
    system = [item.text for item in shown if item.kind in _SYSTEM]
    user = [item.text for item in shown if item.kind not in _SYSTEM]
    return [
        Message("system", "\n\n".join(system)),
        Message("user", "\n\n".join([*user, question.text])),
    ]


def discuss_task(agent: AgentDefinition, others: Sequence[str]) -> str:
    """How to take part in a conversation."""
    there = ", ".join(f"@{each}" for each in others)
    return "\n".join(
        [
            f"You are @{agent.handle} in a discussion"
            + (f" with people and other agents ({there})." if there else " with people."),
            "Answer the last message: what you think and why, in a few short paragraphs, in your own words.",
            "Speak only for yourself. Mention @somebody only when you need an answer from them.",
            "To put up something that shall hold from now on, write a paragraph that begins with 'Decision:'.",
        ]
    )
