"""What each fault of the layer does. `FAULTS` is the list; a name ends in what tells it from its siblings.

Every error text repeats the caller's key, as careless servers do: nobody may pass it on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import formatdate

from cloudtop.sandbox.faults import Armed, Behaviour, Exchange, Reply
from cloudtop.sandbox.speech import Page, at

BIG_PAGE_BYTES = 10_000_000
DRIP_PAUSE_S = 0.05
SKEW_S = 86_400.0
OTHER_HOST = "localhost"
HTML = b"<!DOCTYPE html><html><head><title>502</title></head><body><h1>Bad gateway</h1></body></html>"
TOO_OFTEN = "API requests too frequent: endpoint threshold=2.0"


@dataclass(frozen=True)
class Fault:
    """One way to misbehave and what it looks like from outside."""

    what: str
    behave: Behaviour


def _answers(status: int, message: str, **headers: Callable[[], str]) -> Behaviour:
    """An error in the provider's own words, with extra headers computed when it is sent."""

    async def behave(exchange: Exchange, armed: Armed) -> None:
        said = f"{message} (you sent {exchange.key or 'no key'})"
        extra = tuple((name.replace("_", "-"), value()) for name, value in headers.items())
        await exchange.reply(
            Reply(
                status, exchange.layer.speech.words(exchange, status, said), (*Reply(0, b"").headers, *extra)
            )
        )

    return behave


async def _plain_text(exchange: Exchange, armed: Armed) -> None:
    """Vast's way of saying 429."""
    await exchange.reply(Reply(429, TOO_OFTEN.encode(), (("content-type", "text/plain; charset=utf-8"),)))


async def _silent(exchange: Exchange, armed: Armed) -> None:
    """Read the request, say nothing, until the caller hangs up."""
    await exchange.gone()


async def _drip(exchange: Exchange, armed: Armed) -> None:
    """An honest answer, one byte at a time."""
    reply = await exchange.honest()
    await exchange.start(reply.status, reply.headers, len(reply.body))
    for place in range(len(reply.body)):
        await exchange.more(reply.body[place : place + 1])
        if await exchange.gone(DRIP_PAUSE_S):
            return
    await exchange.more(b"", last=True)


