"""Folds of thread, message and turn events."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from flowide.domain import facts as f
from flowide.domain import rows as r
from flowide.domain.discussion import answered
from flowide.domain.events import Event
from flowide.domain.view import View
from flowide.store.projections.base import Changes, Folds, must


def _opened(view: View, event: Event, fact: f.ThreadOpened) -> Changes:
    row = r.Thread(
        id=fact.thread,
        title=fact.title,
        about=fact.about,
        agent=fact.agent,
        depth=fact.depth,
        rate=fact.rate,
        pins=[],
        run=fact.run,
        actor=event.actor["id"],
        count=0,
        chain=0,
        seq=event.seq,
        ts=event.ts,
        last_seq=event.seq,
        last_ts=event.ts,
        last_actor=event.actor["id"],
    )
    return Changes([row])


def _pinned(view: View, event: Event, fact: f.ThreadPinned) -> Changes:
    thread = must(view, event, r.Thread, fact.thread)
    pins: list[dict[str, Any]] = [each for each in thread.pins if each["artifact"] != fact.about]
    if fact.on:
        pins.append({"artifact": fact.about, "version": fact.version})
    return Changes([structs.replace(thread, pins=pins)])


def _agent_set(view: View, event: Event, fact: f.ThreadAgentSet) -> Changes:
    return Changes([structs.replace(must(view, event, r.Thread, fact.thread), agent=fact.agent)])


def _posted(view: View, event: Event, fact: f.MessagePosted) -> Changes:
    thread = must(view, event, r.Thread, fact.thread)
    actor = event.actor["id"]
    human = event.actor["kind"] == "human"
    message = r.Message(
        thread=fact.thread,
        number=fact.number,
        id=fact.message,
        text=fact.text,
        actor=actor,
        kind=event.actor["kind"],
        for_=event.actor.get("for"),
        depth=fact.depth,
        asks=fact.asks,
        unasked=fact.unasked,
        edits=fact.edits,
        refs=fact.refs,
        reply_to=fact.reply_to,
        model=fact.model,
        run=fact.run,
        step=fact.step,
        manifest=fact.manifest,
        input_tokens=fact.input_tokens,
        output_tokens=fact.output_tokens,
        cost_micros=fact.cost_micros,
        seq=event.seq,
        ts=event.ts,
    )
    thread = structs.replace(
        thread,
        count=fact.number,
        chain=0 if human else thread.chain + 1,
        last_seq=event.seq,
        last_ts=event.ts,
        last_actor=actor,
    )
    rows: list[r.Row] = [thread, message]
    rows += [_turn(event, message, agent) for agent in fact.asks]
    turn = None if fact.reply_to is None else view.get(r.Turn, fact.reply_to, actor)
    if turn is not None:
        rows.append(answered(turn, fact.message))
    return Changes(rows)


def _turn(event: Event, message: r.Message, agent: str) -> r.Turn:
    return r.Turn(
        message=message.id,
        agent=agent,
        thread=message.thread,
        number=message.number,
        state="waiting",
        edit=message.edits.get(agent),
        asker=event.actor["id"],
        asker_kind=event.actor["kind"],
        run=None,
        step=None,
        manifest=None,
        reply=None,
        why="",
        error=None,
        seq=event.seq,
        ts=event.ts,
    )


def _asked(view: View, event: Event, fact: f.TurnAsked) -> Changes:
    [message] = view.find(r.Message, id=fact.message, limit=1)
    return Changes([_turn(event, message, fact.agent)])


def _changed(view: View, event: Event, fact: Any, **changes: Any) -> Changes:
    turn = must(view, event, r.Turn, fact.message, fact.agent)
    return Changes([structs.replace(turn, **changes)])


def _taken(view: View, event: Event, fact: f.TurnTaken) -> Changes:
    return _changed(view, event, fact, state="taken", run=fact.run, step=fact.step, manifest=fact.manifest)


def _failed(view: View, event: Event, fact: f.TurnFailed) -> Changes:
    why = str(fact.error.get("message", ""))
    return _changed(view, event, fact, state="failed", run=fact.run, error=fact.error, why=why)


def _stopped(view: View, event: Event, fact: f.TurnStopped) -> Changes:
    return _changed(view, event, fact, state="stopped", why=fact.why)


FOLDS: Folds = {
    f.ThreadOpened: _opened,
    f.ThreadPinned: _pinned,
    f.ThreadAgentSet: _agent_set,
    f.MessagePosted: _posted,
    f.TurnAsked: _asked,
    f.TurnTaken: _taken,
    f.TurnFailed: _failed,
    f.TurnStopped: _stopped,
}
