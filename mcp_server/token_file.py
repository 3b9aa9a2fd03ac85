"""The tokens of a file, with names and scopes: read again when it changes, never more open than it is."""

from __future__ import annotations

import logging
import os
import re
import stat
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cloudtop.errors import CloudtopError, ConfigError
from cloudtop.times import duration_s
from mcp_server.auth import LONGEST, PLAIN, Denied, digest
from mcp_server.limits import RATE, SCOPES, Caller, Rate

if TYPE_CHECKING:
    from cloudtop.ports import Clock

log = logging.getLogger("cloudtop.http")

SHORTEST = 20
"""Characters of a token that stands in the file as it is: a shorter one can be guessed."""

MOST_CHARACTERS = 262_144
"""Of a file of tokens."""

LOOK_S = 1.0
"""How long a changed token file may go unseen."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of the token file."""

    caller: Caller
    until: datetime | None


class TokenFile:
    """The tokens of a file: `name token-or-sha256:digest scopes [expires=…] [rate=…] [max_age=…]`.

    Read again when it changes. A mistake in a changed file leaves the tokens as they were; a file that is
    gone or that others can read opens to nobody.
    """

    def __init__(self, path: Path, clock: Clock, *, rate: Rate | None = RATE, floor_s: float = 0.0) -> None:
        self._path, self._clock, self._usual = path, clock, (rate, floor_s)
        self._stamp, text = safely_read(path)
        self._entries = _entries(path, text, *self._usual)
        if not self._entries:
            raise ConfigError(str(path), "there is no token in it. A line is: name token scopes")
        self._looked_at = clock.monotonic()

    def __len__(self) -> int:
        return len(self._entries)

    def caller(self, digest: str) -> Caller | None:
        """The caller of a token by its SHA-256, None when it is not in the file; Denied when it is over."""
        self._look()
        entry = self._entries.get(digest)
        if entry is None:
            return None
        if entry.until is not None and self._clock.now() >= entry.until:
            raise Denied("The token has expired.")
        return entry.caller

    def _look(self) -> None:
        now = self._clock.monotonic()
        if 0 <= now - self._looked_at < LOOK_S:
            return
        self._looked_at = now
        try:
            if _stamp(self._path.stat()) == self._stamp:
                return
            self._stamp, text = safely_read(self._path)
        except (OSError, ConfigError) as error:
            if self._entries:
                log.error("no token is accepted until this is mended: %s", error)
            self._entries, self._stamp = {}, ()
            return
        try:
            self._entries = _entries(self._path, text, *self._usual)
        except ConfigError as error:
            log.error("the tokens stay as they were: %s", error)


def _stamp(found: os.stat_result) -> tuple[int, ...]:
    return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode)


def safely_read(path: Path) -> tuple[tuple[int, ...], str]:
    """What marks this state of a file of secrets, and its text; ConfigError when others can get at it."""
    try:
        with path.open(encoding="utf-8") as file:
            found = os.fstat(file.fileno())
            if os.name == "posix":
                _check_mode(path, found)
            return _stamp(found), file.read(MOST_CHARACTERS)
    except FileNotFoundError as error:
        raise ConfigError(str(path), "there is no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"cannot be read ({type(error).__name__})") from error


def _check_mode(path: Path, found: os.stat_result) -> None:
    mode = stat.S_IMODE(found.st_mode)
    if mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
        raise ConfigError(
            str(path), f"others can read or write it (mode {mode:o}). Say: chmod 600 {path.name}"
        )
    if found.st_uid not in (0, os.geteuid()):
        raise ConfigError(str(path), "it belongs to somebody else")


def _entries(path: Path, text: str, rate: Rate | None, floor_s: float) -> dict[str, _Entry]:
    """The tokens of a file by digest; ConfigError with the line, never with the token."""
    found: dict[str, _Entry] = {}
    names: set[str] = set()
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            digest, entry = _entry(words, rate, floor_s)
            if entry.caller.name in names or digest in found:
                raise ValueError("this name or token stands in an earlier line too")
        except (ValueError, CloudtopError) as error:
            raise ConfigError(str(path), str(error), line=number) from error
        names.add(entry.caller.name)
        found[digest] = entry
    return found


def _entry(words: list[str], rate: Rate | None, floor_s: float) -> tuple[str, _Entry]:
    if len(words) < 3:
        raise ValueError("a line is: name token scopes [expires=…] [rate=…] [max_age=…]")
    name, token, scopes, *more = words
    if not _NAME.fullmatch(name):
        raise ValueError("a name is letters, digits and . _ @ -, 64 at most")
    made, until = Caller(name, _scopes(scopes), rate, floor_s), None
    for one in more:
        key, _, value = one.partition("=")
        if key == "expires":
            until = _moment(value)
        elif key == "rate":
            made = replace(made, rate=Rate.of(value))
        elif key == "max_age":
            made = replace(made, floor_s=duration_s(value, "max_age"))
        else:
            raise ValueError(f"{key[:40]!r} means nothing here; there are expires, rate and max_age")
    return _digest_of(token), _Entry(made, until)


def _digest_of(token: str) -> str:
    """The SHA-256 of a token that stands in the file, or the one that stands there itself."""
    if token.startswith("sha256:"):
        if not (hashed := _DIGEST.fullmatch(token)):
            raise ValueError("after sha256: stand 64 digits of hex, lower case")
        return hashed[1]
    if not SHORTEST <= len(token) <= LONGEST or not PLAIN.fullmatch(token):
        raise ValueError(
            f"a token has {SHORTEST} to {LONGEST} characters out of letters, digits and . _ ~ + / - ="
        )
    return digest(token)


def _scopes(text: str) -> frozenset[str]:
    found = frozenset(text.split(",")) - {""}
    if strange := sorted(found - set(SCOPES)):
        raise ValueError(f"{strange[0][:40]!r} is no scope; there are {', '.join(SCOPES)}")
    if not found:
        raise ValueError(f"a token needs a scope: {', '.join(SCOPES)}")
    return found


def _moment(text: str) -> datetime:
    """The end of a day, or a moment; without a zone it is UTC."""
    found = datetime.fromisoformat(text)
    if len(text) == len("2026-11-20"):
        found += timedelta(days=1)
    return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
