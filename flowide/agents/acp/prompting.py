"""What a coding agent is told, and what its answer is made of."""

from __future__ import annotations

from pathlib import Path

from flowide.agents.acp import inside
from flowide.agents.acp.desk import SERVER
from flowide.agents.api import Request
from flowide.agents.extract import extract_json
from flowide.agents.whole_file import with_file
from flowide.errors import Incomplete

_NEW_TEXTS = frozenset({"vary", "more", "repair"})
"""Purposes whose answer cannot be the text as it was."""


def prompt_of(request: Request, *, tools: bool = False) -> str:
    """The conversation as one text, with how to answer when a file is wanted; `tools` = it has the space as tools."""
    parts = [message.content for message in request.messages if message.content.strip()]
    parts.append(
        "You work in a private copy of the project: your working directory. Use relative paths. When your turn "
        "ends, FlowIDE takes what you changed there over into the project, as far as its locks allow."
    )
    if tools:
        parts.append(
            f"What the copy does not show (the discussion, decisions, variations, locks, history) the tools of the "
            f"server {SERVER} do."
        )
    if request.target:
        parts.append(
            f"Where the above asks you to answer with a text in a fenced block: instead write that text into the "
            f"file {request.target}, complete, and change no other file unless that was asked for. Then say in one "
            "or two sentences what you did; do not repeat the text."
        )
    elif request.json_schema is not None:
        parts.append("Change no files. Your last message must be the JSON, and nothing else.")
    return "\n\n".join(parts)


def file_of(folder: Path, path: str) -> bytes | None:
    """The file that is to be written, as it is now; None when there is none that can be read."""
    try:
        return inside.read(folder, path)
    except (FileNotFoundError, inside.Outside):
        return None


def answer_of(request: Request, folder: Path, before: bytes | None, *, text: str, last_words: str) -> str:
    """The answer: the JSON, the file with some words, or what was said.

    Raises:
        Incomplete: It is not what was asked for.
    """
    if request.json_schema is not None:
        try:
            return extract_json(last_words, request.json_schema)
        except Incomplete:
            return extract_json(text, request.json_schema)
    if not request.target:
        return text
    after = file_of(folder, request.target)
    if after is None or (after == before and "```" in text):
        return text  # it may have said what it was to write
    if after == before and request.purpose in _NEW_TEXTS:
        raise Incomplete(f"@{request.agent} left {request.target} as it was", hint="Try again.")
    try:
        return with_file(last_words, request.target, after.decode())
    except UnicodeDecodeError:
        raise Incomplete(f"@{request.agent} wrote no text into {request.target}", hint="Try again.") from None
