"""The workspace: files, one artifact, and what runs or waits. It only composes panes and routes between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from flowide.tui import commands
from flowide.tui.engine.news import News
from flowide.tui.panes.artifact import ArtifactPane
from flowide.tui.panes.files import FilesPane
from flowide.tui.screens.base import NARROW, FlowScreen
from flowide.tui.screens.returning import come_back
from flowide.tui.screens.routes import Routes
from flowide.tui.screens.talking import Talking
from flowide.tui.views.actors import myself, presence, standing_words
from flowide.tui.views.hints import Hint
from flowide.tui.views.runs import Item, side_rows
from flowide.tui.views.snapshot import Looked
from flowide.tui.views.spans import Span, clean, shorten_path, width_of
from flowide.tui.views.tabs import PANES, tabs
from flowide.tui.views.waiting import waiting_badge
from flowide.tui.views.welcome import demo_words
from flowide.tui.widgets.bars import Bar, HintBar
from flowide.tui.widgets.rows import RowsPane

if TYPE_CHECKING:
    from flowide.tui.panes.thread import ThreadPane

MEDIUM = 118
"""Below so many cells the outer panes get narrower."""


class Workspace(FlowScreen):
    """The first screen."""

    wheres = ("workspace", "text", "thread", "editor", "app")
    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("workspace")
    AUTO_FOCUS = "#tree"

    def __init__(self) -> None:
        super().__init__()
        self.files = FilesPane(id="files")
        self.artifact = ArtifactPane(id="artifact")
        self.side = RowsPane(id="side")
        """What runs or waits."""
        self.talking = Talking(self, self.show_pane)
        self.routes = Routes(self, self.artifact, self.talking, self.show_pane)
        self.shown_pane = "files"
        self.right = "side"
        """What the right pane shows: the work list, or a thread."""

    def compose(self) -> ComposeResult:
        yield Bar(id="where")
        with Horizontal(id="panes"):
            yield self.files
            yield self.artifact
            yield self.side
        yield Bar(id="lock", ground="surface")
        yield HintBar(id="hints")

    @property
    def can_talk(self) -> bool:
        """The pane of threads is there: it comes after the first frame."""
        return self.talking.pane is not None

    @property
    def thread(self) -> ThreadPane:
        """The thread that is open; not before `can_talk`."""
        assert self.talking.pane is not None
        return self.talking.pane

    def on_mount(self) -> None:
        """Words in every pane, before anything is known."""
        self._fit()
        self.files.draw()
        self.artifact.draw()
        self._draw_frame()
        self.call_after_refresh(self._draw_side)
        self.call_after_refresh(self.files.rescan)
        self.call_after_refresh(self.talking.bring_pane)
        if not come_back(self) and self.desk.guide is not None:
            self.artifact.look(self.desk.guide.path)
            if self.narrow:
                self.call_after_refresh(self.show_pane, "side")  # the guide is there

    # --- layout -------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        """One pane below 100 cells, narrower panes below 118."""
        self._fit()
        self.artifact.draw()
        self.call_after_refresh(self._draw_side)
        self._draw_frame()

    def _fit(self) -> None:
        width = self.app.size.width
        self.set_class(width < NARROW, "-narrow")
        self.set_class(NARROW <= width < MEDIUM, "-medium")
        if self.shown_pane in {"side", "thread"}:
            self.right = self.shown_pane
        self.set_class(self.right == "thread", "-talking")
        for pane in PANES:
            self.set_class(pane == self.shown_pane, f"-on-{pane}")

    @property
    def narrow(self) -> bool:
        """Whether one pane is shown at a time."""
        return self.has_class("-narrow")

    def action_focus_pane(self, pane: str) -> None:
        """Give a pane the keys; where only one is shown, show it."""
        self.show_pane(pane)

    def action_next_pane(self, by: int) -> None:
        """The pane to the right or left."""
        panes = PANES if self.narrow else ("files", "artifact", self.right)
        self.show_pane(panes[(panes.index(self.shown_pane) + by) % len(panes)])

    def show_pane(self, pane: str) -> None:
        """Give a pane the keys."""
        if pane == "thread" and not self.can_talk:
            self.call_after_refresh(self.show_pane, pane)
            return
        self.shown_pane = pane
        self._fit()
        if pane == "artifact":
            self.set_focus(self.artifact.keys_go_to)
            self.call_after_refresh(self.artifact.draw)  # its title fits its width, known once it is shown
        elif pane == "files":
            self.set_focus(self.files.rows)
        elif pane == "thread":
            self.thread.show_last()
            self.set_focus(self.thread.keys_go_to)
        else:
            self.set_focus(self.side)
            self.call_after_refresh(self._draw_side)  # its width is known once it is shown
        self._draw_frame()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The hints belong to what has the keys."""
        widget = event.widget
        pane_of = {"tree": "files", "find": "files", "side": "side", "messages": "thread", "say": "thread"}
        pane = pane_of.get(widget.id or "", "artifact")
        if pane != self.shown_pane:
            self.shown_pane = pane
            self._fit()
        self._draw_frame()

    # --- drawing ------------------------------------------------------------------------------------

    def on_news(self, news: News) -> None:
        """The newest picture goes to every pane."""
        if news.files:
            self.files.rescan()
        if news.snapshot is not None:
            self.files.draw()
            self._draw_side()
            self.artifact.follow()
            self._draw_frame()
        if self.can_talk and (news.snapshot is not None or news.texts):
            self.thread.on_news(news)

    def on_artifact_pane_changed(self, event: ArtifactPane.Changed) -> None:
        """Another file, text or lock."""
        opened = self.artifact.opened
        self.files.mark(opened.path if opened is not None else None)
        self._draw_frame()

    def on_thread_pane_changed(self, event: ThreadPane.Changed) -> None:
        """Other answers, another thread."""
        if self.shown_pane == "thread":
            self._draw_hints()

    def on_thread_pane_wants_focus(self, event: ThreadPane.WantsFocus) -> None:
        """A message is to be typed now."""
        self.show_pane("thread")

    def on_thread_pane_left(self, event: ThreadPane.Left) -> None:
        """Back to the list of what there is."""
        self.show_pane("side")

    def on_thread_pane_went_on(self, event: ThreadPane.WentOn) -> None:
        """Tab in the prompt."""
        self.action_next_pane(1)

    def on_artifact_pane_wants_focus(self, event: ArtifactPane.WantsFocus) -> None:
        """It is to be read or written now."""
        self.show_pane("artifact")

    @on(RowsPane.Resized, "#side")
    def _draw_side(self) -> None:
        if not self.side.size:
            return  # it is not shown
        guide = demo_words(self.snapshot) if self.desk.guide is not None else ()
        self.side.show(side_rows(self.snapshot, self.book, self.side.body_width, guide=guide))

    def _draw_frame(self) -> None:
        bar = self.query_one("#where", Bar)
        state, opened = self.snapshot, self.artifact.opened
        if self.narrow:
            others: list[Span] = [(f" +{len(state.here)}", "quiet")] if state.here else []
            right = [
                *standing_words(state)[:2],
                *myself(state, self.book),
                *others,
                *waiting_badge(state),
                (" ", ""),
            ]
            bar.show(tabs(self.shown_pane, len(state.gates), self.app.size.width), right)
        else:
            left: list[Span] = [(" flowide", "accent b"), (" · ", "quiet"), (clean(state.project), "b")]
            if opened is not None:
                left += [(" ▸ ", "quiet"), (shorten_path(clean(opened.path), 48), "")]
            badge: list[Span] = [*waiting_badge(state), (" ", "")]
            room = min(self.app.size.width * 2 // 3, self.app.size.width - width_of(left) - 1)
            bar.show(left, [*presence(state, self.book, room - width_of(badge)), *badge])
        left_words, right_words = self.artifact.lock_words()
        fits = width_of(left_words) + width_of(right_words) < self.app.size.width
        self.query_one("#lock", Bar).show(left_words, right_words if fits else ())
        self._draw_hints()

    def _draw_hints(self) -> None:
        edit = self.artifact.edit
        if edit is not None and edit.editor.has_focus:
            hints = commands.hints("editor")
        elif self.shown_pane == "thread":
            from flowide.tui.panes.thread_hints import thread_hints

            hints = thread_hints(self.thread)
        else:
            leave_out = set() if self.snapshot.gates else {"gate.open"}
            opened = self.artifact.opened
            leave_out |= {"artifact.edit"} if self.artifact.locked_by_another else {"artifact.wait"}
            if opened is None or opened.text is None:
                leave_out |= {"artifact.edit", "variations.new", "review.new"}
            hints = commands.hints("workspace", leave_out=frozenset(leave_out))
            if self.shown_pane != "artifact":
                hints = [Hint("enter", "open", "enter"), *hints]
        self.query_one("#hints", HintBar).show_hints(hints, commands.hints("app"))

    @property
    def deaf(self) -> bool:
        """Whoever types ahead while the editor opens means text."""
        return self.artifact.starting

    # --- keys that belong to a pane -----------------------------------------------------------------

    async def do_command(self, command: commands.Command) -> None:
        """What belongs to the thread or to the editor is done there."""
        if command.where == "thread" and self.can_talk:
            await self.thread.run_action(command.action)
        elif command.where != "editor":
            await super().do_command(command)
        elif self.artifact.edit is not None:
            await self.artifact.edit.run_action(command.action)
        else:
            self.say("Nothing is being edited.")

    def action_find_file(self) -> None:
        """Type parts of a name."""
        self.show_pane("files")
        self.files.search()

    def action_rescan(self) -> None:
        """Look for new files."""
        self.files.rescan()

    def on_files_pane_picked(self, event: FilesPane.Picked) -> None:
        """A file was chosen in the tree."""
        self.artifact.open(event.path)

    def action_edit(self) -> None:
        """Take the lock and start typing."""
        self.artifact.start_edit()

    def action_wait_for_lock(self) -> None:
        """Stand in line for the lock, then start typing."""
        self.artifact.start_edit(wait=True)

    def action_edit_outside(self) -> None:
        """The person's own editor, under the lock."""
        self.artifact.edit_outside()

    def action_stop_waiting(self) -> None:
        """Leave the line for the lock."""
        self.artifact.stop_waiting()

    def action_lock_menu(self) -> None:
        """What can be done about the lock."""
        from flowide.tui.screens.lock import lock_menu

        lock_menu(self, self.artifact)

    async def keep_text(self) -> list[str]:
        """Store what is in the editor; repeat what was not sent."""
        typed = self.thread.prompt.text if self.can_talk else ""
        unsent = [clean(line) for line in typed.split("\n") if line.strip()]
        told = ["Your message was not sent:", *unsent] if unsent else []
        edit = self.artifact.edit
        if edit is None or not edit.editor.touched:
            return told
        kept = await edit.store_now()
        where = "is kept as a draft" if kept else "could not be stored completely"
        return [f"Your unsaved text of {clean(edit.opened.path)} {where}.", *told]

    # --- routes -------------------------------------------------------------------------------------

    def on_rows_pane_chosen(self, event: RowsPane.Chosen) -> None:
        """Enter in the side pane."""
        if isinstance(event.key, Item):
            self.routes.open_item(event.key)

    def shows(self, item: Item) -> bool:
        """What waits is listed in the work pane, while that is seen."""
        gate = next((gate for gate in self.snapshot.gates if gate.id == item.ref), None)
        listed = item.kind == "gate" and bool(self.query_one("#side").size.width)
        return listed and gate is not None and gate.kind != "conflict"

    @property
    def looks_at(self) -> Looked:
        opened = self.artifact.opened
        if self.shown_pane == "thread" and self.thread.thread is not None:
            return Looked(
                None if self.thread.talk is None else self.thread.talk.view.path, self.thread.thread
            )
        return Looked(None if opened is None else opened.path)

    def action_open_gate(self) -> None:
        """The newest open question."""
        if self.snapshot.gates:
            self.routes.open_gate(self.snapshot.gates[0].id)
        else:
            self.say("No question is open.")

    def action_open_variations(self) -> None:
        """The newest set of the open file, else the newest of all."""
        path = self.artifact.opened.path if self.artifact.opened else ""
        found = self.snapshot.sets_of(path) or list(self.snapshot.sets)
        if found:
            self.routes.open_set(found[0].id)
        else:
            self.say("There are no variations yet. Press v to have some made.")

    def action_vary(self) -> None:
        """Ask what is wanted, then start a run."""
        from flowide.tui.screens.varying import vary

        vary(self, self.artifact, self.routes.open_set)

    def action_review(self) -> None:
        """Ask how, then start a run."""
        from flowide.tui.screens.reviewing import review

        review(self, self.artifact, self.routes.open_review)

    def action_kept_draft(self) -> None:
        """A text that was not saved."""
        from flowide.tui.screens.kept import offer_newest

        offer_newest(self, self.artifact)

    def action_new_thread(self) -> None:
        """About the open file, or about nothing in particular."""
        opened = self.artifact.opened
        self.talking.begin(opened.path if opened is not None else None)

    def action_list_threads(self) -> None:
        """Choose a thread by its title."""
        self.talking.choose()

    def action_search(self) -> None:
        """Search all texts."""
        from flowide.tui.screens.search import SearchScreen

        search = SearchScreen()
        self.app.push_screen(search, lambda _: self.routes.open_found(search.chosen))

    def action_history(self) -> None:
        """The versions of the open file."""
        opened = self.artifact.opened
        if opened is None or opened.artifact is None:
            self.say("Open a file first: choose one and press enter.")
        else:
            self.routes.open_history(opened.artifact.id)

    def action_log(self) -> None:
        """Who did what."""
        from flowide.tui.screens.log import LogScreen

        log = LogScreen()
        self.app.push_screen(log, lambda _: self.routes.open_place(log.chosen))

    def action_stats(self) -> None:
        """How the space is used."""
        from flowide.tui.screens.stats import StatsScreen

        self.app.push_screen(StatsScreen())
