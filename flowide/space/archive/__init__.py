"""A whole space as plain files and JSON lines, out of a store and into an empty one.

    flowide-space.json    what this is, how many events, and the chain value they end with
    events.jsonl          the log: one event a line, canonical JSON, in order
    blobs/ab/abcd…        contents by their SHA-256
    replies.jsonl         answers to commands that may be sent again
    live.jsonl            text being written, which has no events yet
    files/…               the newest versions under their paths, for people; not read again

Exporting what was imported gives the same bytes.
"""

from flowide.space.archive.entering import import_from
from flowide.space.archive.layout import Moved
from flowide.space.archive.leaving import export_to

__all__ = ["Moved", "export_to", "import_from"]
