"""RDS and Aurora.

An Aurora cluster and each of its members are rows of their own, as in AWS' console: both have a name, tags, a
state and a place on the bill. What they hold and do is counted once: CPU, connections and the rest of what
computes are a member's, the bytes kept are the cluster's (a member's allocated storage is always 1 and means
nothing), and all of it is the cluster's where it has no members, serverless. Each names the other in its
details. The id of a cluster is its ARN: an instance may have the same name. Source: the API model.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from cloudtop.inventory import Resource
from cloudtop.models import Scope
from cloudtop.units import positive
from connectors.aws_base import Amazon
from connectors.aws_rows import moment, raw, tags
from connectors.rows import Record, each, inner, told

PAGE = 100

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
        """The clusters of Aurora and of RDS."""
        about: dict[str, Any] = {"noun": "database cluster", "size": PAGE}
        async for page in self.listed(scope, "rds", "describe_db_clusters", "DBClusters", cluster, **about):
            yield page


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


def cluster(one: Record) -> Resource | None:
    """One cluster of Aurora or RDS."""
    if not one.get("DBClusterArn"):
        return None
    state, serverless = one.get("Status"), one.get("EngineMode") == "serverless"
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
            service="rds_serverless" if serverless else "rds_cluster",
            arn=one["DBClusterArn"],
            engine_raw=one.get("Engine"),
            engine_mode=one.get("EngineMode"),
            members=[
                member["DBInstanceIdentifier"]
                for member in each(one, "DBClusterMembers")
                if member.get("DBInstanceIdentifier")
            ],
            endpoint=one.get("Endpoint"),
            reader_endpoint=one.get("ReaderEndpoint"),
            port=one.get("Port"),
            multi_az=one.get("MultiAZ"),
            protected=one.get("DeletionProtection"),
            resource_id=one.get("DbClusterResourceId"),
        ),
        raw=raw(one),
    )
