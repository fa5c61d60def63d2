"""The bytes that a remote space names: kept in the replica, fetched from the hub when they are missing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from hashlib import sha256
from typing import TYPE_CHECKING

from flowide.errors import FlowError, NotFound, Offline
from flowide.space.remote.http import Http
from flowide.space.remote.link import Link
from flowide.space.remote.replica import Replica

if TYPE_CHECKING:
    from flowide.space.remote.core import Core

PREFETCH_AFTER_S = 2.0
"""A process that lives so long fetches the newest texts, so that they can be read offline."""
PREFETCH_MOST = 256 * 1024
"""Bytes of a text that is fetched before anybody asked for it."""
_GATHER_S = 1.0
"""After news it is looked for missing texts once for so long: each look opens the replica anew."""
_PAGE = 64
_LOG = logging.getLogger("flowide.hub")


class Contents:
    """The contents of one replica."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    async def fetch(self, link: Link, digest: str) -> bytes:
        """A content, from here or from the hub.

        Raises:
            NotFound: The hub has none of this name.
            Offline: It is not here, and the hub cannot be reached.
        """
        data = self._replica.blob(digest)
        if data is None:
            if not link.reach.ready.is_set() and link.reach.offline_s() > 1.0:
                raise Offline(
                    f"the content {digest[:12]}… is not on this machine, and the hub cannot be reached",
                    hint="It can be read when the hub is there again.",
                    sha256=digest,
                )
            data = await asyncio.to_thread(link.http.blob, digest)
            await asyncio.to_thread(self._replica.keep_blobs, {digest: data})
        return data

    def keep(self, text: str) -> None:
        """Keep a text that this process has just sent, so that it need not be fetched."""
        data = text.encode()
        self._replica.keep_now({sha256(data).hexdigest(): data})


async def prefetch(core: Core) -> None:
    """Fetch the newest texts little by little, while the hub is there."""
    await asyncio.sleep(PREFETCH_AFTER_S)
    done = -1
    while not core.closed:
        link = next((each for each in core.links.values() if each.reach.ready.is_set()), None)
        if link is None or done == core.seq:
            await core.sleep(1.0)
            continue
        at = core.seq
        try:
            wanted = await asyncio.to_thread(core.replica.wanting, _PAGE, PREFETCH_MOST)
            if not wanted:
                done = at
                await asyncio.sleep(_GATHER_S)
                continue
            got = await asyncio.to_thread(_fetched, link.http, wanted)
            await asyncio.to_thread(core.replica.keep_blobs, got)
            if not got:
                done = at
        except FlowError as error:
            _LOG.debug("texts are fetched later: %s", error.message)
            await asyncio.sleep(2.0)


def _fetched(http: Http, wanted: list[str]) -> dict[str, bytes]:
    found = {}
    for digest in wanted:
        with contextlib.suppress(NotFound):
            found[digest] = http.blob(digest)
    return found
