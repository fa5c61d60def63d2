"""Rules of discussion: who is asked to answer, how far agents may go on among themselves, and that people win."""

from __future__ import annotations

from msgspec import structs

from flowide.domain.actors import Caller, Now
from flowide.domain.commands import (
    AskAgent,
    Done,
    FailTurn,
    OpenThread,
    PinArtifact,
    Posted,
    PostMessage,
    SetThreadAgent,
    StopTurn,
    TakeTurn,
)
from flowide.domain.facts import (
    MessagePosted,
    ThreadAgentSet,
    ThreadOpened,
    ThreadPinned,
    TurnAsked,
    TurnFailed,
    TurnStopped,
    TurnTaken,
)
from flowide.domain.leases import lease_alive, lease_key
from flowide.domain.limits import MAX_NAME, MAX_NOTE, check_text
from flowide.domain.locks import artifact_row
from flowide.domain.mentions import ALL, parse
from flowide.domain.outcome import Outcome
from flowide.domain.rows import Lease, Message, Run, Thread, Turn, Version
from flowide.domain.runs import driven
from flowide.domain.view import Decision, View
from flowide.errors import BadInput, Busy, Exists, Gone, NotFound

MAX_MESSAGE = 64 * 1024
"""Bytes of one message."""
MAX_DEPTH, MAX_RATE, MAX_PINS = 20, 200, 20


def open_thread(view: View, command: OpenThread, caller: Caller, now: Now) -> Decision:
    """Begin a conversation."""
    check_text("thread", command.thread, MAX_NAME, least=1)
    check_text("title", command.title.strip(), MAX_NAME, least=1)
    check_text("agent", command.agent or "", MAX_NAME)
    if not (0 <= command.depth <= MAX_DEPTH and 0 <= command.rate <= MAX_RATE):
        raise BadInput(
            f"depth {command.depth} and rate {command.rate} are not possible",
            hint=f"depth goes from 0 to {MAX_DEPTH}, rate from 0 to {MAX_RATE}.",
        )
    if view.get(Thread, command.thread) is not None:
        raise Exists(f"there is a thread {command.thread} already", hint="Make a new id.")
    if command.about is not None:
        artifact_row(view, command.about)
    opened = ThreadOpened(
        thread=command.thread,
        title=command.title.strip(),
        about=command.about,
        agent=command.agent,
        depth=command.depth,
        rate=command.rate,
        run=command.run,
    )
    return Decision(ok=Done(), facts=[opened])


def pin(view: View, command: PinArtifact, caller: Caller, now: Now) -> Decision:
    """Pin or unpin an artifact."""
    thread = thread_row(view, command.thread)
    row = artifact_row(view, command.about)
    if command.on and command.version is not None and view.get(Version, row.id, command.version) is None:
        raise NotFound(
            f"{row.path} has no version {command.version}", hint=f"It has versions 1 to {row.version}."
        )
    pinned = {each["artifact"] for each in thread.pins}
    if command.on and row.id not in pinned and len(pinned) >= MAX_PINS:
        raise BadInput(f"the thread has {MAX_PINS} pinned artifacts already", hint="Unpin one first.")
    if not command.on and row.id not in pinned:
        raise NotFound(f"{row.path} is not pinned in this thread", hint="See `flowide thread show`.")
    fact = ThreadPinned(thread=thread.id, about=row.id, version=command.version, on=command.on)
    return Decision(ok=Done(), facts=[fact])


def set_agent(view: View, command: SetThreadAgent, caller: Caller, now: Now) -> Decision:
    """Choose who answers by default."""
    thread = thread_row(view, command.thread)
    check_text("agent", command.agent or "", MAX_NAME)
    return Decision(ok=Done(), facts=[ThreadAgentSet(thread=thread.id, agent=command.agent or None)])


