"""Instances of Cloud SQL.

A stopped instance stays RUNNABLE here and is told by its activation policy. Source: the Cloud SQL Admin
API.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from cloudtop.inventory import Resource
from cloudtop.models import Scope
from cloudtop.units import positive
from connectors.gcp_base import PAGE, Google
from connectors.gcp_rows import labels, moment, raw
from connectors.rows import Record, each, inner, told

INSTANCES = "/v1/projects/{project}/instances"
STATES = {
    "RUNNABLE": "running",
    "ONLINE_MAINTENANCE": "running",
    "REPAIRING": "running",
    "MAINTENANCE": "starting",
    "PENDING_CREATE": "starting",
    "PENDING_DELETE": "stopping",
    "SUSPENDED": "stopped",
    "FAILED": "failed",
}


class Databases(Google):
    """What keeps data behind a query."""

    async def databases(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Instances of Cloud SQL, replicas among them."""
        pages = self.pages(scope, "sql", INSTANCES, "items", maxResults=PAGE)
        async for page in self.listed(scope, pages, database, "database"):
            yield page


def database(one: Record) -> Resource | None:
    """One instance."""
    if not one.get("name"):
        return None
    settings, state = one.get("settings") or {}, str(one.get("state"))
    asleep = settings.get("activationPolicy") == "NEVER" and state == "RUNNABLE"
    engine, version = engine_of(one.get("databaseVersion"))
    ips = {str(ip.get("type")): ip.get("ipAddress") for ip in each(one, "ipAddresses")}
    return Resource(
        id=str(one["name"]),
        type="database",
        name=str(one["name"]),
        status="stopped" if asleep else STATES.get(state, "unknown"),
        status_raw=one.get("state"),
        region=one.get("region"),
        zone=one.get("gceZone"),
        tags=labels(settings, "userLabels"),
        created_at=moment(one.get("createTime")),
        public_ip=ips.get("PRIMARY"),
        private_ip=ips.get("PRIVATE"),
        engine=engine,
        version=version,
        size_gb=positive(settings.get("dataDiskSizeGb")),
        details=told(
            service="sql",
            tier=settings.get("tier"),
            edition=settings.get("edition"),
            activation=settings.get("activationPolicy"),
            availability=settings.get("availabilityType"),
            disk_type=settings.get("dataDiskType"),
            backups=inner(settings, "backupConfiguration", "enabled"),
            kind=one.get("instanceType"),
            replica_of=str(one.get("masterInstanceName") or "").rpartition(":")[2],
            replicas=list(one.get("replicaNames") or ()),
            connection_name=one.get("connectionName"),
            suspended_because=list(one.get("suspensionReason") or ()),
        ),
        raw=raw(one),
    )


def engine_of(text: Any) -> tuple[str | None, str | None]:
    """Engine and version: POSTGRES_16, MYSQL_8_0, SQLSERVER_2022_STANDARD."""
    if not text:
        return None, None
    name, _, version = str(text).partition("_")
    numbers = ".".join(part for part in version.split("_") if part.isdigit())
    return name.lower(), numbers or None
