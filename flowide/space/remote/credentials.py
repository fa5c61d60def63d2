"""Tokens of hubs: in the user's folder, readable by the user only, never in a project and never in a log."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from flowide.domain.actors import Actor
from flowide.errors import AuthFailed, BadInput, StorageFailed
from flowide.settings import user_folder
from flowide.space.remote.address import Address

FILE = "hubs.json"


class Seat(Struct, frozen=True, omit_defaults=True):
    """Who this device is in a space of a hub."""

    url: str
    """Address of the space."""
    handle: str
    token: str
    token_id: str = ""
    role: str = ""
    """As it was when the device joined."""
    kind: Literal["human", "agent"] = "human"
    for_: str | None = None
    """Who an agent with a token of its own works for."""

    @property
    def actor(self) -> Actor:
        """Who acts with the token."""
        return Actor(self.handle, self.kind, self.for_)

    def __repr__(self) -> str:
        return f"Seat({self.handle} in {self.url})"


class _File(Struct, frozen=True):
    hubs: list[Seat] = []


def place() -> Path:
    """Where they are stored."""
    return user_folder() / FILE


def seats(path: Path | None = None) -> list[Seat]:
    """All that are stored; none where nothing is.

    Raises:
        BadInput: The file is readable by others, or is none of ours.
    """
    path = path or place()
    try:
        mode = path.stat().st_mode
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageFailed(f"{path} cannot be read: {error.strerror}") from error
    if mode & 0o077:
        raise BadInput(
            f"{path} holds tokens and can be read by others", hint=f"Make it yours: chmod 600 {path}"
        )
    try:
        return msgspec.json.decode(data, type=_File).hubs
    except msgspec.MsgspecError as error:
        raise BadInput(
            f"{path} is no file of tokens: {error}", hint="Move it away and join again."
        ) from error


def seat_of(address: Address, handle: str | None, path: Path | None = None) -> Seat:
    """The seat in a space: the one with this handle, or the only one.

    Raises:
        AuthFailed: There is none, or there are several to choose from.
    """
    there = [seat for seat in seats(path) if seat.url == address.url]
    found = there if handle is None else [seat for seat in there if seat.handle == handle]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(sorted(seat.handle for seat in found))
        raise AuthFailed(f"this device is several people in {address.url}", hint=f"Say which --as: {names}.")
    who = f" as {handle}" if handle is not None and there else ""
    raise AuthFailed(
        f"this device has not joined {address.url}{who}",
        hint=f"Ask an owner for an invite, then `flowide join {address.url} CODE`.",
    )


def seat_from(url: str, token: str, told: dict[str, Any]) -> Seat:
    """The seat that a hub's answer about a token describes."""
    kind: Literal["human", "agent"] = "agent" if told.get("kind") == "agent" else "human"
    person = told.get("for")
    return Seat(
        url,
        str(told["member"]),
        token,
        str(told.get("token_id", "")),
        str(told.get("role", "")),
        kind,
        person if isinstance(person, str) else None,
    )


def store(seat: Seat, path: Path | None = None) -> None:
    """Keep a seat; the one of the same handle in the same space is replaced.

    Raises:
        StorageFailed: The file cannot be written.
    """
    path = path or place()
    others = [each for each in seats(path) if (each.url, each.handle) != (seat.url, seat.handle)]
    _write(path, [*others, seat])


def forget(url: str, handle: str, path: Path | None = None) -> None:
    """Let a seat go."""
    path = path or place()
    _write(path, [each for each in seats(path) if (each.url, each.handle) != (url, handle)])


def _write(path: Path, kept: list[Seat]) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(_File(kept))))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StorageFailed(f"{path} cannot be written: {error.strerror}") from error
