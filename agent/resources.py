"""What is said of resources: how many and which, one of them, how they are, what can be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent.figures import (
    account,
    day,
    metric_title,
    moment,
    number,
    priced,
    quantity,
    resource_size,
    side,
    usd,
)
from cloudtop import metrics, resource_types
from cloudtop.text import plural

if TYPE_CHECKING:
    from agent.answer import Answer
    from agent.compute import Computed

Row = Mapping[str, Any]
NAMED = 3
"""So many of a list are named in a sentence."""

_STATED = {"running", "stopped", "terminated", "failed", "unattached", "starting", "stopping", "unknown"}
_BESIDE = frozenset(
    (
        *("resource_type", "metric", "granularity", "op", "value", "unit", "agg"),
        *("sort", "group_by", "list_metrics", "time", "name", "where"),
    )
)
"""Arguments that a sentence says in words of its own."""
_FILTERS = {
    "providers": "on",
    "missing_tag": "without tag",
    "status_not": "not",
    "exclude_resource_type": "without",
}
_FIELDS = {
    "usd_per_hour": "$/hour",
    "size_bytes": "size",
    "size_gb": "GB",
    "vcpus": "vCPUs",
    "ram_gib": "GiB of memory",
    "gpu_count": "GPUs",
    "object_count": "objects",
}
_LEAST = {
    "min_vcpu": "vcpus",
    "min_ram": "ram_gib",
    "min_size_gb": "size_gb",
    "min_memory": "gpu_memory_gib",
}
"""Arguments that say at least of a column: nothing beside a condition that says more than."""
_ORDERS = {
    "oldest": "oldest",
    "created_asc": "oldest",
    "newest": "newest",
    "created_desc": "newest",
    "price_asc": "cheapest",
    "price_desc": "dearest",
    "size_gb_asc": "smallest",
    "size_gb_desc": "largest",
    "size_bytes_asc": "smallest",
    "size_bytes_desc": "largest",
}
"""What the first of an order are called."""
_COLUMNS = {
    "price": "usd_per_hour",
    "size_gb": "size_gb",
    "size_bytes": "size_bytes",
    "created": "created_at",
}
"""What an order is by: where no row tells it, nothing is first."""
_NOT_TOLD = {
    "usd_per_hour": "what they cost",
    "size_gb": "their size",
    "size_bytes": "their size",
    "created_at": "when they were created",
}
WORDS = {"lt": "under", "le": "at most", "gt": "over", "ge": "at least", "eq": "exactly", "of": "is"}


def noun(applied: Mapping[str, Any], count: float) -> str:
    """What is counted: `instances`, `databases`, else `resources`."""
    kinds = applied.get("resource_type") or []
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if len(kinds) == 1:
        return resource_types.title(str(kinds[0]), count)
    return "resource" if count == 1 else "resources"


def counted(applied: Mapping[str, Any], count: float) -> str:
    """`57 instances`."""
    return f"{number(count)} {noun(applied, count)}"


def conditions(applied: Mapping[str, Any]) -> str:
    """` (status stopped, region eu, $/hour over 2)`: what was applied beside the type."""
    where = applied.get("where") or ()
    over = {field for field, op, _ in where if op == "gt"}
    said = [
        _filter(_FILTERS.get(name, name.replace("_", " ")), value)
        for name, value in applied.items()
        if name not in _BESIDE and _LEAST.get(name) not in over
    ]
    said += [_condition(*one) for one in where]
    return f" ({', '.join(said)})" if said else ""


def _filter(name: str, value: Any) -> str:
    """`status stopped`, `spot`, `not encrypted`."""
    if isinstance(value, bool):
        return name if value else f"not {name}"
    if value == ["*"]:
        return "untagged"
    return f"{name} {_plain(value)}"


def _condition(field: str, op: str, value: Any) -> str:
    """`vCPUs under 4`, `region not eu`, `with public ip`."""
    name = _FIELDS.get(field, field.removeprefix("tags.").replace("_", " "))
    if op == "known":
        return f"with{'' if value else 'out'} {'GPUs' if field == 'gpu' else name}"
    if op == "has_not":
        return f"no “{value}” in {name}"
    said = number(value) if isinstance(value, int | float) else _plain(value)
    if op == "eq" and isinstance(value, str):
        return f"{name} {said}"
    return f"{name} not {said}" if op == "ne" else f"{name} {WORDS[op]} {said}"


def nothing(answer: Answer) -> str:
    """That nothing is there, and what was looked for."""
    unknown = answer.applied.get("name")
    if unknown and answer.applied.get("metric") and answer.calls[-1]["tool"] == "get_metrics":
        # Only types that have the metric were looked through: one of another type may bear the name.
        title = " and ".join(metric_title(one) for one in answer.applied["metric"])
        return f"Nothing that {title} is measured of is named {_plain(unknown)}."
    if unknown and not set(answer.applied) - set(_BESIDE):
        return f"No resource is named {_plain(unknown)}."
    return f"No {noun(answer.applied, 1)} matches{conditions(answer.applied)}{compared(answer)}."


def compared(answer: Answer) -> str:
    """` with CPU under 20 %`, where that was asked."""
    asked = answer.calls[-1]["arguments"]
    if not asked.get("op") or not answer.applied.get("metric"):
        return ""
    title = " and ".join(metric_title(one) for one in answer.applied["metric"])
    return f" with {title} {WORDS[asked['op']]} {number(asked['value'])}{_unit(asked, answer)}"


def _unit(asked: Mapping[str, Any], answer: Answer) -> str:
    if asked.get("unit"):
        return f" {asked['unit']}"
    known = metrics.metrics().get(str((answer.applied.get("metric") or [""])[0]))
    return " %" if known is not None and known.unit == "percent" else ""


def lists(done: Sequence[Mapping[str, Any]]) -> str:
    """`1 instance (status stopped): web-2; 3 volumes (status unattached): …`: several lists in one answer."""
    told = []
    for one in done:
        count = int(one.get("total") or len(one["rows"]))
        names = f": {_named(one['rows'], count)}" if one["rows"] else ""
        told.append(f"{counted(one['applied'], count)}{conditions(one['applied'])}{names}")
    return f"{'; '.join(told)}."


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def name_of(row: Row) -> str:
    """What a person calls a resource."""
    return str(row.get("name") or row.get("id") or str(row.get("uid")).rpartition(":")[2])


def _named(rows: Sequence[Row], total: int) -> str:
    """The first names of so many."""
    names = list(dict.fromkeys(name_of(row) for row in rows))[:NAMED]
    rest = f" and {number(total - len(names))} more" if total > len(names) and len(rows) > NAMED else ""
    return ", ".join(names) + rest


def listed(rows: Sequence[Row], answer: Answer, done: Sequence[Mapping[str, Any]]) -> str:
    """`12 instances (status stopped): web-1, web-2, db-1 and 9 more.`"""
    if "group" in rows[0] and "count" in rows[0]:
        return _groups(rows, answer, done)
    total = int((done[-1].get("total") if done else None) or len(rows))
    asked = answer.calls[-1]["arguments"]
    order = _ORDERS.get(str(asked.get("sort")))
    what = f"{counted(answer.applied, total)}{conditions(answer.applied)}"
    column = _COLUMNS.get(str(asked.get("sort")).rpartition("_")[0])
    if order and column and all(row.get(column) is None for row in rows):
        told = f"{stale(rows)}{what}: {_named(rows, total)}."
        return f"{told} Which is {order} cannot be told: {_NOT_TOLD[column]} is not known."
    if order and asked.get("limit") and len(rows) < total:
        first = order if len(rows) == 1 else f"{number(len(rows))} {order}"
        priced = str(asked["sort"]).startswith("price_")
        known = ", as far as prices are known" if priced else ""
        return f"{stale(rows)}The {first} of {what}{known}: {_named(rows, len(rows))}."
    return f"{stale(rows)}{what}: {_named(rows, total)}."


def _groups(rows: Sequence[Row], answer: Answer, done: Sequence[Mapping[str, Any]]) -> str:
    """`57 instances by region: us-east-1 has 20, eu-west-1 12, eu-central-1 9 and 4 more groups.`"""
    dimensions = (answer.then or {}).get("by") or answer.calls[-1]["arguments"].get("group_by", ["group"])
    by = " and ".join(str(one).removeprefix("tag:").replace("_", " ") for one in dimensions)
    groups = int((done[-1].get("total") if done else None) or len(rows))
    total = sum(int(row["count"]) for row in rows)
    whole = counted(answer.applied, total) if groups == len(rows) else f"{number(groups)} groups"
    named = min(NAMED, len(rows))
    more = f" and {plural(groups - named, 'more group')}" if groups > named else ""
    if str(answer.applied.get("sort")).startswith("price"):
        told = ", ".join(f"{_group(row)} {_hourly(row)}" for row in rows[:NAMED])
        return f"{whole}{conditions(answer.applied)} by {by}, an hour: {told}{more}."
    told = ", ".join(f"{_group(row)} {number(row['count'])}" for row in rows[1:NAMED])
    told = f"{_group(rows[0])} has {number(rows[0]['count'])}{f', {told}' if told else ''}"
    return f"{whole}{conditions(answer.applied)} by {by}: {told}{more}."


def _hourly(row: Row) -> str:
    return "is not known" if row["usd_per_hour"] is None else usd(row["usd_per_hour"])


def summed_groups(result: Computed, answer: Answer) -> str:
    """`vCPUs of 182 instances by provider: aws 1,600, gcp 800 and 5 more groups; 3,629 together.`"""
    rows, field = result.rows, str(result.figures["field"])
    by = " and ".join(str(one).removeprefix("tag:").replace("_", " ") for one in (answer.then or {})["by"])
    known = [row for row in rows if row[field] is not None]
    told = ", ".join(f"{_group(row)} {_amount(field, row[field])}" for row in known[:NAMED])
    more = f" and {plural(len(known) - NAMED, 'more group')}" if len(known) > NAMED else ""
    whose = counted(answer.applied, sum(int(row["count"]) for row in rows))
    untold = result.figures.get("untold")
    left = f"; of {number(untold)} it is not known" if untold else ""
    if not known:
        return f"{_FIELDS.get(field, field)} of {whose}{conditions(answer.applied)} is not known of any."
    whole = f"{_amount(field, result.figures['value'])} together"
    name = _FIELDS.get(field, field)
    return f"{name} of {whose}{conditions(answer.applied)} by {by}: {told}{more}; {whole}{left}."


def _amount(field: str, value: float) -> str:
    if field == "size_bytes":
        return quantity(value, "bytes")
    return f"{usd(value)}" if field == "usd_per_hour" else number(value)


def _group(row: Row) -> str:
    return str(row["group"]) if row["group"] not in (None, "") else "no value"


def one(rows: Sequence[Row], answer: Answer, done: Sequence[Mapping[str, Any]]) -> str:
    """`web-prod-2 is a running instance (m5.large, 2 vCPU) on aws in us-east-1; made on 2026-10-01.`"""
    first = rows[0]
    if len(rows) > 1:
        where = Counter(f"{row['provider']} {resource_types.title(row['type'])}" for row in rows)
        return f"{len(rows)} resources have it: {', '.join(where)}."
    state = f"{first['status']} " if first["status"] in _STATED else ""
    kind = f"{state}{resource_types.title(first['type'])}"
    article = "an" if kind[0].lower() in "aeiou" else "a"
    size = f" ({told})" if (told := resource_size(first)) else ""
    whose = f", account {name}" if (name := account(first)) else ""
    where_it_is = f"on {first['provider']}{whose} in {first['region']}"
    parts = [f"{name_of(first)} is {article} {kind}{size} {where_it_is}", *_addresses(first)]
    parts += [f"made on {made}"] if (made := day(first.get("created_at"))) else []
    parts += [f"{cost} per hour"] if (cost := priced(first)) else []
    tags = ", ".join(f"{key}={value}" for key, value in (first.get("tags") or {}).items())
    parts += [f"tags {tags}"] if tags else []
    return f"{stale(rows)}{'; '.join(parts)}."


def _addresses(row: Row) -> list[str]:
    fields = (("public", "public_ip"), ("private", "private_ip"))
    return [f"{word} address {row[field]}" for word, field in fields if row.get(field)]


def stale(rows: Sequence[Row]) -> str:
    """Since when it was not asked again, in front of a sentence about rows that are old."""
    old = [str(row["fetched_at"]) for row in rows if row.get("source") == "stale"]
    return f"As of {moment(min(old))}, not asked again since: " if old else ""


def health(rows: Sequence[Row], answer: Answer) -> str:
    """How resources are: `2 of 41 resources are not well: node-3 (failing), pod-7 (down).`"""
    bad = [row for row in rows if row.get("healthy") is False]
    unknown = [row for row in rows if row.get("healthy") is None]
    if len(rows) == 1:
        row = rows[0]
        return f"{stale(rows)}{row['name']} on {row['provider']} is {row['status']}: {row['message']}"
    if bad:
        said = ", ".join(dict.fromkeys(f"{row['name']} ({row['status']})" for row in bad[:NAMED]))
        more = f" and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
        of = "" if len(bad) == len(rows) else f"{len(bad)} of "
        return f"{stale(rows)}{of}{counted(answer.applied, len(rows))} are not well: {said}{more}."
    if unknown:
        states = Counter(str(row["status"]) for row in unknown)
        told = ", ".join(f"{count} {state}" for state, count in states.most_common())
        whole = f"None of {counted(answer.applied, len(rows))} is unhealthy"
        return f"{stale(rows)}{whole}; of {len(unknown)} it is not known ({told})."
    return f"{stale(rows)}All {counted(answer.applied, len(rows))} are healthy."


def services(rows: Sequence[Row], answer: Answer, done: Sequence[Mapping[str, Any]]) -> str:
    """Which services of which clouds can be read."""
    by_cloud: dict[str, list[str]] = {}
    for row in rows:
        by_cloud.setdefault(str(row["provider"]), []).append(str(row["id"]))
    told = "; ".join(f"{cloud}: {', '.join(some)}" for cloud, some in by_cloud.items())
    usable = sum(1 for row in rows if row["enabled"] and row["configured"])
    return f"{plural(len(rows), 'service')}, {number(usable)} of them readable now: {told}."


def summed(result: Computed, answer: Answer) -> str:
    """`57 instances cost $12.30 per hour together.`"""
    if not result.rows:
        return nothing(answer)
    figures, where = result.figures, conditions(answer.applied)
    value, field, count = figures["value"], str(figures["field"]), figures["count"]
    left = f"; of {number(figures['untold'])} it is not known" if figures.get("untold") else ""
    left = f"{left}.{unmatched(figures)}"
    if value is None:
        whose = f"{counted(answer.applied, len(result.rows))}{where}"
        # A bucket's listing does not say what it holds; its cloud measures that.
        measures = f" get_metrics may tell it: metric={field}." if field in metrics.metrics() else ""
        return f"{whose}: {_FIELDS.get(field, field)} is not known of any.{measures}"
    what = f"{counted(answer.applied, count)}{where}"
    together = " together" if count != 1 else ""
    if field == "usd_per_hour":
        verb = "costs" if count == 1 else "cost"
        return f"{what} {verb} {usd(value)} per hour{together} ({usd(value * 24)} a day){left}"
    verb = "has" if count == 1 else "have"
    if field == "size_bytes":
        return f"{what} {verb} {quantity(value, 'bytes')}{together}{left}"
    return f"{what} {verb} {number(value)} {_FIELDS.get(field, field)}{together}{left}"


def unmatched(figures: Mapping[str, Any], name: str = "unmatched") -> str:
    """` Of 4 more it is not known whether they match.`, after a figure over what meets a condition."""
    count = figures.get(name)
    return f" Of {number(count)} more it is not known whether they match." if count else ""


def sides(result: Computed, answer: Answer) -> str:
    """`prod: 12; staging: 4.`, or of a metric `today 40 % on average; yesterday: nothing measured.`"""
    told, measured = [], "metric" in answer.applied
    for line in result.lines:
        if line["value"] is not None:
            said = f" {quantity(line['value'], line['unit'])} on average"
        else:
            said = ": nothing measured" if measured else f": {number(line['count'])}"
        told.append(f"{side(line['side'])}{said}")
    return f"{'; '.join(told)}."
