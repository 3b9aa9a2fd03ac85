"""DynamoDB tables and ElastiCache clusters.

ElastiCache is listed by its clusters of nodes, whose replication group stands in their details. DynamoDB
lists names, and each table is described by itself. The id is the ARN: both, and RDS, have databases of the
same names. Source: the API models.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from cloudtop.errors import NotFound
from cloudtop.inventory import Resource
from cloudtop.models import Scope
from cloudtop.units import whole
from connectors.aws_base import Amazon
from connectors.aws_databases import STATES, engine, incompatible, trouble
from connectors.aws_rows import moment, raw, tags
from connectors.aws_tags import Tagging, Tags
from connectors.rows import Record, each, inner, told

PAGE = 100

TABLE_STATES = {
    "ACTIVE": "available",
    "UPDATING": "available",
    "CREATING": "starting",
    "DELETING": "stopping",
    "ARCHIVING": "stopping",
    "ARCHIVED": "stopped",
    "INACCESSIBLE_ENCRYPTION_CREDENTIALS": "failed",
    "REPLICATION_NOT_AUTHORIZED": "failed",
}


class Tables(Amazon):
    """What keeps values behind a key."""

    async def caches(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """ElastiCache clusters."""

        async def single(rows: Sequence[Resource]) -> list[Tags]:
            answer = await self.call(scope, "elasticache", "list_tags_for_resource", ResourceName=rows[0].id)
            return [tags(answer, "TagList")]

        tagging = Tagging(single, "elasticache:cluster", lambda one: f"cluster:{one.name}")
        about: dict[str, Any] = {"tagging": tagging, "size": PAGE, "ShowCacheNodeInfo": True}
        async for page in self.listed(
            scope, "elasticache", "describe_cache_clusters", "CacheClusters", cache, "cache", **about
        ):
            yield page

    async def tables(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """DynamoDB tables, each described by itself: the listing has names alone."""

        async def single(rows: Sequence[Resource]) -> list[Tags]:
            answer = await self.call(scope, "dynamodb", "list_tags_of_resource", ResourceArn=rows[0].id)
            return [tags(answer)]

        async def described(name: str) -> Record | None:
            try:
                answer = await self.call(scope, "dynamodb", "describe_table", TableName=name)
            except NotFound:
                # Deleted since it was listed.
                return None
            return {"TableName": name, **(answer.get("Table") or {})}

        tagging = Tagging(single, "dynamodb:table", lambda one: f"table/{one.name}")
        nameless = 0
        names = self.pages(
            scope, "dynamodb", "list_tables", lambda page: self.names(page, "TableNames"), size=PAGE
        )
        async for page in names:
            found = [one for one in await self.each(page, described) if one is not None]
            rows = [table(one) for one in found if one.get("TableArn")]
            nameless += len(found) - len(rows)
            yield await self.tagged(scope, rows, tagging)
        self.nameless(scope, nameless, "table")


def cache(one: Record) -> Resource | None:
    """One ElastiCache cluster of nodes."""
    if not one.get("ARN"):
        return None
    state, zone = one.get("CacheClusterStatus"), one.get("PreferredAvailabilityZone")
    first = next(iter(each(one, "CacheNodes")), {})
    return Resource(
        id=one["ARN"],
        type="database",
        name=one.get("CacheClusterId"),
        status=STATES.get(str(state), incompatible(state)),
        status_raw=state,
        # Nodes in several zones stand as the word Multiple.
        zone=zone if zone and zone[-1:].islower() and zone[-2:-1].isdigit() else None,
        created_at=moment(one.get("CacheClusterCreateTime")),
        engine=engine(one.get("Engine")),
        version=one.get("EngineVersion"),
        node_count=one.get("NumCacheNodes"),
        encrypted=one.get("AtRestEncryptionEnabled"),
        health=trouble(state),
        health_message=trouble(state) and f"ElastiCache says: {state}.",
        details=told(
            service="elasticache",
            arn=one["ARN"],
            instance_class=one.get("CacheNodeType"),
            replication_group=one.get("ReplicationGroupId"),
            endpoint=inner(one, "ConfigurationEndpoint", "Address") or inner(first, "Endpoint", "Address"),
            port=inner(one, "ConfigurationEndpoint", "Port") or inner(first, "Endpoint", "Port"),
            encrypted_on_the_way=one.get("TransitEncryptionEnabled"),
        ),
        raw=raw(one),
    )


def table(one: Record) -> Resource:
    """One DynamoDB table. What is in it is always encrypted."""
    state, capacity = one.get("TableStatus"), one.get("ProvisionedThroughput") or {}
    return Resource(
        id=one["TableArn"],
        type="database",
        name=one.get("TableName"),
        status=TABLE_STATES.get(str(state), "unknown"),
        status_raw=state,
        created_at=moment(one.get("CreationDateTime")),
        size_bytes=whole(one.get("TableSizeBytes")),
        object_count=whole(one.get("ItemCount")),
        storage_class=inner(one, "TableClassSummary", "TableClass"),
        engine="dynamodb",
        encrypted=True,
        details=told(
            service="dynamodb",
            arn=one["TableArn"],
            billing=inner(one, "BillingModeSummary", "BillingMode"),
            read_capacity=capacity.get("ReadCapacityUnits") or None,
            write_capacity=capacity.get("WriteCapacityUnits") or None,
            indexes=len(each(one, "GlobalSecondaryIndexes")) or None,
            replicas=[replica.get("RegionName") for replica in each(one, "Replicas")],
            protected=one.get("DeletionProtectionEnabled"),
        ),
        raw=raw(one),
    )
