"""Whose key it is and what it may do, and what given types cost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from cloudtop.errors import RateLimited, Unauthorized
from cloudtop.inventory import InstancePrice
from cloudtop.models import Health, Scope
from connectors import discovery
from tests.connectors.aws_server import Asked, House, amazon, denied, ec2, query
from tests.connectors.raw_servers import reply

pytest.importorskip("boto3")

FACTS = discovery.found()["aws"]
USER = "arn:aws:iam::123456789012:user/ops/reader"
TAKEN = "arn:aws:sts::123456789012:assumed-role/reader/cloudtop"
ROLE = "arn:aws:iam::123456789012:role/teams/data/reader"


def identity(arn: str) -> bytes:
    inside = f"<Arn>{arn}</Arn><UserId>AIDA</UserId><Account>123456789012</Account>"
    return query("sts", "GetCallerIdentity", inside)


def simulated(*refused: str, decision: str = "implicitDeny") -> Any:
    """IAM's answer: everything is allowed but these."""

    def answer(asked: Asked) -> bytes:
        actions = [value for name, value in asked.arguments.items() if name.startswith("ActionNames.")]
        members = "".join(
            f"<member><EvalActionName>{one}</EvalActionName><EvalResourceName>*</EvalResourceName>"
            f"<EvalDecision>{decision if one in refused else 'allowed'}</EvalDecision></member>"
            for one in actions
        )
        inside = f"<EvaluationResults>{members}</EvaluationResults><IsTruncated>false</IsTruncated>"
        return query("iam", "SimulatePrincipalPolicy", inside)

    return answer


async def permissions(**answers: Any) -> tuple[dict[str, Health], list[Asked]]:
    """The rows by what they are about, and what was asked."""
    async with amazon(**answers) as cloud, House(cloud).opened() as aws:
        scope = Scope("aws", "default", kind="permissions")
        found = [one async for page in aws.permissions(scope) for one in page]
    assert {one.check for one in found} == {"permissions"}
    return {one.name: one for one in found}, cloud.asked


async def health(*, account: str = "default", **answers: Any) -> list[Health]:
    async with amazon(**answers) as cloud, House(cloud).opened() as aws:
        return [one async for page in aws.health(Scope("aws", account, kind="health")) for one in page]


async def test_health_says_whose_key_it_is() -> None:
    credentials, api = await health(GetCallerIdentity=identity(USER))
    assert (credentials.check, credentials.status, credentials.healthy) == ("credentials", "healthy", True)
    assert credentials.message == f"The key is accepted: account 123456789012, {USER}."
    assert (api.check, api.status) == ("api", "healthy")


async def test_a_key_that_is_not_accepted_is_no_fault_of_the_api() -> None:
    error = "<ErrorResponse><Error><Code>InvalidClientTokenId</Code></Error></ErrorResponse>"
    credentials, api = await health(GetCallerIdentity=reply(403, error))
    assert (credentials.status, api.status) == ("failing", "healthy")


async def test_an_answer_that_names_nobody_is_not_healthy() -> None:
    credentials, api = await health(GetCallerIdentity=query("sts", "GetCallerIdentity", ""))
    assert (credentials.status, api.status) == ("unknown", "failing")


async def test_a_key_that_may_do_everything_is_healthy_for_every_kind() -> None:
    rows, asked = await permissions(GetCallerIdentity=identity(USER), SimulatePrincipalPolicy=simulated())
    assert set(rows) == set(FACTS.needs)
    assert set(FACTS.lists) <= set(rows)
    assert {(one.status, one.healthy) for one in rows.values()} == {("healthy", True)}
    assert rows["volumes"].message == "Allowed: ec2:DescribeVolumes."
    source = asked[-1].arguments["PolicySourceArn"]
    assert (source, [one.operation for one in asked]) == (
        USER,
        ["GetCallerIdentity", "SimulatePrincipalPolicy"],
    )


@pytest.mark.parametrize("decision", ["implicitDeny", "explicitDeny"])
async def test_what_is_missing_is_named_for_each_kind(decision: str) -> None:
    refused = ("lambda:ListFunctions", "ec2:DescribeInstanceTypes")
    rows, _ = await permissions(
        GetCallerIdentity=identity(USER),
        SimulatePrincipalPolicy=simulated(*refused, decision=decision),
    )
    ill = {name: (one.status, one.healthy) for name, one in rows.items() if one.status != "healthy"}
    assert ill == {"functions": ("failing", False), "instances": ("degraded", False)}
    assert rows["functions"].message.startswith("Not allowed: lambda:ListFunctions. ")
    assert rows["instances"].message.startswith("Not allowed: ec2:DescribeInstanceTypes. ")


async def test_of_a_role_that_was_taken_the_role_is_asked_about_by_its_whole_name() -> None:
    role = f"<Role><Arn>{ROLE}</Arn><RoleName>reader</RoleName></Role>"
    _, asked = await permissions(
        GetCallerIdentity=identity(TAKEN),
        GetRole=query("iam", "GetRole", role),
        SimulatePrincipalPolicy=simulated(),
    )
    assert asked[1].arguments["RoleName"] == "reader"
    assert asked[2].arguments["PolicySourceArn"] == ROLE
    _, asked = await permissions(GetCallerIdentity=identity(TAKEN), SimulatePrincipalPolicy=simulated())
    assert asked[2].arguments["PolicySourceArn"] == "arn:aws:iam::123456789012:role/reader"


