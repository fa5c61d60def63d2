"""What this process writes under its fences: sent to the hub, and kept here while the hub is away."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from msgspec import Struct

from flowide.domain.commands import AppendDraft, KeepDraft, SaveArtifact
from flowide.errors import BadInput, DraftGap
from flowide.space.remote.outbox import Outbox, Text

OFFLINE = "offline"
"""Why a draft is kept that was written while the hub was away, and whose fence has ended since."""


class Hold(Struct, frozen=True):
    """A lock this process works under."""

    artifact: str
    fence: int
    base: int
    """Version of the artifact when the lock was taken, or last saved."""
    client: str
    seat: str
    """Handle of who the token belongs to."""
    as_: dict[str, Any] | None


class Texts:
    """The texts of one process, by artifact and fence."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._written: dict[tuple[str, int], bytes] = {}

    def sent(self, command: AppendDraft) -> None:
        """The hub has taken a part."""
        key = (command.artifact, command.fence)
        have = self._written.get(key)
        if have is None and command.off > 0:
            return  # somebody else began it
        try:
            self._written[key] = _joined(have or b"", command)
        except (DraftGap, BadInput):
            self._written.pop(key, None)

    def keep(self, command: AppendDraft, hold: Hold) -> int:
        """Keep a part here; bytes of the whole text.

        Raises:
            DraftGap: What comes before is not known here.
        """
        key = (command.artifact, command.fence)
        kept = self._outbox.text(*key)
        before = self._written.get(key, b"") if kept is None else kept.text.encode()
        now = _joined(before, command)
        self._written[key] = now
        # Whoever writes on after asking for a save will ask again: what is half done is never saved by itself.
        note = kept.note if kept is not None and now == before else None
        self._outbox.put_text(
            Text(
                artifact=hold.artifact,
                fence=hold.fence,
                seat=hold.seat,
                client=hold.client,
                as_=hold.as_,
                base=hold.base if kept is None else kept.base,
                text=now.decode(),
                dirty=True,
                note=note,
            )
        )
        return len(now)

    def keep_save(self, command: SaveArtifact, hold: Hold, text: str) -> None:
        """Keep a text that was to be saved, so that it is saved when the fence is still ours then."""
        self._written[command.artifact, command.fence] = text.encode()
        self._outbox.put_text(
            Text(
                artifact=command.artifact,
                fence=command.fence,
                seat=hold.seat,
                client=hold.client,
                as_=hold.as_,
                base=command.base,
                text=text,
                dirty=True,
                note=command.note,
            )
        )

    def ended(self, artifact: str, fence: int, saved: str | None = None) -> bool:
        """The draft under a fence has ended, with a version of this text, or without any (None).

        Returns whether words of it are still kept here: those that the hub lacks, and that are not in the version.
        """
        kept = self._outbox.text(artifact, fence)
        if kept is not None and kept.dirty and not (saved or "").startswith(kept.text):
            self._written.pop((artifact, fence), None)
            return True
        self.forget(artifact, fence)
        return False

    def forget(self, artifact: str, fence: int) -> None:
        """The fence has ended, and its text is safe."""
        self._written.pop((artifact, fence), None)
        self._outbox.drop_text(artifact, fence)


def parts_of(text: Text, *, cut: bool, most: int = 60_000) -> list[AppendDraft]:
    """The commands that make a text the live draft of its fence; `cut` = in place of another text."""
    made = []
    at = 0
    for start in range(0, max(1, len(text.text)), most):
        part = text.text[start : start + most]
        made.append(
            AppendDraft(artifact=text.artifact, fence=text.fence, off=at, text=part, cut=cut and start == 0)
        )
        at += len(part.encode())
    return made


def as_draft(text: Text, newest: int) -> KeepDraft:
    """The command that keeps a text whose fence has ended; for the same text the same each time.

    `newest` is the artifact's version; on a hub that goes on from a backup, the one the text is made from may be gone.
    """
    name = sha256(f"{text.artifact} {text.fence} {text.client} {text.text}".encode()).hexdigest()[:24]
    return KeepDraft(
        draft=f"offline-{name}",
        artifact=text.artifact,
        base=min(text.base, newest),
        text=text.text,
        why=OFFLINE,
    )


def as_save(text: Text) -> SaveArtifact:
    """The save that was asked for."""
    return SaveArtifact(
        artifact=text.artifact, fence=text.fence, base=text.base, text=text.text, note=text.note or ""
    )


def _joined(have: bytes, command: AppendDraft) -> bytes:
    """The text with a part added, by the rules of `draft.append`."""
    part = command.text.encode()
    if command.off > len(have) or command.off < 0:
        raise DraftGap(
            f"the draft has {len(have)} bytes here, and the text starts at {command.off}",
            hint=f"Send again from byte {len(have)}.",
            have=len(have),
        )
    kept, new = (have[: command.off], part) if command.cut else (have, part[len(have) - command.off :])
    joined = kept + new
    try:
        joined.decode()
    except UnicodeDecodeError:
        raise BadInput("the draft would be cut in the middle of a character") from None
    return joined
