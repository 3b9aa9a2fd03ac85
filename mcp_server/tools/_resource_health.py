"""How resources are: what their cloud says of them, else what follows from their status.

What is stopped is down and neither healthy nor not: somebody may have meant it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cloudtop import resource_types
from mcp_server.result import Rows
from mcp_server.tools._resource_question import harvested, question

if TYPE_CHECKING:
    from mcp_server.result import Ctx

OF_STATUS: dict[str, tuple[str, bool | None]] = {
    "running": ("healthy", True),
    "available": ("healthy", True),
    "unattached": ("healthy", True),
    "failed": ("failing", False),
    "stopped": ("down", None),
    "terminated": ("down", None),
}
"""What a status says of health; of the others nothing follows."""

OF_HEALTH = {"healthy": True, "degraded": False, "failing": False, "down": False}
UNHEALTHY = "unhealthy"


async def resource_health(
    ctx: Ctx, given: Mapping[str, Any], status: Sequence[str] | None, max_age_s: float | None
) -> Rows:
    """One row per resource that is meant."""
    asked = await question(ctx, given)
    harvest = await harvested(ctx, asked, max_age_s)
    found = ctx.store.resources(replace(asked.filter, scopes=tuple(harvest.scopes), limit=None))
    now = ctx.clock.now()
    rows = []
    for one in found.rows:
        label, healthy, message = judged(one)
        rows.append(
            check_row(
                one["provider"],
                one["account"],
                "resources",
                label,
                message,
                one["fetched_at"],
                name=one["name"] or one["id"],
                healthy=healthy,
                region=one["region"],
                uid=one["uid"],
                source=harvest.label(one["_scope"], one["_read_at"], now),
            )
        )
    return Rows(
        rows=[row for row in rows if wanted(row, status)],
        sources=harvest.sources,
        missing=harvest.missing,
        applied=asked.applied | ({"status": list(status)} if status else {}),
        notices=[*asked.notices, *([] if found.total else ["No resource matches."])],
        expires_at=harvest.expires_at,
    )


def judged(one: Mapping[str, Any]) -> tuple[str, bool | None, str]:
    """A resource's health, whether that is good, and a sentence."""
    what = resource_types.title(one["type"]).capitalize()
    raw = one["status_raw"]
    said = f"{what} {one['status']}" + (f" ({raw})" if raw and raw.lower() != one["status"] else "")
    if one["health"]:
        return one["health"], OF_HEALTH.get(one["health"]), one["health_message"] or f"{said}."
    status, healthy = OF_STATUS.get(one["status"], ("unknown", None))
    return status, healthy, f"{said}."


def wanted(row: Mapping[str, Any], status: Sequence[str] | None) -> bool:
    """Whether a row is in one of these states; `unhealthy` is every one that is not as it should be."""
    return not status or row["status"] in status or (UNHEALTHY in status and row["healthy"] is False)


def add(found: Rows, more: Rows) -> None:
    """Put the rows about resources after those about connections."""
    found.rows += more.rows
    found.sources += more.sources
    found.missing += [one for one in more.missing if one not in found.missing]
    found.applied |= more.applied
    found.notices += more.notices
    ends = (found.expires_at, more.expires_at)
    found.expires_at = None if None in ends else min(one for one in ends if one is not None)


def check_row(
    provider: str,
    account: str,
    check: str,
    status: str,
    message: str,
    checked_at: str,
    *,
    name: str,
    healthy: bool | None = None,
    region: str | None = None,
    latency_ms: float | None = None,
    uid: str | None = None,
    source: str = "live",
    fetched_at: str | None = None,
) -> dict[str, Any]:
    """One check in the order of its fields."""
    return {
        "provider": provider,
        "account": account,
        "region": region,
        "name": name,
        "check": check,
        "healthy": healthy,
        "status": status,
        "message": message,
        "latency_ms": latency_ms,
        "checked_at": checked_at,
        "uid": uid,
        "source": source,
        "fetched_at": fetched_at or checked_at,
    }
