"""Managed databases, namespaces of Functions, and apps of the App Platform.

Each of their records holds secrets: a database its password in every connection and user, a namespace its
key, an app its variables; none is kept. The functions in a namespace are told by its own host to whoever
shows its key, which cloudtop does not. An app names its region by a city (`ams`), and the data centre beside.
Source: DigitalOcean's OpenAPI document (Databases, Functions, Apps).
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from cloudtop.inventory import Resource
from cloudtop.models import Scope
from cloudtop.units import gib_from_mib, positive, whole
from connectors.digitalocean_base import Listing, Ocean
from connectors.digitalocean_rows import identity, moment, raw, region, tags, text, texts
from connectors.rows import Record, each, inner, told

DATABASES = Listing("/v2/databases", "databases", "database", paged=False)
NAMESPACES = Listing("/v2/functions/namespaces", "namespaces", "namespace", paged=False)
APPS = Listing("/v2/apps", "apps", "app")
ENGINES = {"pg": "postgres", "advanced_pg": "postgres", "advanced_mysql": "mysql"}
"""Engines that the field calls otherwise; of an advanced one the details keep DigitalOcean's word."""
DATABASE_STATES = {
    "creating": "starting",
    "online": "running",
    "resizing": "running",
    "migrating": "running",
    "forking": "starting",
}
PHASES = {"ACTIVE": "running", "ERROR": "failed", "CANCELED": "failed", "SUPERSEDED": "stopped"}
UNDERWAY = ("PENDING_BUILD", "BUILDING", "PENDING_DEPLOY", "DEPLOYING")
COMPONENTS = ("services", "workers", "jobs", "static_sites", "functions")


class Platform(Ocean):
    """What DigitalOcean runs for others."""

    async def databases(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Database clusters; they are told in one answer."""
        async for page in self.listed(scope, DATABASES, database):
            yield page

    async def namespaces(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Namespaces of Functions; they are told in one answer."""
        async for page in self.listed(scope, NAMESPACES, namespace):
            yield page

    async def apps(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Apps, each with its components."""
        async for page in self.listed(scope, APPS, app):
            yield page


def database(one: Record) -> Resource | None:
    """One database cluster."""
    if (uuid := identity(one)) is None:
        return None
    engine, state = text(one.get("engine")), text(one.get("status"))
    return Resource(
        id=uuid,
        type="database",
        name=text(one.get("name")),
        status=DATABASE_STATES.get(state or "", "unknown"),
        status_raw=state,
        region=region(one),
        tags=tags(one),
        created_at=moment(one.get("created_at")),
        engine=ENGINES.get(engine or "", engine),
        version=text(one.get("semantic_version")) or text(one.get("version")),
        size_gb=gib_from_mib(positive(one.get("storage_size_mib"))),
        details=told(
            service="databases",
            engine=engine,
            nodes=whole(one.get("num_nodes")),
            size=text(one.get("size")),
            databases=texts(one.get("db_names")),
            end_of_life=text(one.get("version_end_of_life")),
            network=text(one.get("private_network_uuid")),
        ),
        raw=raw(one),
    )


def namespace(one: Record) -> Resource | None:
    """One namespace of Functions."""
    if (name := identity(one, "namespace")) is None:
        return None
    return Resource(
        id=name,
        type="namespace",
        name=text(one.get("label")),
        status="available",
        region=region(one),
        created_at=moment(one.get("created_at")),
        updated_at=moment(one.get("updated_at")),
        details=told(service="functions", host=text(one.get("api_host"))),
        raw=raw(one),
    )


def app(one: Record) -> Resource | None:
    """One app; it runs what its active deployment is made of."""
    if (uuid := identity(one)) is None:
        return None
    phase, status = phase_of(one)
    centres = texts(inner(one, "region", "data_centers"))
    parts = {kind: [text(part.get("name")) for part in each(one, "spec", kind)] for kind in COMPONENTS}
    return Resource(
        id=uuid,
        type="app",
        name=text(inner(one, "spec", "name")),
        status=status,
        status_raw=phase,
        region=centres[0] if centres else region(one),
        created_at=moment(one.get("created_at")),
        updated_at=moment(one.get("updated_at")),
        last_modified=moment(inner(one, "active_deployment", "created_at")),
        health="failing" if status == "failed" else None,
        details=told(
            service="apps",
            url=text(one.get("live_url")),
            tier=text(one.get("tier_slug")),
            **{kind: [name for name in names if name] for kind, names in parts.items()},
        ),
        raw=raw(one),
    )


def phase_of(one: Record) -> tuple[str | None, str]:
    """DigitalOcean's word and ours for an app: its active deployment counts, else the one under way."""
    if inner(one, "spec", "maintenance", "archive") is True:
        return "ARCHIVED", "stopped"
    for name in ("active_deployment", "in_progress_deployment", "pending_deployment"):
        if phase := text(inner(one, name, "phase")):
            return phase, "starting" if phase in UNDERWAY else PHASES.get(phase, "unknown")
    return None, "unknown"
