"""Kubernetes clusters with their node pools, container instances, and functions.

A cluster has as many nodes as its pools are told to hold; where the pools may not be seen its nodes are not
known. A function is listed by the application that it is in, never by compartment, and says neither when it
ran nor in which language it is written: it is an image. Source: the API references.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from cloudtop.inventory import Resource
from cloudtop.models import Scope
from cloudtop.units import positive, whole
from connectors.oci_base import EXTRA_RETRIES, Compartment, Oracle
from connectors.oci_rows import common, moment
from connectors.rows import Record, inner, told


class Containers(Oracle):
    """What runs images."""

    async def clusters(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Kubernetes clusters."""

        async def ask(part: Compartment) -> list[Record]:
            return await self.every(scope, "container_engine", "list_clusters", compartment_id=part.id)

        async def pools(part: Compartment) -> list[Record]:
            listing = "container_engine", "list_node_pools"
            return await self.every(scope, *listing, EXTRA_RETRIES, compartment_id=part.id)

        found = await self.everywhere(scope, ask)
        some = any(records for _, records in found)
        answers = await self.beside(scope, "Node pools are", self.everywhere(scope, pools)) if some else ()
        known = by_cluster(one for _, every in answers or () for one in every or ())
        seen = {part.id for part, every in answers or () if every is not None}

        def row(one: Record) -> Resource | None:
            return cluster(one, known if one.get("compartmentId") in seen else None)

        for rows in self.rows(scope, found, row, "cluster"):
            yield rows

    async def container_instances(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Container instances."""
        listing = "container_instances", "list_container_instances"
        async for page in self.listed(scope, *listing, container, "container instance", key="items"):
            yield page

    async def functions(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Functions of every application."""

        async def ask(part: Compartment) -> list[Record]:
            apps = await self.every(scope, "functions", "list_applications", compartment_id=part.id)
            answers = await self.each(
                [one["id"] for one in apps if one.get("id")],
                lambda app: self.every(scope, "functions", "list_functions", application_id=app),
            )
            return [one for answer in answers for one in answer]

        for rows in self.rows(scope, await self.everywhere(scope, ask), function, "function"):
            yield rows


def by_cluster(pools: Iterable[Record]) -> dict[str, list[Record]]:
    """Node pools by their cluster."""
    found: dict[str, list[Record]] = {}
    for one in pools:
        if one.get("clusterId") and one.get("lifecycleState") != "DELETED":
            found.setdefault(str(one["clusterId"]), []).append(one)
    return found


def cluster(one: Record, pools: Mapping[str, Sequence[Record]] | None = None) -> Resource | None:
    """One Kubernetes cluster; `pools` by cluster, None where they are not known."""
    if not one.get("id"):
        return None
    mine = (pools or {}).get(str(one["id"]), ())
    sizes = [whole(inner(pool, "nodeConfigDetails", "size")) for pool in mine]
    nodes = None if pools is None or None in sizes else sum(size or 0 for size in sizes)
    row = common(one) | {
        "name": one.get("name") or None,
        "created_at": moment(inner(one, "metadata", "timeCreated")),
        "updated_at": moment(inner(one, "metadata", "timeUpdated")),
    }
    failed = one.get("lifecycleState") == "FAILED"
    if failed:
        row |= {"health": "failing", "health_message": one.get("lifecycleDetails")}
    return Resource(
        type="cluster",
        version=one.get("kubernetesVersion"),
        node_count=nodes,
        details=told(
            service="oke",
            compartment_id=one.get("compartmentId"),
            vpc_id=one.get("vcnId"),
            tier=one.get("type"),
            node_shapes=sorted({str(pool["nodeShape"]) for pool in mine if pool.get("nodeShape")}),
            endpoint=inner(one, "endpoints", "publicEndpoint") or inner(one, "endpoints", "privateEndpoint"),
        ),
        **row,
    )


def container(one: Record) -> Resource | None:
    """One container instance: a few containers on a machine of their own."""
    if not one.get("id"):
        return None
    return Resource(
        type="container",
        instance_type=one.get("shape"),
        node_count=whole(one.get("containerCount")),
        vcpus=positive(inner(one, "shapeConfig", "vcpus")),
        ram_gib=positive(inner(one, "shapeConfig", "memoryInGBs")),
        details=told(
            service="container_instances",
            compartment_id=one.get("compartmentId"),
            restarts=one.get("containerRestartPolicy"),
            ocpus=positive(inner(one, "shapeConfig", "ocpus")),
            fault_domain=one.get("faultDomain"),
        ),
        **common(one),
    )


def function(one: Record) -> Resource | None:
    """One function."""
    if not one.get("id"):
        return None
    return Resource(
        type="function",
        memory_mb=positive(one.get("memoryInMBs")),
        timeout_s=positive(one.get("timeoutInSeconds")),
        last_modified=moment(one.get("timeUpdated")),
        details=told(
            compartment_id=one.get("compartmentId"),
            application_id=one.get("applicationId"),
            image=one.get("image"),
            shape=one.get("shape"),
            endpoint=one.get("invokeEndpoint"),
        ),
        **common(one, "available"),
    )
