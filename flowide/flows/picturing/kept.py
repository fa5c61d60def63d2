"""Pictures of variations as they are kept: a check named `picture`, whose output names the image and tells the page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flowide.agents.api import Image
from flowide.domain.commands import RecordCheck
from flowide.flows.state import RunState
from flowide.patterns import lazy
from flowide.space.queries import VariationView

if TYPE_CHECKING:
    from flowide.flows.picturing.browser import Picture

CHECK = "picture"
_HEAD = lazy(r"([0-9a-f]{64}) (image/[a-z+.-]+)\n")


async def keep(state: RunState, set: str, number: int, picture: Picture, duration_ms: int) -> RecordCheck:
    """The record of a picture; its image is put into the space first."""
    sha256 = await state.space.put_blob(picture.image.data)
    errors = picture.console_errors
    return RecordCheck(
        set=set,
        number=number,
        name=CHECK,
        status="passed",
        duration_ms=duration_ms,
        metrics={"console_errors": errors} if errors else {},
        output=f"{sha256} {picture.image.mime}\n{picture.tree}",
    )


def missed(set: str, number: int, why: str, duration_ms: int) -> RecordCheck:
    """The record of a page that could not be shown."""
    return RecordCheck(
        set=set, number=number, name=CHECK, status="failed", duration_ms=duration_ms, output=why[:4000]
    )


def named(each: VariationView) -> tuple[str, str] | None:
    """`(sha256, mime)` of the picture of a variation; None = there is none."""
    check = next((check for check in each.checks if check.name == CHECK), None)
    found = None if check is None else _HEAD.match(check.output)
    return None if found is None else (found[1], found[2])


def tree_of(each: VariationView) -> str:
    """What is on the page, as a screen reader tells it; empty without a picture."""
    check = next((check for check in each.checks if check.name == CHECK), None)
    return "" if check is None else _HEAD.sub("", check.output, count=1).strip()


async def images_of(state: RunState, variations: Iterable[VariationView]) -> dict[int, Image]:
    """The pictures there are, by number."""
    found: dict[int, Image] = {}
    for each in variations:
        name = named(each)
        if name is not None:
            found[each.variation.number] = Image(name[1], bytes(await state.space.blob(name[0])))
    return found