def post(view: View, command: PostMessage, caller: Caller, now: Now) -> Decision:
    """Say something. When a person does, what agents asked of each other before is no longer wanted."""
    thread = thread_row(view, command.thread)
    check_text("message", command.message, MAX_NAME, least=1)
    check_text("text", command.text.strip(), MAX_MESSAGE, least=1)
    if view.count(Message, id=command.message):
        raise Exists(f"there is a message {command.message} already", hint="Make a new id.")
    human = caller.actor.kind == "human"
    depth = 0 if human else _depth(view, thread, command, caller)
    _check_asked(command, human=human)
    asks, unasked = _asks(view, thread, command, caller, depth)
    out = Outcome()
    out.facts.append(
        MessagePosted(
            thread=thread.id,
            message=command.message,
            number=thread.count + 1,
            text=command.text,
            depth=depth,
            asks=asks,
            unasked=unasked,
            edits={agent: target for agent, target in command.edits.items() if agent in asks},
            refs=command.refs,
            reply_to=command.reply_to,
            model=command.model,
            run=command.run,
            step=command.step,
            manifest=command.manifest,
            input_tokens=command.input_tokens,
            output_tokens=command.output_tokens,
            cost_micros=command.cost_micros,
        )
    )
    if human:
        _stop_chain(view, thread, caller, out)
    return out.decision(Posted(thread.count + 1, asks, unasked))


def _depth(view: View, thread: Thread, command: PostMessage, caller: Caller) -> int:
    """How far a message of an agent is from a person's.

    Raises:
        Gone: The answer was stopped, or was given before.
    """
    if command.reply_to is None:
        before = view.get(Message, thread.id, thread.count)
        return 1 if before is None else before.depth + 1
    asked = message_row(view, command.reply_to)
    if asked.thread != thread.id:
        raise BadInput("the message that is answered stands in another thread", thread=asked.thread)
    turn = view.get(Turn, asked.id, caller.actor.id)
    if turn is not None and turn.state not in {"waiting", "taken"}:
        raise Gone(
            f"the answer of @{turn.agent} is {turn.state}: {turn.why or 'it was given before'}",
            hint="Ask again with a new message.",
            state=turn.state,
        )
    return asked.depth + 1


def _check_asked(command: PostMessage, *, human: bool) -> None:
    """Only who is mentioned in the text can be asked, and only by a person to change something."""
    names = set(parse(command.text).names)
    for agent in command.mentions:
        check_text("mention", agent, MAX_NAME, least=1)
        if agent not in names and ALL not in names:
            raise BadInput(f"the text does not mention @{agent[:100]}", hint="Mention who shall answer.")
    if command.edits and not human:
        raise BadInput("only people can have an agent change an artifact", hint="Ask a person.")


def _asks(
    view: View, thread: Thread, command: PostMessage, caller: Caller, depth: int
) -> tuple[list[str], list[dict[str, str]]]:
    """The rule table: who answers, and who was mentioned and does not."""
    mentioned = list(dict.fromkeys(command.mentions))
    if caller.actor.kind == "human":
        default = [thread.agent] if thread.agent and not mentioned else []
        return mentioned or default, []
    room = thread.rate - thread.chain - 1 - _owed_besides(view, thread, command, caller) if mentioned else 0
    asks: list[str] = []
    unasked: list[dict[str, str]] = []
    for agent in mentioned:
        why = ""
        if agent == caller.actor.id:
            why = "self"
        elif depth > thread.depth:
            why = "depth"
        elif len(asks) >= room:
            why = "rate"
        if why:
            unasked.append({"agent": agent, "why": why})
        else:
            asks.append(agent)
    return asks, unasked


def _owed_besides(view: View, thread: Thread, command: PostMessage, caller: Caller) -> int:
    """Answers that are due in a thread when this message is posted."""
    due = sum(view.count(Turn, thread=thread.id, state=state) for state in ("waiting", "taken"))
    own = None if command.reply_to is None else view.get(Turn, command.reply_to, caller.actor.id)
    return due - (own is not None)


def _stop_chain(view: View, thread: Thread, caller: Caller, out: Outcome) -> None:
    for state in ("waiting", "taken"):
        for turn in view.find(Turn, thread=thread.id, state=state, order="seq"):
            if turn.asker_kind != "human":
                out.facts.append(
                    TurnStopped(
                        thread=thread.id,
                        message=turn.message,
                        agent=turn.agent,
                        why=f"@{caller.actor.id} spoke",
                    )
                )


