"""Tables of an answer: which columns a kind of row has, and how each is written for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from agent import figures
from cloudtop import resource_types
from cloudtop.text import clean

Column = tuple[str, Callable[[Mapping[str, Any]], Any]]
SHOWN = {
    "health": 60,
    "provider": 60,
    "group": 20,
    "count": 20,
    "measured_group": 20,
    "service": 60,
    "metric": 40,
}
USUALLY_SHOWN = 10
"""Rows of the table in an answer; `rows` has them all."""
ALWAYS = frozenset(
    ("health", "provider", "group", "trend", "count", "measured_group", "service", "side", "share")
)
"""Kinds of which a single row is shown as a table too."""

UNCOUNTED = frozenset(("resource", "series", "aggregate"))
"""Kinds that are not shown where only their number was asked for."""


def _left(row: Mapping[str, Any], name: str) -> str:
    """A price of a point; without one nothing was left."""
    return figures.usd(row[name]) if row.get(name) is not None else "sold out"


_ADDED = {
    "vcpus": "vCPUs",
    "ram_gib": "GiB of memory",
    "size_gb": "GB",
    "size_bytes": "size",
    "object_count": "objects",
    "gpu_count": "GPUs",
}
"""Fields that groups may have added up."""


def _added(row: Mapping[str, Any], name: str) -> Any:
    value = row.get(name)
    if value is None:
        return None
    return figures.quantity(value, "bytes") if name == "size_bytes" else figures.number(value)


_OF_RESOURCE = (
    ("name", lambda row: row.get("name") or str(row["uid"]).rpartition(":")[2]),
    ("metric", lambda row: figures.metric_title(row["metric"])),
    ("device", lambda row: row.get("device")),
)
COLUMNS: dict[str, tuple[Column, ...]] = {
    "offer": (
        ("seller", lambda row: row.get("provider")),
        ("machine", figures.machine),
        ("$/GPU-hour", lambda row: figures.usd(row.get("usd_per_gpu_hour"))),
        ("$/hour", lambda row: figures.usd(row.get("usd_per_hour"))),
        ("total", lambda row: figures.total(row["usd_total"]) if row.get("usd_total") is not None else None),
        ("kind", figures.kind),
        ("place", figures.place),
        ("tier", lambda row: row.get("tier")),
        ("price", figures.age),
        ("note", lambda row: "doubtful" if row.get("suspect") else None),
    ),
    "trend": (
        ("group", lambda row: figures.side(row.get("group"))),
        ("first", lambda row: figures.usd(row["first"]) if row.get("first") is not None else None),
        ("last", lambda row: figures.usd(row["last"]) if row.get("last") is not None else "sold out"),
        ("%", lambda row: figures.number(row["delta_percent"]) if row.get("delta_percent") else None),
        ("lowest", lambda row: figures.usd(row["min"]) if row.get("min") is not None else None),
        ("median", lambda row: figures.usd(row["median"]) if row.get("median") is not None else None),
        ("cheaper than % of 30 days", lambda row: row.get("cheaper_than_30d")),
        ("days known", lambda row: row.get("days_covered_30d")),
        ("source", lambda row: row.get("source")),
    ),
    "group": (
        ("group", lambda row: figures.side(row.get("group"))),
        ("GPU", lambda row: row.get("gpu")),
        ("side", lambda row: figures.side(row["of"]) if "of" in row and "gpu" not in row else None),
        ("offers", lambda row: row.get("count")),
        ("cheapest $/GPU-hour", lambda row: figures.usd(row.get("min"))),
        ("median $/GPU-hour", lambda row: figures.usd(row.get("median"))),
    ),
    "change": (
        ("series", lambda row: row.get("group")),
        ("kind", figures.kind),
        ("before", lambda row: figures.usd(row.get("old"))),
        ("after", lambda row: figures.usd(row.get("new"))),
    ),
    "point": (
        ("seller", lambda row: row.get("provider")),
        ("GPU", figures.gpu_name),
        ("from", lambda row: figures.moment(row.get("time"))),
        ("cheapest $/GPU-hour", lambda row: _left(row, "usd_per_gpu_hour_min")),
        ("median", lambda row: _left(row, "usd_per_gpu_hour_median")),
        ("kind", figures.kind),
        ("region", lambda row: row.get("region")),
        ("source", lambda row: row.get("source")),
    ),
    "health": (
        ("cloud", lambda row: row.get("provider")),
        ("account", lambda row: row.get("account")),
        ("name", lambda row: row.get("name") if row.get("uid") else None),
        ("check", lambda row: row.get("check")),
        ("status", lambda row: row.get("status")),
        ("message", lambda row: row.get("message")),
    ),
    "provider": (
        ("id", lambda row: row.get("provider")),
        ("title", lambda row: row.get("title")),
        ("usable", lambda row: "yes" if row.get("configured") or row.get("keyless") else "no"),
        ("answers", lambda row: ", ".join(row.get("kinds") or [])),
        ("why", lambda row: row.get("reason")),
    ),
    "resource": (
        ("name", lambda row: row.get("name") or row.get("id")),
        ("type", lambda row: resource_types.title(str(row["type"]))),
        ("state", lambda row: row.get("status")),
        ("cloud", lambda row: row.get("provider")),
        ("account", figures.account),
        ("place", lambda row: row.get("region")),
        ("size", figures.resource_size),
        ("address", lambda row: row.get("public_ip") or row.get("private_ip")),
        ("tags", lambda row: ", ".join(f"{k}={v}" for k, v in list((row.get("tags") or {}).items())[:3])),
        ("created", lambda row: figures.day(row.get("created_at"))),
        ("$/hour", lambda row: figures.priced(row)),
    ),
    "beside": (
        ("name", lambda row: row.get("name") or row.get("id")),
        ("machine", figures.machine),
        ("cloud", lambda row: row.get("provider")),
        ("place", lambda row: row.get("region")),
        ("$/GPU-hour", lambda row: figures.usd(row["usd_per_gpu_hour"])),
        ("market", lambda row: figures.usd(row["market_usd_per_gpu_hour"])),
        ("%", lambda row: f"{row['percent_over_market']:+,.0f}"),
        ("offers", lambda row: row["market_offers"]),
        ("$/hour", lambda row: figures.priced(row)),
    ),
    "share": (
        ("group", lambda row: row["group"] if row["group"] not in (None, "") else "not told"),
        ("%", lambda row: figures.number(row["percent"])),
        ("count", lambda row: row["count"]),
        ("of", lambda row: row["of"]),
    ),
    "count": (
        ("group", lambda row: row["group"] if row["group"] not in (None, "") else "not told"),
        ("count", lambda row: row.get("count")),
        *((title, partial(_added, name=name)) for name, title in _ADDED.items()),
        ("$/hour", lambda row: figures.priced(row)),
    ),
    "series": (
        *_OF_RESOURCE,
        ("newest", lambda row: figures.quantity(row["newest"], row["unit"])),
        ("average", lambda row: figures.quantity(row["avg"], row["unit"])),
        ("lowest", lambda row: figures.quantity(row["min"], row["unit"])),
        ("highest", lambda row: figures.quantity(row["max"], row["unit"])),
        ("measured", lambda row: figures.moment(row.get("to"))),
    ),
    "aggregate": (
        *_OF_RESOURCE,
        ("as", lambda row: row.get("agg")),
        ("value", lambda row: figures.quantity(row["value"], row["unit"])),
        ("$/hour", lambda row: figures.priced(row)),
        ("points", lambda row: row.get("samples")),
        ("place", lambda row: row.get("region")),
    ),
    "measured_group": (
        ("group", lambda row: row["group"] if row["group"] not in (None, "") else "not told"),
        ("metric", lambda row: figures.metric_title(row["metric"])),
        ("value", lambda row: figures.quantity(row["value"], row["unit"])),
        ("as", lambda row: row.get("agg")),
        ("resources", lambda row: row.get("count")),
    ),
    "metric": (
        ("cloud", lambda row: row.get("provider")),
        ("of", lambda row: resource_types.title(str(row["type"]), 2)),
        ("metric", lambda row: row.get("metric")),
        ("unit", lambda row: row.get("unit")),
        ("told", lambda row: "yes" if row.get("available") else f"no: {row.get('reason')}"),
    ),
    "service": (
        ("cloud", lambda row: row.get("provider")),
        ("service", lambda row: row.get("id")),
        ("name", lambda row: row.get("name")),
        ("holds", lambda row: ", ".join(row.get("capabilities") or [])),
        ("readable", lambda row: "yes" if row.get("enabled") and row.get("configured") else "no"),
        ("why", lambda row: row.get("reason")),
    ),
    "side": (
        ("side", lambda row: figures.side(row.get("side"))),
        ("count", lambda row: row.get("count")),
        (
            "value",
            lambda row: figures.quantity(row["value"], row["unit"]) if row["value"] is not None else None,
        ),
    ),
}


def shape(row: Mapping[str, Any]) -> str:
    """Which kind of row this is, by the fields it has; `chosen` where it has not all that its kind shows.

    Points of `load` have no table of their own: they are told as series.
    """
    return next((name for name, marks in _MARKS if marks <= row.keys()), "chosen")


_MARKS: tuple[tuple[str, frozenset[str]], ...] = tuple(
    (name, frozenset(marks.split()))
    for name, marks in (
        ("trend", "changes group"),
        ("change", "delta group"),
        ("group", "median group"),
        ("point", "usd_per_gpu_hour_min time provider gpu spot"),
        ("health", "check provider name status message"),
        ("provider", "keyless provider configured"),
        ("metric", "per_device type provider"),
        ("service", "capabilities provider id enabled configured"),
        ("load", "time uid metric device unit value"),
        ("series", "newest uid metric unit"),
        ("aggregate", "samples uid metric unit value"),
        ("measured_group", "samples group metric unit value"),
        ("side", "side count value unit"),
        ("beside", "percent_over_market name"),
        ("resource", "status_raw uid type provider region status"),
        ("share", "percent count of group"),
        ("count", "count group"),
        ("offer", "usd_per_gpu_hour provider gpu gpu_count spot"),
    )
)


def _chosen(row: Mapping[str, Any]) -> Iterator[Column]:
    """Columns of rows that have only the fields that were asked for."""
    for name in row:
        yield name.replace("_", " "), partial(_plainly, name=name)


def _plainly(row: Mapping[str, Any], name: str) -> Any:
    value = row.get(name)
    match value:
        case None | "" | [] | {}:
            return None
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return figures.quantity(value, "bytes") if name.endswith("_bytes") else figures.number(value)
        case Mapping():
            return ", ".join(f"{key}={one}" for key, one in value.items())
        case list():
            return ", ".join(str(one.get("gpu") if isinstance(one, Mapping) else one) for one in value)
        case _:
            return value


def table(rows: Sequence[Mapping[str, Any]], total: int) -> str:
    """A Markdown table of the first rows; columns that say nothing are left out."""
    kind = shape(rows[0])
    columns = COLUMNS[kind] if kind in COLUMNS else tuple(_chosen(rows[0]))
    shown = rows[: SHOWN.get(shape(rows[0]), USUALLY_SHOWN)]
    cells = [
        [clean(str(value)) if (value := read(row)) is not None else "" for _, read in columns]
        for row in shown
    ]
    used = [i for i in range(len(columns)) if any(line[i] for line in cells)]
    lines = [
        "| " + " | ".join(columns[i][0] for i in used) + " |",
        "|" + "|".join(" --- " for _ in used) + "|",
        *("| " + " | ".join(line[i].replace("|", "/") for i in used) + " |" for line in cells),
    ]
    if total > len(shown):
        lines.append(f"\n{len(shown)} of {total:,} rows.")
    return "\n".join(lines)
