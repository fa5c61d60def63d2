"""What happens when a hub is there again: locks are renewed, what waited is sent, texts find their place."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from flowide.domain.commands import Command, RenewLock
from flowide.domain.ids import uuid7
from flowide.domain.rows import Artifact
from flowide.errors import AuthFailed, BadInput, Fenced, FlowError, NotAllowed
from flowide.space.remote import texts
from flowide.space.remote.link import Link
from flowide.space.remote.outbox import Text
from flowide.space.remote.results import result_error
from flowide.space.wire.calls import Call, args_of
from flowide.space.wire.frames import Cmds

if TYPE_CHECKING:
    from flowide.space.remote.core import Core


async def resume(core: Core, link: Link) -> None:
    """Renew what is held, send what waits, and see to texts that were written meanwhile."""
    core.texts_of_others.again()
    for hold in list(core.holds.values()):
        if hold.seat != link.seat.handle:
            continue
        renew = RenewLock(artifact=hold.artifact, fence=hold.fence)
        error = await _now(link, hold.client, hold.as_, renew)
        if isinstance(error, Fenced):
            core.holds.pop(hold.artifact, None)
    await _upload(core, link)
    await link.sender.drain()
    await settle(core, link)


async def settle(core: Core, link: Link) -> None:
    """See to texts that were written while the hub was away, and to what is watched and looked at here."""
    subscription = core.texts_of_others.subscription() if link.reach.ready.is_set() else None
    if subscription is not None:
        await link.sender.tell(subscription)
    for text in core.outbox.dirty(link.seat.handle):
        await _settle(core, link, text)


async def _settle(core: Core, link: Link, text: Text) -> None:
    """A text that was written while the hub was away; one that has grown meanwhile is seen to again."""
    fits = await _append_all(core, link, text)
    with core.replica.store.read() as view:
        row = view.get(Artifact, text.artifact)
    if not fits:
        if row is None:
            return  # there is no such artifact any more: the text stays here
        if text.text:
            core.put(
                link.seat.handle, text.client, text.as_, texts.as_draft(text, row.version), promised=True
            )
        hold = core.holds.get(text.artifact)
        if hold is not None and hold.fence == text.fence:
            del core.holds[text.artifact]
    elif text.note is not None and row is not None and row.version == text.base:
        core.put(link.seat.handle, text.client, text.as_, texts.as_save(text))
    core.outbox.drop_text_if(text)


async def _append_all(core: Core, link: Link, text: Text) -> bool:
    """Make a text the live draft of its fence; whether the fence is still ours."""
    live = await _live_text(link, text)
    if live is not None and live.startswith(text.text):
        renew = RenewLock(artifact=text.artifact, fence=text.fence)
        return await _now(link, text.client, text.as_, renew) is None
    # What the hub has of it already is not cut off: it may have got more in the meantime.
    cut = live is not None and not text.text.startswith(live)
    for part in texts.parts_of(text, cut=cut):
        error = await _now(link, text.client, text.as_, part)
        if error is not None:
            return False
    return True


async def _live_text(link: Link, text: Text) -> str | None:
    """What the hub has under the fence; None = nothing, or another fence."""
    call = Call(f"q{uuid7()}", "LiveDraft", {"artifact": text.artifact})
    result = await link.sender.ask(call, early=True)
    if result_error(result) is not None or not isinstance(result.ok, dict):
        return None
    return str(result.ok["text"]) if result.ok.get("fence") == text.fence else None


async def _now(
    link: Link, client: str, as_: dict[str, Any] | None, command: Command[Any]
) -> FlowError | None:
    """Send a command that stores no reply, before all others; its refusal."""
    call = Call(uuid7(), command.wire_name(), args_of(command))
    result = await link.sender.ask(call, frame=Cmds(client, [call], as_), early=True)
    return result_error(result)


async def _upload(core: Core, link: Link) -> None:
    """Give the hub the contents that were made while it was away; one that it will not have holds up nothing."""
    for digest in core.outbox.uploads():
        data = core.replica.blob(digest)
        if data is not None:
            try:
                await asyncio.to_thread(link.http.put_blob, digest, data)
            except AuthFailed:
                raise
            except (NotAllowed, BadInput) as refused:
                core.tell(f"the hub does not take the content {digest[:12]}… from here: {refused.message}")
        core.outbox.uploaded(digest)
