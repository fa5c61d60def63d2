"""What an import is, and what a language has to say about imports."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from flowide.pieces.edits import Edit
from flowide.pieces.names import Use
from flowide.pieces.outline import Item, Outline

if TYPE_CHECKING:
    from tree_sitter import Node

    from flowide.pieces.model import Take

Verdict = Literal["there", "missing", "clash"]


@dataclass(slots=True, eq=False)
class Import:
    """One name that an import statement binds."""

    name: bytes
    """The name in this file; `*` when it binds all there is."""
    module: str
    member: str
    """What is imported from the module: a name, `default`, `*` for the module as an object, empty for itself."""
    statement: Node
    owner: Outline
    spec: Node | None = None
    """The part of the statement for this name."""
    mark: str = ""
    """How it is imported, where that matters: `type`, `static`, `require`, `block` …"""
    block: Node | None = None
    """The `if` or `try` around the statement."""

    def shown(self) -> str:
        """The import in a few words, for messages."""
        return f"{self.member} of {self.module}" if self.member and self.member != "*" else self.module


@dataclass(slots=True, eq=False)
class Wanted:
    """An import that a piece needs."""

    binding: Import
    label: str
    uses: list[Use] = field(default_factory=list)
    place: Item | None = None
    """The module of the base it goes into; None is the file."""

    @property
    def note(self) -> tuple[str, str]:
        """What the change list says about it."""
        return f"{self.binding.name.decode()} ({self.binding.shown()})", self.label


class Added(NamedTuple):
    """What carrying imports came to."""

    edits: list[Edit]
    warnings: list[str]
    names: set[bytes] = set()  # noqa: RUF012  # an empty default that nobody changes


class Planned(Protocol):
    """What carrying imports needs to know of a take."""

    take: Take
    source: Outline
    item: Item
    target: Item | None
    parent: Item | None
    path: str


class Carrier(ABC):
    """How a language imports; the defaults fit those with one scope of imports per file."""

    def scope(self, parent: Item | None) -> Item | None:
        """The piece whose body holds the imports seen inside `parent`; None is the file."""
        return None

    def declares(self, item: Item) -> bool:
        """True when a piece at the level of the imports binds its own name there."""
        return item.kind not in ("impl", "method")

    @abstractmethod
    def imports(self, outline: Outline, place: Item | None) -> list[Import]:
        """All imports of a file or module."""

    def more_names(self, source: Outline, imports: Sequence[Import]) -> set[bytes]:
        """Names to look for that no import spells out."""
        return set()

    def apart(self, binding: Import) -> bool:
        """True when an import may share its name with a declaration."""
        return False

    def needed(
        self, plan: Planned, imports: Sequence[Import], uses: dict[bytes, list[Use]], warnings: list[str]
    ) -> list[Wanted]:
        """The imports among those of the source that the piece needs."""
        return [Wanted(each, plan.take.label, uses[each.name]) for each in imports if each.name in uses]

    def verdict(self, base: Outline, known: Sequence[Import], want: Wanted) -> Verdict:
        """Whether the base has the import already, lacks it, or means something else by the name."""
        if not known:
            return "missing"
        binding = want.binding
        same = any(each.module == binding.module and each.member == binding.member for each in known)
        return "there" if same else "clash"

    @abstractmethod
    def edits(self, base: Outline, wanted: Sequence[Wanted]) -> tuple[list[Edit], list[str]]:
        """The edits that add the imports, and warnings for those that have no place."""
