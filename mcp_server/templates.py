"""Resources that are made when they are read: prices, their history, and what is known of one resource.

Each is what a tool answers, so it is offered only where that tool is; nothing here asks a cloud by itself.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from cloudtop.errors import CloudtopError, UsageError
from mcp_server.chart import chart
from mcp_server.icons import CHART, CLOUD, LIST, icons
from mcp_server.render import text
from mcp_server.result import Outcome

JSON, CSV, SVG = "application/json", "text/csv", "image/svg+xml"
MOST = 5_000
"""Rows of history in one resource; of more the newest, and `_meta` says so."""

LONGEST = 1_500
"""Characters in the blank of an address, where each may be written as three."""

PAGE = 500
SPAN = "last_30d"

Contents = dict[str, Any]
Call = Callable[[str, dict[str, Any]], Awaitable[Outcome]]
"""Calls a tool on behalf of the reader: `await call(tool, arguments)`."""


@dataclass(frozen=True, slots=True)
class Template:
    """An address with a blank. `read(call, value)` gives mime-typed text and what to say of it.

    `blank`: a character of what stands there; `kind`: what completes it. None is read where there is nothing.
    """

    address: str
    name: str
    title: str
    description: str
    mime: str
    tool: str
    read: Callable[[Call, str], Awaitable[Contents | None]]
    kind: str | None = "gpu"
    variable: str = "gpu"
    blank: str = "[^/?#]"

    def listed(self) -> dict[str, Any]:
        """As resources/templates/list shows it."""
        return {
            "uriTemplate": self.address,
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "mimeType": self.mime,
            "icons": icons(CHART if self.kind == "gpu" else LIST),
        }

    def value(self, uri: str) -> str | None:
        """What stands in the blank of an address of this form."""
        before, after = self.address.split(f"{{{self.variable}}}")
        found = re.fullmatch(f"{re.escape(before)}({self.blank}{{1,{LONGEST}}}){re.escape(after)}", uri)
        return unquote(found[1]).strip() or None if found else None


def offered(tools: Collection[str]) -> list[Template]:
    """The templates whose tool is there."""
    return [one for one in TEMPLATES if one.tool in tools]


def listed(name: str) -> dict[str, Any]:
    """A resource with a fixed address, as resources/list shows it."""
    title, description = ABOUT.get(name, (name, ""))
    about = {"title": title, "description": description} if description else {}
    drawing = CLOUD if name == "providers" else LIST
    return {"uri": f"cloudtop://{name}", "name": name, **about, "mimeType": JSON, "icons": icons(drawing)}


def _answer(outcome: Outcome) -> dict[str, Any]:
    """The structured answer; a refusal is raised with what it said."""
    if outcome.is_error:
        said = outcome.structured["error"]
        kind = UsageError if outcome.exit_code == UsageError.exit_code else CloudtopError
        raise kind(said["message"], said["next_step"])
    return outcome.structured


async def _prices(call: Call, gpu: str) -> Contents:
    outcome = await call("compare_gpu_prices", {"gpu": [gpu], "limit": 50, "format": "json"})
    _answer(outcome)
    return {"mimeType": JSON, "text": outcome.structured_json}


async def _resource(call: Call, uid: str) -> Contents | None:
    """Everything known of it. Where a cloud could not be asked it is not said that there is none."""
    outcome = await call("get_resource", {"id": [uid], "format": "json"})
    answer = _answer(outcome)
    return (
        {"mimeType": JSON, "text": outcome.structured_json} if answer["rows"] or answer["missing"] else None
    )


async def _history(call: Call, gpu: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The points of history, the newest first, and what must be said of them."""
    asked: dict[str, Any] = {"gpu": [gpu], "time": SPAN, "limit": PAGE, "format": "csv"}
    outcome = await call("gpu_price_history", asked)
    first = page = _answer(outcome)
    rows = list(page["rows"])
    while page["next_cursor"] and len(rows) < MOST:
        page = _answer(await call("gpu_price_history", {**asked, "cursor": page["next_cursor"]}))
        rows += page["rows"]
    facts = {name: first[name] for name in ("as_of", "missing", "notices", "applied")}
    facts["fields"] = outcome.text.split("\n", 1)[0].split(",")
    return rows, {**facts, "truncated": page["next_cursor"] is not None}


async def _as_csv(call: Call, gpu: str) -> Contents:
    rows, facts = await _history(call, gpu)
    table = text("csv", facts.pop("fields"), rows, {}).rstrip("\n")
    return {"mimeType": CSV, "text": f"{table}\n", "_meta": {"cloudtop/answer": facts}}


async def _as_chart(call: Call, gpu: str) -> Contents:
    rows, facts = await _history(call, gpu)
    missing = ", ".join(sorted({str(one["provider"]) for one in facts["missing"] if one.get("provider")}))
    note = f"Not read in full: {missing}." if missing else ""
    note = f"The newest {len(rows)} changes. {note}".strip() if facts["truncated"] else note
    names = ", ".join(facts["applied"].get("gpu", [gpu]))
    drawn = chart(f"{names}, lowest price per seller, last 30 days", rows, note)
    del facts["fields"]
    return {"mimeType": SVG, "text": drawn, "_meta": {"cloudtop/answer": facts}}


ABOUT = {
    "providers": ("Providers", "Every cloud and seller: what it can be asked, and what it lacks."),
    "lexicon": ("Lexicon", "Words of tools and providers, for programs that plan questions."),
}

TEMPLATES = (
    Template(
        "cloudtop://prices/{gpu}",
        "prices",
        "GPU prices now",
        "The fifty cheapest offers of a GPU, with sources and what is missing.",
        JSON,
        "compare_gpu_prices",
        _prices,
    ),
    Template(
        "cloudtop://history/{gpu}",
        "history",
        "GPU price history",
        "Every recorded change of a GPU's price in the last 30 days.",
        CSV,
        "gpu_price_history",
        _as_csv,
    ),
    Template(
        "cloudtop://history/{gpu}/chart",
        "history_chart",
        "GPU price chart",
        "The lowest price per seller in the last 30 days, drawn.",
        SVG,
        "gpu_price_history",
        _as_chart,
    ),
    Template(
        "cloudtop://resources/{uid}",
        "resource",
        "One of your resources",
        "Everything known of one resource, by the uid that rows have.",
        JSON,
        "get_resource",
        _resource,
        kind=None,
        variable="uid",
        blank="[^?#]",
    ),
)
