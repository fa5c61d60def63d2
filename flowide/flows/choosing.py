"""Answers to "which variation?": a number, picks, a sentence, more, or a rejection."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from flowide.errors import BadInput
from flowide.patterns import lazy
from flowide.text import close_to

_PICK = lazy(r"(?:#|variation |number )?(\d+)[.!]?", re.I)
_MORE = lazy(
    r"(?:give me |generate )?(?:(?:more\s+(\d+))|(?:(\d+)\s+more)|more)(?:[\s,:;-]+(\S.*))?", re.I | re.S
)
_REJECT = lazy(r"(?:reject|none)(?:[\s,:;-]+(\S.*))?", re.I | re.S)
_WITH = lazy(r"(?:#|variation |number )?(\d+)[\s,]*(?:but )?(?:with|\+|and|plus)\s+(\S.*)", re.I | re.S)
_TAKE = lazy(r"(\d+):(\S+)")
_OF = lazy(
    r"(?:the )?([\w.#/ -]+?)(?: (?:function|method|helper|class|section))? (?:of|from|in) (?:the )?"
    r"(?:number |variation |#)?(\d+)",
    re.I,
)
_HELPER = frozenset({"helper", "private helper", "helper function", "helper method"})


class Choice(Struct, frozen=True):
    """What an answer asks for."""

    base: int | None = None
    """The chosen variation, or the base of a blend."""
    takes: list[tuple[int, str]] = []
    """`(variation, piece)` to be put into the base."""
    more: int | None = None
    """So many more variations."""
    wish: str = ""
    """What is said along with `more`."""
    rejected: bool = False
    reason: str = ""


def read_answer(answer: str, pieces: Mapping[int, Mapping[str, bytes]]) -> Choice | None:
    """The choice an answer states plainly; None when an agent has to make sense of the sentence.

    `pieces` are the names and texts of each variation's pieces.

    Raises:
        BadInput: It names a variation or a piece that is not there.
    """
    text = answer.strip()
    if rejected := _REJECT.fullmatch(text):
        return Choice(rejected=True, reason=(rejected[1] or "").strip())
    if more := _MORE.fullmatch(text):
        n = int(more[1] or more[2] or 3)
        if not 1 <= n <= 10:
            raise BadInput(f"{n} more variations are not possible", hint="1 to 10.")
        return Choice(more=n, wish=(more[3] or "").strip())
    if pick := _PICK.fullmatch(text):
        return checked(Choice(base=int(pick[1])), pieces)
    blended = _WITH.fullmatch(text.rstrip("."))
    if blended is None:
        return None
    base = int(blended[1])
    takes = _exact(blended[2], pieces) or _described(blended[2], base, pieces)
    return None if takes is None else checked(Choice(base=base, takes=takes), pieces)


def _described(
    text: str, base: int, pieces: Mapping[int, Mapping[str, bytes]]
) -> list[tuple[int, str]] | None:
    """Picks such as `the helper of 2`; None when one of them can mean none or several pieces."""
    takes: list[tuple[int, str]] = []
    for part in re.split(r"\s*(?:,|;|\+|\band\b(?! the rest))\s*(?:with )?", text):
        if not part:
            continue
        if exact := _TAKE.fullmatch(part):
            takes.append((int(exact[1]), exact[2]))
            continue
        named = _OF.fullmatch(part)
        piece = None if named is None else _named_piece(named[1].strip(), int(named[2]), base, pieces)
        if named is None or piece is None:
            return None
        takes.append((int(named[2]), piece))
    return takes


def _exact(text: str, pieces: Mapping[int, Mapping[str, bytes]]) -> list[tuple[int, str]]:
    """Picks by exact names, which may be headings of several words; empty when a name is not one."""
    takes: list[tuple[int, str]] = []
    for part in re.split(r"\s*(?:,|;|\+|\band\b)\s*(?=\d+:)", text.strip()):
        number, colon, piece = part.partition(":")
        if not colon or not number.strip().isdigit() or piece.strip() not in pieces.get(int(number), {}):
            return []
        takes.append((int(number), piece.strip()))
    return takes


def _named_piece(word: str, number: int, base: int, pieces: Mapping[int, Mapping[str, bytes]]) -> str | None:
    """The one piece of a variation that a word can mean; None when there are several or none."""
    theirs, ours = pieces.get(number, {}), pieces.get(base, {})
    if word in theirs:
        return word
    wanted = _flat(word)
    found = [name for name in theirs if _flat(re.split(r"[./]", name)[-1]) == wanted]
    if not found and wanted:
        found = [name for name in theirs if wanted in _flat(re.split(r"[./]", name)[-1])]
    if word.casefold() in _HELPER:
        found = [
            name
            for name, text in theirs.items()
            if re.match(r"_(?!_)", name.split(".")[-1]) and ours.get(name) != text
        ]
    return found[0] if len(found) == 1 else None


def _flat(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def checked(choice: Choice, pieces: Mapping[int, Mapping[str, bytes]]) -> Choice:
    """The choice, when all it names is there.

    Raises:
        BadInput: Something is not.
    """
    numbers = [choice.base or 0, *(number for number, _ in choice.takes)]
    for number in numbers:
        if number not in pieces:
            raise BadInput(
                f"there is no variation {number}",
                hint=f"There are {', '.join(map(str, sorted(pieces)))}.",
            )
    for number, piece in choice.takes:
        if piece not in pieces[number]:
            near = close_to(piece, list(pieces[number]), 3)
            raise BadInput(
                f"variation {number} has no piece {piece}",
                hint=f"Did you mean {', '.join(near)}?" if near else "List them: flowide variations show.",
            )
    return choice
