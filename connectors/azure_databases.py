"""SQL databases, flexible servers of PostgreSQL and MySQL, Cosmos accounts, caches.

A database of SQL stands within a server, so the servers are listed first; `master` belongs to Azure. A size
is what was ordered, not what is used. Source: the REST APIs of Microsoft.Sql 2025-01-01, DBforPostgreSQL,
DBforMySQL, DocumentDB and Cache.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from cloudtop.inventory import Resource
from cloudtop.models import Scope
from cloudtop.units import positive, whole
from connectors.azure_base import Microsoft
from connectors.azure_rows import PROVISIONING, after, common, created, places, prop, region, state, text
from connectors.rows import Record, inner, told

SERVERS, SQL_VERSION = "Microsoft.Sql/servers", "2025-01-01"
POSTGRES, POSTGRES_VERSION = "Microsoft.DBforPostgreSQL/flexibleServers", "2025-08-01"
MYSQL, MYSQL_VERSION = "Microsoft.DBforMySQL/flexibleServers", "2024-12-30"
COSMOS, COSMOS_VERSION = "Microsoft.DocumentDB/databaseAccounts", "2026-03-15"
CACHES, CACHE_VERSION = "Microsoft.Cache/Redis", "2024-11-01"
MASTER = "master"
GIB = 1024**3
SQL_STATES = {
    "Online": "running",
    "Scaling": "running",
    "Pausing": "stopping",
    "Paused": "stopped",
    "Offline": "stopped",
    "Stopped": "stopped",
    "Disabled": "stopped",
    "AutoClosed": "stopped",
    "Resuming": "starting",
    "Starting": "starting",
    "Creating": "starting",
    "Copying": "starting",
    "Restoring": "starting",
    "Recovering": "starting",
    "Stopping": "stopping",
    "Shutdown": "stopped",
    "Suspect": "failed",
    "EmergencyMode": "failed",
    "Inaccessible": "failed",
    "RecoveryPending": "failed",
}
SERVER_STATES = {
    "Ready": "running",
    "Updating": "running",
    "Restarting": "starting",
    "Starting": "starting",
    "Provisioning": "starting",
    "Stopping": "stopping",
    "Dropping": "stopping",
    "Stopped": "stopped",
    "Disabled": "stopped",
    "Inaccessible": "failed",
}
ENGINES = {"GlobalDocumentDB": "cosmosdb", "MongoDB": "mongodb"}
"""What an account of Cosmos DB is asked as."""
ACCOUNT_STATES = {**PROVISIONING, "Succeeded": "running", "Updating": "running", "Scaling": "running"}


class Databases(Microsoft):
    """What keeps data behind a query."""

    async def sql_databases(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Databases of Azure SQL, server by server."""

        async def pages(subscription: str) -> AsyncIterator[Sequence[Record]]:
            where = f"/subscriptions/{subscription}/providers/{SERVERS}"
            async for servers in self.pages(scope, where, SQL_VERSION):
                named = [one for one in servers if one.get("id")]
                for found in await self.each(
                    named, lambda one: self.whole(scope, f"{one['id']}/databases", SQL_VERSION)
                ):
                    yield [one for one in found if one.get("name") != MASTER]

        async for rows in self.rows(scope, pages, sql_database, "database"):
            yield rows

    async def postgres_servers(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Flexible servers of PostgreSQL."""
        about = (POSTGRES, POSTGRES_VERSION, postgres, "server")
        async for rows in self.listed(scope, *about):
            yield rows

    async def mysql_servers(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Flexible servers of MySQL."""
        async for rows in self.listed(scope, MYSQL, MYSQL_VERSION, mysql, "server"):
            yield rows

    async def cosmos_accounts(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Accounts of Cosmos DB."""
        async for rows in self.listed(scope, COSMOS, COSMOS_VERSION, cosmos, "account"):
            yield rows

    async def caches(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Caches of Redis."""
        async for rows in self.listed(scope, CACHES, CACHE_VERSION, cache, "cache"):
            yield rows


def sql_database(one: Record) -> Resource:
    """One database of Azure SQL."""
    status, word = state(one, SQL_STATES, "status")
    most = whole(prop(one, "maxSizeBytes"))
    return Resource(
        **common(one),
        type="database",
        status=status,
        status_raw=word,
        created_at=created(one, "creationDate"),
        engine="sqlserver",
        size_gb=most / GIB if most else None,
        details=told(
            **places(one),
            service="sql",
            server=after(str(one["id"]), "servers"),
            instance_class=text(inner(one, "sku", "name")),
            tier=text(inner(one, "sku", "tier")),
            capacity=inner(one, "sku", "capacity"),
            redundant=prop(one, "zoneRedundant"),
        ),
    )


def postgres(one: Record) -> Resource:
    """One flexible server of PostgreSQL; its minor version is told apart."""
    parts = text(prop(one, "version")), text(prop(one, "minorVersion"))
    version = ".".join(filter(None, parts)) if parts[0] else None
    return server(one, "postgres", version, "postgresql")


def mysql(one: Record) -> Resource:
    """One flexible server of MySQL."""
    return server(one, "mysql", text(prop(one, "version")), "mysql")


def server(one: Record, engine: str, version: str | None, service: str) -> Resource:
    """One flexible server."""
    status, word = state(one, SERVER_STATES, "state")
    number = text(prop(one, "availabilityZone"))
    about = common(one)
    if number:
        about["zone"] = "-".join(filter(None, (region(one), number)))
    return Resource(
        **about,
        type="database",
        status=status,
        status_raw=word,
        created_at=created(one),
        engine=engine,
        version=version,
        size_gb=positive(prop(one, "storage", "storageSizeGB")),
        details=told(
            **places(one),
            service=service,
            instance_class=text(inner(one, "sku", "name")),
            tier=text(inner(one, "sku", "tier")),
            endpoint=text(prop(one, "fullyQualifiedDomainName")),
            high_availability=text(prop(one, "highAvailability", "mode")),
            public=text(prop(one, "network", "publicNetworkAccess")),
            role=text(prop(one, "replicationRole")),
        ),
    )


def cosmos(one: Record) -> Resource:
    """One account of Cosmos DB; databases and containers are within it."""
    status, word = state(one, ACCOUNT_STATES, "provisioningState")
    lists = prop(one, "locations")
    where = [text(inner(part, "locationName")) for part in lists] if isinstance(lists, list) else []
    return Resource(
        **common(one),
        type="database",
        status=status,
        status_raw=word,
        created_at=created(one),
        engine=ENGINES.get(text(one.get("kind")) or ""),
        version=text(prop(one, "apiProperties", "serverVersion")),
        details=told(
            **places(one),
            service="cosmosdb",
            api=text(one.get("kind")),
            endpoint=text(prop(one, "documentEndpoint")),
            regions=[name for name in where if name],
        ),
    )


def cache(one: Record) -> Resource:
    """One cache."""
    status, word = state(one, ACCOUNT_STATES, "provisioningState")
    return Resource(
        **common(one),
        type="database",
        status=status,
        status_raw=word,
        engine="redis",
        version=text(prop(one, "redisVersion")),
        details=told(
            **places(one),
            service="redis",
            instance_class=text(inner(one, "sku", "name")) or text(prop(one, "sku", "name")),
            endpoint=text(prop(one, "hostName")),
            port=prop(one, "sslPort"),
        ),
    )
