"""Live drafts: text belongs to (artifact, fence), and outlives its fence as an orphan draft."""

from __future__ import annotations

from hashlib import sha256

from msgspec import structs

from flowide.domain.facts import DraftKept
from flowide.domain.outcome import Outcome
from flowide.domain.rows import Chunk, LiveDraft, Lock
from flowide.domain.view import View


def stream_of(artifact: str, fence: int) -> str:
    """Key of the chunks of a live draft."""
    return f"draft:{artifact}:{fence}"


def live_text(view: View, artifact: str, fence: int) -> str:
    """What was written under a fence so far."""
    return "".join(chunk.text for chunk in view.find(Chunk, stream=stream_of(artifact, fence), order="off"))


def keep_live(view: View, lock: Lock, why: str, out: Outcome) -> None:
    """The text under a fence that ends becomes an orphan draft, if there is any."""
    live = view.get(LiveDraft, lock.artifact, lock.fence)
    if live is None:
        return
    if live.size:
        data = live_text(view, lock.artifact, lock.fence).encode()
        out.facts.append(
            DraftKept(
                draft=sha256(f"draft:{lock.artifact}:{lock.fence}".encode()).hexdigest()[:16],
                artifact=lock.artifact,
                fence=lock.fence,
                base=live.base,
                owner=lock.actor or "",
                size=len(data),
                sha256=out.blob(data),
                why=why,
            )
        )
    drop_live(view, lock, out)


def drop_live(view: View, lock: Lock, out: Outcome) -> None:
    """Remove the live draft of a fence."""
    live = view.get(LiveDraft, lock.artifact, lock.fence)
    if live is not None:
        out.drop.append(live)
        out.drop += view.find(Chunk, stream=stream_of(lock.artifact, lock.fence))


def move_live(view: View, lock: Lock, fence: int, out: Outcome) -> None:
    """The live draft goes on under another fence."""
    live = view.get(LiveDraft, lock.artifact, lock.fence)
    if live is None:
        return
    out.drop.append(live)
    out.put.append(structs.replace(live, fence=fence))
    for chunk in view.find(Chunk, stream=stream_of(lock.artifact, lock.fence)):
        out.drop.append(chunk)
        out.put.append(structs.replace(chunk, stream=stream_of(lock.artifact, fence)))
