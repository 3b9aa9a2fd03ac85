"""What a failed request means: a status or an exception of the wire becomes a CloudError in plain words.

The doors use it, whatever client they stand in. Imported late: httpx, ssl, socket, email.utils.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cloudtop.errors import (
    Changed,
    CloudError,
    Forbidden,
    Invalid,
    NotConfigured,
    NotCovered,
    NotEnabled,
    NotFound,
    RateLimited,
    TooSlow,
    Unauthorized,
    Unavailable,
    Unreachable,
)

SAID_CHARS = 200
"""How much of a cloud's own words an error repeats."""

REPEATABLE = frozenset({408, 425, 500, 502, 503, 504})
THROTTLED = re.compile(
    r"throttl|(rate|request)_?limit_?exceeded|too_?many_?requests|slow_?down", re.IGNORECASE
)
ASKED_WAIT = re.compile(r"(?:threshold\s*=\s*|retry (?:after|in) )(\d+(?:\.\d+)?)", re.IGNORECASE)
REFERENCES = (
    "x-request-id",
    "x-amzn-requestid",
    "x-amz-request-id",
    "x-ms-request-id",
    "opc-request-id",
    "cf-ray",
)


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom a request went to, as sentences name it."""

    title: str
    host: str
    to_set: str = ""
    with_key: bool = False

    def __str__(self) -> str:
        return f"{self.title} ({self.host})"


@dataclass(frozen=True, slots=True)
class Fault:
    """One failed try. `again`: worth another one. `dead`: the host takes no connections at all."""

    error: CloudError
    again: bool = False
    dead: bool = False


def of_answer(
    whom: Whom,
    status: int,
    headers: Mapping[str, str],
    said: str,
    *,
    now: datetime,
    kind: type[CloudError] | None = None,
) -> Fault:
    """The fault that a refusing answer means; `kind` is what the connector knows better than the status."""
    kind = kind or _kind(status, said)
    wait = asked_wait(headers, said, now)
    what, step = _words(kind, whom, status, headers)
    own = said if not said.lstrip().startswith("<") else ""
    message = f"{whom} {what} (HTTP {status}){f': {own}' if own else '.'}"
    reference = next((headers[name][:80] for name in REFERENCES if headers.get(name)), None)
    again = status in REPEATABLE if kind is Unavailable else kind is RateLimited
    return Fault(kind(message, step, retry_after_s=wait, reference=reference), again)


def of_exception(error: BaseException, whom: Whom, *, proxy: str | None = None, waited_s: float = 0) -> Fault:
    """The fault that an exception of httpx or below means. Every one gets a sentence."""
    import httpx

    if isinstance(error, httpx.ConnectTimeout):
        message = f"{_via(whom, proxy)} did not accept a connection within {waited_s:g} s."
        return Fault(Unreachable(message, _LATER), dead=proxy is None)
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return Fault(TooSlow(f"{whom} gave no whole answer within {waited_s:.3g} s.", _SLOW), again=True)
    if isinstance(error, httpx.ProxyError):
        message = f"The proxy {proxy or ''} did not let the request to {whom} through."
        return Fault(Unreachable(message, "Check HTTPS_PROXY and NO_PROXY."))
    if isinstance(error, httpx.ConnectError | OSError):
        return _no_connection(error, whom, proxy)
    if isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError | httpx.StreamError):
        message = f"{whom} broke the connection off before its answer was whole."
        return Fault(Unreachable(message, _LATER), again=True)
    if isinstance(error, httpx.DecodingError):
        return Fault(Invalid(f"{whom} sent an answer that could not be unpacked.", _REPORT))
    if isinstance(error, httpx.TooManyRedirects):
        return Fault(Changed(f"{whom} redirects in a circle.", _REPORT))
    return Fault(Invalid(f"The request to {whom} could not be made ({type(error).__name__}).", _REPORT))


def too_large(whom: Whom, limit_bytes: int) -> Fault:
    """An answer longer than anybody wants to hold."""
    size = f"{limit_bytes / 1_000_000:.3g} MB"
    return Fault(Invalid(f"{whom} sent more than {size} in one answer; the rest was not read.", _REPORT))


def not_json(whom: Whom, content_type: str, body: bytes) -> Fault:
    """A good status over something that is not the JSON that was asked for."""
    start = body[:200].lstrip()
    if "html" in content_type or start.startswith(b"<"):
        what = "answered with a web page where data was expected; a proxy or login page may be in between"
    elif not start:
        what = "answered with nothing where data was expected"
    elif start[:1] in b"{[":
        what = "ended its answer in the middle, or wrote it wrongly"
    else:
        what = "answered with something else than JSON"
    return Fault(Invalid(f"{whom} {what}.", "Try again; if it stays so, the interface may have changed."))


def said(document: Any, text: str, secrets: Iterable[str] = ()) -> str:
    """The cloud's own words out of an error body: cleaned, without the secrets that were sent, cut short."""
    from cloudtop.text import clean, redact

    found = _first_words(document) if document is not None else text
    whole = " ".join(clean(redact(found[: SAID_CHARS * 10], [one for one in secrets if one])).split())
    return whole if len(whole) <= SAID_CHARS else whole[: SAID_CHARS - 1] + "…"


