"""What an agent is given: items within a budget of tokens, and the manifest that lists them.

Pure: the same items and budget make the same prompt and the same manifest.
"""

from __future__ import annotations

from flowide.agents.context.fitting import Fitted, fit
from flowide.agents.context.items import Item, Kind, quoted, tokens_of, without_marks
from flowide.agents.context.manifest import ESTIMATE, Entry, Manifest, decode, encode

__all__ = [
    "ESTIMATE",
    "Entry",
    "Fitted",
    "Item",
    "Kind",
    "Manifest",
    "decode",
    "encode",
    "fit",
    "quoted",
    "tokens_of",
    "without_marks",
]
