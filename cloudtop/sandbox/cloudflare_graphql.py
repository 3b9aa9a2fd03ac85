"""Cloudflare's GraphQL analytics over the made-up company: datasets of one account, in groups.

Takes the part of GraphQL that questions about datasets need: one operation with variables, fields with
arguments and fields within. As there, an error comes with status 200 and `data: null`, a question is about
one account, needs a limit, reaches back 31 days at most, and names no field that a dataset has not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cloudtop.sandbox.fleet import Fleet, Record
from cloudtop.sandbox.series import combined, series

KEPT_S, MOST = 2_678_400, 10_000
SAMPLE_S, STORED_S = 60, 3_600
CLOCKS = {
    "datetimeMinute": 60,
    "datetimeFiveMinutes": 300,
    "datetimeFifteenMinutes": 900,
    "datetimeHour": 3_600,
    "datetime": 3_600,
    "date": 86_400,
}
TOKEN = re.compile(r"\s*(?:,\s*)*([{}()\[\]:!]|\$?\w+|\"[^\"]*\")")


class Wrong(Exception):
    """A question that is refused."""


@dataclass
class Field:
    """A field of a question: its arguments, and the fields within."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    within: list[Field] = field(default_factory=list)


@dataclass(frozen=True)
class Dataset:
    """A dataset: whose, what names a thing in it, whether by whole days, its fields, and its operations."""

    group: str
    by: str
    fields: Mapping[str, tuple[str, ...]]
    days: bool = False
    every_s: int = SAMPLE_S
    actions: tuple[str, ...] = ()


R2 = ("GetObject", "HeadObject", "PutObject", "UploadPart", "DeleteObject", "ListObjects")
KV = ("read", "write", "delete", "list")
DATASETS = {
    "workersInvocationsAdaptive": Dataset(
        "workers",
        "scriptName",
        {"sum": ("requests", "errors", "subrequests"), "quantiles": ("cpuTimeP50", "cpuTimeP99")},
    ),
    "r2OperationsAdaptiveGroups": Dataset("buckets", "bucketName", {"sum": ("requests",)}, actions=R2),
    "r2StorageAdaptiveGroups": Dataset(
        "buckets",
        "bucketName",
        {"max": ("objectCount", "uploadCount", "payloadSize", "metadataSize")},
        every_s=STORED_S,
    ),
    "d1AnalyticsAdaptiveGroups": Dataset(
        "d1_databases",
        "databaseId",
        {
            "sum": ("readQueries", "writeQueries", "rowsRead", "rowsWritten"),
            "quantiles": ("queryBatchTimeMsP50", "queryBatchTimeMsP90"),
        },
    ),
    "d1StorageAdaptiveGroups": Dataset(
        "d1_databases", "databaseId", {"max": ("databaseSizeBytes",)}, days=True, every_s=STORED_S
    ),
    "kvOperationsAdaptiveGroups": Dataset(
        "namespaces",
        "namespaceId",
        {"sum": ("requests",), "quantiles": ("latencyMsP50", "latencyMsP99")},
        days=True,
        actions=KV,
    ),
    "kvStorageAdaptiveGroups": Dataset(
        "namespaces", "namespaceId", {"max": ("keyCount", "byteCount")}, days=True, every_s=STORED_S
    ),
    "aiInferenceAdaptiveGroups": Dataset(
        "models", "modelId", {"sum": ("totalNeurons", "totalInputTokens", "totalOutputTokens"), "count": ()}
    ),
}


