"""EKS and ECS clusters, ECS services, ECR repositories.

EKS and ECS list names; what stands behind them is asked for each by itself (EKS) or ten and a hundred at a
time (ECS). A cluster's nodes are those that its node groups want. An ECS service is what runs containers: a
row of type `container`, and degraded while fewer tasks run than it wants. Of ECS the id is the ARN, since EKS
has clusters of the same name. Source: the API models.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from cloudtop.inventory import Resource
from cloudtop.models import Scope
from connectors.aws_base import EXTRA_RETRIES, Amazon
from connectors.aws_rows import gpu_of, joined, moment, raw, tags
from connectors.aws_tags import Tagging, Tags
from connectors.rows import Record, each, inner, told

CLUSTERS, SERVICES = 100, 10
"""How many ECS describes in one call."""

EKS_STATES = {
    "ACTIVE": "running",
    "UPDATING": "running",
    "CREATING": "starting",
    "PENDING": "starting",
    "DELETING": "stopping",
    "FAILED": "failed",
}
ECS_STATES = {
    "ACTIVE": "running",
    "PROVISIONING": "starting",
    "DEPROVISIONING": "stopping",
    "DRAINING": "stopping",
    "FAILED": "failed",
    "INACTIVE": "terminated",
}


class Containers(Amazon):
    """What runs containers."""

    async def eks_clusters(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Kubernetes clusters with their node groups."""
        nameless = 0
        names = self.pages(scope, "eks", "list_clusters", lambda page: self.names(page, "clusters"), size=100)
        async for page in names:
            rows = await self.each(page, lambda name: self._eks_cluster(scope, name))
            nameless += rows.count(None)
            yield [one for one in rows if one is not None]
        self.nameless(scope, nameless, "cluster")

    async def _eks_cluster(self, scope: Scope, name: str) -> Resource | None:
        answer = await self.call(scope, "eks", "describe_cluster", name=name)
        groups = await self.beside(scope, "Node groups of clusters are", self._node_groups(scope, name))
        return eks_cluster({"name": name, **(answer.get("cluster") or {})}, groups)

    async def _node_groups(self, scope: Scope, cluster: str) -> list[Record]:
        names: list[str] = []
        asked: dict[str, Any] = {"clusterName": cluster, "size": 100, "retries": EXTRA_RETRIES}
        async for page in self.pages(
            scope, "eks", "list_nodegroups", lambda page: self.names(page, "nodegroups"), **asked
        ):
            names += page

        async def described(name: str) -> Record:
            about = {"clusterName": cluster, "nodegroupName": name, "retries": EXTRA_RETRIES}
            answer = await self.call(scope, "eks", "describe_nodegroup", **about)
            return {"nodegroupName": name, **(answer.get("nodegroup") or {})}

        return await self.each(names, described)

    async def ecs_clusters(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """ECS clusters."""
        nameless = 0
        async for arns in self._ecs_cluster_arns(scope):
            rows: list[Resource | None] = []
            for group in grouped(arns, CLUSTERS):
                about: dict[str, Any] = {"clusters": group, "include": ["TAGS"]}
                answer = await self.call(scope, "ecs", "describe_clusters", **about)
                rows += [ecs_cluster(one) for one in self.records(answer, "clusters")]
            nameless += rows.count(None)
            yield [one for one in rows if one is not None]
        self.nameless(scope, nameless, "cluster")

    async def ecs_services(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """The services of all ECS clusters."""
        nameless = 0
        async for arns in self._ecs_cluster_arns(scope):
            for cluster in arns:
                services = self.pages(
                    scope,
                    "ecs",
                    "list_services",
                    lambda page: self.names(page, "serviceArns"),
                    size=100,
                    cluster=cluster,
                )
                async for page in services:
                    rows = await self._described_services(scope, cluster, page)
                    nameless += rows.count(None)
                    yield [one for one in rows if one is not None]
        self.nameless(scope, nameless, "service")

    async def _described_services(self, scope: Scope, cluster: str, arns: Sequence[str]) -> list[Any]:
        async def few(group: list[str]) -> list[Any]:
            about = {"cluster": cluster, "services": group, "include": ["TAGS"]}
            answer = await self.call(scope, "ecs", "describe_services", **about)
            return [ecs_service(one) for one in self.records(answer, "services")]

        return [one for rows in await self.each(grouped(arns, SERVICES), few) for one in rows]

    async def _ecs_cluster_arns(self, scope: Scope) -> AsyncIterator[list[str]]:
        async for page in self.pages(
            scope, "ecs", "list_clusters", lambda page: self.names(page, "clusterArns"), size=100
        ):
            yield page

    async def repositories(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """ECR repositories."""

        async def single(rows: Sequence[Resource]) -> list[Tags]:
            arn = rows[0].details.get("arn")
            answer = await self.call(scope, "ecr", "list_tags_for_resource", resourceArn=arn)
            return [tags(answer, "tags")]

        tagging = Tagging(single, "ecr:repository", lambda one: f"repository/{one.id}")
        about: dict[str, Any] = {"tagging": tagging, "size": 1000}
        async for page in self.listed(
            scope, "ecr", "describe_repositories", "repositories", repository, "repository", **about
        ):
            yield page


def grouped(items: Sequence[str], most: int) -> list[list[str]]:
    """The items in groups that one call takes."""
    return [list(items[at : at + most]) for at in range(0, len(items), most)]


def eks_cluster(one: Record, groups: Sequence[Record] | None) -> Resource:
    """One EKS cluster; `groups` are its node groups, None when they are not known."""
    pools = [node_group(group) for group in groups or ()]
    wrong = joined(
        issue.get("message") or issue.get("code")
        for owner in (one, *(groups or ()))
        for issue in each(inner(owner, "health") or {}, "issues")
    )
    return Resource(
        id=one["name"],
        type="cluster",
        name=one["name"],
        status=EKS_STATES.get(str(one.get("status")), "unknown"),
        status_raw=one.get("status"),
        tags=tags(one, "tags"),
        created_at=moment(one.get("createdAt")),
        version=one.get("version"),
        node_count=None if groups is None else sum(int(pool.get("nodes") or 0) for pool in pools),  # type: ignore[call-overload]
        health="degraded" if wrong else None,
        health_message=wrong,
        details=told(
            service="eks",
            arn=one.get("arn"),
            endpoint=one.get("endpoint"),
            vpc_id=inner(one, "resourcesVpcConfig", "vpcId"),
            platform_version=one.get("platformVersion"),
            public_endpoint=inner(one, "resourcesVpcConfig", "endpointPublicAccess"),
            node_groups=pools,
            gpu_nodes=sum(int(pool.get("nodes") or 0) for pool in pools if pool.get("gpu")) or None,  # type: ignore[call-overload]
        ),
        raw=raw(one),
    )


def node_group(one: Record) -> dict[str, object]:
    """What is told of a node group in its cluster's details."""
    kinds = [str(kind) for kind in one.get("instanceTypes") or ()]
    known = next((found for kind in kinds if (found := gpu_of(kind))), None)
    return told(
        name=one.get("nodegroupName"),
        status=one.get("status"),
        instance_types=kinds,
        nodes=inner(one, "scalingConfig", "desiredSize"),
        least=inner(one, "scalingConfig", "minSize"),
        most=inner(one, "scalingConfig", "maxSize"),
        spot=one.get("capacityType") == "SPOT" or None,
        gpu=known and known[0],
        gpus_per_node=known and known[1],
    )


def ecs_cluster(one: Record) -> Resource | None:
    """One ECS cluster."""
    if not one.get("clusterArn"):
        return None
    return Resource(
        id=one["clusterArn"],
        type="cluster",
        name=one.get("clusterName"),
        status=ECS_STATES.get(str(one.get("status")), "unknown"),
        status_raw=one.get("status"),
        tags=tags(one, "tags"),
        node_count=one.get("registeredContainerInstancesCount"),
        details=told(
            service="ecs",
            arn=one["clusterArn"],
            running_tasks=one.get("runningTasksCount"),
            pending_tasks=one.get("pendingTasksCount"),
            services=one.get("activeServicesCount"),
            capacity_providers=list(one.get("capacityProviders") or ()),
        ),
        raw=raw(one),
    )


def ecs_service(one: Record) -> Resource | None:
    """One ECS service."""
    if not one.get("serviceArn"):
        return None
    wrong = short_of_tasks(one)
    return Resource(
        id=one["serviceArn"],
        type="container",
        name=one.get("serviceName"),
        status=ECS_STATES.get(str(one.get("status")), "unknown"),
        status_raw=one.get("status"),
        tags=tags(one, "tags"),
        created_at=moment(one.get("createdAt")),
        instance_type=one.get("launchType"),
        version=one.get("platformVersion"),
        node_count=one.get("runningCount"),
        health="degraded" if wrong else None,
        health_message=wrong,
        details=told(
            service="ecs",
            arn=one["serviceArn"],
            cluster=one.get("clusterArn"),
            desired_tasks=one.get("desiredCount"),
            pending_tasks=one.get("pendingCount"),
            task_definition=str(one.get("taskDefinition") or "").rpartition("/")[2],
        ),
        raw=raw(one),
    )


def short_of_tasks(one: Record) -> str | None:
    """That a service has fewer tasks running than it wants; None when it has all, or does not tell."""
    running, wanted = one.get("runningCount"), one.get("desiredCount")
    if running is None or wanted is None or running >= wanted:
        return None
    failed = (
        part.get("rolloutStateReason")
        for part in each(one, "deployments")
        if part.get("rolloutState") == "FAILED"
    )
    return joined([f"{running} of {wanted} tasks run", *failed])


def repository(one: Record) -> Resource | None:
    """One ECR repository."""
    if not one.get("repositoryName"):
        return None
    return Resource(
        id=one["repositoryName"],
        type="container_registry",
        name=one["repositoryName"],
        status="available",
        created_at=moment(one.get("createdAt")),
        details=told(
            arn=one.get("repositoryArn"),
            endpoint=one.get("repositoryUri"),
            account_id=one.get("registryId"),
            scans_on_push=inner(one, "imageScanningConfiguration", "scanOnPush"),
            tags_are_immutable=one.get("imageTagMutability") == "IMMUTABLE" or None,
            encryption=inner(one, "encryptionConfiguration", "encryptionType"),
        ),
        raw=raw(one),
    )
