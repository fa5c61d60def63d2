"""Ends that must be reached, whoever is impatient."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def carried_through(work: Coroutine[Any, Any, None]) -> None:
    """Do it to its end even when the caller is cancelled meanwhile; then be cancelled."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            cancelled = True
    task.result()
    if cancelled:
        raise asyncio.CancelledError
