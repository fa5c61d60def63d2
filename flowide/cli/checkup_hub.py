"""What `flowide doctor` says of a project whose space is on a hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowide.errors import AuthFailed, FlowError, Offline

if TYPE_CHECKING:
    from flowide.cli.checkup import Finding
    from flowide.settings import Settings
    from flowide.space.remote.credentials import Seat

_PATIENCE_S = 5.0
"""Whoever asks how things stand does not wait long for a hub that says nothing."""


def hub_of(settings: Settings) -> Finding:
    """Which hub, whether it can be reached, and who this device is there."""
    from flowide.cli.around import hub_space
    from flowide.cli.checkup import Finding
    from flowide.space.remote.address import address_of
    from flowide.space.remote.credentials import seats

    try:
        url = hub_space(None, settings) or ""
        address = address_of(url, plain_http=settings.hub.plain_http)
    except FlowError as error:
        return Finding("workspace", "bad", error.message, error.hint)
    mine = [seat for seat in seats() if seat.url == address.url]
    if not mine:
        return Finding(
            "workspace",
            "bad",
            f"on the hub {address.url}, which this device has not joined",
            f"Ask an owner for an invitation, then `flowide join {address.url} CODE`.",
        )
    told = [_asked(seat, plain_http=settings.hub.plain_http) for seat in mine]
    worst = "bad" if any(each.state == "bad" for each in told) else told[0].state
    for each in told:
        if each.state == worst:
            return Finding(
                "workspace",
                each.state,
                f"on the hub {address.url}: {', '.join(one.said for one in told)}",
                each.hint,
            )
    return told[0]


def _asked(seat: Seat, *, plain_http: bool) -> Finding:
    """How the hub answers one of those who joined on this device."""
    from flowide.cli.checkup import Finding
    from flowide.space.remote.address import address_of
    from flowide.space.remote.http import Http

    http = Http(address_of(seat.url, plain_http=plain_http), seat.token, timeout_s=_PATIENCE_S)
    try:
        me = http.get("/v1/me")
    except Offline as error:
        hint = "Reading and drafting go on; look whether the hub runs, and at the address."
        return Finding("workspace", "note", f"you are {seat.handle} there; {error.message}", hint)
    except AuthFailed:
        hint = "Ask an owner for a new invitation, then join again."
        return Finding("workspace", "bad", f"{seat.handle}'s token is refused", hint)
    except FlowError as error:
        return Finding("workspace", "bad", f"{seat.handle}: {error.message}", error.hint)
    finally:
        http.close()
    return Finding("workspace", "ok", f"you are {me.get('member')} ({me.get('role')})")
