"""What a key may do of what cloudtop asks: by simulating its policies, else by trying.

IAM can be asked what it would decide; that takes `iam:SimulatePrincipalPolicy`, which few keys have, and says
little of an organisation's own policies. Without it EC2 is asked with DryRun, which only tells whether one
may, and every other service for the shortest page of a listing. The first permission that the facts name for
a kind (`needs`) is the one it cannot do without. Source: the IAM and EC2 API references.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cloudtop.errors import CloudError, Forbidden, NotFound, Unauthorized
from cloudtop.models import Health, Scope
from connectors.aws_base import EXTRA_RETRIES, HOME, Amazon

ASSUMED = re.compile(r"arn:([\w-]+):sts::(\d+):assumed-role/([^/]+)/")
ROOT = re.compile(r"arn:[\w-]+:iam::\d+:root")
MAY = "DryRunOperation"
_CPU = {"Metric": {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization"}, "Period": 300, "Stat": "Average"}
A_METRIC: Mapping[str, Any] = {
    "MetricDataQueries": [{"Id": "m0", "MetricStat": _CPU}],
    "StartTime": datetime(2026, 1, 1, tzinfo=UTC),
    "EndTime": datetime(2026, 1, 1, 1, tzinfo=UTC),
}
TRIED: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    "eks:ListClusters": ("eks", "list_clusters", {"maxResults": 1}),
    "ecs:ListClusters": ("ecs", "list_clusters", {"maxResults": 1}),
    "ecr:DescribeRepositories": ("ecr", "describe_repositories", {"maxResults": 1}),
    "lambda:ListFunctions": ("lambda", "list_functions", {"MaxItems": 1}),
    "rds:DescribeDBInstances": ("rds", "describe_db_instances", {"MaxRecords": 20}),
    "rds:DescribeDBClusters": ("rds", "describe_db_clusters", {"MaxRecords": 20}),
    "elasticache:DescribeCacheClusters": ("elasticache", "describe_cache_clusters", {"MaxRecords": 20}),
    "dynamodb:ListTables": ("dynamodb", "list_tables", {"Limit": 1}),
    "s3:ListAllMyBuckets": ("s3", "list_buckets", {"MaxBuckets": 1}),
    "elasticloadbalancing:DescribeLoadBalancers": ("elbv2", "describe_load_balancers", {"PageSize": 1}),
    "route53:ListHostedZones": ("route53", "list_hosted_zones", {"MaxItems": "1"}),
    "cloudwatch:ListMetrics": ("cloudwatch", "list_metrics", {"Namespace": "AWS/EC2"}),
    "pricing:GetProducts": ("pricing", "get_products", {"ServiceCode": "AmazonEC2", "MaxResults": 1}),
    "cloudwatch:GetMetricData": ("cloudwatch", "get_metric_data", A_METRIC),
    "tag:GetResources": ("resourcegroupstaggingapi", "get_resources", {"ResourcesPerPage": 1}),
}
"""The shortest call that takes a permission, for services other than EC2."""


class Permissions(Amazon):
    """What the credentials of an account are allowed."""

    async def permissions(self, scope: Scope) -> AsyncIterator[list[Health]]:
        """One row for each kind of data: whether it may be read, and which permissions are missing."""
        identity = await self.call(scope, "sts", "get_caller_identity", region=HOME)
        arn = str(identity.get("Arn") or "")
        actions = sorted({action for needed in self.facts.needs.values() for action in needed})
        if ROOT.fullmatch(arn):
            allowed: dict[str, bool | None] = dict.fromkeys(actions, True)
        else:
            allowed = await self._simulated(scope, arn, actions) or await self._tried(scope, actions)
        yield [self.permitted(scope, kind, needed, allowed) for kind, needed in self.facts.needs.items()]

    async def _simulated(
        self, scope: Scope, arn: str, actions: Sequence[str]
    ) -> dict[str, bool | None] | None:
        """What IAM would decide of each action; None where it may not be asked."""
        source = await self._source(scope, arn)
        about: dict[str, Any] = {"PolicySourceArn": source, "ActionNames": list(actions)}

        async def ask(marker: str | None) -> Any:
            more = {"Marker": marker} if marker else {}
            return await self._asked(scope, "iam", "simulate_principal_policy", **about, **more)

        found: dict[str, bool | None] = {}
        try:
            async for answer in self.paged(ask, lambda page: page.get("IsTruncated") and page.get("Marker")):
                for one in self.records(answer, "EvaluationResults"):
                    found[str(one.get("EvalActionName"))] = one.get("EvalDecision") == "allowed"
        except Unauthorized:
            raise
        except CloudError:
            return None
        return found

    async def _source(self, scope: Scope, arn: str) -> str:
        """Whose policies count: of a role that was taken the role itself, whose path only IAM knows."""
        taken = ASSUMED.match(arn)
        if not taken:
            return arn
        partition, account, role = taken.groups()
        try:
            answer = await self._asked(scope, "iam", "get_role", RoleName=role)
        except (Forbidden, NotFound):
            return f"arn:{partition}:iam::{account}:role/{role}"
        return str((answer.get("Role") or {}).get("Arn") or arn)

    async def _tried(self, scope: Scope, actions: Sequence[str]) -> dict[str, bool | None]:
        """What can be found out by asking for the least; None where it cannot."""
        answers = await self.each(actions, lambda action: self._may(scope, action))
        return dict(zip(actions, answers, strict=True))

    async def _may(self, scope: Scope, action: str) -> bool | None:
        service, _, operation = action.partition(":")
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()
        dry = service == "ec2"
        if not dry and action not in TRIED:
            return None
        tried = (service, name, {"DryRun": True}) if dry else TRIED[action]
        try:
            await self._asked(scope, tried[0], tried[1], **tried[2])
        except Forbidden:
            return False
        except CloudError as error:
            return True if MAY in error.message else None
        return True

    async def _asked(self, scope: Scope, service: str, operation: str, **about: Any) -> Any:
        return await self.call(scope, service, operation, region=HOME, retries=EXTRA_RETRIES, **about)