def asked_wait(headers: Mapping[str, str], text: str, now: datetime) -> float | None:
    """Seconds the cloud asks to wait: Retry-After as a number or a date, else as words in its message."""
    value = (headers.get("retry-after") or headers.get("Retry-After") or "").strip()
    if value:
        try:
            seconds = float(value)
        except ValueError:
            moment = _http_date(value)
            if moment is None:
                return None
            # The cloud's own clock when it shows it: ours may be off.
            seconds = (moment - (_http_date(headers.get("date", "")) or now)).total_seconds()
        return max(0.0, seconds) if math.isfinite(seconds) else None
    match = ASKED_WAIT.search(text)
    return float(match[1]) if match else None


_LATER = "Try again later; the provider's status page may say more."
_SLOW = "Try again, or allow more time with --timeout."
_REPORT = "If it stays so, look for a newer cloudtop, or report it."


def _kind(status: int, text: str) -> type[CloudError]:
    if status in (400, 403) and THROTTLED.search(text):
        return RateLimited
    if status in _KINDS:
        return _KINDS[status]
    if 300 <= status < 400:
        return Changed if status in (301, 308) else Invalid
    return Unavailable if status >= 500 else Invalid


_KINDS: dict[int, type[CloudError]] = {
    401: Unauthorized,
    402: Forbidden,
    403: Forbidden,
    404: NotFound,
    405: Changed,
    407: Unreachable,
    408: Unavailable,
    409: Unavailable,
    410: Changed,
    423: Unavailable,
    425: Unavailable,
    426: Changed,
    429: RateLimited,
    451: Forbidden,
}


def _words(kind: type[CloudError], whom: Whom, status: int, headers: Mapping[str, str]) -> tuple[str, str]:
    """What happened, and what a person can do."""
    if 300 <= status < 400:
        where = re.sub(r"^\w+://([^/?#@]*).*$", r"\1", headers.get("location", ""), flags=re.DOTALL)[:80]
        target = f" to {where}" if where and where[0] != "/" else ""
        return f"redirects{target}, which is not followed, so that no key travels elsewhere", _REPORT
    if status == 407:
        return "was not reached: the proxy asks for a name and password", "Check HTTPS_PROXY."
    if status == 409 and kind is Unavailable:
        return "is busy with something that conflicts with the request", "Try again in a moment."
    if kind is Unauthorized:
        names = whom.to_set or "its credentials"
        what = "does not accept the key" if whom.with_key else "asks for a key"
        return what, f"Set {names}, or auth of this provider in the configuration, to what is valid."
    return _WORDS[kind]


_WORDS: dict[type[CloudError], tuple[str, str]] = {
    Forbidden: ("accepts the key but does not allow this", "Give the key read permission for it."),
    NotEnabled: ("has not switched this on for the account", "Switch it on there if it is used."),
    RateLimited: ("asks to slow down", "Wait, or lower rate_limit of this provider."),
    NotFound: ("does not have what was asked for", _REPORT),
    Changed: ("no longer offers this interface", "Look for a newer cloudtop."),
    Unavailable: ("is in trouble", _LATER),
    Invalid: ("refused the request as malformed", _REPORT),
    TooSlow: ("took too long", _SLOW),
    Unreachable: ("could not be reached", _LATER),
    NotConfigured: ("needs credentials", "Configure them."),
    NotCovered: ("is not covered", _REPORT),
}


def _no_connection(error: BaseException, whom: Whom, proxy: str | None) -> Fault:
    """Why there was no connection: certificate, name, or nobody there."""
    import socket
    import ssl

    chain = tuple(_chain(error))
    if any(isinstance(one, ssl.SSLError) for one in chain):
        message = f"No trusted encrypted connection to {_via(whom, proxy)} could be made."
        step = "Behind a company proxy set SSL_CERT_FILE to the company's certificates; else check the clock."
        return Fault(Unreachable(message, step))
    if any(isinstance(one, socket.gaierror) for one in chain):
        message = f"The name of {_via(whom, proxy)} does not resolve."
        step = "Check the network connection, its name server, and HTTPS_PROXY where one is needed."
        return Fault(Unreachable(message, step), dead=proxy is None)
    return Fault(Unreachable(f"{_via(whom, proxy)} refused the connection.", _LATER), dead=proxy is None)


def _via(whom: Whom, proxy: str | None) -> str:
    return f"the proxy {proxy} on the way to {whom}" if proxy else str(whom)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        if isinstance(error, BaseExceptionGroup):
            for one in error.exceptions:
                yield from _chain(one)
        error = error.__cause__ or error.__context__


def _http_date(value: str) -> datetime | None:
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _first_words(document: Any) -> str:
    """The message in the usual places of error bodies, with the code before it where there is one."""
    if isinstance(document, str):
        return document
    if isinstance(document, list):
        return _first_words(document[0]) if document else ""
    if not isinstance(document, dict):
        return ""
    told = {str(name).lower(): value for name, value in document.items()}
    words = [
        code for name in ("code", "reason", "status") if isinstance(code := told.get(name), str) and code
    ]
    for name in ("error", "errors", "msg", "message", "detail", "error_description"):
        if told.get(name) and (inner := _first_words(told[name])) and inner not in words:
            words.append(inner)
    return ": ".join(words[:3])
