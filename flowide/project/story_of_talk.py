"""What events of discussion, decisions and reviews say, in words for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Data = Mapping[str, Any]


def _posted(data: Data) -> str:
    asks = ", ".join(f"@{each}" for each in data.get("asks", []))
    asked = f" (asks {asks})" if asks else ""
    return f"said #{data['number']} in thread {_short(data['thread'])}{asked}: {data['text']}"


def _turn(what: str) -> Callable[[Data, str], str]:
    def told(data: Data, path: str) -> str:
        error = (data.get("error") or {}).get("message") or data.get("why")
        line = f"{what.format(agent=data['agent'])} in thread {_short(data['thread'])}"
        return f"{line}: {error}" if error else line

    return told


def _pinned(data: Data, path: str) -> str:
    version = f" version {data['version']}" if data.get("version") else ""
    return f"{'pinned' if data.get('on', True) else 'unpinned'} {path}{version} in thread {_short(data['thread'])}"


def _agent_set(data: Data, path: str) -> str:
    who = f"@{data['agent']} answers" if data.get("agent") else "nobody answers"
    return f"{who} by default in thread {_short(data['thread'])}"


def _decision(verb: str) -> Callable[[Data, str], str]:
    def told(data: Data, path: str) -> str:
        line = f"{verb} decision {_short(data['decision'])}"
        if data.get("by"):
            line += f" by {_short(data['by'])}"
        return f"{line}: {data['reason']}" if data.get("reason") else line

    return told


def _judged(data: Data, path: str) -> str:
    reasons = "; ".join(each["text"] for each in data.get("reasons", []))
    verb = {"approve": "approves", "reject": "rejects", "comment": "comments on"}[data["verdict"]]
    back = f", back to {data['back_to']}" if data.get("back_to") else ""
    line = f"{data['stage']}, round {data['round']}: {verb} version {data['version']} of {path}{back}"
    return f"{line}: {reasons}" if reasons else line


def _handed_over(data: Data, path: str) -> str:
    line = f"{data['stage']}, round {data['round']}: hands over version {data['version']} of {path} by {data['author']}"
    return f"{line}; {len(data['refused'])} changes refused" if data.get("refused") else line


def _ended(verb: str) -> Callable[[Data, str], str]:
    def told(data: Data, path: str) -> str:
        line = f"{verb} version {data['version']} of {path} in round {data['rounds']}"
        return f"{line}: {data['why']}" if data.get("why") else line

    return told


def _short(id: str) -> str:
    return id[:13]


WORDS: dict[str, Callable[[Data, str], str]] = {
    "thread.opened": lambda d, _: f"opened thread {_short(d['thread'])}: {d['title']}",
    "thread.pinned": _pinned,
    "thread.agent_set": _agent_set,
    "message.posted": lambda d, _: _posted(d),
    "turn.asked": _turn("asks @{agent} again to answer"),
    "turn.taken": _turn("has @{agent} answer"),
    "turn.failed": _turn("the answer of @{agent} failed"),
    "turn.stopped": _turn("the answer of @{agent} is no longer wanted"),
    "decision.proposed": lambda d, _: f"put up D{d['number']}: {d['text']}",
    "decision.agreed": _decision("agreed to"),
    "decision.reopened": _decision("reopened"),
    "decision.superseded": _decision("superseded"),
    "review.opened": lambda d, path: f"opened the review of {path}",
    "review.handed_over": _handed_over,
    "review.judged": _judged,
    "review.approved": _ended("the review approves"),
    "review.rejected": _ended("the review rejects"),
}
"""By event type; the second argument is the path of the artifact."""
