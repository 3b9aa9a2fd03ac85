"""What SQLite's errors mean to a person: one sentence and a next step for each."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from cloudtop.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

_SENTENCES: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_BUSY: (
        "The store {file} is locked by another program.",
        "Try again when that program has finished, or use another --home.",
    ),
    sqlite3.SQLITE_READONLY: (
        "The store {file} may not be written.",
        "Give yourself the right to write it, or use another --home.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "The store {file} cannot be opened.",
        "Look whether its folder exists and is yours to write, or use another --home.",
    ),
    sqlite3.SQLITE_FULL: (
        "The disk is full: the store {file} took nothing of the last write.",
        "Free some space, or use another --home; what was stored before is intact.",
    ),
    sqlite3.SQLITE_IOERR: (
        "The disk failed while the store {file} was read or written.",
        "Look at the disk's free space and health; what was stored before the last write is intact.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "The store {file} is damaged.",
        "Move the file away: cloudtop makes a new one and reads the clouds again.",
    ),
    sqlite3.SQLITE_NOTADB: (
        "The file {file} is not an SQLite database.",
        "Move the file away: cloudtop makes a new one and reads the clouds again.",
    ),
}
_SENTENCES[sqlite3.SQLITE_LOCKED] = _SENTENCES[sqlite3.SQLITE_BUSY]
_SENTENCES[sqlite3.SQLITE_PERM] = _SENTENCES[sqlite3.SQLITE_CANTOPEN]


def said(error: sqlite3.Error, file: Path | str) -> StoreError:
    """The StoreError that tells a person what `error` means; SQLite's own words only where we have none."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    sentence, step = _SENTENCES.get(
        code, (f"The store {{file}} could not be used: {error}.", "Try again, or use another --home.")
    )
    return StoreError(sentence.format(file=file), step)


def newer(file: Path | str, found: int, known: int) -> StoreError:
    """The file's schema is from the future; touching it could spoil it."""
    return StoreError(
        f"The store {file} was written by a newer cloudtop (its schema is {found}, this one knows {known}).",
        "Update cloudtop, or use another --home.",
    )


def foreign(file: Path | str) -> StoreError:
    """The file is a database, only not ours."""
    return StoreError(
        f"The file {file} is a database of another program.",
        "Move it away or use another --home; cloudtop has not touched it.",
    )


def damaged(file: Path | str) -> StoreError:
    """A check found pages that contradict each other."""
    sentence, step = _SENTENCES[sqlite3.SQLITE_CORRUPT]
    return StoreError(sentence.format(file=file), step)


def outdated(file: Path | str) -> StoreError:
    """The file has the right number and other columns: an unfinished cloudtop made it."""
    return StoreError(
        f"The store {file} has an older layout than this cloudtop can use.",
        "Move the file away: cloudtop makes a new one and reads the clouds again.",
    )


class Closed(StoreError):
    """Somebody used the store after `close()`; while a command ends, that is no news to anybody."""


def closed() -> Closed:
    """The store is no longer open."""
    return Closed("The store is closed.", "Open it again.")


def no_room(error: BaseException) -> bool:
    """Whether the disk is full or fails, so that no write will succeed and memory must do."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    return code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def unkept(error: BaseException, file: Path | str) -> str:
    """Why nothing more is kept, as `Store.read_only` says it."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    what = "The disk is full" if code == sqlite3.SQLITE_FULL else "The disk takes no writes (it may be full)"
    return f"{what}: what is read now is not kept in {file} after this command."
