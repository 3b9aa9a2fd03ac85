"""Neon's history of consumption: hours of a week and days of two months, the present one among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cloudtop.sandbox.fleet import Fleet, Record
from cloudtop.sandbox.neon.wire import Refusal
from cloudtop.sandbox.series import series

GRANULARITIES = {
    "hourly": (timedelta(hours=1), timedelta(hours=168)),
    "daily": (timedelta(days=1), timedelta(days=60)),
}
"""Of each how long it is, and how far back it is kept."""
OF_PROJECTS = ("extra_branches_month", "snapshot_storage_bytes_month")
METRICS = (
    "compute_unit_seconds",
    "root_branch_bytes_month",
    "child_branch_bytes_month",
    "instant_restore_bytes_month",
    "public_network_transfer_bytes",
    "private_network_transfer_bytes",
)


def check(asked: Mapping[str, str], kind: str, now: datetime) -> None:
    """Refuse a question that the documentation does not allow."""
    for name in ("from", "to", "granularity", "org_id", "metrics"):
        if not asked.get(name):
            raise Refusal(400, f"parameter {name} in query has an error: value is required but missing")
    unknown = {*asked["metrics"].split(",")} - {*METRICS, *(OF_PROJECTS if kind == "projects" else ())}
    if unknown:
        raise Refusal(400, f"metric {min(unknown)} is not supported")
    if asked["granularity"] not in GRANULARITIES:
        raise Refusal(400, "granularity must be hourly or daily")
    (begin, _), *_ = [*frames(asked, now), (now, now)]
    if begin < now - GRANULARITIES[asked["granularity"]][1]:
        raise Refusal(406, "the time range is not valid for this granularity")


def frames(asked: Mapping[str, str], now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The hours or days of a question, the one that is not over among them."""
    step, _ = GRANULARITIES[asked["granularity"]]
    seconds = step.total_seconds()
    begin, end = (
        datetime.fromtimestamp(datetime.fromisoformat(asked[name]).timestamp() // seconds * seconds, UTC)
        for name in ("from", "to")
    )
    while begin <= end and begin < now:
        yield begin, begin + step
        begin += step


def history(fleet: Fleet, one: Record, asked: Mapping[str, str], plan: str, now: datetime) -> dict[str, Any]:
    """What one project or branch consumed in the time that is asked for."""
    every = {
        name: series(one.metrics[name], 3600, fleet.started, one.created)
        for name in asked["metrics"].split(",")
        if name in one.metrics
    }
    consumption = []
    for begin, end in frames(asked, now):
        if one.created is not None and end <= one.created:
            continue
        sums = {name: values.samples(begin.timestamp(), end.timestamp(), now.timestamp())[1]
                for name, values in every.items()}  # fmt: skip
        consumption.append(
            {
                "timeframe_start": f"{begin:%Y-%m-%dT%H:%M:%SZ}",
                "timeframe_end": f"{end:%Y-%m-%dT%H:%M:%SZ}",
                "metrics": [
                    {"metric_name": name, "value": round(sum(hours))} for name, hours in sums.items()
                ],
            }
        )
    period = {
        "period_id": "79ec829f-1828-4006-ac82-9f1828a0067d",
        "period_plan": plan,
        "period_start": f"{now:%Y-%m}-01T00:00:00Z",
        "consumption": consumption,
    }
    within = {"project_id": one.own["project"], "branch_id": one.id} if "project" in one.own else {}
    return {"project_id": one.id, **within, "periods": [period]}