async def _truncated(exchange: Exchange, armed: Armed) -> None:
    """Half of the JSON, correctly framed: the connection is fine, the text is not."""
    reply = await exchange.honest()
    await exchange.reply(replace(reply, body=reply.body[: len(reply.body) // 2]))


async def _html(exchange: Exchange, armed: Armed) -> None:
    """A gateway's page with status 200 where JSON should be."""
    await exchange.reply(Reply(200, HTML, (("content-type", "text/html"),)))


async def _clock_off(exchange: Exchange, armed: Armed) -> None:
    """An honest answer whose Date header is a day ahead."""
    exchange.skew_s = SKEW_S
    await exchange.reply(await exchange.honest())


async def _redirect(exchange: Exchange, armed: Armed) -> None:
    """To the same server under another host's name. Who comes by that name is answered honestly, and seen."""
    if exchange.header("host").startswith(OTHER_HOST):
        await exchange.reply(await exchange.honest())
        return
    port = exchange.header("host").rpartition(":")[2]
    target = f"http://{OTHER_HOST}:{port}{exchange.scope['path']}"
    await exchange.reply(Reply(307, b"", (("location", target),)))


async def _stuck_page(exchange: Exchange, armed: Armed) -> None:
    """Whatever page of a listing is asked for, the first one again."""
    listing = exchange.layer.speech.what(exchange)
    if listing not in armed.memory:
        armed.memory[listing] = await exchange.honest()
    await exchange.reply(armed.memory[listing])


def _edits(change: Callable[[Page, Exchange, Armed], None]) -> Behaviour:
    """An honest answer after `change`; one that cannot be taken apart stays as it is."""

    async def behave(exchange: Exchange, armed: Armed) -> None:
        reply = await exchange.honest()
        page = exchange.layer.speech.page(exchange, reply)
        if page is not None:
            change(page, exchange, armed)
            reply = page.told(reply)
        await exchange.reply(reply)

    return behave


def _missing_field(page: Page, exchange: Exchange, armed: Armed) -> None:
    """The option `field`, a dotted path, is in no record; in an answer without records, not in itself."""
    *above, last = armed.options["field"].split(".")
    for record in page.records or [page.document]:
        holder = at(record, ".".join(above))
        if isinstance(holder, dict):
            holder.pop(last, None)


def _big_page(page: Page, exchange: Exchange, armed: Armed) -> None:
    """Ten megabytes of what nobody asked for."""
    page.pad(BIG_PAGE_BYTES)


def _empty_page_next(page: Page, exchange: Exchange, armed: Armed) -> None:
    """The first page has no rows, and yet leads to a next one."""
    if armed.asked == 1 and page.more:
        page.empty()


def _same_token(page: Page, exchange: Exchange, armed: Armed) -> None:
    """The first page's way to more on every page."""
    what = exchange.layer.speech.what(exchange)
    if token := armed.memory.get(what) or page.more:
        armed.memory[what] = token
        page.turn(token)


def _other_host_next(page: Page, exchange: Exchange, armed: Armed) -> None:
    """The link to more names another host."""
    port = exchange.header("host").rpartition(":")[2]
    if link := page.more:
        query = str(link).partition("?")[2]
        page.turn(f"http://{OTHER_HOST}:{port}{exchange.scope['path']}?{query}")


def _in_a_second() -> str:
    return formatdate(time.time() + 1, usegmt=True)


FAULTS: Mapping[str, Fault] = {
    "401": Fault("401, the key is wrong", _answers(401, "Invalid user key")),
    "403": Fault("403, the key lacks a permission", _answers(403, "Not allowed")),
    "404": Fault("404, not there", _answers(404, "Not found")),
    "409": Fault("409, a conflict", _answers(409, "Conflict")),
    "410": Fault("410, the interface was retired", _answers(410, "Gone")),
    "429": Fault("429 without a word how long", _answers(429, "Too many requests")),
    "429-seconds": Fault(
        "429 with Retry-After: 1", _answers(429, "Too many requests", retry_after=lambda: "1")
    ),
    "429-date": Fault(
        "429 with Retry-After: a date", _answers(429, "Too many requests", retry_after=_in_a_second)
    ),
    "429-text": Fault("429 in plain text with threshold=2.0", _plain_text),
    "400-throttling": Fault("400 whose code says Throttling", _answers(400, "Throttling: rate exceeded")),
    "403-ratelimit": Fault(
        "403 whose reason says rateLimitExceeded", _answers(403, "rateLimitExceeded: too many requests")
    ),
    "500": Fault("500", _answers(500, "Internal error")),
    "503": Fault("503", _answers(503, "Try again later")),
    "200-error": Fault("200 with an error inside", _answers(200, "Something went wrong")),
    "silent": Fault("no answer", _silent),
    "drip": Fault("an answer of one byte each 50 ms", _drip),
    "truncated": Fault("half of the JSON", _truncated),
    "html": Fault("HTML with status 200", _html),
    "big-page": Fault("a page of 10 MB", _edits(_big_page)),
    "clock-off": Fault("a Date header one day ahead", _clock_off),
    "redirect": Fault("307 to another host", _redirect),
    "missing-field": Fault("one field in no row", _edits(_missing_field)),
    "stuck-page": Fault("the first page again and again", _stuck_page),
    "empty-page-next": Fault("an empty page with a next token", _edits(_empty_page_next)),
    "same-token": Fault("the same token twice", _edits(_same_token)),
    "other-host-next": Fault("a next link to another host", _edits(_other_host_next)),
}
"""One region denied is `403` with `text=<region>`, or with `signed=("/<region>/",)` where requests are signed
for one; a lost page is `503` with `after=1`; once is `times=1`.
"""
