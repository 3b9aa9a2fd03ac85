"""RDS and Aurora.

What computes is a row: an Aurora cluster is its members, each a database of its own with the cluster in its
details. A cluster is a row only while the list of instances names none of its members (serverless, or without
any), so that nothing is counted twice. Aurora's allocated storage is always 1 and means nothing. The id of a
cluster is its ARN: an instance may have the same name. Source: the API model.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from cloudtop.inventory import Resource
from cloudtop.models import Scope
from cloudtop.units import positive
from connectors.aws_base import EXTRA_RETRIES, Amazon
from connectors.aws_rows import Record, each, inner, moment, raw, tags, told

PAGE = 100
CLUSTERS_ASKED = 50
"""Clusters whose members are asked for in one call."""

_UP = (
    "available backing-up configuring-associations configuring-enhanced-monitoring "
    "configuring-iam-database-auth configuring-log-exports converting-to-vpc delete-precheck maintenance "
    "migrating modifying moving-to-vpc preparing-data-migration promoting rebooting rebooting-cluster-nodes "
    "renaming resetting-master-credentials scaling-compute snapshotting storage-config-upgrade "
    "storage-initialization storage-optimization switchover-in-progress update-iam-db-auth upgrading"
)
_DOWN = (
    "failed inaccessible-encryption-credentials inaccessible-encryption-credentials-recoverable "
    "insufficient-capacity insufficient-resource-limits restore-error storage-full migration-failed "
    "cloning-failed create-failed restore-failed"
)
STATES = {
    **dict.fromkeys(_UP.split(), "running"),
    **dict.fromkeys(_DOWN.split(), "failed"),
    "creating": "starting",
    "starting": "starting",
    "resuming": "starting",
    "stopping": "stopping",
    "deleting": "stopping",
    "stopped": "stopped",
    "paused": "stopped",
    "deleted": "terminated",
}
ENGINES = {
    "aurora": "mysql",
    "aurora-mysql": "mysql",
    "aurora-postgresql": "postgres",
    "postgresql": "postgres",
    "docdb": "documentdb",
}
"""What RDS calls an engine that has a name of its own elsewhere."""
MANY_NAMED = ("oracle", "sqlserver", "db2")
"""Engines that RDS names by edition: oracle-se2, sqlserver-web."""


class Databases(Amazon):
    """What keeps data behind a query."""

    async def databases(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """RDS instances, the members of Aurora clusters among them."""
        async for page in self.listed(
            scope, "rds", "describe_db_instances", "DBInstances", database, "database", size=PAGE
        ):
            yield page

    async def database_clusters(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """The clusters of Aurora and of RDS that no listed instance belongs to."""

        def read(page: Any) -> list[Record]:
            return self.records(page, "DBClusters")

        nameless = 0
        async for page in self.pages(scope, "rds", "describe_db_clusters", read, size=PAGE):
            named = [one for one in page if one.get("DBClusterArn")]
            nameless += len(page) - len(named)
            full = await self._with_members(scope, named)
            yield [cluster(one) for one in named if one.get("DBClusterIdentifier") not in full]
        self.nameless(scope, nameless, "database cluster")

    async def _with_members(self, scope: Scope, clusters: Sequence[Record]) -> set[object]:
        """Those of the clusters that have instances in the list of instances."""
        names = (one.get("DBClusterIdentifier") for one in clusters if one.get("DBClusterMembers"))
        asked = [str(name) for name in names if name]

        def read(page: Any) -> list[object]:
            return [one.get("DBClusterIdentifier") for one in self.records(page, "DBInstances")]

        async def members(names: Sequence[str]) -> set[object]:
            wanted = [{"Name": "db-cluster-id", "Values": names}]
            about: dict[str, Any] = {"size": PAGE, "retries": EXTRA_RETRIES, "Filters": wanted}
            pages = self.pages(scope, "rds", "describe_db_instances", read, **about)
            return {name async for page in pages for name in page}

        groups = [asked[at : at + CLUSTERS_ASKED] for at in range(0, len(asked), CLUSTERS_ASKED)]
        found = await self.beside(scope, "Members of clusters are", self.each(groups, members))
        return set().union(*found or ())


def engine(name: str | None) -> str | None:
    """An engine as everybody calls it: `postgres` for `aurora-postgresql`."""
    if not name:
        return None
    several = name.removeprefix("custom-").partition("-")[0]
    return several if several in MANY_NAMED else ENGINES.get(name, name)


def database(one: Record) -> Resource | None:
    """One RDS instance."""
    if not one.get("DBInstanceIdentifier"):
        return None
    state, aurora = one.get("DBInstanceStatus"), str(one.get("Engine") or "").startswith("aurora")
    return Resource(
        id=one["DBInstanceIdentifier"],
        type="database",
        name=one["DBInstanceIdentifier"],
        status=STATES.get(str(state), incompatible(state)),
        status_raw=state,
        zone=one.get("AvailabilityZone"),
        tags=tags(one, "TagList"),
        created_at=moment(one.get("InstanceCreateTime")),
        engine=engine(one.get("Engine")),
        version=one.get("EngineVersion"),
        size_gb=None if aurora else positive(one.get("AllocatedStorage")),
        storage_class=one.get("StorageType"),
        encrypted=one.get("StorageEncrypted"),
        health=trouble(state),
        health_message=trouble(state) and f"RDS says: {state}.",
        details=told(
            service="rds",
            arn=one.get("DBInstanceArn"),
            engine_raw=one.get("Engine"),
            instance_class=one.get("DBInstanceClass"),
            endpoint=inner(one, "Endpoint", "Address"),
            port=inner(one, "Endpoint", "Port"),
            vpc_id=inner(one, "DBSubnetGroup", "VpcId"),
            cluster=one.get("DBClusterIdentifier"),
            replica_of=one.get("ReadReplicaSourceDBInstanceIdentifier"),
            multi_az=one.get("MultiAZ"),
            public=one.get("PubliclyAccessible"),
            protected=one.get("DeletionProtection"),
            iops=one.get("Iops"),
            resource_id=one.get("DbiResourceId"),
        ),
        raw=raw(one),
    )


def incompatible(state: str | None) -> str:
    """A state that the table does not know: one that begins with `incompatible-` has failed."""
    return "failed" if state and state.startswith("incompatible-") else "unknown"


def trouble(state: str | None) -> str | None:
    """How a database in this state is, where it is not well."""
    return "failing" if STATES.get(str(state), incompatible(state)) == "failed" else None


def cluster(one: Record) -> Resource:
    """One cluster of Aurora or RDS."""
    state = one.get("Status")
    return Resource(
        id=one["DBClusterArn"],
        type="database",
        name=one.get("DBClusterIdentifier"),
        status=STATES.get(str(state), incompatible(state)),
        status_raw=state,
        tags=tags(one, "TagList"),
        created_at=moment(one.get("ClusterCreateTime")),
        engine=engine(one.get("Engine")),
        version=one.get("EngineVersion"),
        storage_class=one.get("StorageType"),
        encrypted=one.get("StorageEncrypted"),
        node_count=len(each(one, "DBClusterMembers")) if "DBClusterMembers" in one else None,
        health=trouble(state),
        health_message=trouble(state) and f"RDS says: {state}.",
        details=told(
            service="rds_cluster",
            arn=one["DBClusterArn"],
            engine_raw=one.get("Engine"),
            engine_mode=one.get("EngineMode"),
            endpoint=one.get("Endpoint"),
            reader_endpoint=one.get("ReaderEndpoint"),
            port=one.get("Port"),
            multi_az=one.get("MultiAZ"),
            protected=one.get("DeletionProtection"),
            resource_id=one.get("DbClusterResourceId"),
        ),
        raw=raw(one),
    )
