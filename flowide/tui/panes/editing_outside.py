"""The open file in the person's own editor, under its lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowide.errors import Busy, FlowError
from flowide.tui.engine import editing
from flowide.tui.outside import edit_outside

if TYPE_CHECKING:
    from flowide.domain import rows
    from flowide.tui.panes.artifact import ArtifactPane
    from flowide.tui.views.artifact import OpenArtifact


async def edit_in_own_editor(pane: ArtifactPane, opened: OpenArtifact, artifact: rows.Artifact) -> None:
    """Take the lock, run $EDITOR, and save what it wrote; the lock is given back whatever happens."""
    held = False
    try:
        await pane.ask_engine(lambda session: editing.take(session, artifact, "editing in $EDITOR"))
        held = True
        fresh = await pane.ask_engine(lambda session: editing.look(session, opened.path))
        text = edit_outside(pane.app, fresh.path, fresh.text or "")
        if text is None or text == fresh.text:
            pane.say(
                "Nothing was changed." if text is not None else "The editor failed; nothing was changed."
            )
        else:
            version = await pane.ask_engine(lambda session: editing.save(session, artifact.id, text))
            held = False
            pane.say(f"Saved as v{version}.", good=True)
    except Busy as busy:
        pane.refused(busy)
    except FlowError as error:
        pane.tell(error)
    finally:
        if held:
            await _give_back(pane, artifact.id)
    pane.look(opened.path)


async def _give_back(pane: ArtifactPane, artifact: str) -> None:
    try:
        await pane.ask_engine(lambda session: editing.release(session, artifact, drop=True))
    except FlowError as error:
        pane.tell(error)
