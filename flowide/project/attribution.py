"""Who wrote a version, in the words of git: author, message and trailers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from flowide.domain import rows
from flowide.errors import NotFound
from flowide.project.blame import blame
from flowide.project.git_model import Identity
from flowide.space.api import Space
from flowide.space.queries import History, OneVariationSet

_SUBJECT = 100
"""Characters; a longer first line goes on in the body."""


class Writer(Struct, frozen=True):
    """Somebody whose text is in a version."""

    actor: str
    kind: str
    """`human`, `agent` or `system`."""
    model: str | None = None


class Attribution(Struct, frozen=True):
    """What a commit says about a version."""

    author: Writer
    others: list[Writer]
    """Who else wrote pieces of it, or accepted it; each once."""
    message: str


async def attribution(
    space: Space, artifact: rows.Artifact, version: rows.Version, local: Identity, me: str
) -> Attribution:
    """Author, further contributors and message of a version. `local` is the identity of the person `me`."""
    author = await _author(space, version)
    others = [Writer(version.actor, version.kind, version.model if version.kind == "agent" else None)]
    if version.parents and not await _is_gone(space, artifact, version):
        others += [
            Writer(each.actor, each.actor_kind, each.model)
            for each in await blame(space, artifact, version.version)
            if each.version == version.version
        ]
    if version.for_ is not None:
        others.append(Writer(version.for_, "human"))
    others = [each for each in _once(others) if each.actor != author.actor and each.kind != "system"]
    subject, body = _words(version, await _before(space, version))
    trailers = [
        *(
            f"Assisted-by: {_plain(each.actor)} ({_plain(each.model) if each.model else 'model unknown'})"
            for each in [author, *others]
            if each.kind == "agent"
        ),
        *(f"Co-authored-by: {_named(identity_of(each, local, me))}" for each in others),
        f"Flowide-Version: {artifact.id}@{version.version}",
        *([f"Flowide-Run: {_plain(version.run)}"] if version.run else []),
    ]
    parts = [subject, *([body] if body else []), "\n".join(dict.fromkeys(trailers))]
    return Attribution(author, others, "\n\n".join(parts) + "\n")


def identity_of(writer: Writer, local: Identity, me: str) -> Identity:
    """How git names a writer: the person `me` as the repository does, everybody else by handle."""
    handle = _plain(writer.actor) or "unknown"
    address = f"{re.sub(r'[^A-Za-z0-9._-]+', '-', handle)}@flowide.invalid"
    if writer.kind == "human" and writer.actor == me:
        return Identity(local.name or handle, local.email or address)
    return Identity(handle, address)


async def _author(space: Space, version: rows.Version) -> Writer:
    """Who wrote the text: the author of the variation it came from, else who saved it."""
    for parent in version.parents:
        if "set" in parent and "variation" in parent:
            try:
                view = await space.read(OneVariationSet(str(parent["set"])))
            except NotFound:
                break
            for each in view.variations:
                if each.variation.number == parent["variation"]:
                    made = each.variation
                    return Writer(made.actor, made.kind, made.model)
    return Writer(version.actor, version.kind, version.model)


async def _before(space: Space, version: rows.Version) -> rows.Version | None:
    if version.version == 1:
        return None
    history = await space.read(History(version.artifact))
    return next(each for each in history if each.version == version.version - 1)


async def _is_gone(space: Space, artifact: rows.Artifact, version: rows.Version) -> bool:
    return artifact.deleted and version.version == artifact.version


def _words(version: rows.Version, before: rows.Version | None) -> tuple[str, str]:
    """First line and the rest of a message; the note, or what happened."""
    note = "\n".join(_plain(line) for line in version.note.strip().splitlines())
    path = _plain(version.path)
    if not note.strip():
        if before is None:
            return f"Add {path}", ""
        if before.path != version.path:
            return f"Move {_plain(before.path)} to {path}", ""
        return f"Save {path}, version {version.version}", ""
    subject, _, body = note.partition("\n")
    if len(subject) > _SUBJECT:
        cut = subject[:_SUBJECT].rpartition(" ")[0] or subject[:_SUBJECT]
        subject, body = f"{cut} …", f"… {subject[len(cut) :].strip()}\n{body}"
    return subject, body.strip()


def _once(writers: Iterable[Writer]) -> Sequence[Writer]:
    return list(dict.fromkeys(writers))


def _named(identity: Identity) -> str:
    return f"{identity.name} <{identity.email}>"


def _plain(text: str | None) -> str:
    """One line without control characters or the brackets of addresses."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f<>]", " ", text or "").split())
