"""The part of the workspace that offers texts which were not saved."""

from __future__ import annotations

from textual import work
from textual.screen import Screen

from flowide.errors import FlowError
from flowide.tui.desk import AtDesk
from flowide.tui.panes.artifact import ArtifactPane
from flowide.tui.views.spans import Span, clean, lines_of
from flowide.tui.views.words import clock_time, count

MOST_SHOWN = 12
"""Lines of a draft's difference that are shown when it is offered."""


class Kept(AtDesk, Screen[None]):
    """Offers to go on with a kept draft, to keep it beside what is there, or to let it go."""

    @property
    def artifact(self) -> ArtifactPane:
        """What is open."""
        return self.query_one(ArtifactPane)

    def action_kept_draft(self) -> None:
        """The newest draft of the open file, else the newest of all."""
        opened = self.artifact.opened
        own = opened.artifact.id if opened is not None and opened.artifact is not None else ""
        drafts = sorted(self.snapshot.drafts, key=lambda draft: (draft.artifact == own, draft.ts))
        if drafts:
            self.offer_draft(drafts[-1].id)
        else:
            self.say("No draft is kept.")

    @work(group="draft", exclusive=True)
    async def offer_draft(self, draft: str) -> None:
        """Show what is in it, and ask what becomes of it."""
        from flowide.tui.dialogs import Choice, Choose
        from flowide.tui.engine import drafts

        try:
            found = await self.ask_engine(lambda session: drafts.look(session, draft))
        except FlowError as error:
            self.tell(error)
            return
        lines: list[list[Span]] = [
            [(f"{clean(found.path)}, from version {found.base}, {clock_time(found.ts)}", "quiet")],
            [(clean(found.why), "quiet")] if found.why else [],
            [],
        ]
        shown = lines_of(found.diff)
        for line in shown[:MOST_SHOWN]:
            role = {"+": "add", "-": "del"}.get(line[:1], "quiet")
            lines.append([(line, role)])
        if len(shown) > MOST_SHOWN:
            lines.append([(f"… {count(len(shown) - MOST_SHOWN, 'line')} more", "quiet")])
        if not shown:
            lines.append([("It says what the newest version says.", "quiet")])
        choices = [
            Choice("e", "go on with it", "in the editor, under the lock; nothing is saved until you save"),
            Choice("v", "keep it as a variation", "beside what is there, to compare and mix"),
            Choice("x", "let it go", "it is offered no more"),
        ]
        chosen = await self.app.push_screen_wait(
            Choose(f"A text of {clean(found.actor)} was not saved", lines, choices)
        )
        if chosen == "e":
            self.artifact.adopt(draft)
            return
        if chosen is None:
            return
        try:
            if chosen == "v":
                number = await self.ask_engine(lambda session: drafts.as_variation(session, draft))
                self.say(f"Kept as variation {number} of {clean(found.path)}.", good=True)
            else:
                await self.ask_engine(lambda session: drafts.let_go(session, draft))
                self.say("It is gone.")
        except FlowError as error:
            self.tell(error)
