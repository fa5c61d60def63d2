"""Answers about threads."""

from __future__ import annotations

from typing import Any

from flowide.domain import rows
from flowide.domain.actors import Now
from flowide.domain.discussion import thread_row
from flowide.domain.view import View
from flowide.errors import NotFound
from flowide.space import queries as q
from flowide.space.reads.base import Answers, by_start

SHORTEST_START = 8
"""Digits of an id that name a message; fewer are a number."""
_UNSETTLED = frozenset({"waiting", "taken", "failed", "stopped"})


def _threads(view: View, query: q.Threads, now: Now) -> list[rows.Thread]:
    where: dict[str, Any] = {} if query.about is None else {"about": query.about}
    return view.find(rows.Thread, order="-last_seq", limit=query.limit, **where)


def _find_thread(view: View, query: q.FindThread, now: Now) -> rows.Thread:
    found = view.get(rows.Thread, query.ref)
    if found is not None:
        return found
    newest_first = view.find(rows.Thread, order="-last_seq")
    titled = [each for each in newest_first if each.title.casefold() == query.ref.strip().casefold()]
    if titled:
        return titled[0]
    return by_start(query.ref, newest_first, "thread", "flowide thread list")


def _messages(view: View, query: q.ThreadMessages, now: Now) -> q.ThreadView:
    thread = thread_row(view, query.thread)
    last = thread.count if query.before is None else min(thread.count, query.before - 1)
    if last == thread.count:
        messages = view.find(rows.Message, order="-number", limit=query.limit, thread=thread.id)[::-1]
    else:
        numbers = range(max(1, last - query.limit + 1), last + 1)
        found = (view.get(rows.Message, thread.id, number) for number in numbers)
        messages = [each for each in found if each is not None]
    about = None if thread.about is None else view.get(rows.Artifact, thread.about)
    turns = _turns_of(view, thread.id, {each.id for each in messages})
    return q.ThreadView(thread, None if about is None else about.path, messages, turns)


def _turns_of(view: View, thread: str, messages: set[str]) -> list[rows.Turn]:
    """Few turns of a thread are unsettled, however long it is."""
    unsettled = [turn for state in _UNSETTLED for turn in view.find(rows.Turn, thread=thread, state=state)]
    found = [turn for turn in unsettled if turn.message in messages]
    return sorted(found, key=lambda turn: (turn.number, turn.agent))


def _one_message(view: View, query: q.OneMessage, now: Now) -> rows.Message:
    found = view.find(rows.Message, id=query.ref, limit=1)
    if found:
        return found[0]
    if query.thread is not None and query.ref.isdecimal() and len(query.ref) < SHORTEST_START:
        numbered = view.get(rows.Message, query.thread, int(query.ref))
        if numbered is not None:
            return numbered
    elif len(query.ref) >= SHORTEST_START and query.thread is not None:
        recent = view.find(rows.Message, order="-number", limit=1000, thread=query.thread)
        starting = [each for each in recent if each.id.startswith(query.ref)]
        if len(starting) == 1:
            return starting[0]
    raise NotFound(f"there is no message {query.ref[:100]}", hint="See `flowide thread show`.")


def _latest(view: View, query: q.LatestMessage, now: Now) -> rows.Message | None:
    said = view.find(rows.Message, order="-number", limit=200, thread=query.thread, actor=query.actor)
    return next((each for each in said if query.before is None or each.number < query.before), None)


def _spoken(view: View, query: q.Spoken, now: Now) -> int:
    return view.count(rows.Message, thread=query.thread, actor=query.actor)


def _turns(view: View, query: q.Turns, now: Now) -> list[rows.Turn]:
    where: dict[str, Any] = {} if query.thread is None else {"thread": query.thread}
    return view.find(rows.Turn, order="seq", state=query.state, **where)


def _one_turn(view: View, query: q.OneTurn, now: Now) -> rows.Turn | None:
    return view.get(rows.Turn, query.message, query.agent)


ANSWERS: Answers = {
    q.Threads: _threads,
    q.FindThread: _find_thread,
    q.ThreadMessages: _messages,
    q.OneMessage: _one_message,
    q.LatestMessage: _latest,
    q.Spoken: _spoken,
    q.Turns: _turns,
    q.OneTurn: _one_turn,
}
