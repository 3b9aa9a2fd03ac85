"""A question about metrics understood: which metrics, of what, over which time, compared with what."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from cloudtop import metrics, resource_types
from cloudtop.errors import ArgumentError, MissingArgument
from cloudtop.models import Scope, Trouble, iso

if TYPE_CHECKING:
    from cloudtop.inventory import MetricQuery
    from mcp_server.inventory import Asked
    from mcp_server.result import Ctx
    from mcp_server.tools._resource_question import Question

METRICS = "metrics"
NOW_S = 300
"""How far back a question without a time looks, from the newest point of each series."""

LOOK_BACK_S = 1_800
"""How far back such a question asks: clouds tell what they measured minutes later."""

CLOSED_S = 3_600.0
"""What was measured longer ago than this does not change any more."""

STEPS_S = ((3 * 3_600, 60), (26 * 3_600, 300), (15 * 86_400, 3_600), (62 * 86_400, 3_600))
"""Up to so long a time, points so far apart; beyond, a day apart."""

SPREAD = ("agg", "op", "value", "group_by", "sort")
"""Any of these asks for one value of each resource instead of points."""

Wants = dict[Scope, tuple["MetricQuery", dict[str, dict[str, Any]]]]
"""Each scope with what is asked of it, and the resources by native id."""


@dataclass(frozen=True, slots=True)
class MetricQuestion:
    """One question. `metrics`: () for what is usual of each type. `now`: without a time.

    `aggregate`: one value for each series; `compare`: (op, value in the metric's unit).
    """

    metrics: tuple[str, ...]
    start: datetime
    end: datetime
    step_s: int
    now: bool
    aggregate: bool
    agg: str | None
    compare: tuple[str, float] | None
    group_by: tuple[str, ...]
    sort: tuple[str, bool] | None

    def agg_of(self, metric: str) -> str:
        """How the points of a metric become one value."""
        over = metrics.metrics()[metric].over
        return self.agg or over

    def stat_of(self, metric: str, told: Mapping[str, Any]) -> str:
        """What a cloud is asked to make of the samples within a step."""
        agg = self.agg_of(metric)
        if agg in metrics.PERCENTILES and told.get(metric, {}).get("percentiles"):
            return agg
        return (
            agg
            if agg in ("max", "min", "sum")
            else "sum"
            if metrics.metrics()[metric].over == "sum"
            else "avg"
        )

    def narrow(self, about: Question) -> None:
        """Without a type of their own the resources are those that the metrics are of."""
        if self.metrics and not about.filter.types:
            of = tuple(dict.fromkeys(kind for one in self.metrics for kind in metrics.metrics()[one].of))
            about.asked = replace(about.asked, types=of)
            about.filter = replace(about.filter, types=of)

    def applied(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What took effect beside the resources' filters."""
        applied: dict[str, Any] = {
            "metric": list(self.metrics),
            "time": f"{iso(self.start)}/{iso(self.end)}",
            "granularity": f"{self.step_s}s",
        }
        names = ("agg", "op", "value", "unit", "group_by", "sort")
        return applied | {name: given[name] for name in names if given[name] is not None}

    def max_age_s(self, ctx: Ctx, given: float | None) -> float | None:
        """How old a reading may be: of a time that is over, any."""
        if given is None and (ctx.now - self.end).total_seconds() > CLOSED_S:
            return 30 * 86_400.0
        return given

    def wants(self, ctx: Ctx, resources: Sequence[dict[str, Any]]) -> tuple[Wants, list[Trouble]]:
        """What to ask of whom, one scope per account, region, type and statistic; and what nobody tells."""
        groups: dict[tuple[str, str, str, str], list[dict[str, Any]]] = {}
        for one in resources:
            groups.setdefault((one["provider"], one["account"], one["region"], one["type"]), []).append(one)
        found: Wants = {}
        untold: dict[tuple[str, str, str], Trouble] = {}
        for (provider, account, region, kind), members in groups.items():
            told = ctx.fleet.facts[provider].metrics.get(kind, {})
            asked: dict[str, list[str]] = {}
            for metric in self.of(kind, members):
                parts = metrics.base(metric, told)
                for part in parts:
                    asked.setdefault(self.stat_of(part, told), []).append(part)
                if not parts and self.metrics:
                    untold.setdefault((provider, kind, metric), _untold(ctx, provider, kind, metric))
            for stat, names in asked.items():
                query = self._query(kind, tuple(dict.fromkeys(names)), stat, members)
                scope = ctx.fleet.here(Scope(provider, account, region, METRICS, self._key(ctx, query)))
                found[scope] = (query, {one["id"]: one for one in members})
        return found, list(untold.values())

    def of(self, kind: str, members: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        """The asked metrics that a type of resource has, else the usual ones."""
        if self.metrics:
            yield from (one for one in self.metrics if kind in metrics.metrics()[one].of)
            return
        yield from metrics.usual(kind)
        if any(one["gpus"] for one in members):
            yield from (one for one in metrics.usual("gpu_instance") if one not in metrics.usual(kind))

    def _query(
        self, kind: str, names: tuple[str, ...], stat: str, members: Sequence[Mapping[str, Any]]
    ) -> MetricQuery:
        from cloudtop.inventory import MetricQuery, Target

        whole = stat in metrics.PERCENTILES
        step_s = (
            self.step_s if not whole else max(60, int((self.end - self.start).total_seconds()) // 60 * 60)
        )
        targets = tuple(Target(one["id"], one["name"], one["details"] or {}) for one in members)
        return MetricQuery(kind, names, self.start, self.end, step_s, stat, targets)

    def _key(self, ctx: Ctx, query: MetricQuery) -> str:
        """What tells this reading from others: a time that ends now by its length, to be found again."""
        ids = "\n".join(sorted(one.id for one in query.targets))
        rolling = abs((ctx.clock.now() - query.end).total_seconds()) < 60
        span: Any = round((query.end - query.start).total_seconds()) if rolling else None
        about = {
            "type": query.type,
            "metrics": sorted(query.metrics),
            "stat": query.stat,
            "step_s": query.step_s,
            "last_s": span,
            "from": None if rolling else iso(query.start),
            "to": None if rolling else iso(query.end),
            "of": blake2b(ids.encode(), digest_size=8).hexdigest(),
        }
        kept = {name: value for name, value in about.items() if value is not None}
        return json.dumps(kept, separators=(",", ":"), sort_keys=True)


def metric_question(ctx: Ctx, given: Mapping[str, Any]) -> MetricQuestion:
    """Make one out of the tool's arguments; what contradicts itself is refused."""
    names = _metrics(given)
    start, end, now = _time(ctx, given)
    step_s = _step_s(given, start, end)
    compare = _compare(given, names)
    spread = any(given[name] not in (None, []) for name in SPREAD)
    return MetricQuestion(
        names,
        start,
        end,
        step_s,
        now,
        spread,
        given["agg"],
        compare,
        tuple(given["group_by"] or ()),
        _sort(given),
    )


def offered(ctx: Ctx, asked: Asked, names: Sequence[str]) -> list[tuple[str, str, str, str | None]]:
    """(provider, type, metric, why it is not told or None) of every provider that is meant."""
    providers, _ = ctx.fleet.standing.asked("resources", asked.providers, ())
    found = []
    for provider in providers:
        facts = ctx.fleet.facts[provider]
        for kind in dict.fromkeys(one for types in facts.lists.values() for one in types):
            if asked.types and kind not in asked.types:
                continue
            told, untold = facts.metrics.get(kind, {}), facts.untold.get(kind, {})
            for name, metric in metrics.metrics().items():
                known = bool(metrics.base(name, told))
                if kind in metric.of and (known or name in untold) and (not names or name in names):
                    found.append((provider, kind, name, None if known else untold[name]))
    return found


def _metrics(given: Mapping[str, Any]) -> tuple[str, ...]:
    """The metrics that are asked for, () for the usual ones, for which something must be named."""
    if given["metric"]:
        return metrics.meant(given["metric"])
    named = ("id", "name", "name_contains", "resource_type", "gpu", "list_metrics")
    if not any(given[one] for one in named):
        raise MissingArgument("metric", ", ".join(metrics.metrics()))
    return ()


def _time(ctx: Ctx, given: Mapping[str, Any]) -> tuple[datetime, datetime, bool]:
    """From when to when, in whole minutes."""
    if not given["time"]:
        end = ctx.now.replace(second=0, microsecond=0)
        return end - timedelta(seconds=LOOK_BACK_S), end, True
    from cloudtop.times import interval

    found = interval(given["time"], ctx.now, past_only=True)
    end = min(found.end, ctx.now).replace(second=0, microsecond=0)
    start = found.start.replace(second=0, microsecond=0)
    return min(start, end - timedelta(minutes=1)), end, False


def _step_s(given: Mapping[str, Any], start: datetime, end: datetime) -> int:
    length = (end - start).total_seconds()
    if given["granularity"] is not None:
        step = int(given["granularity"])
        if step < 1 or step > length:
            raise ArgumentError("granularity", f"{step} s does not go into the time asked for", "1m, 5m, 1h")
        return max(60, step // 60 * 60)
    return next((step for most, step in STEPS_S if length <= most), 86_400)


def _compare(given: Mapping[str, Any], names: Sequence[str]) -> tuple[str, float] | None:
    """The comparison, its value in the metrics' unit."""
    if (given["op"] is None) != (given["value"] is None):
        lacking = "value" if given["value"] is None else "op"
        raise ArgumentError(lacking, "is missing: op and value belong together.")
    if given["op"] is None:
        if given["unit"] is not None:
            raise ArgumentError("unit", "is the unit of value, and there is no value.")
        return None
    if not names:
        raise MissingArgument("metric", "the metric that value is of")
    units = {metrics.metrics()[name].unit for name in names}
    if len(units) > 1:
        raise ArgumentError("value", f"cannot be of several units: {', '.join(sorted(units))}", "one metric")
    return given["op"], metrics.in_unit(given["value"], given["unit"], units.pop())


def _sort(given: Mapping[str, Any]) -> tuple[str, bool] | None:
    if given["sort"] is None:
        return None
    from mcp_server.tools._price_fields import sort_in

    known = (
        "price",
        "value",
        "name",
        "provider",
        "region",
        "metric",
        "samples",
        "uid",
        "group",
        "count",
        "time",
    )
    name, descending = sort_in(given["sort"], known, "time")
    return ("value" if name == "price" else name), descending


def _untold(ctx: Ctx, provider: str, kind: str, metric: str) -> Trouble:
    """That a cloud does not tell a metric, and why."""
    facts = ctx.fleet.facts[provider]
    why = facts.untold.get(kind, {}).get(metric) or "its API does not tell it"
    about, many = metrics.metrics()[metric], resource_types.title(kind, 2)
    title = about.title[0].upper() + about.title[1:]
    return Trouble(
        provider,
        "not_covered",
        f"{title} of {many} is not available from {facts.title}, because {why}.",
        "`list_metrics=true` lists what is.",
        kind=METRICS,
        severity="warning",
    )
