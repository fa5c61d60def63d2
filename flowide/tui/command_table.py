"""Every command of the app: the rows that feed key bindings, hints, palette and help."""

from __future__ import annotations

from flowide.tui.command import Command

COMMANDS: tuple[Command, ...] = (
    # --- everywhere
    Command(
        "app.go", "Go to", "app.go", "ctrl+o", help="Then one letter: the letters are shown.", hint="go",
        priority=True,
    ),
    Command(
        "app.palette", "Commands", "app.commands", "ctrl+p", help="Every command by name.",
        hint="commands", go="p", priority=True,
    ),
    Command(
        "app.help", "Help", "app.help", "question_mark,f1", help="All keys of this screen, and the signs.",
        hint="help",
    ),
    Command(
        "app.waiting", "What waits for you", "app.waiting", "ctrl+g",
        help="Questions, reviews, conflicts, locks, decisions, drafts; from any screen.", go="w", priority=True,
    ),
    Command("app.decisions", "Decisions", "app.decisions", help="Open, agreed and superseded ones.", go="d"),
    Command("app.theme", "Change theme", "app.change_theme", help="Colours, with a preview."),
    Command(
        "app.settings", "Settings", "app.settings", help="All of them, where each comes from; change them.", go=",",
    ),
    Command("app.keys", "Change keys", "app.edit_keys", help="Your own keys, in $EDITOR."),
    Command("app.copy", "Copy", "app.copy", help="The selection, or what is shown.", go="y"),
    Command("app.save_copy", "Save to a file", "app.save_copy", help="The selection, or what is shown.", go="Y"),
    Command("app.suspend", "Suspend", "app.suspend_process", help="Back to the shell; `fg` returns.", go="z"),
    Command(
        "app.quit", "Quit", "app.leave", "ctrl+q", help="Locks are given back, unsaved text is kept.", go="q",
        priority=True,
    ),
    # --- workspace
    Command("artifact.edit", "Edit", "edit", "e", "workspace", "Take the lock and write.", "edit"),
    Command(
        "artifact.wait", "Wait for the lock", "wait_for_lock", "w", "workspace",
        "Stand in line; the editor opens when the lock is yours.", "wait in line",
    ),
    Command(
        "variations.new", "New variations", "vary", "v", "workspace",
        "Several proposals for this file, side by side.", "vary",
    ),
    Command(
        "gate.open", "Answer the open question", "open_gate", "a", "workspace", "What a run wants to know.",
        "answer",
    ),
    Command("files.find", "Find a file", "find_file", "slash", "workspace", "Type parts of its name.", "find file"),
    Command(
        "space.search", "Search", "search", "ctrl+f", "workspace",
        "Words in files, variations, threads, decisions, older versions.", "search", go="s",
    ),
    Command(
        "artifact.lock", "Lock menu", "lock_menu", "ctrl+l", "workspace",
        "Wait in line, hand over, or end another's lock with a reason.", "lock", go="l",
    ),
    Command(
        "artifact.stop_waiting", "Stop waiting", "stop_waiting", "escape", "workspace",
        "Leave the line for the lock.",
    ),
    Command(
        "artifact.external", "Edit in $EDITOR", "edit_outside", "E", "workspace",
        "Your own editor, under the lock.", go="e",
    ),
    Command("files.focus", "Files", "focus_pane('files')", "1", "workspace", go="f"),
    Command("artifact.focus", "Artifact", "focus_pane('artifact')", "2", "workspace", go="a"),
    Command("work.focus", "Work: questions, variations, threads, runs", "focus_pane('side')", "3", "workspace", go="r"),
    Command("thread.focus", "Thread", "focus_pane('thread')", "4", "workspace", "The one that was open last.", go="t"),
    Command(
        "thread.new", "New thread", "new_thread", "t", "workspace",
        "Talk with people and agents about the open file.", "talk",
    ),
    Command(
        "review.new", "Review", "review", "R", "workspace",
        "The open file goes through drafter, editor, polisher and you.", "review",
    ),
    Command("thread.list", "All threads", "list_threads", "T", "workspace", "Find one by its title."),
    Command(
        "draft.offer", "Kept draft", "kept_draft", "D", "workspace",
        "A text that was not saved: go on with it, keep it as a variation, or let it go.",
    ),
    Command("pane.next", "Next pane", "next_pane(1)", "tab", "workspace"),
    Command("pane.previous", "Previous pane", "next_pane(-1)", "shift+tab", "workspace"),
    Command(
        "variations.open", "Open variations", "open_variations", "V", "workspace",
        "The newest set of this file.", go="v",
    ),
    Command(
        "artifact.history", "History", "history", "H", "workspace",
        "Versions of the open file: compare, restore, see where each line is from.", go="h",
    ),
    Command("space.log", "Log", "log", "L", "workspace", "Who did what, as it happens.", go="u"),
    Command(
        "space.stats", "Statistics", "stats", "S", "workspace",
        "Plots: activity, lock holds, waits, cost by agent, acceptance.", go="i",
    ),
    Command(
        "files.refresh", "Read the folder again", "rescan", "ctrl+r", "workspace",
        "Look for new and changed files.",
    ),
    # --- a text that is looked at
    Command(
        "text.copy", "Copy lines", "app.copy", "y", "text",
        "Those that are selected with the mouse, or with shift and the arrows; else all.",
    ),
    # --- thread
    Command(
        "thread.send", "Send", "thread_send", "enter", "thread",
        "Say it; agents that are named answer. A /command is done.", "send",
    ),
    Command(
        "thread.stop", "Stop the answer, or leave", "thread_stop", "escape", "thread",
        "Ends the answer that is being written; else from the prompt to the messages, from there to the work list.",
        "stop", priority=True,
    ),
    Command(
        "thread.newline", "New line", "thread_newline", "ctrl+j", "thread", "Also a backslash, then enter.",
        "new line",
    ),
    Command(
        "thread.complete", "Complete", "thread_complete", "tab", "thread",
        "The @name, #path or /command at the cursor; else the next pane.", "complete",
    ),
    Command("thread.type", "Write a message", "thread_type", "i", "thread", "Back to the prompt.", "write"),
    Command("thread.unfold", "Show or fold code", "thread_unfold", "o", "thread", "The block at the cursor.", "code"),
    Command(
        "decisions.open", "All decisions", "app.decisions", "d", "thread", "Open, agreed and superseded ones.",
        "decisions",
    ),
    Command(
        "thread.code", "Code as a file", "thread_open_code", "O", "thread",
        "Or as a variation of the file the thread is about.", "open code",
    ),
    Command(
        "thread.propose", "Propose a decision", "thread_propose", "p", "thread",
        "What the message at the cursor says, in words you may change.", "propose",
    ),
    Command(
        "thread.told", "What agents are told", "thread_told", "ctrl+t", "thread",
        "Before you send: the context of each agent you name. Else what the author of the answer was told.",
        "what they are told",
    ),
    Command(
        "thread.pin", "Pin the open file", "thread_pin", "P", "thread",
        "It is in the context of every answer here; once more takes it out.",
    ),
    Command(
        "thread.stop_one", "Stop one of several", "thread_stop_one", "x", "thread",
        "The answer at the cursor, else you are asked whose.", "stop one",
    ),
    Command(
        "thread.decide", "Agree, or open again", "thread_decide", "y", "thread",
        "The decision at the cursor, else the newest open one of the thread.", "agree",
    ),
    Command(
        "thread.retry", "Ask again", "thread_retry", "r", "thread",
        "An answer that failed or was stopped; else what is due is written.", "ask again",
    ),
    # --- editor
    Command(
        "editor.save", "Save and release", "save_edit", "ctrl+s", "editor",
        "A new version; the lock is free again.", "save", priority=True,
    ),
    Command(
        "editor.leave", "Stop editing", "leave_edit", "escape", "editor",
        "Give the lock back; unsaved text is kept as a draft.", "stop editing", priority=True,
    ),
    # --- what waits
    Command("waiting.back", "Back", "back", "escape,q", "waiting", "", "back"),
    # --- review
    Command("review.take", "Take the change", "take", "y", "review", "And go to the next one.", "take"),
    Command(
        "review.refuse", "Refuse, with a reason", "refuse", "r", "review",
        "The author is told it, and so is whoever drafts the next text of this kind.", "refuse",
    ),
    Command(
        "review.send", "Send", "send", "enter", "review", "Approve, send back, or say which changes are taken.", "send",
    ),
    Command("review.next", "Next change", "change(1)", "J,n", "review", "", "next"),
    Command("review.previous", "Previous change", "change(-1)", "K,N", "review"),
    Command(
        "review.rest", "Take the rest", "rest", "Y", "review", "All changes nothing was said about.", "take the rest",
    ),
    Command("review.undo", "Take back", "undo", "u", "review", "What was said last.", "undo"),
    Command(
        "review.remark", "About the whole text", "remark", "c", "review", "A reason that is about no single change.",
    ),
    Command(
        "review.edit", "Edit it myself", "edit", "e", "review", "Takes the lock; the verdict is about what you save.",
        "edit",
    ),
    Command(
        "review.whole", "Whole text", "whole", "a", "review", "All lines, or only those around changes.", "all lines",
    ),
    Command(
        "review.layout", "Side by side", "layout", "d", "review", "Beside each other, or below each other.",
        "side by side",
    ),
    Command("review.since", "Since the beginning", "since", "b", "review", "Compare with what the review began with."),
    Command("review.side", "Changes or reasons", "side", "tab", "review", "Which of the two has the keys.", "reasons"),
    Command("review.resume", "Go on", "resume", "g", "review", "A stopped run goes on here.", "go on"),
    Command("review.run", "Its run", "show_run", "o", "review", "Steps and costs.", "run"),
    Command("review.back", "Back", "back", "escape,q", "review", "", "back"),
    # --- decisions
    Command("decisions.agree", "Agree, or open again", "agree", "y", "decisions", "", "agree"),
    Command(
        "decisions.supersede", "Supersede", "supersede", "x", "decisions",
        "It holds no longer; another one may hold instead.", "supersede",
    ),
    Command(
        "decisions.propose", "Propose", "propose", "n", "decisions", "Put up what shall hold from now on.", "propose",
    ),
    Command("decisions.back", "Back", "back", "escape,q", "decisions", "", "back"),
    # --- conflict
    Command(
        "conflict.variation", "Keep mine as a variation", "settle('variation')", "v", "conflict",
        "Theirs stands; mine can be compared and mixed.", "mine as variation",
    ),
    Command(
        "conflict.merge", "Put both together", "settle('merge')", "m", "conflict",
        "In the editor, under the lock; places that differ stand between markers.", "merge",
    ),
    Command(
        "conflict.draft", "Keep mine as a draft", "settle('draft')", "d", "conflict", "Theirs stands.", "mine as draft",
    ),
    Command("conflict.discard", "Let mine go", "settle('discard')", "x", "conflict", "Theirs stands.", "let mine go"),
    Command("conflict.next", "Next place", "place(1)", "n,J", "conflict", "", "next place"),
    Command("conflict.previous", "Previous place", "place(-1)", "N,K", "conflict"),
    Command(
        "conflict.whole", "Whole texts", "whole", "a", "conflict", "All lines, or those around what differs.",
        "all lines",
    ),
    Command("conflict.column", "Next text", "column", "tab", "conflict", "Where only one fits."),
    Command("conflict.back", "Back", "back", "escape,q", "conflict", "The card stays open.", "back"),
    # --- variation grid
    Command("grid.right", "Next variation", "column(1)", "right,l", "grid", "", "column"),
    Command("grid.left", "Previous variation", "column(-1)", "left,h", "grid"),
    Command("grid.next", "Next piece", "piece(1)", "n", "grid", "The next function, class or section.", "next piece"),
    Command("grid.previous", "Previous piece", "piece(-1)", "N", "grid"),
    Command(
        "grid.pick", "Pick the piece", "pick", "space", "grid", "Take this piece into the mix, or put it back.",
        "pick",
    ),
    Command(
        "grid.build", "Build the mix", "build", "enter", "grid",
        "Splice the picked pieces into the base: a new variation.", "build",
    ),
    Command(
        "grid.accept", "Accept", "accept", "a", "grid",
        "Save this variation as the next version, under the lock.", "accept",
    ),
    Command("grid.undo", "Put the last pick back", "undo_pick", "backspace", "grid", "", "undo pick"),
    Command(
        "grid.base", "Base of the mix", "base", "b", "grid", "The rest of the mix comes from this variation.",
        "base",
    ),
    Command("grid.short", "Short list", "shortlist", "s", "grid", "What the next round is made from.", "short-list"),
    Command("grid.diff", "Difference to the base", "diff", "d", "grid", "Show what was taken away, too.", "diff"),
    Command(
        "grid.pieces", "Piece table", "pieces", "p", "grid", "Which pieces are the same where; pick from there.",
        "pieces",
    ),
    Command(
        "grid.more", "More like the short list", "more", "g", "grid",
        "Another round, told what you short-listed and noted.", "more",
    ),
    Command("grid.reject", "Drop", "reject", "x", "grid", "Set aside, or take back in.", "drop"),
    Command("grid.note", "Note", "note", "c", "grid", "Say what you think; the next round is told.", "note"),
    Command("grid.tag", "Tag", "tag", "t", "grid", "Words of your own; -word takes one off."),
    Command("grid.checks", "Checks and notes", "checks", "o", "grid", "What the checks printed, what was noted."),
    Command(
        "grid.lineage", "Where is this from", "lineage", "w", "grid",
        "Who wrote each piece, in which variation, through any number of blends.",
    ),
    Command(
        "grid.sort", "Order of the columns", "sort", "z", "grid", "By checks, what they measured, score, or size.",
    ),
    Command("grid.copy", "Copy the piece", "app.copy", "y", "grid", "Where there is none, the whole variation."),
    Command("grid.pin", "Pin", "pin", "tab", "grid", "Keep this column at the left."),
    Command("grid.back", "Back", "back", "escape,q", "grid", "", "back"),
    # --- piece table
    Command("pieces.right", "Next variation", "column(1)", "right,l", "pieces", "", "column"),
    Command("pieces.left", "Previous variation", "column(-1)", "left,h", "pieces"),
    Command("pieces.pick", "Pick the piece", "pick", "space", "pieces", "Into the mix, or out of it.", "pick"),
    Command(
        "pieces.base", "Base of the mix", "base", "b", "pieces",
        "The rest of the mix comes from this variation.", "base",
    ),
    Command("pieces.back", "Back", "back", "escape,q,p", "pieces", "", "back"),
    # --- history
    Command("history.side", "Versions or text", "other_side", "tab", "history", "Which of the two has the keys."),
    Command(
        "history.next", "Next change", "next(1)", "n", "history", "Or the next lines of another origin.",
        "next change",
    ),
    Command("history.previous", "Previous change", "next(-1)", "N", "history"),
    Command(
        "history.layout", "Side by side", "layout", "d", "history", "Beside each other, or below each other.",
        "side by side",
    ),
    Command(
        "history.whole", "Whole text", "whole", "a", "history", "All lines, or only those around changes.", "all lines",
    ),
    Command(
        "history.mark", "Compare with this one", "mark", "m", "history",
        "Others are compared with this version, until you press it there again.", "compare with",
    ),
    Command(
        "history.origins", "Where is this from", "origins", "b", "history",
        "Who wrote each line, in which version or variation; enter opens it.", "where from",
    ),
    Command(
        "history.restore", "Restore", "restore", "r", "history",
        "The newest version gets the text of this one, under the lock.", "restore",
    ),
    Command("history.copy", "Copy this version", "app.copy", "y", "history", "Its whole text."),
    Command("history.back", "Back", "back", "escape,q", "history", "", "back"),
    # --- search, log
    Command(
        "search.place", "Look elsewhere", "place(1)", "tab", "search",
        "Files, variations, threads, decisions, older versions.", "look elsewhere", priority=True,
    ),
    Command("search.place_back", "Look elsewhere, backwards", "place(-1)", "shift+tab", "search", priority=True),
    Command("search.back", "Back", "back", "escape", "search", "", "back"),
    Command(
        "log.go", "Go there", "go", "o", "log", "The version, variation, run or thread an event is about.", "go there",
    ),
    Command("log.who", "By whom", "who", "w", "log", "Only what one person or agent did.", "by whom"),
    Command("log.what", "About what", "what", "t", "log", "Only events of one type: locks, variations, runs …", "type"),
    Command("log.file", "About which file", "file", "f", "log", "Only events about one file.", "file"),
    Command("log.words", "With words", "words", "slash", "log", "Only events that say something.", "words"),
    Command("log.copy", "Copy the event", "app.copy", "y", "log", "As it is stored."),
    Command("log.all", "All again", "all", "x", "log", "Take the filters off.", "all"),
    Command("log.back", "Back", "back", "escape,q", "log", "", "back"),
    # --- stats
    Command("stats.period", "Another time", "period", "s", "stats", "All, 30 days, 7 days, 24 hours.", "another time"),
    Command("stats.back", "Back", "back", "escape,q", "stats", "", "back"),
    # --- settings
    Command(
        "settings.unset", "Back to the default", "unset", "backspace", "settings",
        "Takes the value out of the file it comes from.", "default",
    ),
    Command("settings.back", "Back", "back", "escape,q", "settings", "", "back"),
    # --- run
    Command("run.answer", "Answer", "answer", "a", "run", "Answer the open question.", "answer"),
    Command("run.grid", "Its variations", "variations", "v", "run", "The set this run works on.", "variations"),
    Command(
        "run.review", "Its review", "review", "w", "run", "The stages and changes of the text it drives.", "review",
    ),
    Command("run.all", "Every note", "everything", "s", "run", "Also what steps noted for a resume.", "all steps"),
    Command(
        "run.resume", "Go on", "resume", "r", "run", "A stopped run goes on; nothing finished is done again.",
        "go on",
    ),
    Command("run.stop", "Stop", "stop", "x", "run", "Stop this run; it can go on later.", "stop"),
    Command("run.back", "Back", "back", "escape,q", "run", "", "back"),
)  # fmt: skip
