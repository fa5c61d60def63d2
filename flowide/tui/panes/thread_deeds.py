"""What can be done with what the cursor is on in a thread: answers, code, decisions, what an agent was told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import work

from flowide.errors import FlowError
from flowide.tui.dialogs import Ask, Choice, Choose, Show
from flowide.tui.panes.thread_reading import ThreadReader
from flowide.tui.views.manifest import manifest_lines
from flowide.tui.views.spans import Span, clean
from flowide.tui.views.thread import Code, Spot, code_of, due_turns
from flowide.tui.views.words import count

if TYPE_CHECKING:
    from flowide.agents.context import Manifest
    from flowide.domain.rows import Decision, Message, Turn
    from flowide.tui.engine.session import Session
    from flowide.tui.engine.thread import Work

MOST_PROPOSED = 400
"""Characters of a message that are put forward as the words of a decision."""


class ThreadDeeds(ThreadReader):
    """Stops answers, opens code, proposes and agrees, shows what an agent is told."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.about: str | None = None
        """Path that a new thread is about."""
        self._unfolded: frozenset[Spot] = frozenset()

    @property
    def draft(self) -> str:
        """What is typed and not sent."""
        raise NotImplementedError

    async def do(self, deed: Work[object]) -> bool:
        """Have the engine do something and read the thread anew; whether it was done."""
        try:
            await self.ask_engine(deed)
        except FlowError as error:
            self.tell(error)
            return False
        self.reload()
        return True

    # --- what the cursor is on ----------------------------------------------------------------------

    @property
    def spot(self) -> Spot | None:
        """What the cursor is on while the messages have the keys."""
        key = self.log_pane.current if self.log_pane.has_focus else None
        return key if isinstance(key, Spot) else None

    @property
    def message(self) -> Message | None:
        """The message under the cursor, else the newest one."""
        messages = self.talk.view.messages if self.talk else []
        ref = self.spot.ref if self.spot is not None else ""
        here = next((each for each in messages if each.id == ref), None)
        return here or (messages[-1] if messages else None)

    @property
    def writing(self) -> list[Turn]:
        """Answers that are due or being written, those being written first."""
        return due_turns(self.talk.view) if self.talk else []

    def turn_here(self, turns: Sequence[Turn]) -> Turn | None:
        """The turn under the cursor, else the first."""
        spot = self.spot
        here = (each for each in turns if spot == Spot("turn", each.message, agent=each.agent))
        return next(here, turns[0] if turns else None)

    # --- answers ------------------------------------------------------------------------------------

    @work(group="stop")
    async def stop_answer(self, turn: Turn) -> None:
        """End an answer that is due or being written."""
        from flowide.tui.engine import talking

        await self.do(lambda session: talking.stop(session, turn))

    @work(group="stop")
    async def action_thread_stop_one(self) -> None:
        """Stop the answer under the cursor; with several and none there, ask which."""
        turns = self.writing
        if not turns:
            self.say("Nobody is writing here.")
            return
        spot = self.spot
        here = [each for each in turns if spot == Spot("turn", each.message, agent=each.agent)]
        chosen = here[0] if here else turns[0]
        if not here and len(turns) > 1:
            choices = [Choice(str(number), f"@{clean(turn.agent)}", f"to #{turn.number}")
                       for number, turn in enumerate(turns[:9], 1)]  # fmt: skip
            letter = await self.app.push_screen_wait(Choose("Whose answer is to be stopped?", [], choices))
            if letter is None:
                return
            chosen = turns[int(letter) - 1]
        self.stop_answer(chosen)

    def action_thread_retry(self) -> None:
        """Ask again who did not answer; else have written what is due."""
        turns = self.talk.view.turns if self.talk else []
        ended = [each for each in turns if each.state in {"failed", "stopped"}]
        turn = self.turn_here([*reversed(ended), *self.writing])
        if turn is None:
            self.say("Nobody owes an answer here.")
        else:
            self._retry(turn)

    @work(group="retry")
    async def _retry(self, turn: Turn) -> None:
        from flowide.tui.engine import talking

        await self.do(lambda session: talking.ask_again(session, turn))

    # --- code ---------------------------------------------------------------------------------------

    def action_thread_unfold(self) -> None:
        """The block of code at the cursor, else the newest one."""
        spots = [
            row.key for row in self.log_pane.rows if isinstance(row.key, Spot) and row.key.kind == "code"
        ]
        spot = self.spot
        if spot is not None and spot.kind == "code":
            self.fold(spot)
        elif spots:
            self.fold(spots[-1])

    def fold(self, spot: Spot) -> None:
        """Show a block of code, or only its first line."""
        self._unfolded ^= {spot}
        self.draw()

    def _code(self) -> Code | None:
        """The block of code at the cursor, else the last one of the message there, else the newest of all."""
        spot = self.spot
        if spot is not None and spot.kind == "code" and self.message is not None:
            blocks = code_of(self.message.text)
            return blocks[spot.at - 1] if spot.at <= len(blocks) else None
        here = [self.message] if self.message is not None and spot is not None else []
        for message in [*here, *reversed(self.talk.view.messages if self.talk else [])]:
            blocks = code_of(message.text)
            if blocks:
                return blocks[-1]
        return None

    @work(group="code", exclusive=True)
    async def action_thread_open_code(self) -> None:
        """Make a file or a variation of a block of code."""
        from flowide.tui.engine import talking

        code = self._code()
        if code is None:
            self.say("There is no code here.")
            return
        path = self.talk.view.path if self.talk else self.about
        choices = [Choice("f", "save it as a new file", "a first version of its own")]
        if path:
            choices.append(Choice("v", f"a variation of {clean(path)}", "to compare and mix"))
        choices.append(Choice("c", "copy it", "to the terminal's clipboard"))
        lines: list[list[Span]] = [[(clean(line), "secondary")] for line in code.text.split("\n")[:8]]
        name = f"{count(code.text.count(chr(10)), 'line')} of {clean(code.language) or 'code'}"
        chosen = await self.app.push_screen_wait(Choose(name, lines, choices))
        if chosen == "c":
            self.app.copy_to_clipboard(code.text)
            self.say("Sent to the terminal's clipboard. Not every terminal takes it.")
        elif chosen == "v" and path:
            await self._as_variation(path, code.text)
        elif chosen == "f":
            typed = await self.app.push_screen_wait(
                Ask(
                    "Where shall it go?",
                    [[("A new file of the project.", "quiet")]],
                    value=code.file_name,
                    enter="save",
                )
            )
            if typed and typed.strip():
                where = typed.strip()
                if await self.do(lambda session: talking.new_file(session, where, code.text)):
                    self.say(f"{clean(where)} is there, as version 1.", good=True)
                    self.desk.open_path(where)

    async def _as_variation(self, path: str, text: str) -> None:
        from flowide.tui.engine import talking

        try:
            number = await self.ask_engine(lambda session: talking.variation_of(session, path, text))
        except FlowError as error:
            self.tell(error)
            return
        self.say(f"It is variation {number} of {clean(path)}; V shows it.", good=True)

    # --- decisions ----------------------------------------------------------------------------------

    def action_thread_decide(self) -> None:
        """Agree to the decision at the cursor or put it up again; elsewhere agree to the newest open one."""
        decisions = self.talk.decisions if self.talk else ()
        spot = self.spot
        here = spot.ref if spot is not None and spot.kind == "decision" else None
        opened = [each for each in decisions if each.status == "open"]
        chosen = next((each for each in decisions if each.id == here), opened[-1] if opened else None)
        if chosen is None:
            self.say("No decision is open in this thread. p puts up what the message at the cursor says.")
        else:
            self._decide(chosen)

    @work(group="decide")
    async def _decide(self, decision: Decision) -> None:
        from flowide.tui.engine import talking

        if await self.do(lambda session: talking.decide(session, decision)):
            self.say(
                f"D{decision.number} is {'agreed' if decision.status == 'open' else 'open again'}.", good=True
            )

    @work(group="decide")
    async def action_thread_propose(self) -> None:
        """Put up what the message at the cursor says, in words one may change."""
        from flowide.tui.engine import talking

        message = self.message
        words = "" if message is None else " ".join(message.text.split())[:MOST_PROPOSED]
        lines: list[list[Span]] = [[("It is part of what agents are told, once it is agreed.", "quiet")]]
        typed = await self.app.push_screen_wait(
            Ask("What shall hold from now on?", lines, value=words, enter="put it up")
        )
        if typed is None or not typed.strip():
            return
        said, ref = typed.strip(), None if message is None else message.id
        if await self.do(lambda session: talking.propose(session, said, ref)):
            self.say("It is up; y agrees to it.", good=True)

    def action_decisions(self) -> None:
        """All decisions: open, agreed, superseded."""
        from flowide.tui.screens.decisions import DecisionsScreen

        self.app.push_screen(DecisionsScreen())

    @work(group="pin")
    async def action_thread_pin(self) -> None:
        """Have the open file in the context of every answer here, or no longer."""
        from flowide.tui.engine import talking

        thread, path = self.thread, self.desk.open_file
        if thread is None or path is None:
            self.say("Open a thread and a file first: the file goes into the context of every answer.")
            return
        try:
            on = await self.ask_engine(lambda session: talking.pin(session, thread, path))
        except FlowError as error:
            self.tell(error)
            return
        self.say(
            f"{clean(path)} is {'in' if on else 'no longer in'} the context of every answer here.", good=True
        )
        self.reload()

    # --- what agents are told -----------------------------------------------------------------------

    @work(group="told", exclusive=True)
    async def action_thread_told(self) -> None:
        """What the agents that are named would be told; else what the author of the message was told."""
        from flowide.tui.engine import talking

        thread, about, text = self.thread, self.about, self.draft
        try:
            if text.strip():
                told = await self.ask_engine(
                    lambda session: talking.would_be_told(session, thread, about, text)
                )
            else:
                told = await self.ask_engine(self._was_told())
        except FlowError as error:
            self.tell(error)
            return
        if not told:
            self.say(
                "No agent is named: @ and a name asks one." if text.strip() else "No agent has answered here."
            )
            return
        width = min(76, self.app.size.width) - 6
        lines = [line for each in told for line in manifest_lines(each, self.book, width)]
        self.app.push_screen(
            Show("What they would be told" if text.strip() else "What they were told", lines)
        )

    def _was_told(self) -> Work[list[Manifest]]:
        from flowide.tui.engine import talking

        messages = self.talk.view.messages if self.talk else []
        here = self.message if self.spot is not None else None
        told = [each for each in ([here] if here is not None else reversed(messages)) if each.manifest]

        async def read(session: Session) -> list[Manifest]:
            return [await talking.was_told(session, each.manifest or "") for each in told[:1]]

        return read
