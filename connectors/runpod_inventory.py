"""What an account has at RunPod: pods, serverless endpoints with workers, network volumes; and its balance.

A pod that runs may have no `runtime` yet, and then measures nothing. What a pod costs is the rate of its GPUs
or CPUs; of a stopped one only its disk is paid, of which no price is told, whatever `cost` says. An endpoint
without workers scales to zero, which is no failure. The environment and arguments of containers are their
owner's and may hold anything: they are kept nowhere. REST v2 knows no tags. The OpenAPI document has no pages
yet; newer lists have them. Balance and spending are told by GraphQL alone, which ends early in 2027.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from cloudtop import gpus
from cloudtop.errors import CloudError, Invalid
from cloudtop.inventory import Gpus, Resource
from cloudtop.models import Scope
from cloudtop.units import number, positive, whole
from connectors import base
from connectors.rented import Rented
from connectors.rows import Record, each, inner, told

PODS, ENDPOINTS, VOLUMES, GRAPHQL = "/v2/pods", "/v2/serverless", "/v2/network-volumes", "/graphql"
MYSELF = "query { myself { clientBalance currentSpendPerHr } }"
SECRET = re.compile(f"{base.SECRET.pattern}|^env$|^args$", re.IGNORECASE)
POD_STATES = {
    "PROVISIONING": "starting",
    "STARTING": "starting",
    "RUNNING": "running",
    "EXITED": "stopped",
    "ERROR": "failed",
    "TERMINATED": "terminated",
}
NO_PRICE = "of a stopped pod only the disk is paid, of which RunPod tells no price"


class Inventory(Rented):
    """What runs or is kept in an account of RunPod."""

    async def pods(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Pods, with GPUs or without; those of clusters are among them."""
        async for rows in self.listed(scope, self.machines(scope), pod, "pod"):
            yield rows

    async def endpoints(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Serverless endpoints, each with the number of its workers."""
        nameless = 0
        async for page in self.pages(scope, ENDPOINTS, "endpoints"):
            named = [one for one in page if one.get("id")]
            nameless += len(page) - len(named)
            summaries = await self.each(named, lambda one: self._workers(scope, str(one["id"])))
            yield [endpoint(*both) for both in zip(named, summaries, strict=True)]
        self.nameless(scope, nameless, "endpoint")

    async def network_volumes(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Network volumes, and by which pods and endpoints each is used."""
        holders = await self.beside(scope, "Whether a volume is used is", self._holders(scope))

        def row(one: Record) -> Resource | None:
            return network_volume(one, holders)

        async for rows in self.listed(scope, self.pages(scope, VOLUMES, "networkVolumes"), row, "volume"):
            yield rows

    def machines(self, scope: Scope) -> AsyncIterator[list[Record]]:
        """The records of all pods, page by page."""
        return self.pages(scope, PODS, "pods", includeClusterPods="true")

    async def pages(self, scope: Scope, path: str, key: str, **params: str) -> AsyncIterator[list[Record]]:
        """The records of a listing, page by page."""

        async def ask(cursor: str | None) -> Any:
            more = {**params, **({"cursor": cursor} if cursor else {})}
            return await self.http.json("GET", path, params=more or None, account=scope.account)

        async for answer in self.paged(ask, next_cursor):
            yield self.records(answer, key)

    async def balance(self, scope: Scope) -> str:
        """What is left and what an hour costs, in words; why that is not known, where it is not."""
        try:
            answer = await self.http.json(
                "POST", GRAPHQL, body={"query": MYSELF}, repeatable=True, account=scope.account
            )
        except CloudError as error:
            return f"The balance is not known: {error.message}"
        left, spent = (inner(answer, "data", "myself", one) for one in ("clientBalance", "currentSpendPerHr"))
        # An account may owe something.
        said = [f"Balance ${left:.2f}"] if isinstance(left, int | float) else []
        said += [f"spending ${rate:.4g} per hour"] if (rate := number(spent)) is not None else []
        return f"{', '.join(said)}." if said else "The balance is not told."

    async def _workers(self, scope: Scope, endpoint: str) -> Record | None:
        path = f"{ENDPOINTS}/{quote(endpoint, safe='')}/workers"
        asked = self.http.json("GET", path, operation="GET workers", account=scope.account)
        answer = await self.beside(scope, "Workers of endpoints are", asked)
        found = inner(answer, "summary")
        return found if isinstance(found, Mapping) else None

    async def _holders(self, scope: Scope) -> dict[str, list[str]]:
        """Pods and endpoints by the volumes that they use."""
        holders: dict[str, list[str]] = {}
        async for page in self.machines(scope):
            for one in page:
                for mount in each(one, "mounts", "network"):
                    holders.setdefault(str(mount.get("volumeId")), []).append(str(one.get("id")))
        async for page in self.pages(scope, ENDPOINTS, "endpoints"):
            for one in page:
                for volume in texts(one.get("networkVolumes")):
                    holders.setdefault(volume, []).append(str(one.get("id")))
        return holders


def next_cursor(answer: Any) -> str | None:
    """Where a list goes on. Some answers do not speak of pages, and are whole."""
    cursor, more = (inner(answer, "pagination", one) for one in ("nextCursor", "hasNextPage"))
    if more is False or not (cursor or more):
        return None
    if not cursor:
        raise Invalid("RunPod says that its list goes on but not where.", "Try again.")
    return str(cursor)


def pod(one: Record) -> Resource | None:
    """One pod; None without an id."""
    if not one.get("id"):
        return None
    word = text(one.get("status"))
    status = POD_STATES.get(word or "", "unknown")
    idle = status in ("stopped", "terminated")
    return Resource(
        id=str(one["id"]),
        type="instance",
        name=text(one.get("name")),
        status=status,
        status_raw=word,
        region=text(one.get("dataCenterId")),
        tags={},
        created_at=moment(one.get("createdAt")),
        usd_per_hour=None if idle else positive(one.get("cost")),
        instance_type=text(inner(one, "gpu", "id")) or text(inner(one, "cpu", "id")),
        vcpus=positive(inner(one, "cpu", "vcpuCount")),
        ram_gib=positive(inner(one, "cpu", "memory")),
        public_ip=next((ip for port in each(one, "runtime", "ports") if (ip := text(port.get("ip")))), None),
        private_ip=text(inner(one, "globalNetworking", "ip")),
        gpus=boards(inner(one, "gpu", "id"), inner(one, "gpu", "count")),
        details=told(
            image=text(one.get("image")),
            tier=(text(one.get("cloud")) or "").lower(),
            cuda=text(one.get("cudaVersion")),
            template=text(one.get("template")),
            cluster=text(inner(one, "cluster", "id")),
            locked=one.get("locked") or None,
            container_disk_gb=positive(one.get("disk")),
            disk_gb=positive(inner(one, "mounts", "persistent", "size")),
            volumes=[str(mount.get("volumeId")) for mount in each(one, "mounts", "network")],
            started_at=text(one.get("startedAt")),
            priced_apart=NO_PRICE if idle else None,
        ),
        raw=base.raw(one, SECRET),
    )


def endpoint(one: Record, workers: Record | None) -> Resource:
    """One serverless endpoint. `workers` are their numbers by how they are, None where not known."""
    counts = {name: count for name in WORKERS if (count := whole(inner(workers, name))) is not None}
    status, health, message = state(counts, whole(inner(one, "workers", "max")))
    places, limit_ms = texts(one.get("dataCenterIds")), positive(one.get("timeout"))
    return Resource(
        id=str(one["id"]),
        type="function",
        name=text(one.get("name")),
        status=status,
        region=places[0] if len(places) == 1 else None,
        tags={},
        created_at=moment(one.get("createdAt")),
        timeout_s=limit_ms / 1000 if limit_ms else None,
        health=health,
        health_message=message,
        details=told(
            image=text(one.get("image")),
            routing=(text(one.get("type")) or "").lower(),
            gpu_pools=texts(inner(one, "gpu", "pools")),
            gpus_per_worker=positive(inner(one, "gpu", "count")),
            cpus=[text(cpu.get("id")) for cpu in each(one, "cpu")],
            workers_min=whole(inner(one, "workers", "min")),
            workers_max=whole(inner(one, "workers", "max")),
            **{f"workers_{name}": count for name, count in counts.items()},
            regions=places,
            volumes=texts(one.get("networkVolumes")),
            flashboot=text(one.get("flashboot")),
        ),
        raw=base.raw(one, SECRET),
    )


WORKERS = ("running", "idle", "initializing", "throttled", "unhealthy", "total")


def state(counts: Mapping[str, int], most: int | None) -> tuple[str, str | None, str | None]:
    """Status, health and a message of an endpoint by its workers, and by how many it may have."""
    ready, sick = counts.get("running", 0) + counts.get("idle", 0), counts.get("unhealthy", 0)
    if most == 0:
        return "stopped", None, None
    if sick:
        message = f"{sick} of {counts.get('total', sick)} workers are unhealthy."
        return ("running", "degraded", message) if ready else ("failed", "failing", message)
    if ready:
        return "running", "healthy", None
    if counts.get("throttled"):
        return "starting", "degraded", "Its workers wait for GPUs that are free."
    if counts.get("initializing"):
        return "starting", None, None
    return ("available" if counts else "unknown"), None, None


def network_volume(one: Record, holders: Mapping[str, list[str]] | None) -> Resource | None:
    """One network volume. `holders`: who uses which, None where not known."""
    if not one.get("id"):
        return None
    users = holders.get(str(one["id"]), []) if holders is not None else None
    return Resource(
        id=str(one["id"]),
        type="volume",
        name=text(one.get("name")),
        status="unattached" if users == [] else "available",
        region=text(one.get("dataCenter")),
        tags={},
        size_gb=positive(one.get("size")),
        storage_class=text(one.get("type")),
        details=told(attached_to=users),
        raw=base.raw(one, SECRET),
    )


def boards(name: Any, count: Any) -> tuple[Gpus, ...]:
    """GPUs of one type. A slice counts as the share of its board; one that is not told is one."""
    if not text(name):
        return ()
    found = gpus.identify("runpod", str(name))
    many = (positive(count) or 1.0) * (found.fraction or 1.0)
    return (Gpus(found.name or str(name), many, found.memory_gib),)


def text(value: Any) -> str | None:
    """A text, None for anything else and for an empty one."""
    return value.strip() or None if isinstance(value, str) else None


def texts(value: Any) -> list[str]:
    """The texts in a list."""
    found: Iterable[Any] = value if isinstance(value, list) else ()
    return [one for one in found if isinstance(one, str) and one]


def moment(value: Any) -> datetime | None:
    """A time in UTC; the year 1 stands for none."""
    if not isinstance(value, str) or value.startswith("0001-"):
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (read.replace(tzinfo=UTC) if read.tzinfo is None else read).astimezone(UTC)
