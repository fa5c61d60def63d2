"""What the word at the cursor of a message can become: people and agents, files, commands of the app."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from flowide.text import close_to
from flowide.tui import commands
from flowide.tui.views.snapshot import Snapshot
from flowide.tui.views.spans import Row, clean
from flowide.tui.views.thread import completions

PLACES = ("workspace", "thread", "editor", "app")
"""Places of the command table whose commands a message can name."""
_OWN_KEYS = frozenset({"thread.send", "thread.newline", "thread.complete", "thread.type", "app.palette"})
"""What is about the prompt itself, or would ask for a command again."""
_SLASH = re.compile(r"/[\w-]*$")


class Offer(Struct, frozen=True):
    """Something a word can become."""

    whole: str
    """The text that takes the word's place."""
    help: str = ""
    key: str = ""
    """As it is shown at the right."""
    command: str = ""
    """Id of the command it names; empty = it is a name or a path."""


def slash_name(command: commands.Command) -> str:
    """How a message names a command: `/find-a-file`."""
    short = re.split(r"[:,]", command.title)[0]
    return "/" + re.sub(r"[^a-z0-9]+", "-", short.casefold()).strip("-")


def named() -> list[commands.Command]:
    """The commands that a message can name."""
    return [each for where in PLACES for each in commands.of(where) if each.id not in _OWN_KEYS]


def offers(text: str, before: str, state: Snapshot) -> tuple[str, list[Offer]]:
    """The word at the cursor and what it can become; `before` stands left of the cursor in its line."""
    if text == before and _SLASH.match(text):
        return text, _of_commands(text[1:].casefold())
    handles = [seat.handle for seat in state.seats]
    paths = [each.path for each in state.artifacts if not each.deleted]
    word, found = completions(before, handles, paths)
    told = {
        f"@{seat.handle}": " · ".join(part for part in (seat.role, seat.label) if part)
        for seat in state.seats
    }
    return word, [Offer(each, told.get(each, "")) for each in found]


def _of_commands(typed: str) -> list[Offer]:
    """Those that begin like it, then those of which a word does, then those that hold it."""
    merits: list[tuple[int, int, commands.Command]] = []
    for at, command in enumerate(named()):
        name = slash_name(command)[1:]
        if name.startswith(typed):
            merits.append((0 if name == typed else 1, at, command))
        elif f"-{typed}" in name:
            merits.append((2, at, command))
        elif typed in name:
            merits.append((3, at, command))
    ordered = [command for _, _, command in sorted(merits, key=lambda each: each[:2])]
    return [
        Offer(slash_name(each), each.help or each.title, commands.shown_key(each), each.id)
        for each in ordered
    ]


def offer_rows(found: Sequence[Offer]) -> list[Row]:
    """A row for each, with its key at the right."""
    return [
        Row(((clean(each.whole), "b"), (f"  {clean(each.help)}", "quiet")), ((f" {each.key} ", "key"),), each)
        for each in found
    ]


def slash_word(text: str) -> str:
    """The first word of a message that begins with a slash, which is never said; empty = it is a message."""
    return text.split(maxsplit=1)[0] if text.startswith("/") else ""


def refusal(text: str) -> str:
    """Why a message that begins with a slash does nothing, and what to do."""
    word = slash_word(text)
    names = [slash_name(each) for each in named()]
    if word in names:
        return f"{word} takes no words after it. Nothing was sent or done."
    close = close_to(word, names)
    meant = f"Did you mean {close[0]}? " if close else "/ alone lists them. "
    return (
        f"There is no command {clean(word)}, and nothing was sent. {meant}"
        "To say it as a message, put a space before it."
    )
