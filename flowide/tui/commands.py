"""What is made of the table of commands: key bindings, hints, palette and help."""

from __future__ import annotations

from collections.abc import Mapping

from textual.binding import Binding, BindingType
from textual.keys import _character_to_key, key_to_character

from flowide.tui.command import Command
from flowide.tui.command_table import COMMANDS
from flowide.tui.views.hints import Hint

__all__ = [
    "COMMANDS",
    "Command",
    "bindings",
    "by_id",
    "go_targets",
    "hints",
    "key_of",
    "of",
    "shown_key",
    "sign_of",
    "tail",
    "use_keys",
]

_GO_ORDER = "fatrvwdshuileyYp,zq"

_SIGNS = {
    "shift+tab": "⇧tab",
    "question_mark": "?",
    "slash": "/",
    "escape": "esc",
    "backspace": "⌫",
    "left": "←",
    "right": "←→",
    "up": "↑",
    "down": "↓",
}


_CHARACTERS = {_character_to_key(chr(code)): chr(code) for code in range(33, 127)}
"""By Textual's name of the key: it has some that Unicode has not, such as `slash`."""
_own: dict[str, str] = {}
"""Keys of the person's own, by id: see `keymap.py`."""


def use_keys(own: Mapping[str, str]) -> None:
    """Show these keys instead of the table's; the app binds them."""
    _own.clear()
    _own.update(own)


def key_of(command: Command) -> str:
    """The first key of a command, as Textual names it; empty = none."""
    key = _own.get(command.id, command.key).split(",", 1)[0]
    return "" if key == "unbound" else key


def of(where: str) -> list[Command]:
    """The commands of one place, in the order of the table."""
    return [command for command in COMMANDS if command.where == where]


def by_id(id: str) -> Command:
    """The command with this id."""
    return next(command for command in COMMANDS if command.id == id)


def bindings(where: str) -> list[BindingType]:
    """Key bindings of one place, each with its id.

    A key that may be typed ahead is taken before it is given to what has the focus: keys that arrive in a burst
    would else all go to the old focus, although the first one moves it. `FlowScreen` lets it through while a text is
    being typed.
    """
    return [
        Binding(
            command.key,
            f"by_key('{command.id}')" if _early(command) else command.action,
            command.title,
            show=False,
            id=command.id,
            priority=command.priority or _early(command),
            tooltip=command.help,
        )
        for command in of(where)
        if command.key
    ]


def _early(command: Command) -> bool:
    return command.where not in {"app", "editor", "thread", "search", "text"} and not command.key.startswith(
        ("escape", "ctrl+")
    )


def shown_key(command: Command) -> str:
    """The first key, as a hint shows it: `?`, `^p`, `esc`, or `^o e` for one that is only behind go."""
    key = key_of(command)
    if not key:
        return f"^o {command.go}" if command.go else ""
    if key.startswith("ctrl+"):
        return "^" + key[5:]
    return _SIGNS.get(key) or sign_of(key)


def sign_of(key: str) -> str:
    """A key as people write it: `?` for `question_mark`."""
    character = None if "+" in key else key_to_character(key)
    if character and character.isprintable() and character != " ":
        return character
    return _CHARACTERS.get(key, key)


def hints(where: str, *, leave_out: frozenset[str] = frozenset()) -> list[Hint]:
    """What the hint line shows of a place."""
    return [
        Hint(shown_key(command), command.hint, key_of(command))
        for command in of(where)
        if command.hint and key_of(command) and command.id not in leave_out
    ]


def tail(where: str) -> list[Hint]:
    """The end of the hint line of a screen one comes back from."""
    back = [hint for hint in hints(where) if hint.word == "back"]
    return [*back, *(hint for hint in hints("app") if hint.word == "help")]


def go_targets() -> list[Command]:
    """What ctrl+o leads to."""
    return sorted((command for command in COMMANDS if command.go), key=lambda each: _GO_ORDER.index(each.go))
