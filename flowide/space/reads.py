"""Answers to queries, from one consistent view."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flowide.domain import live_text, rows, runs
from flowide.domain.actors import Now
from flowide.domain.locks import lease_alive, lease_key
from flowide.domain.paths import path_key
from flowide.domain.view import View
from flowide.errors import NotFound
from flowide.space import queries as q
from flowide.store.api import Store

R = TypeVar("R", bound=rows.Row)


def answer(query: q.Query[Any], store: Store, now: Now) -> Any:
    """The answer to a query, from one moment of the store."""
    if isinstance(query, q.Search):
        return _search(store, query)
    with store.read() as view:
        if isinstance(query, q.Verify):
            from flowide.space.verify import problems

            return problems(view, store)
        return _ANSWERS[type(query)](view, query, now)


def _artifacts(view: View, query: q.Artifacts, now: Now) -> list[rows.Artifact]:
    if query.deleted:
        return view.find(rows.Artifact, order="path")
    return view.find(rows.Artifact, order="path", deleted=False)


def _find_artifact(view: View, query: q.FindArtifact, now: Now) -> rows.Artifact:
    found = view.get(rows.Artifact, query.ref)
    if found is not None:
        return found
    by_path = view.find(rows.Artifact, path_key=path_key(query.ref))
    if by_path:
        return by_path[0]
    paths = [row.path for row in view.find(rows.Artifact, deleted=False)]
    close = difflib.get_close_matches(query.ref, paths, n=3)
    raise NotFound(
        f"there is no artifact {query.ref[:200]}",
        hint=f"Did you mean {', '.join(close)}?" if close else "List them with `flowide artifact list`.",
        close=close,
    )


def _artifact_at(view: View, query: q.ArtifactAt, now: Now) -> rows.Artifact | None:
    found = view.find(rows.Artifact, path_key=path_key(query.path), limit=1)
    return found[0] if found else None


def _history(view: View, query: q.History, now: Now) -> list[rows.Version]:
    return view.find(rows.Version, order="version", artifact=query.artifact)


def _content(view: View, query: q.Content, now: Now) -> bytes:
    artifact = view.get(rows.Artifact, query.artifact)
    if artifact is None:
        raise NotFound(f"there is no artifact {query.artifact[:100]}")
    version = view.get(rows.Version, artifact.id, query.version or artifact.version)
    if version is None:
        raise NotFound(
            f"{artifact.path} has no version {query.version}",
            hint=f"It has versions 1 to {artifact.version}.",
        )
    return _blob(view, version.sha256, artifact.path)


def _blob(view: View, sha256: str, what: str) -> bytes:
    data = view.blob(sha256)
    if data is None:
        raise NotFound(f"the content of {what} is missing", hint="Run `flowide verify`.", sha256=sha256)
    return data


def _locks(view: View, query: q.Locks, now: Now) -> list[q.LockState]:
    if query.artifact is not None:
        return [_lock_state(view, view.get(rows.Lock, query.artifact) or rows.Lock(query.artifact), now)]
    found = [*view.find(rows.Lock, state="held"), *view.find(rows.Lock, state="lapsed")]
    return sorted((_lock_state(view, lock, now) for lock in found), key=lambda state: state.path)


def _lock_state(view: View, lock: rows.Lock, now: Now) -> q.LockState:
    artifact = view.get(rows.Artifact, lock.artifact)
    lease = view.get(rows.Lease, lease_key("lock", lock.artifact))
    expires: int | None = None
    idle: int | None = None
    if lock.state != "free":
        expires = lease.deadline_ms - now.mono_ms if lease is not None and lease_alive(lease, now) else 0
        idle = now.mono_ms - lease.active_ms if lease is not None and lease.boot == now.boot else None
    return q.LockState(
        lock=lock,
        path="" if artifact is None else artifact.path,
        version=0 if artifact is None else artifact.version,
        expires_ms=expires,
        idle_ms=idle,
        queue=view.find(rows.Ticket, order="seq", artifact=lock.artifact),
    )


def _live_draft(view: View, query: q.LiveDraft, now: Now) -> q.DraftText | None:
    lock = view.get(rows.Lock, query.artifact)
    live = None if lock is None else view.get(rows.LiveDraft, query.artifact, lock.fence)
    if live is None:
        return None
    text = live_text.live_text(view, live.artifact, live.fence)
    return q.DraftText(live.artifact, live.fence, live.base, text)


def _drafts(view: View, query: q.Drafts, now: Now) -> list[rows.Draft]:
    where: dict[str, Any] = {} if query.artifact is None else {"artifact": query.artifact}
    return view.find(rows.Draft, order="-seq", state="kept", **where)


def _draft_content(view: View, query: q.DraftContent, now: Now) -> bytes:
    draft = view.get(rows.Draft, query.draft)
    if draft is None:
        raise NotFound(f"there is no draft {query.draft[:100]}", hint="List them with `flowide drafts`.")
    return _blob(view, draft.sha256, f"draft {draft.id}")


def _sets(view: View, query: q.VariationSets, now: Now) -> list[rows.VariationSet]:
    return view.find(rows.VariationSet, order="-seq")


def _one_set(view: View, query: q.OneVariationSet, now: Now) -> q.SetView:
    found = view.get(rows.VariationSet, query.ref) or _by_start(
        query.ref, view.find(rows.VariationSet, order="-seq"), "variation set", "flowide variations list"
    )
    checks: dict[int, list[rows.Check]] = {}
    for check in view.find(rows.Check, order="seq", set=found.id):
        checks.setdefault(check.number, []).append(check)
    variations = view.find(rows.Variation, order="number", set=found.id)
    return q.SetView(found, [q.VariationView(each, checks.get(each.number, [])) for each in variations])


def _variation_text(view: View, query: q.VariationText, now: Now) -> str:
    if query.number == 0:
        group = view.get(rows.VariationSet, query.set)
        if group is None:
            raise NotFound(f"there is no variation set {query.set[:100]}")
        return "" if group.base_sha256 is None else _blob(view, group.base_sha256, "the base").decode()
    row = view.get(rows.Variation, query.set, query.number)
    if row is None:
        raise NotFound(f"the set has no variation {query.number}")
    return _blob(view, row.sha256, f"variation {query.number}").decode()


def _runs(view: View, query: q.Runs, now: Now) -> list[rows.Run]:
    return view.find(rows.Run, order="-seq", limit=query.limit)


def _one_run(view: View, query: q.OneRun, now: Now) -> q.RunView:
    run = view.get(rows.Run, query.ref) or _by_start(
        query.ref, view.find(rows.Run, order="-seq"), "run", "flowide runs"
    )
    lease = view.get(rows.Lease, lease_key("run", run.id))
    return q.RunView(
        run=run,
        steps=view.find(rows.Step, order="seq", run=run.id),
        gates=view.find(rows.Gate, order="seq", run=run.id),
        alive=run.status == "running" and lease_alive(lease, now),
    )


def _by_start(ref: str, newest_first: Sequence[R], what: str, command: str) -> R:
    """The row whose id starts with `ref`, or the newest for `last`."""
    if ref == "last" and newest_first:
        return newest_first[0]
    found = [row for row in newest_first if getattr(row, "id", "").startswith(ref)] if ref else []
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFound(f"{len(found)} {what}s start with {ref[:100]}", hint="Give more of the id.")
    raise NotFound(f"there is no {what} {ref[:100]}", hint=f"List them with `{command}`.")


def _step_text(view: View, query: q.StepText, now: Now) -> str:
    chunks = view.find(rows.Chunk, order="off", stream=runs.stream_of(query.run, query.key))
    return "".join(chunk.text for chunk in chunks)


def _gates(view: View, query: q.Gates, now: Now) -> list[rows.Gate]:
    where: dict[str, Any] = {}
    if query.status is not None:
        where["status"] = query.status
    if query.run is not None:
        where["run"] = query.run
    return view.find(rows.Gate, order="-seq", **where)


def _search(store: Store, query: q.Search) -> list[q.Hit]:
    found = store.search(query.text, query.limit)
    with store.read() as view:
        return [q.Hit(kind, ref, _title(view, kind, ref), excerpt) for kind, ref, excerpt in found]


def _title(view: View, kind: str, ref: str) -> str:
    if kind == "artifact":
        artifact = view.get(rows.Artifact, ref)
        return ref if artifact is None else artifact.path
    group_id, _, number = ref.rpartition("/")
    group = view.get(rows.VariationSet, group_id)
    return ref if group is None else f"{group.title}, variation {number}"


_ANSWERS: dict[type[q.Query[Any]], Callable[[View, Any, Now], Any]] = {
    q.Artifacts: _artifacts,
    q.FindArtifact: _find_artifact,
    q.ArtifactAt: _artifact_at,
    q.History: _history,
    q.Content: _content,
    q.Locks: _locks,
    q.LiveDraft: _live_draft,
    q.Drafts: _drafts,
    q.DraftContent: _draft_content,
    q.VariationSets: _sets,
    q.OneVariationSet: _one_set,
    q.VariationText: _variation_text,
    q.Runs: _runs,
    q.OneRun: _one_run,
    q.StepText: _step_text,
    q.Gates: _gates,
}
