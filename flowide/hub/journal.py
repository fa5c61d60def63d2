"""What a hub writes about its work: one JSON object a line on stderr, without texts, tokens or codes."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from flowide.space.clock import wall_now

_LEVELS = {"debug": 0, "info": 1, "warning": 2, "error": 3}


class Journal:
    """Writes lines of at least one level."""

    def __init__(self, level: str = "info") -> None:
        self._least = _LEVELS[level]

    def write(self, level: str, event: str, **facts: Any) -> None:
        """One line; facts that are None are left out."""
        if _LEVELS[level] < self._least:
            return
        line = {"ts": wall_now(), "level": level, "event": event}
        line |= {name: value for name, value in facts.items() if value is not None}
        try:
            sys.stderr.write(json.dumps(line, ensure_ascii=True, default=str) + "\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            return

    def take_over_logging(self) -> None:
        """Have what libraries log become such lines too, without a traceback on more lines than one."""
        handler = _Handler(self)
        root = logging.getLogger()
        root.handlers = [handler]
        root.setLevel(logging.WARNING)
        for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "websockets"):
            logger = logging.getLogger(name)
            logger.handlers, logger.propagate = [], True
            logger.setLevel(logging.ERROR)


class _Handler(logging.Handler):
    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        failed = record.exc_info[1] if record.exc_info else None
        self._journal.write(
            "error" if record.levelno >= logging.ERROR else "warning",
            "library",
            source=record.name,
            message=record.getMessage().strip()[:500],
            error=None if failed is None else f"{type(failed).__name__}: {failed}"[:500],
        )
