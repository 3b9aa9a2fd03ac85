"""Clusters of Google Kubernetes Engine with their node pools, services of Cloud Run, and functions.

A function of the second generation is a service of Cloud Run underneath and is told by both APIs; it is a
function here. Sources: the Kubernetes Engine, Cloud Run and Cloud Functions APIs.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

from cloudtop.errors import Forbidden, NotEnabled
from cloudtop.inventory import Gpus, Resource
from cloudtop.models import Scope
from cloudtop.units import number, positive, whole
from connectors.gcp_base import Google, next_token
from connectors.gcp_compute import accelerator
from connectors.gcp_rows import labels, last, located, moment, place_in, raw
from connectors.rows import Record, each, inner, told

FUNCTIONS = "/v2/projects/{project}/locations/-/functions"
SERVICES = "/v2/projects/{project}/locations/-/services"
CLUSTERS = "/v1/projects/{project}/locations/-/clusters"
MANAGED = "goog-managed-by"
"""The label that says who made a service of Cloud Run."""
LISTED = 100
"""Records of a page."""

CLUSTER_STATES = {
    "PROVISIONING": "starting",
    "RUNNING": "running",
    "RECONCILING": "running",
    "DEGRADED": "running",
    "STOPPING": "stopping",
    "ERROR": "failed",
}
FUNCTION_STATES = {
    "ACTIVE": "available",
    "DEPLOYING": "starting",
    "DELETING": "stopping",
    "DETACHING": "stopping",
    "FAILED": "failed",
}
FORMER_STATES = {
    "ACTIVE": "ACTIVE",
    "OFFLINE": "FAILED",
    "DEPLOY_IN_PROGRESS": "DEPLOYING",
    "DELETE_IN_PROGRESS": "DELETING",
}
SERVICE_STATES = {
    "CONDITION_SUCCEEDED": "running",
    "CONDITION_PENDING": "starting",
    "CONDITION_RECONCILING": "starting",
    "CONDITION_FAILED": "failed",
}
SIZES = {"": 1 / 2**20, "k": 1 / 1024, "Ki": 1 / 1024, "M": 1.0, "Mi": 1.0, "G": 1024.0, "Gi": 1024.0}
"""MiB of a unit. Functions of the first generation write M and mean Mi."""


class Containers(Google):
    """Clusters, services and functions."""

    async def clusters(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Clusters of all regions and zones, in one answer."""
        async for page in self.listed(
            scope, self.pages(scope, "container", CLUSTERS, "clusters"), cluster, "cluster"
        ):
            yield page

    async def functions(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Functions of both generations."""
        pages = self.pages(scope, "functions", FUNCTIONS, "functions", pageSize=LISTED)
        async for page in self.listed(scope, pages, function, "function"):
            yield page

    async def run_services(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Services of Cloud Run that are no functions."""
        async for page in self.listed(scope, self._unmanaged(scope), service, "service"):
            yield page

    async def _unmanaged(self, scope: Scope) -> AsyncIterator[list[Record]]:
        known: set[str] | None = None
        async for page in self.pages(scope, "run", SERVICES, "services", pageSize=LISTED):
            left = [one for one in page if labels(one).get(MANAGED) != "cloudfunctions"]
            if left and known is None:
                known = await self._under(scope)
            yield [one for one in left if one.get("name") not in (known or ())]

    async def _under(self, scope: Scope) -> set[str]:
        """The services that functions are made of; none where functions may not be listed."""
        found: set[str] = set()

        async def ask(token: str | None) -> Any:
            return await self.rest(scope, "functions", FUNCTIONS, pageSize=LISTED, pageToken=token)

        try:
            async for page in self.paged(ask, next_token):
                listed = self.records(page, "functions") if "functions" in page else []
                found.update(filter(None, map(underneath, listed)))
        except NotEnabled:
            # Then there are none.
            return set()
        except Forbidden as error:
            self.note_once(scope, f"Which services are functions is not known. {error.message}", error)
        return found


def underneath(one: Record) -> str | None:
    """The service that a function is made of, which has its name unless it says another."""
    said = inner(one, "serviceConfig", "service")
    if said or one.get("environment") == "GEN_1" or not one.get("name"):
        return str(said) if said else None
    place, _, name = str(one["name"]).rpartition("/functions/")
    return f"{place}/services/{name.lower().replace('_', '-')}"


def cluster(one: Record) -> Resource | None:
    """One cluster; an ill one that still runs says what is wrong."""
    ident = one.get("id") or one.get("selfLink")
    if not ident:
        return None
    region, zone = located(one.get("location") or one.get("zone"))
    state, wrong = (
        str(one.get("status")),
        [str(two["message"]) for two in each(one, "conditions") if two.get("message")],
    )
    ill = {"DEGRADED": "degraded", "ERROR": "failing"}.get(state)
    return Resource(
        id=str(ident),
        type="cluster",
        name=one.get("name"),
        status=CLUSTER_STATES.get(state, "unknown"),
        status_raw=one.get("status"),
        region=region,
        zone=zone,
        tags=labels(one, "resourceLabels"),
        created_at=moment(one.get("createTime")),
        version=one.get("currentMasterVersion"),
        node_count=whole(one.get("currentNodeCount")),
        health=ill,
        health_message=(wrong[0] if wrong else f"Its state is {state}.") if ill else None,
        details=told(
            service="gke",
            location=one.get("location"),
            autopilot=inner(one, "autopilot", "enabled"),
            channel=inner(one, "releaseChannel", "channel"),
            endpoint=one.get("endpoint"),
            network=last(one.get("network")),
            subnetwork=last(one.get("subnetwork")),
            node_pools=[pool(each_pool) for each_pool in each(one, "nodePools")],
            description=one.get("description"),
        ),
        raw=raw(one),
    )


def pool(one: Record) -> dict[str, object]:
    """One node pool; its nodes are counted for each of its zones."""
    config = one.get("config") or {}
    boards = [
        accelerator(gpu.get("acceleratorType"), gpu.get("acceleratorCount"))
        for gpu in each(config, "accelerators")
    ]
    first, scale = whole(one.get("initialNodeCount")), one.get("autoscaling") or {}
    return told(
        name=one.get("name"),
        status=one.get("status"),
        machine_type=config.get("machineType"),
        version=one.get("version"),
        nodes_per_zone=first,
        zones=list(one.get("locations") or ()),
        least_nodes=scale.get("minNodeCount") if scale.get("enabled") else None,
        most_nodes=scale.get("maxNodeCount") if scale.get("enabled") else None,
        spot=bool(config.get("spot") or config.get("preemptible")) or None,
        gpus=[{"gpu": gpu.gpu, "count": gpu.count} for gpu in boards if gpu],
    )


def function(one: Record) -> Resource | None:
    """One function."""
    name = one.get("name")
    if not name:
        return None
    region, config = place_in(name), one.get("serviceConfig") or {}
    said = [str(two["message"]) for two in each(one, "stateMessages") if two.get("message")]
    # The older API calls some things differently, and has one generation.
    state = one.get("state") or FORMER_STATES.get(str(one.get("status")))
    failed = state == "FAILED"
    return Resource(
        id=str(name),
        type="function",
        name=last(name),
        status=FUNCTION_STATES.get(str(state), "unknown"),
        status_raw=state,
        region=region,
        tags=labels(one),
        created_at=moment(one.get("createTime")),
        updated_at=moment(one.get("updateTime")),
        runtime=inner(one, "buildConfig", "runtime") or one.get("runtime"),
        memory_mb=memory_mb(config.get("availableMemory")) or positive(one.get("availableMemoryMb")),
        timeout_s=positive(config.get("timeoutSeconds")) or positive(str(one.get("timeout")).rstrip("s")),
        last_modified=moment(one.get("updateTime")),
        health="failing" if failed else None,
        health_message=(said[0] if said else "Its last deployment failed.") if failed else None,
        details=told(
            service="functions_v1"
            if one.get("environment") == "GEN_1" or "status" in one
            else "functions_v2",
            generation=one.get("environment"),
            entry_point=inner(one, "buildConfig", "entryPoint"),
            url=one.get("url") or config.get("uri"),
            run_service=last(config.get("service")),
            cpus=number(config.get("availableCpu")),
            most_instances=config.get("maxInstanceCount"),
            least_instances=config.get("minInstanceCount"),
            trigger=inner(one, "eventTrigger", "eventType"),
            description=one.get("description"),
        ),
        raw=raw(one),
    )


def service(one: Record) -> Resource | None:
    """One service of Cloud Run."""
    name = one.get("name")
    if not name:
        return None
    box: Record = next(iter(each(one, "template", "containers")), {})
    state = inner(one, "terminalCondition", "state")
    failed = state == "CONDITION_FAILED"
    return Resource(
        id=str(name),
        type="container",
        name=last(name),
        status=SERVICE_STATES.get(str(state), "unknown"),
        status_raw=state,
        region=place_in(name),
        tags=labels(one),
        created_at=moment(one.get("createTime")),
        updated_at=moment(one.get("updateTime")),
        version=last(one.get("latestReadyRevision")),
        gpus=tuple(boards(one, box)),
        health="failing" if failed else None,
        health_message=(inner(one, "terminalCondition", "message") or "It is not ready.") if failed else None,
        details=told(
            service="run",
            image=box.get("image"),
            cpus=number(inner(box, "resources", "limits", "cpu")),
            memory_mb=memory_mb(inner(box, "resources", "limits", "memory")),
            least_instances=inner(one, "template", "scaling", "minInstanceCount"),
            most_instances=inner(one, "template", "scaling", "maxInstanceCount"),
            ingress=one.get("ingress"),
            url=one.get("uri"),
            launch_stage=one.get("launchStage"),
        ),
        raw=raw(one),
    )


def boards(one: Record, box: Record) -> list[Gpus]:
    """The GPUs of each instance of a service."""
    limits = inner(box, "resources", "limits") or {}
    found = accelerator(inner(one, "template", "nodeSelector", "accelerator"), limits.get("nvidia.com/gpu"))
    return [found] if found else []


def memory_mb(text: Any) -> float | None:
    """MiB of a size as Google writes it: 256M, 512Mi, 1Gi, or bytes."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([A-Za-z]*)", str(text or ""))
    if not match or match[2] not in SIZES:
        return None
    return positive(float(match[1]) * SIZES[match[2]])
