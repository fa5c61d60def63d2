"""What a person says in a review: changes taken or refused with reasons, and the answer that is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from flowide.errors import FlowError
from flowide.tui.dialogs import Choice, Choose
from flowide.tui.engine import running
from flowide.tui.screens.reason import ReasonDialog
from flowide.tui.views import hunks
from flowide.tui.views.gates import Answer
from flowide.tui.views.hunks import Marks, Said
from flowide.tui.views.review import PERSON, Reviewed
from flowide.tui.views.spans import Span, clean
from flowide.tui.views.words import count

if TYPE_CHECKING:
    from flowide.tui.screens.base import FlowScreen

BY_HAND = "I write this place myself"


class Saying:
    """Keeps what was said so far about the changes of a review, and sends it."""

    def __init__(
        self,
        screen: FlowScreen,
        *,
        draw: Callable[[], None],
        reload: Callable[[], object],
        go: Callable[[int], None],
    ) -> None:
        """Asks on `screen`, and has it draw what was said, read the review again, and go to another change."""
        self._screen = screen
        self._draw = draw
        self._reload = reload
        self._go = go
        self.seen: Reviewed | None = None
        """The review as it was read last."""
        self.current = 0
        """Number of the change that is spoken of; 0 = none."""

    @property
    def marks(self) -> Marks:
        """What was said so far about the open question; it is kept while the app runs."""
        gate = self.seen.gate if self.seen is not None else None
        return self._screen.desk.marks.setdefault(gate.id if gate is not None else "", Marks())

    @property
    def asked(self) -> bool:
        """Whether a question is open."""
        return self.seen is not None and self.seen.gate is not None

    # --- saying what one thinks ---------------------------------------------------------------------

    def _answerable(self) -> Reviewed | None:
        if self.seen is None or self.seen.gate is None:
            self._screen.say("Nothing is asked here now.")
            return None
        return self.seen

    def take(self) -> None:
        """Take the change, and go to the next one that is open."""
        seen = self._answerable()
        if seen is None:
            return
        if not self.current:
            self._screen.say("Nothing differs; enter says what you think of it all.")
            return
        self.marks.mark(self.current, True)
        self._next_open(seen)

    def rest(self) -> None:
        """Take all that are open."""
        seen = self._answerable()
        if seen is not None:
            for number in self.marks.open(seen.hunks):
                self.marks.mark(number, True)
            self._draw()

    async def refuse(self) -> None:
        """Refuse the change, with a reason."""
        seen = self._answerable()
        if seen is None:
            return
        number = self.current
        about = f"Why not change {number}?" if number else f"What is wrong with {seen.path}?"
        said = await self._screen.app.push_screen_wait(ReasonDialog(about, seen.remembered))
        if said is None:
            return
        if number:
            self.marks.mark(number, False, said)
            self._next_open(seen)
        else:
            self.marks.general.append(said)
            self._draw()

    async def remark(self) -> None:
        """A reason that is about the whole text."""
        seen = self._answerable()
        if seen is None:
            return
        said = await self._screen.app.push_screen_wait(
            ReasonDialog(f"What is wrong with {seen.path}?", seen.remembered)
        )
        if said is not None:
            self.marks.general.append(said)
            self._draw()

    def undo(self) -> None:
        """Take back what was said last."""
        marks = self.marks
        if marks.done:
            self._go(marks.undo() or self.current)
        elif marks.general:
            marks.general.pop()
            self._draw()
        else:
            self._screen.say("Nothing was said yet.")

    def _next_open(self, seen: Reviewed) -> None:
        number = self.marks.next_open(seen.hunks, self.current)
        if number is not None:
            self._go(number)
        else:
            self._draw()
            self._screen.say("All decided: enter sends it, u takes the last one back.", good=True)

    async def edit(self) -> None:
        """Write the place oneself, under the lock."""
        seen = self.seen
        if seen is None or not seen.path:
            return
        line = 0
        if self.current and self.current <= len(seen.hunks):
            a0, _, b0, _ = seen.hunks[self.current - 1].span
            line = a0 if seen.version == 0 else b0
            if self.asked and seen.version == 0:
                self.marks.mark(self.current, False, Said(BY_HAND))
        await self._screen.desk.edit_at(seen.path, line)

    async def send(self) -> None:
        """Answer the question."""
        seen = self._answerable()
        if seen is None or seen.gate is None:
            return
        gate = seen.gate
        answer = await (self._which_taken(seen) if gate.kind == "hunks" else self._verdict(seen))
        if answer is None:
            return
        try:
            await self._screen.ask_engine(lambda session: running.answer(session, gate, answer))
        except FlowError as error:
            self._screen.tell(error)
            return
        self._screen.desk.marks.pop(gate.id, None)
        self._screen.say("Answered; the run goes on.", good=True)
        self._reload()

    async def _which_taken(self, seen: Reviewed) -> Answer | None:
        marks = self.marks
        rest = len(marks.open(seen.hunks))
        taken = sum(marks.taken.values())
        lines: list[list[Span]] = [[(f"{count(taken, 'change')} taken, {len(marks.refused)} refused.", "")]]
        lines += [
            [("✗ ", "bad"), (f"{number}  ", "quiet"), (clean(marks.why[number].text), "")]
            for number in marks.refused[:8]
            if number in marks.why
        ]
        if rest:
            choices = [
                Choice("t", f"take the other {rest}", "and save"),
                Choice("x", f"refuse the other {rest}", "and save what was taken"),
            ]
        else:
            choices = [
                Choice("s", "send it", "what is taken is saved; the agent is told what is not, and why")
            ]
        chosen = await self._screen.app.push_screen_wait(
            Choose(f"{len(seen.hunks)} changes of {clean(seen.path)}", lines, choices)
        )
        if chosen is None:
            return None
        for number in marks.open(seen.hunks):
            marks.mark(number, chosen == "t")
        return hunks.hunks_answer(marks, seen.hunks)

    async def _verdict(self, seen: Reviewed) -> Answer | None:
        said = hunks.reasons(self.marks, seen)
        lines: list[list[Span]] = []
        for each, where in said[:8]:
            lines.append(
                [
                    ("✗ ", "bad"),
                    (f"{each.kind}  ", "warn"),
                    (clean(each.text), ""),
                    (f"  {clean(where)}", "quiet"),
                ]
            )
        if not said:
            rest = len(self.marks.open(seen.hunks))
            if rest:
                lines.append([(f"{count(rest, 'change')} not looked at.", "quiet")])
            choices = [Choice("y", "approve", "the review goes on")]
            heading = f"What do you think of v{seen.version}?"
            choices.append(Choice("r", "send it back", "with a reason"))
        else:
            heading = f"Send v{seen.version} back?"
            choices = self._ways_back(seen)
            choices.append(Choice("c", "let it pass", "with these as remarks"))
        chosen = await self._screen.app.push_screen_wait(Choose(heading, lines, choices))
        if chosen is None:
            return None
        if chosen == "y":
            return hunks.verdict_answer([], None)
        if chosen == "r":
            reason = await self._screen.app.push_screen_wait(
                ReasonDialog(f"What is wrong with {seen.path}?", seen.remembered)
            )
            if reason is None:
                return None
            self.marks.general.append(reason)
            return await self._verdict(seen)
        if chosen == "c":
            return hunks.verdict_answer(said, None, comment=True)
        names = [str(stage["stage"]) for stage in self._writers(seen)]
        return hunks.verdict_answer(said, names[int(chosen) - 1])

    def _ways_back(self, seen: Reviewed) -> list[Choice]:
        found = []
        for number, stage in enumerate(self._writers(seen)[:9], 1):
            who = "you" if stage["by"] == PERSON else f"@{stage['by']}"
            found.append(
                Choice(str(number), f"back to {clean(str(stage['stage']))}", f"{clean(who)} is told why")
            )
        return found

    def _writers(self, seen: Reviewed) -> list[dict[str, object]]:
        """Stages a text can be sent back to, those that write first."""
        every = list(seen.view.review.stages) if seen.view is not None else []
        writers = [each for each in every if each.get("does") in {"write", "rewrite", "edit"}]
        return writers or every
