"""What an event says, in words for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flowide.domain.events import Event
from flowide.project import story_of_talk

Data = Mapping[str, Any]


def tell(event: Event, paths: Mapping[str, str]) -> str:
    """The event in a few words. `paths` names artifacts by id. It holds foreign text as it is."""
    words = _WORDS.get(event.type)
    if words is None:
        return event.type
    artifact = event.data.get("artifact") or event.data.get("about")
    path = str(event.data.get("path") or paths.get(str(artifact), artifact))
    return words(event.data, path)


def _noted(line: str, data: Data, key: str = "note") -> str:
    return f"{line}: {data[key]}" if data.get(key) else line


def _saved(data: Data, path: str) -> str:
    accepted = next((each for each in data.get("parents", []) if each.get("set")), None)
    of = f" from variation {accepted['variation']}" if accepted else ""
    model = f" by {data['model']}" if data.get("model") and not accepted else ""
    return _noted(f"saved {path} version {data['version']}{of}{model}", data)


def _acquired(data: Data, path: str) -> str:
    took = f", which {data['took_over']} had let lapse," if data.get("took_over") else ""
    who = f"{data['holder']['actor']} " if data.get("ticket") else ""
    return _noted(f"{who}took the lock of {path}{took} with fence {data['fence']}", data, "purpose")


def _lapsed(data: Data, path: str) -> str:
    why = {"lease": "not renewed", "idle": "idle", "overlong": "held too long while others wait"}
    return f"the lock of {path} with fence {data['fence']} lapsed ({why.get(data['why'], data['why'])})"


def _transferred(data: Data, path: str) -> str:
    draft = ", with the draft" if data.get("with_draft") else ""
    return f"handed the lock of {path} to {data['to']['actor']}{draft}, fence {data['new_fence']}"


def _forced(data: Data, path: str) -> str:
    took = "" if data.get("new_fence") is None else f" and took it with fence {data['new_fence']}"
    return f"ended the lock of {path} with fence {data['fence']}{took}: {data['reason']}"


def _created(data: Data) -> str:
    if data.get("origin") == "blend":
        parts = [str(each.get("variation")) for each in data.get("parents", []) if "variation" in each]
        of = f", a blend of {' and '.join(dict.fromkeys(parts))}" if parts else ", a blend"
    else:
        of = f" by {data['author']}" + (f" ({data['model']})" if data.get("model") else "")
    return f"variation {data['number']} of {_short(data['set'])}{of}, {data['size']} bytes"


def _checked(data: Data) -> str:
    took = f"{data['duration_ms'] / 1000:.1f} s"
    return f"check {data['name']} of variation {_variation(data)} {data['status']} after {took}"


def _tagged(data: Data) -> str:
    tags = [f"+{tag}" for tag in data.get("add", [])] + [f"-{tag}" for tag in data.get("remove", [])]
    return f"tagged variation {_variation(data)} {' '.join(tags)}"


def _variation_noted(data: Data) -> str:
    score = f" ({data['score']}/10)" if data.get("score") is not None else ""
    verb = "critique" if data.get("kind") == "critique" else "note"
    return f"{verb} on variation {_variation(data)}{score}: {data['text']}"


def _step(data: Data) -> str:
    error = (data.get("error") or {}).get("message")
    return f"step {data['key']} of run {_short(data['run'])} {data['status']}" + (
        f": {error}" if error else ""
    )


def _run_finished(data: Data) -> str:
    error = (data.get("error") or {}).get("message")
    return f"run {_short(data['run'])} {data['status']}" + (f": {error}" if error else "")


def _gate_answered(data: Data) -> str:
    return _noted(f"answered {data['answer']!r} to gate {_short(data['gate'])}", data, "reason")


def _on_off(data: Data, on: str, off: str) -> str:
    return on if data.get("on", True) else off


def _variation(data: Data) -> str:
    return f"{data['number']} of {_short(data['set'])}"


def _short(id: str) -> str:
    """Ids of one moment share their start, so people tell them apart by more than eight digits."""
    return id[:13]


_WORDS: dict[str, Callable[[Data, str], str]] = {
    "artifact.created": lambda d, path: _noted(f"created {path}", d),
    "artifact.saved": _saved,
    "artifact.moved": lambda d, path: f"moved {d['old_path']} to {path}, version {d['version']}",
    "artifact.deleted": lambda d, path: _noted(f"deleted {path}, version {d['version']}", d),
    "artifact.restored": lambda d, path: (
        f"restored version {d['from_version']} of {path} as version {d['version']}"
    ),
    "artifact.committed": lambda d, path: (
        f"committed version {d['version']} of {path} to {d['ref'].removeprefix('refs/heads/')} as {d['commit'][:12]}"
    ),
    "lock.acquired": _acquired,
    "lock.lapsed": _lapsed,
    "lock.revived": lambda d, path: f"went on with the lapsed lock of {path}, fence {d['fence']}",
    "lock.released": lambda d, path: f"released the lock of {path}, fence {d['fence']}",
    "lock.transferred": _transferred,
    "lock.forced": _forced,
    "lock.queued": lambda d, path: _noted(f"waits for the lock of {path}", d, "purpose"),
    "lock.dequeued": lambda d, path: f"{d['actor']} no longer waits for the lock of {path}: {d['why']}",
    "draft.kept": lambda d, path: f"kept {d['owner']}'s draft {d['draft']} of {path}: {d['why']}",
    "draft.adopted": lambda d, path: f"adopted draft {d['draft']} of {path} with fence {d['fence']}",
    "draft.discarded": lambda d, _: f"discarded draft {d['draft']}",
    "variation.set_opened": lambda d, _: f"opened set {_short(d['set'])} of variations of {d['title']}",
    "variation.created": lambda d, _: _created(d),
    "variation.checked": lambda d, _: _checked(d),
    "variation.tagged": lambda d, _: _tagged(d),
    "variation.shortlisted": lambda d, _: (
        _on_off(d, "short-listed", "took off the short list:") + f" variation {_variation(d)}"
    ),
    "variation.rejected": lambda d, _: _on_off(d, "rejected", "took back in") + f" variation {_variation(d)}",
    "variation.noted": lambda d, _: _variation_noted(d),
    "variation.accepted": lambda d, path: (
        f"accepted variation {_variation(d)} as version {d['version']} of {path}"
    ),
    "run.started": lambda d, _: f"started run {_short(d['run'])} of flow {d['flow']}",
    "run.queued": lambda d, _: f"queued run {_short(d['run'])} of flow {d['flow']}",
    "run.claimed": lambda d, _: f"went on with run {_short(d['run'])}",
    "run.step": lambda d, _: _step(d),
    "run.cancel_asked": lambda d, _: _noted(f"wants run {_short(d['run'])} stopped", d, "reason"),
    "run.finished": lambda d, _: _run_finished(d),
    "gate.opened": lambda d, _: f"asks at gate {_short(d['gate'])}: {d['question']}",
    "gate.answered": lambda d, _: _gate_answered(d),
    **story_of_talk.WORDS,
}
