"""What a person brings along: theme, keys, what was open last time, copies."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

from textual.app import App
from textual.theme import Theme

from flowide.errors import BadInput, FlowError
from flowide.tui import commands, remembered, theme
from flowide.tui.views.spans import Span
from flowide.tui.views.words import count

if TYPE_CHECKING:
    from flowide.tui.screens.picker import Entry

THEME_S = 1.0
"""Seconds between looks at the file of a theme that is one's own."""


@runtime_checkable
class Copies(Protocol):
    """A screen or pane that has something to copy."""

    def to_copy(self) -> tuple[str, str]:
        """The text, and a name for a file it could be saved in; an empty text = nothing to copy."""
        ...


class Habits(App[int]):
    """The part of the app that has to do with a person's habits."""

    user_folder: Path | None = None
    """Where the person's settings, keys and themes are; None = nowhere, in tests."""
    remembered: remembered.Remembered
    root: Path | None = None
    """The project's folder."""
    fixed_theme: str = ""
    """A theme that a setting gives; it wins over one that was chosen in the app."""

    # --- themes -------------------------------------------------------------------------------------

    def wear(self, name: str) -> None:
        """Put the theme on before anything watches it: as a change it has all styles read and all cells drawn twice."""
        wished = theme.load(name)
        self.register_theme(wished)
        self.set_reactive(App.theme, wished.name)
        self.stylesheet.set_variables(self.get_css_variables())
        worn = {f"-theme-{wished.name}": True, "-dark-mode": wished.dark, "-light-mode": not wished.dark}
        self.update_classes(worn, update=False)
        self._refresh_truecolor_filter(self.ansi_theme)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theme.load(theme.DEFAULT).variables

    @property
    def available_themes(self) -> dict[str, Theme]:
        """FlowIDE's own themes; those of other apps lack colours for agents and code."""
        return self._registered_themes

    def watch_own_theme(self) -> None:
        """Draw anew when the file of the present theme is saved."""
        if not theme.has_own():
            return
        self._seen = self._saved_at()
        self.set_interval(THEME_S, self._look_at_theme)

    _seen: tuple[str, int] | None = None

    def _saved_at(self) -> tuple[str, int] | None:
        path = theme.own_file(self.theme)
        with contextlib.suppress(OSError):
            return None if path is None else (str(path), path.stat().st_mtime_ns)
        return None

    async def _look_at_theme(self) -> None:
        now = await asyncio.to_thread(self._saved_at)
        if now == self._seen:
            return
        before, self._seen = self._seen, now
        if now is not None and before is not None and before[0] == now[0]:
            self.reload_theme()

    def reload_theme(self) -> None:
        """Read the file of the present theme again."""
        try:
            new = theme.load(self.theme)
        except BadInput as error:
            self.notify(f"{error.message}\n{error.hint}".strip(), severity="warning", markup=False, timeout=8)
            return
        self.register_theme(new)
        self._watch_theme(new.name)
        for screen in self.screen_stack:
            screen.refresh(layout=True)
        self._warn_of(new.name)

    def _warn_of(self, name: str) -> None:
        """Colours of one's own that can hardly be read."""
        if theme.own_file(name) is None:
            return
        pairs = theme.hard_to_read(theme.load(name))
        if pairs:
            more = f", and {len(pairs) - 3} more" if len(pairs) > 3 else ""
            words = f"Hard to read, below 4.5: {', '.join(pairs[:3])}{more}."
            self.notify(words, title=name, severity="warning", markup=False, timeout=8)

    def action_change_theme(self) -> None:
        """Choose a theme with a preview."""
        from flowide.tui.screens.picker import Entry, Picker

        before = self.theme
        found = list(theme.all_themes())
        for each in found:
            self.register_theme(each)
        entries: list[Entry] = []
        for each in found:
            own = "  yours" if theme.own_file(each.name) is not None else ""
            entries.append(Entry(each.name, each.name, f"{'dark' if each.dark else 'light'}{own}"))

        def preview(name: str | None) -> None:
            self.theme = name or before

        self.push_screen(Picker("Theme", entries, at=before, preview=preview), self._take_theme)

    def _take_theme(self, name: str | None) -> None:
        if name is None:
            return
        self.theme = name
        self._seen = self._saved_at()
        self.remembered.theme = name
        self._warn_of(name)
        if self.fixed_theme and self.fixed_theme != name:
            words = f"Until you quit: the setting [app] theme says {self.fixed_theme}. ^o , changes it."
            self.notify(words, severity="warning", markup=False, timeout=6)

    # --- keys ---------------------------------------------------------------------------------------

    def use_keys(self, own: dict[str, str]) -> None:
        """Bind and show these keys instead of the table's."""
        commands.use_keys(own)
        self.set_keymap(own)

    def action_edit_keys(self) -> None:
        """Open the file of one's own keys in $EDITOR, and use what it says."""
        from flowide.tui import keymap
        from flowide.tui.outside import edit_outside

        if self.user_folder is None:
            return
        path = self.user_folder / keymap.FILE
        try:
            text = path.read_text(encoding="utf-8") if path.exists() else keymap.template()
            new = edit_outside(self, keymap.FILE, text)
            if new is None:
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(new, encoding="utf-8")
            self.use_keys(keymap.load(path))
        except FlowError as error:
            self.notify(
                f"{error.message}\n{error.hint}".strip(), severity="warning", markup=False, timeout=10
            )
        except (OSError, UnicodeDecodeError) as error:
            self.notify(f"{path}: {error}", severity="warning", markup=False, timeout=10)
        else:
            self.notify(f"Your keys are in {path}.", severity="information", markup=False, timeout=4)

    # --- copies -------------------------------------------------------------------------------------

    def _to_copy(self) -> tuple[str, str]:
        """What the focused widget, what is around it, or the screen has to copy."""
        node = self.focused or self.screen
        while node is not None:
            if isinstance(node, Copies):
                text, name = node.to_copy()
                if text:
                    return text, name
            node = cast("object", node.parent) if node is not self.screen else None  # type: ignore[assignment]
        if isinstance(self.screen, Copies):
            return self.screen.to_copy()
        return "", ""

    async def action_copy(self) -> None:
        """Copy the selection, or what is shown."""
        text, _ = self._to_copy()
        if not text:
            self.notify("There is nothing to copy here.", severity="warning", markup=False, timeout=4)
            return
        await self.copy(text)

    async def copy(self, text: str) -> None:
        """Send a text to the terminal's clipboard, and say what is known of it."""
        from flowide.tui import clipboard

        lines = text.removesuffix("\n").count("\n") + 1
        size = count(lines, "line") if lines > 1 else count(len(text), "character")
        if len(text.encode()) > clipboard.MOST_BYTES:
            words = f"{size}: too much for most terminals' clipboards. ^o Y saves it to a file."
            self.notify(words, severity="warning", markup=False, timeout=8)
            return
        self._clipboard = text
        in_tmux = await asyncio.to_thread(clipboard.to_tmux, text)
        if not in_tmux and self._driver is not None:
            self._driver.write(clipboard.sequence(text))
        self.notify(clipboard.told(size, in_tmux=in_tmux), severity="information", markup=False, timeout=6)

    def copy_to_clipboard(self, text: str) -> None:
        """Textual's widgets copy here: ctrl+c and ctrl+x in an editor."""
        self.run_worker(self.copy(text), group="copy")

    def action_save_copy(self) -> None:
        """Save the selection, or what is shown, to a file outside of the project's history."""
        from flowide.tui.dialogs import Ask

        text, name = self._to_copy()
        if not text:
            self.notify("There is nothing to save here.", severity="warning", markup=False, timeout=4)
            return
        lines: list[list[Span]] = [[("A file that is there already is never written over.", "quiet")]]
        ask = Ask("Save to which file?", lines, value=f"~/{name}", enter="save")
        self.push_screen(ask, lambda path: self._save_copy(text, path))

    def _save_copy(self, text: str, path: str | None) -> None:
        if not path or not path.strip():
            return
        target = Path(path.strip()).expanduser()
        if self.root is not None and not target.is_absolute():
            target = self.root / target
        try:
            with target.open("x", encoding="utf-8", newline="") as out:
                out.write(text)
        except FileExistsError:
            words = f"{target} is there already; nothing was written. Choose another name."
            self.notify(words, severity="warning", markup=False, timeout=6)
        except OSError as error:
            self.notify(f"{target}: {error.strerror}.", severity="warning", markup=False, timeout=6)
        else:
            self.notify(f"Saved in {target}.", severity="information", markup=False, timeout=6)

    # --- settings -----------------------------------------------------------------------------------

    def action_settings(self) -> None:
        """All settings: what they are, where they come from, and change them."""
        from flowide.tui.screens.settings import SettingsScreen

        if not isinstance(self.screen, SettingsScreen):
            self.push_screen(SettingsScreen(self.root, self.user_folder))