def ask(view: View, command: AskAgent, caller: Caller, now: Now) -> Decision:
    """Have an agent answer a message."""
    message = message_row(view, command.message)
    check_text("agent", command.agent, MAX_NAME, least=1)
    turn = view.get(Turn, message.id, command.agent)
    if turn is not None and turn.state not in {"failed", "stopped"}:
        raise Exists(
            f"@{turn.agent} was asked before: {turn.state}",
            hint="Read the thread, or say what you want to know.",
            state=turn.state,
        )
    if command.agent == message.actor:
        raise BadInput(f"@{message.actor} wrote that message", hint="Ask somebody else.")
    return Decision(
        ok=Done(), facts=[TurnAsked(thread=message.thread, message=message.id, agent=command.agent)]
    )


def take(view: View, command: TakeTurn, caller: Caller, now: Now) -> Decision:
    """Begin to write an answer; that of a run whose process is gone can be taken over."""
    run = driven(view, command.run, command.fence, caller)
    turn = _open_turn(view, command.message, command.agent)
    if turn.state == "taken" and turn.run != run.id and turn.run is not None:
        other, lease = view.get(Run, turn.run), view.get(Lease, lease_key("run", turn.run))
        if other is not None and other.status == "running" and lease is not None and lease_alive(lease, now):
            raise Busy(
                f"the answer of @{turn.agent} is being written by another run",
                hint=f"Follow it: flowide events {turn.run} --follow.",
                holder=other.actor,
                run=turn.run,
            )
    as_asked = (run.id, command.step, command.manifest)
    if turn.state == "taken" and (turn.run, turn.step, turn.manifest) == as_asked:
        return Decision(ok=Done())
    taken = TurnTaken(
        thread=turn.thread,
        message=turn.message,
        agent=turn.agent,
        run=run.id,
        step=command.step,
        manifest=command.manifest,
    )
    return Decision(ok=Done(), facts=[taken])


def fail(view: View, command: FailTurn, caller: Caller, now: Now) -> Decision:
    """Give an answer up."""
    run = driven(view, command.run, command.fence, caller)
    turn = _open_turn(view, command.message, command.agent)
    failed = TurnFailed(
        thread=turn.thread, message=turn.message, agent=turn.agent, run=run.id, error=command.error
    )
    return Decision(ok=Done(), facts=[failed])


def stop(view: View, command: StopTurn, caller: Caller, now: Now) -> Decision:
    """No longer want an answer."""
    check_text("why", command.why, MAX_NOTE)
    turn = _open_turn(view, command.message, command.agent)
    why = command.why.strip() or f"@{caller.actor.id} stopped it"
    fact = TurnStopped(thread=turn.thread, message=turn.message, agent=turn.agent, why=why)
    return Decision(ok=Done(), facts=[fact])


def thread_row(view: View, id: str) -> Thread:
    """The thread of this id.

    Raises:
        NotFound: There is none.
    """
    row = view.get(Thread, id)
    if row is None:
        raise NotFound(f"there is no thread {id[:100]}", hint="List them with `flowide thread list`.")
    return row


def message_row(view: View, id: str) -> Message:
    """The message of this id.

    Raises:
        NotFound: There is none.
    """
    found = view.find(Message, id=id, limit=1)
    if not found:
        raise NotFound(f"there is no message {id[:100]}", hint="See `flowide thread show`.")
    return found[0]


def _open_turn(view: View, message: str, agent: str) -> Turn:
    turn = view.get(Turn, message, agent)
    if turn is None:
        raise NotFound(
            f"@{agent[:100]} was not asked to answer that message", hint="Mention the agent in a message."
        )
    if turn.state not in {"waiting", "taken"}:
        raise Gone(
            f"the answer of @{turn.agent} is {turn.state}", hint="Ask again with a new message.", why=turn.why
        )
    return turn


def answered(turn: Turn, reply: str) -> Turn:
    """The turn after its answer."""
    return structs.replace(turn, state="answered", reply=reply, why="", error=None)
