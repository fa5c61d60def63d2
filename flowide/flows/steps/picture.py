"""`picture`: a browser shows each variation, and what it shows is kept with it; without one the step is skipped."""

from __future__ import annotations

import time
from typing import Any

from flowide.errors import BadInput, FlowError, NeedsInput
from flowide.flows import sandbox
from flowide.flows.picturing.browser import browser, picture_of, reason, shown_at
from flowide.flows.picturing.kept import CHECK, keep, missed
from flowide.flows.picturing.serving import serving
from flowide.flows.state import StepContext
from flowide.space.queries import OneVariationSet, VariationText, VariationView


async def run(context: StepContext) -> dict[str, Any]:
    """The numbers that have a picture now; a page that cannot be shown is a check that failed."""
    state = context.state
    set = state.outputs.get("set")
    if not set:
        raise BadInput("there is nothing to show", hint="Put a vary step before the picture step.")
    width, height = _size(context, "width"), _size(context, "height")
    view = await state.space.read(OneVariationSet(set))
    path = view.set.path or ""
    page = str(context.field("page")).strip().lstrip("/") or path
    waiting = [
        each
        for each in view.variations
        if not each.variation.rejected and CHECK not in {check.name for check in each.checks}
    ]
    try:
        for each in waiting:
            await _show(context, set, each, path, page, width, height)
    except NeedsInput:
        raise
    except FlowError as error:
        if (
            type(error) is BadInput
            or not context.field("optional")
            or error.code in {"budget", "fenced", "gone", "storage"}
        ):
            raise
        state.observer.warning(f"no pictures: {reason(error)}")
        return {"set": set, "numbers": [], "skipped": True, "why": reason(error)}
    seen = await state.space.read(OneVariationSet(set))
    shown = [
        each.variation.number
        for each in seen.variations
        if any(check.name == CHECK and check.status == "passed" for check in each.checks)
    ]
    return {"set": set, "numbers": shown, "skipped": False, "why": ""}


async def _show(
    context: StepContext, set: str, each: VariationView, path: str, page: str, width: int, height: int
) -> None:
    """Serve a private copy that holds the variation, and look at it.

    Raises:
        NotFound, NotAllowed, Unavailable: There is no browser that could be used.
    """
    state, number, began = context.state, each.variation.number, time.monotonic()
    if state.tools is None:
        raise BadInput("there are no tool servers here", hint="Run the flow with settings.")
    looking = browser(state.tools.box, state.tools.env)
    await looking.tools()
    text = await state.space.read(VariationText(set, number))
    async with (
        sandbox.private_copy(state.folder.root, state.folder.scan(), {path: text.encode()}) as copy,
        serving(copy) as address,
    ):
        why = shown_at(copy, page)
        if why:
            raise BadInput(why, hint="It is a path in the project, such as index.html.")
        try:
            seen = await picture_of(looking, f"{address}/{page}", width=width, height=height)
        except FlowError as error:
            await state.commit(missed(set, number, error.message, _since(began)))
            return
    await state.commit(await keep(state, set, number, seen, _since(began)))


def _size(context: StepContext, name: str) -> int:
    value = context.field(name)
    if not isinstance(value, int) or not 100 <= value <= 4000:
        raise BadInput(f"{name}: {value!r} is not possible", hint="Pixels, from 100 to 4000.")
    return value


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
