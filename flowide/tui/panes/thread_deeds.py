"""What can be done with what the cursor is on in a thread: answers, code, decisions, what an agent was told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flowide.errors import FlowError
from flowide.tui.dialogs import Ask, Choice, Choose, Show
from flowide.tui.views.manifest import manifest_lines
from flowide.tui.views.spans import Span, clean
from flowide.tui.views.thread import Code, Spot, code_of, due_turns
from flowide.tui.views.words import count

if TYPE_CHECKING:
    from flowide.agents.context import Manifest
    from flowide.domain.rows import Decision, Message, Turn
    from flowide.tui.engine.session import Session
    from flowide.tui.engine.thread import Work
    from flowide.tui.panes.base import Pane
    from flowide.tui.panes.thread_reading import ThreadReader
    from flowide.tui.widgets.thread_log import ThreadLog

MOST_PROPOSED = 400
"""Characters of a message that are put forward as the words of a decision."""


class ThreadDeeds:
    """Stops answers, opens code, proposes and agrees, shows what an agent is told."""

    def __init__(self, pane: Pane, reading: ThreadReader, log: ThreadLog) -> None:
        """Asks and tells where `pane` is; `reading` knows the thread, `log` where the cursor is."""
        self._pane = pane
        self._reading = reading
        self._log = log

    async def do(self, deed: Work[object]) -> bool:
        """Have the engine do something and read the thread anew; whether it was done."""
        try:
            await self._pane.ask_engine(deed)
        except FlowError as error:
            self._pane.tell(error)
            return False
        self._reading.reload()
        return True

    # --- what the cursor is on ----------------------------------------------------------------------

    @property
    def spot(self) -> Spot | None:
        """What the cursor is on while the messages have the keys."""
        key = self._log.current if self._log.has_focus else None
        return key if isinstance(key, Spot) else None

    @property
    def message(self) -> Message | None:
        """The message under the cursor, else the newest one."""
        messages = self._reading.talk.view.messages if self._reading.talk else []
        ref = self.spot.ref if self.spot is not None else ""
        here = next((each for each in messages if each.id == ref), None)
        return here or (messages[-1] if messages else None)

    @property
    def writing(self) -> list[Turn]:
        """Answers that are due or being written, those being written first."""
        return due_turns(self._reading.talk.view) if self._reading.talk else []

    def turn_here(self, turns: Sequence[Turn]) -> Turn | None:
        """The turn under the cursor, else the first."""
        spot = self.spot
        here = (each for each in turns if spot == Spot("turn", each.message, agent=each.agent))
        return next(here, turns[0] if turns else None)

    # --- answers ------------------------------------------------------------------------------------

    def stop(self, turn: Turn) -> None:
        """End an answer that is due or being written."""
        self._pane.run_worker(self._stop(turn), group="stop")

    async def _stop(self, turn: Turn) -> None:
        from flowide.tui.engine import talking

        await self.do(lambda session: talking.stop(session, turn))

    async def stop_one(self) -> None:
        """Stop the answer under the cursor; with several and none there, ask which."""
        turns = self.writing
        if not turns:
            self._pane.say("Nobody is writing here.")
            return
        spot = self.spot
        here = [each for each in turns if spot == Spot("turn", each.message, agent=each.agent)]
        chosen = here[0] if here else turns[0]
        if not here and len(turns) > 1:
            choices = [Choice(str(number), f"@{clean(turn.agent)}", f"to #{turn.number}")
                       for number, turn in enumerate(turns[:9], 1)]  # fmt: skip
            letter = await self._pane.app.push_screen_wait(
                Choose("Whose answer is to be stopped?", [], choices)
            )
            if letter is None:
                return
            chosen = turns[int(letter) - 1]
        await self._stop(chosen)

    def retry(self) -> None:
        """Ask again who did not answer; else have written what is due."""
        turns = self._reading.talk.view.turns if self._reading.talk else []
        ended = [each for each in turns if each.state in {"failed", "stopped"}]
        turn = self.turn_here([*reversed(ended), *self.writing])
        if turn is None:
            self._pane.say("Nobody owes an answer here.")
        else:
            self._pane.run_worker(self._retry(turn), group="retry")

    async def _retry(self, turn: Turn) -> None:
        from flowide.tui.engine import talking

        await self.do(lambda session: talking.ask_again(session, turn))

    # --- code ---------------------------------------------------------------------------------------

    def block(self) -> Spot | None:
        """The block of code at the cursor, else the newest one."""
        spot = self.spot
        if spot is not None and spot.kind == "code":
            return spot
        keys = (row.key for row in reversed(self._log.rows))
        return next((key for key in keys if isinstance(key, Spot) and key.kind == "code"), None)

    def _code(self) -> Code | None:
        """The block of code at the cursor, else the last one of the message there, else the newest of all."""
        spot = self.spot
        if spot is not None and spot.kind == "code" and self.message is not None:
            blocks = code_of(self.message.text)
            return blocks[spot.at - 1] if spot.at <= len(blocks) else None
        here = [self.message] if self.message is not None and spot is not None else []
        for message in [*here, *reversed(self._reading.talk.view.messages if self._reading.talk else [])]:
            blocks = code_of(message.text)
            if blocks:
                return blocks[-1]
        return None

    async def open_code(self) -> None:
        """Make a file or a variation of a block of code."""
        from flowide.tui.engine import talking

        code = self._code()
        if code is None:
            self._pane.say("There is no code here.")
            return
        path = self._reading.talk.view.path if self._reading.talk else self._reading.about
        choices = [Choice("f", "save it as a new file", "a first version of its own")]
        if path:
            choices.append(Choice("v", f"a variation of {clean(path)}", "to compare and mix"))
        choices.append(Choice("c", "copy it", "to the terminal's clipboard"))
        lines: list[list[Span]] = [[(clean(line), "secondary")] for line in code.text.split("\n")[:8]]
        name = f"{count(code.text.count(chr(10)), 'line')} of {clean(code.language) or 'code'}"
        chosen = await self._pane.app.push_screen_wait(Choose(name, lines, choices))
        if chosen == "c":
            self._pane.app.copy_to_clipboard(code.text)
            self._pane.say("Sent to the terminal's clipboard. Not every terminal takes it.")
        elif chosen == "v" and path:
            await self._as_variation(path, code.text)
        elif chosen == "f":
            typed = await self._pane.app.push_screen_wait(
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
                    self._pane.say(f"{clean(where)} is there, as version 1.", good=True)
                    self._pane.desk.open_path(where)

    async def _as_variation(self, path: str, text: str) -> None:
        from flowide.tui.engine import talking

        try:
            number = await self._pane.ask_engine(lambda session: talking.variation_of(session, path, text))
        except FlowError as error:
            self._pane.tell(error)
            return
        self._pane.say(f"It is variation {number} of {clean(path)}; V shows it.", good=True)

    # --- decisions ----------------------------------------------------------------------------------

    def decide(self) -> None:
        """Agree to the decision at the cursor or put it up again; elsewhere agree to the newest open one."""
        decisions = self._reading.talk.decisions if self._reading.talk else ()
        spot = self.spot
        here = spot.ref if spot is not None and spot.kind == "decision" else None
        opened = [each for each in decisions if each.status == "open"]
        chosen = next((each for each in decisions if each.id == here), opened[-1] if opened else None)
        if chosen is None:
            self._pane.say(
                "No decision is open in this thread. p puts up what the message at the cursor says."
            )
        else:
            self._pane.run_worker(self._decide(chosen), group="decide")

    async def _decide(self, decision: Decision) -> None:
        from flowide.tui.engine import talking

        if await self.do(lambda session: talking.decide(session, decision)):
            self._pane.say(
                f"D{decision.number} is {'agreed' if decision.status == 'open' else 'open again'}.", good=True
            )

    async def propose(self) -> None:
        """Put up what the message at the cursor says, in words one may change."""
        from flowide.tui.engine import talking

        message = self.message
        words = "" if message is None else " ".join(message.text.split())[:MOST_PROPOSED]
        lines: list[list[Span]] = [[("It is part of what agents are told, once it is agreed.", "quiet")]]
        typed = await self._pane.app.push_screen_wait(
            Ask("What shall hold from now on?", lines, value=words, enter="put it up")
        )
        if typed is None or not typed.strip():
            return
        said, ref = typed.strip(), None if message is None else message.id
        if await self.do(lambda session: talking.propose(session, said, ref)):
            self._pane.say("It is up; y agrees to it.", good=True)

    async def pin(self) -> None:
        """Have the open file in the context of every answer here, or no longer."""
        from flowide.tui.engine import talking

        thread, path = self._reading.thread, self._pane.desk.open_file
        if thread is None or path is None:
            self._pane.say("Open a thread and a file first: the file goes into the context of every answer.")
            return
        try:
            on = await self._pane.ask_engine(lambda session: talking.pin(session, thread, path))
        except FlowError as error:
            self._pane.tell(error)
            return
        self._pane.say(
            f"{clean(path)} is {'in' if on else 'no longer in'} the context of every answer here.", good=True
        )
        self._reading.reload()

    # --- what agents are told -----------------------------------------------------------------------

    async def tell_context(self, text: str) -> None:
        """What the agents that `text` names would be told; without a text what the author of the message was told."""
        from flowide.tui.engine import talking

        thread, about = self._reading.thread, self._reading.about
        try:
            if text.strip():
                told = await self._pane.ask_engine(
                    lambda session: talking.would_be_told(session, thread, about, text)
                )
            else:
                told = await self._pane.ask_engine(self._was_told())
        except FlowError as error:
            self._pane.tell(error)
            return
        if not told:
            self._pane.say(
                "No agent is named: @ and a name asks one." if text.strip() else "No agent has answered here."
            )
            return
        width = min(76, self._pane.app.size.width) - 6
        lines = [line for each in told for line in manifest_lines(each, self._pane.book, width)]
        self._pane.app.push_screen(
            Show("What they would be told" if text.strip() else "What they were told", lines)
        )

    def _was_told(self) -> Work[list[Manifest]]:
        from flowide.tui.engine import talking

        messages = self._reading.talk.view.messages if self._reading.talk else []
        here = self.message if self.spot is not None else None
        told = [each for each in ([here] if here is not None else reversed(messages)) if each.manifest]

        async def read(session: Session) -> list[Manifest]:
            return [await talking.was_told(session, each.manifest or "") for each in told[:1]]

        return read
