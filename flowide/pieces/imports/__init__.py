"""Imports carried with a piece: per name that it uses and the base lacks, never twice, never over another meaning."""

from __future__ import annotations

from collections.abc import Sequence

from flowide.pieces.imports.model import Added, Carrier, Import, Planned, Wanted
from flowide.pieces.model import Language
from flowide.pieces.names import Use, free_uses
from flowide.pieces.outline import Item, Outline


def carrier_of(language: Language) -> Carrier:
    """How a language imports."""
    # Each language's module loads only when it is needed.
    if language == "python":
        from flowide.pieces.imports.python import PythonCarrier

        return PythonCarrier()
    if language == "go":
        from flowide.pieces.imports.go import GoCarrier

        return GoCarrier()
    if language == "rust":
        from flowide.pieces.imports.rust import RustCarrier

        return RustCarrier()
    if language == "java":
        from flowide.pieces.imports.java import JavaCarrier

        return JavaCarrier()
    from flowide.pieces.imports.ecma import EcmaCarrier

    return EcmaCarrier()


def carried(base: Outline, plans: Sequence[Planned]) -> Added:
    """The edits that give the base the imports its new pieces need, with warnings for those it cannot get."""
    carrier = carrier_of(base.language)
    wanted: list[Wanted] = []
    warnings: list[str] = []
    # Per module of the base (Rust has several): what each name means there.
    meanings: dict[int, dict[bytes, list[Import]]] = {}
    for plan in plans:
        place = carrier.scope(plan.parent)
        known = meanings.get(id(place))
        if known is None:
            known = meanings[id(place)] = _by_name(carrier.imports(base, place))
        declared = _declared(base, plans, place, carrier)
        for want in _needed(carrier, plan, warnings):
            name, binding = want.binding.name, want.binding
            where = f"{plan.take.piece} uses {name.decode()} ({binding.shown()} in {plan.take.label or 'its source'})"
            verdict = carrier.verdict(base, known.get(name, []), want)
            if verdict == "clash" and any(_alternative(each, binding) for each in known[name]):
                continue
            if verdict == "clash" or (
                verdict == "missing" and name in declared and not carrier.apart(binding)
            ):
                what = _meaning(known.get(name, []))
                warnings.append(f"{where}, but there the base has {what}: the import was not carried")
            elif verdict == "missing":
                want.place = place
                wanted.append(want)
                known.setdefault(name, []).append(binding)
    edits, more = carrier.edits(base, wanted)
    warnings += more + _shadowed(carrier, base, plans, meanings)
    return Added(edits, warnings, {want.binding.name for want in wanted})


def _needed(carrier: Carrier, plan: Planned, warnings: list[str]) -> list[Wanted]:
    imports = carrier.imports(plan.source, carrier.scope(plan.item.parent))
    names = {each.name for each in imports} | carrier.more_names(plan.source, imports)
    uses = free_uses(plan.source, plan.item.start, plan.item.end, names)
    by_name: dict[bytes, list[Use]] = {}
    for use in uses:
        by_name.setdefault(use.name, []).append(use)
    return carrier.needed(plan, imports, by_name, warnings)


def _alternative(one: Import, other: Import) -> bool:
    """True for two branches of one `try: import … except ImportError: import …`."""
    return one.owner is other.owner and one.block is not None and one.block == other.block


def _by_name(imports: Sequence[Import]) -> dict[bytes, list[Import]]:
    found: dict[bytes, list[Import]] = {}
    for each in imports:
        found.setdefault(each.name, []).append(each)
    return found


def _declared(base: Outline, plans: Sequence[Planned], place: Item | None, carrier: Carrier) -> set[bytes]:
    """Names that the base, or another taken piece, declares where the import would go."""
    gone = {id(plan.target) for plan in plans if plan.target is not None}
    names = {
        name.encode()
        for item in base.items
        if item.parent is place and id(item) not in gone
        for name in item.names
    }
    names |= {
        plan.path.rsplit(".", 1)[-1].encode()
        for plan in plans
        if plan.parent is place and carrier.declares(plan.item)
    }
    return names


def _meaning(known: Sequence[Import]) -> str:
    return known[0].shown() if known else "something else of that name"


def _shadowed(
    carrier: Carrier, base: Outline, plans: Sequence[Planned], meanings: dict[int, dict[bytes, list[Import]]]
) -> list[str]:
    """Pieces that take a name which the base imports."""
    warnings = []
    for plan in plans:
        if plan.target is not None or not carrier.declares(plan.item):
            continue
        place = carrier.scope(plan.parent)
        if plan.parent is not place:
            continue
        known = meanings.get(id(place), {}).get(plan.path.rsplit(".", 1)[-1].encode(), [])
        ours = [each for each in known if each.owner is base]
        if ours:
            warnings.append(f"{plan.path} has the name of an import of the base: {ours[0].shown()}")
    return warnings
