"""Autonomous databases, Oracle database systems, MySQL and PostgreSQL.

Each is a service of its own with an API of its own. An autonomous database is counted in ECPUs, or in OCPUs
where it is older; a database system is one machine or more. The listing of MySQL leaves out the size, which
each system tells; PostgreSQL has none, its storage grows. Source: the API references of the four.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from cloudtop.inventory import Resource
from cloudtop.models import Scope
from cloudtop.units import positive
from connectors.oci_base import EXTRA_RETRIES, Compartment, Oracle
from connectors.oci_rows import common, merged
from connectors.rows import Record, each, inner, told

GB_PER_TB = 1024
WORKLOADS = dict.fromkeys(("OLTP", "DW", "AJD", "APEX", "LH"), "oracle")
"""What autonomous databases are made for; of one that is made for something new the engine is not known."""


class Databases(Oracle):
    """What keeps tables."""

    async def autonomous_databases(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Autonomous databases."""
        listing = "autonomous", "list_autonomous_databases"
        async for page in self.listed(scope, *listing, autonomous, "database"):
            yield page

    async def db_systems(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Oracle database systems."""
        async for page in self.listed(scope, "autonomous", "list_db_systems", db_system, "database system"):
            yield page

    async def mysql_systems(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """MySQL database systems, with the size that each tells of itself alone."""

        async def ask(part: Compartment) -> list[Record]:
            found = await self.every(scope, "mysql", "list_db_systems", compartment_id=part.id)
            return await self.each(found, lambda one: self._system(scope, one))

        for rows in self.rows(scope, await self.everywhere(scope, ask), mysql, "database system"):
            yield rows

    async def _system(self, scope: Scope, one: Record) -> Record:
        """A MySQL system as the listing and itself tell it."""
        if not one.get("id") or one.get("lifecycleState") == "DELETED":
            return one
        asked = self.call(scope, "mysql", "get_db_system", {"db_system_id": one["id"]}, EXTRA_RETRIES)
        answer = await self.beside(scope, "Sizes of some MySQL systems are", asked)
        return merged(one, answer and answer.data)

    async def postgresql_systems(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """PostgreSQL database systems."""
        listing = "postgresql", "list_db_systems"
        async for page in self.listed(scope, *listing, postgresql, "database system", key="items"):
            yield page


def autonomous(one: Record) -> Resource | None:
    """One autonomous database."""
    if not one.get("id"):
        return None
    terabytes = positive(one.get("dataStorageSizeInTBs"))
    return Resource(
        type="database",
        engine=WORKLOADS.get(str(one.get("dbWorkload"))),
        version=one.get("dbVersion"),
        size_gb=positive(one.get("dataStorageSizeInGBs")) or (terabytes and terabytes * GB_PER_TB),
        details=told(
            service="autonomous",
            compartment_id=one.get("compartmentId"),
            workload=one.get("dbWorkload"),
            compute_model=one.get("computeModel"),
            compute_count=positive(one.get("computeCount")) or positive(one.get("cpuCoreCount")),
            scales_itself=one.get("isAutoScalingEnabled"),
            free=one.get("isFreeTier") or None,
            database_name=one.get("dbName"),
        ),
        **common(one),
    )


def db_system(one: Record) -> Resource | None:
    """One Oracle database system."""
    if not one.get("id"):
        return None
    return Resource(
        type="database",
        engine="oracle",
        version=one.get("version"),
        size_gb=positive(one.get("dataStorageSizeInGBs")),
        instance_type=one.get("shape"),
        details=told(
            service="db_system",
            compartment_id=one.get("compartmentId"),
            nodes=one.get("nodeCount"),
            cores=one.get("cpuCoreCount"),
            edition=one.get("databaseEdition"),
            hostname=one.get("hostname"),
        ),
        **common(one),
    )


def mysql(one: Record) -> Resource | None:
    """One MySQL database system."""
    if not one.get("id"):
        return None
    doors = [at["ipAddress"] for at in each(one, "endpoints") if at.get("ipAddress")]
    return Resource(
        type="database",
        engine="mysql",
        version=one.get("mysqlVersion"),
        size_gb=positive(one.get("dataStorageSizeInGBs"))
        or positive(inner(one, "dataStorage", "dataStorageSizeInGBs")),
        instance_type=one.get("shapeName"),
        private_ip=next(iter(doors), None),
        details=told(
            service="mysql",
            compartment_id=one.get("compartmentId"),
            highly_available=one.get("isHighlyAvailable"),
            fault_domain=one.get("faultDomain"),
        ),
        **common(one),
    )


def postgresql(one: Record) -> Resource | None:
    """One PostgreSQL database system."""
    if not one.get("id"):
        return None
    return Resource(
        type="database",
        engine="postgres",
        version=one.get("dbVersion"),
        instance_type=one.get("shape"),
        ram_gib=positive(one.get("instanceMemorySizeInGBs")),
        details=told(
            service="postgresql",
            compartment_id=one.get("compartmentId"),
            nodes=one.get("instanceCount"),
            ocpus=one.get("instanceOcpuCount"),
            kind=one.get("systemType"),
        ),
        **common(one),
    )
