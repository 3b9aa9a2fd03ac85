"""Where past prices are from: which of the recorded places still speak, and what their rows are called."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cloudtop.models import Scope
from cloudtop.net import is_loopback
from cloudtop.store.history import Origin
from mcp_server.harvest import LISTS

if TYPE_CHECKING:
    from mcp_server.result import Ctx


def speaking(ctx: Ctx) -> list[str]:
    """The origins of history that count now: price lists, and clouds at the address that they are asked at.

    What was recorded of a sandbox, or of an endpoint that is configured no more, is not a cloud's past.
    """
    return [text for text in ctx.store.price_origins() if _speaks(ctx, Origin.of(text))]


def _speaks(ctx: Ctx, origin: Origin) -> bool:
    if origin.provider == LISTS:
        return True
    here = ctx.fleet.here(Scope(origin.provider, origin.account))
    endpoint = json.loads(here.query).get("endpoint", "") if here.query else ""
    return bool(endpoint == origin.place)


def source_of(origin: Origin) -> str:
    """`list`, `sandbox` or `live`: who told a price of the past."""
    if origin.provider == LISTS:
        return "list"
    return "sandbox" if is_loopback(origin.place.partition("/")[0]) else "live"
