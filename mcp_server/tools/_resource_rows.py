"""Resources as rows of a result: which fields, in which order, with their source; groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cloudtop.text import plural
from mcp_server.tools._price_fields import sort_in

if TYPE_CHECKING:
    from cloudtop.store.resources import ResourceFilter
    from mcp_server.harvest import Harvest
    from mcp_server.result import Ctx

COMMON = (
    "uid",
    "id",
    "name",
    "type",
    "kind",
    "service",
    "provider",
    "account",
    "region",
    "zone",
    "status",
    "status_raw",
    "tags",
    "created_at",
    "updated_at",
    "usd_per_hour",
)
LAST = ("source", "fetched_at")
ASKED_ALONE = ("details", "raw", "discovered_at", "health", "health_message")
"""Fields of every type that a row has only when they are asked for."""

FIRST_GPU = {"gpu_type": "gpu", "gpu_count": "count", "gpu_memory_gib": "memory_gib"}
_SORTS = (
    "price name type provider account region zone status created updated_at instance_type "
    "vcpus ram_gib runtime memory_mb timeout_s last_modified size_bytes size_gb "
    "object_count engine version connections node_count id "
)
SORTS = tuple(_SORTS.split())
GROUP_SORTS = ("count", "group", "usd_per_hour", "price")
ONE = {"their": "its", "they": "it was", "they_are": "it is", "do": "does"}
MANY = {"their": "their", "they": "they were", "they_are": "they are", "do": "do"}
UNTOLD = {
    "tags": "{n} left out because {their} tags are not known",
    "usd_per_hour": "{n} left out because {their} price is not known",
    "created_at": "{n} left out because {their} cloud does not tell when {they} created",
    "encrypted": "{n} {do} not tell whether {they_are} encrypted",
    "vcpus": "{n} left out because {their} vCPUs are not known",
    "ram_gib": "{n} left out because {their} memory is not known",
}


def told(
    ctx: Ctx, harvest: Harvest, rows: Sequence[dict[str, Any]], fields: Sequence[str] | None
) -> list[dict[str, Any]]:
    """Rows with the fields of their types, and those that were asked for beside them."""
    from cloudtop import resource_types

    now = ctx.clock.now()
    labels: dict[Any, tuple[str, str | None]] = {}
    made = []
    for row in rows:
        key = row["_scope"], row["_read_at"]
        if key not in labels:
            service = ctx.fleet.facts[row["provider"]].service_of(row["_scope"].kind)
            labels[key] = harvest.label(*key, now), service
        row["source"], row["service"] = labels[key]
        row["kind"] = resource_types.group(row["type"])
        row["gpus"] = row["gpus"] or []
        shown = {name: row[name] for name in (*COMMON, *resource_types.fields(row["type"]), *LAST)}
        if fields:
            shown |= {name: _asked(ctx, row, name) for name in fields if name not in shown}
        made.append(shown)
    return made


def _asked(ctx: Ctx, row: Mapping[str, Any], name: str) -> Any:
    """A field that a row has only when it is asked for: out of the row, its details, its GPUs, its record."""
    if name == "raw":
        return ctx.store.roster.raw(row["_scope"], row["type"], row["region"], row["id"])
    if name == "discovered_at":
        from cloudtop.store.roster import moment_text

        return moment_text(row["since"])
    if name in FIRST_GPU:
        first = row["gpus"][0] if row["gpus"] else {}
        return first.get(FIRST_GPU[name])
    if name in row:
        return row[name]
    return (row["details"] or {}).get(name)


def unpriced(rows: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The rows that cost what their type does, as far as their cloud has not told their price.

    Each with what its price is kept under as its type.
    """
    for one in rows:
        lot = (one["details"] or {}).get("priced_as")
        if one["instance_type"] and not one["_priced"] and (lot or not one["spot"]):
            yield {**one, "instance_type": lot or one["instance_type"]}


def grouped(
    ctx: Ctx, wanted: ResourceFilter, by: Sequence[str], sort: str | None, descending: bool
) -> list[dict[str, Any]]:
    """One row per group, the largest first unless `sort` says otherwise."""
    groups = ctx.store.roster.groups(wanted, by)
    if sort is None:
        return groups
    known = [one for one in groups if one[sort] is not None]
    known.sort(key=lambda one: str(one["group"]))
    known.sort(key=lambda one: one[sort], reverse=descending)
    return [*known, *(one for one in groups if one[sort] is None)]


def sort_of(text: str | None, *, grouped: bool) -> tuple[str | None, bool]:
    """The field to sort by, None for the usual order, and whether descending."""
    if text is None:
        return None, False
    name, descending = sort_in(text, GROUP_SORTS if grouped else SORTS, "created")
    return ("usd_per_hour" if name == "price" else name), descending


def untold(counts: Mapping[str, int]) -> list[str]:
    """What a filter left out since it is not known."""
    return [
        UNTOLD[name].format(n=plural(count, "resource"), **(ONE if count == 1 else MANY)) + "."
        for name, count in counts.items()
        if count
    ]