async def test_nobody_asks_what_the_root_of_an_account_may() -> None:
    rows, asked = await permissions(GetCallerIdentity=identity("arn:aws:iam::123456789012:root"))
    assert {one.status for one in rows.values()} == {"healthy"}
    assert [one.operation for one in asked] == ["GetCallerIdentity"]


def dry(asked: Asked) -> bytes:
    """EC2 tells that it would have done it."""
    assert asked.arguments["DryRun"] == "true"
    error = "<Error><Code>DryRunOperation</Code><Message>Request would have succeeded</Message></Error>"
    return reply(412, f"<Response><Errors>{error}</Errors></Response>")


@pytest.mark.parametrize("refusing", [denied("iam"), reply(500, "<html></html>"), reply(404, "")])
async def test_where_iam_may_not_be_asked_it_is_tried(refusing: bytes) -> None:
    rows, asked = await permissions(
        GetCallerIdentity=identity(USER),
        SimulatePrincipalPolicy=refusing,
        DescribeVolumes=dry,
        DescribeDBInstances=query("rds", "DescribeDBInstances", "<DBInstances/>"),
        ListTables=reply(200, {"TableNames": []}),
        GET_clusters=reply(429, {}),
    )
    states = {name: one.status for name, one in rows.items()}
    assert {
        name: states[name] for name in ("volumes", "snapshots", "databases", "tables", "eks_clusters")
    } == {
        "volumes": "healthy",
        "snapshots": "failing",
        "databases": "healthy",
        "tables": "degraded",
        "eks_clusters": "unknown",
    }
    assert rows["eks_clusters"].healthy is None
    changing = [
        one.operation for one in asked if not one.operation.startswith(("Describe", "Get", "List", "GET"))
    ]
    assert changing == ["SimulatePrincipalPolicy"] * len(changing)


async def test_a_key_that_is_not_accepted_is_told_as_that() -> None:
    error = "<ErrorResponse><Error><Code>ExpiredToken</Code></Error></ErrorResponse>"
    with pytest.raises(Unauthorized):
        await permissions(GetCallerIdentity=reply(403, error))
    with pytest.raises(Unauthorized):
        await permissions(GetCallerIdentity=identity(USER), SimulatePrincipalPolicy=reply(403, error))


def test_every_permission_that_is_needed_only_reads() -> None:
    actions = {one for needed in FACTS.needs.values() for one in needed}
    assert all(one.partition(":")[2].startswith(("Describe", "List", "Get")) for one in actions)


def product(usd: str, unit: str = "Hrs") -> str:
    price = {"unit": unit, "pricePerUnit": {"USD": usd}}
    terms = {"OnDemand": {"SKU.TERM": {"priceDimensions": {"SKU.TERM.RATE": price}}}}
    return json.dumps({"product": {"attributes": {"instanceType": "m5.large"}}, "terms": terms})


async def prices(products: Mapping[str, Sequence[str]]) -> tuple[list[InstancePrice], list[Asked]]:
    def answer(asked: Asked) -> bytes:
        wanted = {one["Field"]: one["Value"] for one in asked.arguments["Filters"]}
        assert {one["Type"] for one in asked.arguments["Filters"]} == {"TERM_MATCH"}
        return reply(200, {"PriceList": list(products[wanted["instanceType"]]), "FormatVersion": "aws_v1"})

    async with amazon(GetProducts=answer) as cloud, House(cloud).opened() as aws:
        scope = Scope("aws", "default", "eu-west-1", "instance_prices")
        found = [one async for page in aws.instance_prices(scope, list(products)) for one in page]
    return found, cloud.asked


async def test_types_cost_what_the_plain_way_to_rent_them_costs() -> None:
    found, asked = await prices(
        {
            "m5.large": [product("0.1070000000")],
            "p6-b200.48xlarge": [product("0.0000000000")],
            "x9z.large": [],
            "odd.large": [product("9.0", unit="Quantity"), product("0.5")],
        }
    )
    assert found == [
        InstancePrice("m5.large", 0.107),
        InstancePrice("p6-b200.48xlarge", None),
        InstancePrice("x9z.large", None),
        InstancePrice("odd.large", 0.5),
    ]
    wanted = {one["Field"]: one["Value"] for one in asked[0].arguments["Filters"]}
    assert wanted == {
        "instanceType": "m5.large",
        "regionCode": "eu-west-1",
        "operatingSystem": "Linux",
        "tenancy": "Shared",
        "preInstalledSw": "NA",
        "capacitystatus": "Used",
    }
    assert {one.region for one in asked} == {"us-east-1"}


async def test_prices_that_must_be_waited_for_are_not_called_unknown() -> None:
    throttled = reply(400, {"__type": "ThrottlingException"})
    async with amazon(GetProducts=throttled) as cloud, House(cloud).opened() as aws:
        scope = Scope("aws", "default", "eu-west-1", "instance_prices")
        with pytest.raises(RateLimited):
            _ = [page async for page in aws.instance_prices(scope, ["m5.large"])]


async def test_the_region_of_an_answer_is_the_one_that_is_asked() -> None:
    async with amazon(DescribeVpcs=ec2("DescribeVpcs", "<vpcSet/>")) as cloud:
        await House(cloud).listed("vpcs", "ap-southeast-2")
    assert [(one.service, one.region) for one in cloud.asked] == [("ec2", "ap-southeast-2")]
