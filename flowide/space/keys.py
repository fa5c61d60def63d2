"""Secrets of a hub's members. Only their SHA-256 is ever stored."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import secrets
from typing import Literal, cast

from msgspec import Struct

from flowide.domain.actors import SYSTEM, Caller, Now
from flowide.domain.commands import CreateToken
from flowide.domain.ids import uuid7
from flowide.domain.members import check_handle
from flowide.domain.policy import Policy
from flowide.errors import Exists, FlowError
from flowide.space.arbiter import Work, run
from flowide.space.clock import SystemClock
from flowide.store.by_url import create_space, open_store

_BYTES = 32


def new_token() -> str:
    """256 random bits as text."""
    return "flw_" + base64.urlsafe_b64encode(secrets.token_bytes(_BYTES)).rstrip(b"=").decode()


def new_code() -> str:
    """160 random bits as text that can be read out."""
    return base64.b32encode(secrets.token_bytes(20)).decode().lower()


def digest_of(secret: str) -> str:
    """SHA-256 of a token or code, which is all that is kept of it."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


class Granted(Struct, frozen=True):
    """A token that was made."""

    token: str
    token_id: str
    member: str
    role: str
    space: str


class _HubClock:
    """The machine's clocks, where only members act."""

    def now(self) -> Now:
        now = SystemClock().now()
        return Now(now.mono_ms, now.boot, now.wall, Policy(members=True))


def grant_token(database: str, space: str, handle: str, *, role: str | None, device: str) -> Granted:
    """Make a token beside the hub, for a member that is made too when there is none; the space also.

    `role` is a new member's; None = owner.

    Raises:
        FlowError: The database cannot be used, or the handle is none.
    """
    check_handle(handle)
    with contextlib.suppress(Exists):
        create_space(database, space)
    store = open_store(database, space)
    try:
        token, token_id = new_token(), uuid7()
        command = CreateToken(
            digest=digest_of(token),
            device=device,
            member=handle,
            token=token_id,
            role=cast("Literal['viewer', 'editor', 'owner'] | None", role),
        )
        outcome = run(Work(command, Caller(SYSTEM, token_id, uuid7())), store.write(), _HubClock())
    finally:
        store.close()
    if isinstance(outcome, FlowError):
        raise outcome
    return Granted(token, token_id, outcome.ok.member, outcome.ok.role, space)