def answer(fleet: Fleet, account: str, asked: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The answer to one question."""
    try:
        (viewer,) = parsed(str(asked.get("query")), asked.get("variables") or {})
        (accounts,) = viewer.within
        if (viewer.name, accounts.name) != ("viewer", "accounts"):
            raise Wrong("unknown field")
        if accounts.arguments != {"filter": {"accountTag": fleet.accounts[account]["number"]}}:
            raise Wrong("not authorized for that account")
        told = {one.name: _told(fleet, account, one, now) for one in accounts.within}
    except (Wrong, ValueError, KeyError, StopIteration) as error:
        problem = {"message": str(error), "path": None, "extensions": {"timestamp": now.isoformat()}}
        return {"data": None, "errors": [problem]}
    return {"data": {"viewer": {"accounts": [told]}}, "errors": None}


def parsed(query: str, variables: Mapping[str, Any]) -> list[Field]:
    """The fields of a query, with the values of its variables in their place."""
    tokens = iter(TOKEN.findall(query))
    if next(tokens) != "query":
        raise Wrong("an operation must be a query")
    for token in tokens:
        if token == "{":
            return _fields(tokens, variables)
    raise Wrong("a query must ask for something")


def _fields(tokens: Iterator[str], variables: Mapping[str, Any]) -> list[Field]:
    found: list[Field] = []
    for token in tokens:
        if token == "}":
            return found
        if token == "(":
            found[-1].arguments = _pairs(tokens, variables, ")")
        elif token == "{":
            found[-1].within = _fields(tokens, variables)
        else:
            found.append(Field(token))
    raise Wrong("a query must end")


def _pairs(tokens: Iterator[str], variables: Mapping[str, Any], end: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for token in tokens:
        if token == end:
            return found
        if next(tokens) != ":":
            raise Wrong("an argument needs a value")
        found[token] = _value(next(tokens), tokens, variables)
    raise Wrong("arguments must end")


def _value(token: str, tokens: Iterator[str], variables: Mapping[str, Any]) -> Any:
    if token == "{":
        return _pairs(tokens, variables, "}")
    if token == "[":
        return list(iter(lambda: next(tokens), "]"))
    if token.startswith("$"):
        return variables[token[1:]]
    return int(token) if token.isdigit() else token.strip('"')


def _told(fleet: Fleet, account: str, asked: Field, now: datetime) -> Any:
    """The groups of one dataset, or the account's own number."""
    if asked.name == "accountTag":
        return fleet.accounts[account]["number"]
    dataset = DATASETS.get(asked.name)
    if dataset is None:
        raise Wrong(f"unknown field {asked.name!r}")
    only = dict(asked.arguments.get("filter", {}))
    unit = "date" if dataset.days else "datetime"
    start, end = _seconds(only.pop(f"{unit}_geq"), 0), _seconds(only.pop(f"{unit}_leq"), 86_400)
    if now.timestamp() - start > KEPT_S + (86_400 if dataset.days else 0):
        raise Wrong(f"cannot request data older than {KEPT_S}s")
    if not 0 < asked.arguments.get("limit", 0) <= MOST:
        raise Wrong(f"limit must be between 1 and {MOST}")
    things, actions = only.pop(f"{dataset.by}_in", None), only.pop("actionType_in", dataset.actions)
    if only:
        raise Wrong(f"unknown filter {next(iter(only))!r}")
    parts = {one.name: [inner.name for inner in one.within] for one in asked.within}
    by, clock = parts.pop("dimensions")
    if by != dataset.by or clock not in CLOCKS:
        raise Wrong("unknown dimension")
    _check(dataset, parts)
    found = [
        group
        for one in fleet.of(dataset.group, account)
        if things is None or one.id in things
        for group in _groups(fleet, one, dataset, parts, actions, clock, (start, end, now.timestamp()))
    ]
    return sorted(found, key=lambda group: str(group["dimensions"][clock]), reverse=True)[
        : asked.arguments["limit"]
    ]


def _check(dataset: Dataset, parts: Mapping[str, list[str]]) -> None:
    for name, fields in parts.items():
        if name not in dataset.fields or set(fields) - set(dataset.fields[name]):
            raise Wrong(f"unknown field in {name!r}")


def _groups(
    fleet: Fleet,
    one: Record,
    dataset: Dataset,
    parts: Mapping[str, list[str]],
    actions: tuple[str, ...],
    clock: str,
    times: tuple[float, float, float],
) -> Iterator[dict[str, Any]]:
    """One thing's groups, a step after the other; where nothing happened there is none."""
    step = CLOCKS[clock]
    cells: dict[int, dict[str, Any]] = {}
    for part, names in parts.items():
        for name in names or [part]:
            sources = actions if dataset.actions and name == "requests" else (name,)
            for at, values in _samples(fleet, one, dataset, sources, step, times):
                stat = {"sum": "sum", "max": "max", "quantiles": "p50", "count": "sum"}[part]
                value = combined(stat, values)
                value = value if part == "quantiles" else round(value)
                cell = cells.setdefault(at, {})
                if names:
                    cell.setdefault(part, {})[name] = value
                else:
                    cell[part] = value
    for at, cell in cells.items():
        moment = datetime.fromtimestamp(at, UTC)
        label = f"{moment:%Y-%m-%d}" if clock == "date" else f"{moment:%Y-%m-%dT%H:%M:%SZ}"
        yield {**cell, "dimensions": {dataset.by: one.id, clock: label}}


def _samples(
    fleet: Fleet,
    one: Record,
    dataset: Dataset,
    names: tuple[str, ...],
    step: int,
    times: tuple[float, float, float],
) -> list[tuple[int, list[float]]]:
    found: dict[int, list[float]] = {}
    for name in names:
        if name in one.metrics:
            made = series(one.metrics[name], dataset.every_s, fleet.started, one.created, one.stopped)
            first, values = made.samples(*times)
            for number, value in enumerate(values):
                at = int(first + number * dataset.every_s) // step * step
                found.setdefault(at, []).append(value)
    return sorted(found.items())


def _seconds(text: str, day: int) -> float:
    """A moment of a filter; the end of a day includes it."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() + day
    return datetime.fromisoformat(text).timestamp()
