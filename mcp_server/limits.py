"""What one caller may do, and how often: scopes, narrowing, rates, and the floor under `max_age`.

Nothing here knows of HTTP or MCP. A caller is whoever a token stands for; without tokens it is `EVERYBODY`.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from mcp_server.specs import ToolSpec

SCOPES = ("prices", "read", "ask", "admin")
"""Public prices; what is known of one's own clouds; questions in words; everything, also changes."""

PUBLIC_WORDS = frozenset({"gpu", "region", "provider", "providers", "vendor", "time", "kind", "period"})
"""Arguments whose completion tells nothing about anybody's clouds."""

PUBLIC_RESOURCES = ("prices", "history")
"""`cloudtop://prices/…` and `cloudtop://history/…`: of GPUs, in every shop the same."""

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_SLOTS = 65_536


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests at once, which come back evenly over the period."""

    count: int
    period_s: float

    @classmethod
    def of(cls, text: str) -> Rate:
        """`600/m` as a rate; ValueError for what is none."""
        count, _, unit = text.partition("/")
        if not (count.isascii() and count.isdigit() and 0 < int(count) <= 1_000_000 and unit in _SECONDS):
            raise ValueError(f"{text[:40]!r} is no rate; write it as 10/s, 600/m or 5000/h")
        return cls(int(count), _SECONDS[unit])


RATE = Rate(600, 60.0)
"""How often a token may ask that says nothing else."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever a token stands for. `issuer` and `subject`: of a token that somebody else gave out."""

    name: str
    scopes: frozenset[str]
    rate: Rate | None = None
    floor_s: float = 0.0
    issuer: str | None = None
    subject: str | None = None

    def lacks(self, needed: frozenset[str]) -> list[str]:
        """The scopes that are needed and not there, in their usual order; `admin` is all of them."""
        if "admin" in self.scopes:
            return []
        return [scope for scope in SCOPES if scope in needed - self.scopes]


EVERYBODY = Caller("", frozenset(SCOPES))
"""The caller where no token is asked for: one on the same machine."""


def scopes_of(spec: ToolSpec | None) -> frozenset[str]:
    """What calling a tool takes. One that may change something, or that no spec describes, takes `admin`."""
    if spec is None or not reads_only(spec):
        return frozenset({"admin"})
    if "ask" in spec.toolsets:
        return frozenset({"ask", "read"})
    return frozenset({"prices" if "prices" in spec.toolsets else "read"})


def needed(method: str, params: Mapping[str, Any], specs: Mapping[str, ToolSpec]) -> frozenset[str]:
    """The scopes that one request takes; none for what is the same for everybody.

    A tool that is not there takes none: whoever asks is told so.
    """
    if method == "tools/call":
        name = params.get("name")
        return scopes_of(specs[name]) if isinstance(name, str) and name in specs else frozenset()
    if method in ("resources/read", "resources/subscribe"):
        parts = urlsplit(str(params.get("uri", "")))
        if parts.scheme == "ui":
            return frozenset()
        public = parts.scheme == "cloudtop" and parts.netloc in PUBLIC_RESOURCES
        return frozenset({"prices" if public else "read"})
    if method == "completion/complete":
        argument = params.get("argument")
        word = argument.get("name") if isinstance(argument, Mapping) else None
        return frozenset({"prices" if word in PUBLIC_WORDS else "read"})
    return frozenset()


def reads_only(spec: ToolSpec) -> bool:
    """Whether a tool says of itself that it only reads; silence is a no."""
    return spec.annotations.get("readOnly") is True


class Rates:
    """Who asked how often lately, in memory that forked workers share: a token has one rate over all.

    Each caller has one instant: when all it took will have come back. Two workers that write the same one at
    the same moment count once; with 65,536 places two callers hardly ever meet in one.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._full_at = memoryview(mmap.mmap(-1, _SLOTS * 8)).cast("d")
        self._salt = os.urandom(16)

    def wait_s(self, caller: Caller) -> float:
        """0 when the caller may ask now, and has; else the seconds until it may."""
        rate = caller.rate
        if rate is None:
            return 0.0
        who = "\0".join((caller.issuer or "", caller.subject or "", caller.name)).encode()
        place = int.from_bytes(hashlib.blake2b(who, digest_size=4, key=self._salt).digest()) % _SLOTS
        now, step = self._monotonic(), rate.period_s / rate.count
        full_at = max(self._full_at[place], now)
        wait = full_at + step - now - rate.period_s
        if wait > 1e-9:
            return wait
        self._full_at[place] = full_at + step
        return 0.0
