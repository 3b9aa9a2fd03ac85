"""boto3 alone against the sandbox: clients, and every listing of an account in a region."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import boto3
from botocore.config import Config

from cloudtop.sandbox.clouds.aws import ACCOUNTS
from tests.audit import company

REGIONS = ("us-east-1", "us-west-2", "eu-central-1", "ap-southeast-1")
PLACES = tuple((account, region) for account in ACCOUNTS for region in REGIONS)
ONE_TRY = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})


def named(balancer: Any) -> str:
    """The name of a load balancer of either kind."""
    return str(balancer["LoadBalancerName"])


LISTED: dict[str, tuple[str, str, str, Callable[[Any], str]]] = {
    "vpcs": ("ec2", "describe_vpcs", "Vpcs", lambda one: one["VpcId"]),
    "subnets": ("ec2", "describe_subnets", "Subnets", lambda one: one["SubnetId"]),
    "security_groups": ("ec2", "describe_security_groups", "SecurityGroups", lambda one: one["GroupId"]),
    "instances": ("ec2", "describe_instances", "Reservations", lambda one: one["Instances"][0]["InstanceId"]),
    "volumes": ("ec2", "describe_volumes", "Volumes", lambda one: one["VolumeId"]),
    "snapshots": ("ec2", "describe_snapshots", "Snapshots", lambda one: one["SnapshotId"]),
    "eks_clusters": ("eks", "list_clusters", "clusters", str),
    "ecs_clusters": ("ecs", "list_clusters", "clusterArns", lambda one: one.rpartition("/")[2]),
    "functions": ("lambda", "list_functions", "Functions", lambda one: one["FunctionName"]),
    "db_instances": ("rds", "describe_db_instances", "DBInstances", lambda one: one["DBInstanceIdentifier"]),
    "db_clusters": ("rds", "describe_db_clusters", "DBClusters", lambda one: one["DBClusterIdentifier"]),
    "tables": ("dynamodb", "list_tables", "TableNames", str),
    "load_balancers": ("elbv2", "describe_load_balancers", "LoadBalancers", named),
    "classic_load_balancers": ("elb", "describe_load_balancers", "LoadBalancerDescriptions", named),
}
"""Of each group that AWS lists in pages: service, operation, where its records stand, what names one."""

MORE = {"snapshots": {"OwnerIds": ["self"]}}


def client(service: str, endpoint: str, account: str = "prod", region: str = "us-east-1") -> Any:
    """A client with the account's key; `account` may be a key of nobody."""
    keys = ACCOUNTS.get(account, {"access_key_id": account, "secret_access_key": "none"})
    return boto3.client(
        service,
        region_name=region,
        aws_access_key_id=keys["access_key_id"],
        aws_secret_access_key=keys["secret_access_key"],
        endpoint_url=endpoint,
        config=ONE_TRY,
    )


def pages(endpoint: str, group: str, account: str, region: str) -> list[list[Any]]:
    """The records of a group in one place, page by page."""
    service, operation, key, _ = LISTED[group]
    with closing(client(service, endpoint, account, region)) as asked:
        found = asked.get_paginator(operation).paginate(**MORE.get(group, {}))
        return [page.get(key, []) for page in found]


def ids(group: str, records: list[Any]) -> list[str]:
    """What names each."""
    return [LISTED[group][3](one) for one in records]


def expected(group: str, account: str, region: str) -> Iterator[str]:
    """The ids that the company's file has there."""
    for one in company.things("aws"):
        if (one.group, one.account, one.region) == (group, account, region):
            yield one.id
