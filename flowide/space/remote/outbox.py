"""What this machine owes the hub: commands without an answer yet, and texts written while it was away.

Kept beside the replica, in a file of its own, so that replacing the replica touches none of it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from flowide.store.explained import explained, sqlite3
from flowide.store.journal import file_system, journal_mode
from flowide.store.opening import make_private

_SCHEMA = """
CREATE TABLE IF NOT EXISTS "entries" (
  "n" INTEGER PRIMARY KEY AUTOINCREMENT, "id" TEXT NOT NULL UNIQUE, "seat" TEXT NOT NULL, "client" TEXT NOT NULL,
  "as" TEXT, "cmd" TEXT NOT NULL, "args" TEXT NOT NULL, "owner" TEXT NOT NULL, "at_ms" INTEGER NOT NULL,
  "promised" INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS "refused" (
  "id" TEXT PRIMARY KEY, "seat" TEXT NOT NULL, "cmd" TEXT NOT NULL, "args" TEXT NOT NULL, "error" TEXT NOT NULL,
  "at_ms" INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS "texts" (
  "artifact" TEXT NOT NULL, "fence" INTEGER NOT NULL, "seat" TEXT NOT NULL, "client" TEXT NOT NULL, "as" TEXT,
  "base" INTEGER NOT NULL, "text" TEXT NOT NULL, "dirty" INTEGER NOT NULL, "note" TEXT, "owner" TEXT NOT NULL,
  PRIMARY KEY ("artifact", "fence"));
CREATE TABLE IF NOT EXISTS "notes" ("name" TEXT PRIMARY KEY, "value" TEXT NOT NULL);
"""


class Entry(Struct, frozen=True):
    """A command on its way."""

    id: str
    """Its UUIDv7, by which the hub carries it out once."""
    seat: str
    """Handle of who the token belongs to."""
    client: str
    as_: dict[str, Any] | None
    """`{"id", "kind"}` of who acts instead of the person; None = the person."""
    cmd: str
    args: dict[str, Any]
    at_ms: int = 0
    """Unix milliseconds of when it was put in."""
    promised: bool = False
    """Its sender was told that it will be sent, and waits no longer."""


class Refused(Struct, frozen=True):
    """A command that waited, and that the hub then refused; it is kept until somebody has seen it."""

    id: str
    seat: str
    cmd: str
    args: dict[str, Any]
    error: dict[str, Any]
    at_ms: int


class Text(Struct, frozen=True):
    """What was written under a fence, as this machine has it."""

    artifact: str
    fence: int
    seat: str
    client: str
    as_: dict[str, Any] | None
    base: int
    """Version the text is made from."""
    text: str
    dirty: bool = False
    """The hub does not have all of it."""
    note: str | None = None
    """Of a save that was asked for while the hub was away; None = none was."""


class Outbox:
    """One file, shared by the processes of this machine that use the same space of a hub."""

    def __init__(self, path: Path) -> None:
        """Open or make it.

        Raises:
            StorageFailed: The file cannot be used.
        """
        self.path = path
        self.owner = _myself()
        self._done: list[str] = []
        with explained(path):
            make_private(path)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
            mode, _ = journal_mode(path, sqlite3.sqlite_version_info, file_system(path))
            self._db.execute(f"PRAGMA journal_mode={mode}")
            # The hub answers the same id with the same reply, so only what waits offline needs more (see `put`).
            self._usual = "NORMAL" if mode == "WAL" else "FULL"
            self._db.execute(f"PRAGMA synchronous={self._usual}")
            self._db.executescript(_SCHEMA)

    # --- commands ---------------------------------------------------------------------------------

    def put(self, entry: Entry, *, promised: bool = False) -> None:
        """Keep a command before it is sent; one that is `promised` to be sent outlives a power failure, too.

        An id that is there already stays as it was.
        """
        with explained(self.path):
            if promised:
                self._db.execute("PRAGMA synchronous=FULL")
            try:
                with self._transaction():
                    self._remove_done()
                    self._db.execute(
                        'INSERT INTO "entries" '
                        '("id", "seat", "client", "as", "cmd", "args", "owner", "at_ms", "promised") '
                        'VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT ("id") DO NOTHING',
                        (entry.id, entry.seat, entry.client, _json(entry.as_), entry.cmd, _json(entry.args),
                         self.owner, _now_ms(), int(promised)),
                    )  # fmt: skip
            finally:
                if promised:
                    self._db.execute(f"PRAGMA synchronous={self._usual}")

    def promise(self, id: str) -> None:
        """Its sender waits no longer, and was told that it will be sent."""
        with explained(self.path):
            self._db.execute('UPDATE "entries" SET "promised" = 1 WHERE "id" = ?', (id,))

    def answered(self, id: str) -> None:
        """The hub has answered: the command is removed with the next write, or by `tidy`.

        Until then it may be sent once more, and gets the same answer.
        """
        self._done.append(id)

    def tidy(self) -> None:
        """Remove what was answered."""
        if self._done:
            with explained(self.path), self._transaction():
                self._remove_done()

    def refuse(self, id: str, error: dict[str, Any]) -> None:
        """Take a command out that the hub refused, and keep what was refused."""
        with explained(self.path), self._transaction():
            self._db.execute(
                'INSERT OR REPLACE INTO "refused" SELECT "id", "seat", "cmd", "args", ?, ? FROM "entries" '
                'WHERE "id" = ?',
                (_json(error), _now_ms(), id),
            )
            self._db.execute('DELETE FROM "entries" WHERE "id" = ?', (id,))

    def drop(self, id: str) -> None:
        """Take a command out that was never sent."""
        with explained(self.path):
            self._db.execute('DELETE FROM "entries" WHERE "id" = ?', (id,))

    def entries(self, seat: str | None = None) -> list[Entry]:
        """Commands without an answer, in the order they were put in."""
        return [entry for entry, _ in self._entries(seat)]

    def owed(self, seat: str | None = None) -> list[Entry]:
        """Those that wait for the hub. What another process sends and waits for itself is that one's own matter."""
        return [
            entry
            for entry, owner in self._entries(seat)
            if entry.promised or owner == self.owner or not _alive(owner)
        ]

    def _entries(self, seat: str | None) -> list[tuple[Entry, str]]:
        with explained(self.path):
            found = self._db.execute(
                'SELECT "id", "seat", "client", "as", "cmd", "args", "at_ms", "promised", "owner" FROM "entries" '
                'WHERE ? IS NULL OR "seat" = ? ORDER BY "n"',
                (seat, seat),
            ).fetchall()
        done = set(self._done)
        return [
            (Entry(id, who, client, _value(as_), cmd, _value(args), at_ms, bool(promised)), owner)
            for id, who, client, as_, cmd, args, at_ms, promised, owner in found
            if id not in done
        ]

    def adopt(self, seat: str) -> list[str]:
        """Take over commands whose process has ended; their ids."""
        mine = []
        with explained(self.path), self._transaction():
            rows = self._db.execute(
                'SELECT "id", "owner" FROM "entries" WHERE "seat" = ? AND "owner" <> ? ORDER BY "n"',
                (seat, self.owner),
            ).fetchall()
            for id, owner in rows:
                if not _alive(owner):
                    self._db.execute('UPDATE "entries" SET "owner" = ? WHERE "id" = ?', (self.owner, id))
                    mine.append(id)
        return mine

    def mine(self, seat: str) -> set[str]:
        """Ids of the commands this process has to send."""
        with explained(self.path):
            found = self._db.execute(
                'SELECT "id" FROM "entries" WHERE "seat" = ? AND "owner" = ?', (seat, self.owner)
            )
            return {id for (id,) in found.fetchall()} - set(self._done)

    def refused(self, seat: str | None = None) -> list[Refused]:
        """Commands that waited and were refused, oldest first."""
        with explained(self.path):
            found = self._db.execute(
                'SELECT * FROM "refused" WHERE ? IS NULL OR "seat" = ? ORDER BY "at_ms", "id"', (seat, seat)
            ).fetchall()
        return [
            Refused(id, who, cmd, _value(args), _value(error), at) for id, who, cmd, args, error, at in found
        ]

    def forget_refused(self, ids: Sequence[str]) -> None:
        """Somebody has seen them."""
        with explained(self.path), self._transaction():
            self._db.executemany('DELETE FROM "refused" WHERE "id" = ?', [(id,) for id in ids])

    # --- texts ------------------------------------------------------------------------------------

    def text(self, artifact: str, fence: int) -> Text | None:
        """What was written under a fence here."""
        return next(iter(self._texts('"artifact" = ? AND "fence" = ?', (artifact, fence))), None)

    def dirty(self, seat: str) -> list[Text]:
        """Texts the hub does not have, of this process and of those that have ended."""
        mine = self._texts('"seat" = ? AND "dirty" = 1', (seat,))
        with explained(self.path):
            owners = dict(
                ((artifact, fence), owner)
                for artifact, fence, owner in self._db.execute(
                    'SELECT "artifact", "fence", "owner" FROM "texts"'
                ).fetchall()
            )
        return [
            text
            for text in mine
            if (owner := owners[text.artifact, text.fence]) == self.owner or not _alive(owner)
        ]

    def put_text(self, text: Text) -> None:
        """Remember what is written under a fence; it outlives this process."""
        with explained(self.path):
            self._db.execute(
                'INSERT OR REPLACE INTO "texts" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
                (text.artifact, text.fence, text.seat, text.client, _json(text.as_), text.base, text.text,
                 int(text.dirty), text.note, self.owner),
            )  # fmt: skip

    def drop_text(self, artifact: str, fence: int) -> None:
        """The text is a version, or kept somewhere else."""
        with explained(self.path):
            self._db.execute('DELETE FROM "texts" WHERE "artifact" = ? AND "fence" = ?', (artifact, fence))

    def drop_text_if(self, text: Text) -> None:
        """As `drop_text`, unless something else is written there by now."""
        with explained(self.path):
            self._db.execute(
                'DELETE FROM "texts" WHERE "artifact" = ? AND "fence" = ? AND "text" = ? AND "note" IS ?',
                (text.artifact, text.fence, text.text, text.note),
            )

    def _texts(self, where: str, values: tuple[Any, ...]) -> list[Text]:
        with explained(self.path):
            found = self._db.execute(
                'SELECT "artifact", "fence", "seat", "client", "as", "base", "text", "dirty", "note" '  # noqa: S608 - fixed
                f'FROM "texts" WHERE {where} ORDER BY "artifact", "fence"',
                values,
            ).fetchall()
        return [
            Text(artifact, fence, seat, client, _value(as_), base, text, bool(dirty), note)
            for artifact, fence, seat, client, as_, base, text, dirty, note in found
        ]

    # --- contents -----------------------------------------------------------------------------------

    def put_upload(self, digest: str) -> None:
        """The hub has to get a content that the replica holds."""
        self.put_note(f"upload:{digest}", "")

    def uploads(self) -> list[str]:
        """SHA-256 of contents the hub has to get."""
        with explained(self.path):
            found = self._db.execute(
                'SELECT substr("name", 8) FROM "notes" WHERE "name" LIKE \'upload:%\''
            ).fetchall()
        return [digest for (digest,) in found]

    def uploaded(self, digest: str) -> None:
        """The hub has it."""
        with explained(self.path):
            self._db.execute('DELETE FROM "notes" WHERE "name" = ?', (f"upload:{digest}",))

    # --- notes ------------------------------------------------------------------------------------

    def note(self, name: str) -> str | None:
        """Something small that was remembered, e.g. the hub's id."""
        with explained(self.path):
            found = self._db.execute('SELECT "value" FROM "notes" WHERE "name" = ?', (name,)).fetchall()
        return found[0][0] if found else None

    def put_note(self, name: str, value: str) -> None:
        with explained(self.path):
            self._db.execute('INSERT OR REPLACE INTO "notes" VALUES (?, ?)', (name, value))

    def close(self) -> None:
        """Remove what was answered, and free the file."""
        try:
            self.tidy()
        finally:
            self._db.close()

    def _remove_done(self) -> None:
        if self._done:
            self._db.executemany('DELETE FROM "entries" WHERE "id" = ?', [(id,) for id in self._done])
            self._done = []

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _value(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _myself() -> str:
    return f"{os.getpid()}:{_started(os.getpid())}"


def _alive(owner: str) -> bool:
    """Whether the process that wrote this is still the one with its number."""
    pid, _, started = owner.partition(":")
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        pass
    return _started(int(pid)) == started


def _started(pid: int) -> str:
    """When a process was started, in the kernel's ticks; empty where that cannot be told."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]
