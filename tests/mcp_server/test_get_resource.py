"""get_resource, list_services and the health of resources, over a small company."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.mcp_server import company
from tests.mcp_server.company import Cloud
from tests.mcp_server.market import House


@pytest.fixture
def clouds() -> dict[str, Cloud]:
    return company.company()


@pytest.fixture
async def house(tmp_path: Path, clouds: dict[str, Cloud]) -> AsyncIterator[House]:
    made = company.house(tmp_path, clouds)
    yield made
    await made.close()


@pytest.mark.parametrize(
    "arguments",
    [
        {"id": "i-0003"},
        {"id": "aws:prod:us-east-1:instance:i-0003"},
        {"name": "TRAIN-3"},
        {"ip": "10.0.0.3"},
    ],
    ids=str,
)
async def test_one_is_found_by_id_uid_name_and_address_with_its_details(
    house: House, arguments: dict[str, str]
) -> None:
    (row,) = (await house.call("get_resource", **arguments))["rows"]
    assert row["uid"] == "aws:prod:us-east-1:instance:i-0003"
    assert row["details"] == {"vpc_id": "vpc-1"}
    assert row["gpus"] == [{"gpu": "A100", "count": 8, "memory_gib": 80.0}]


async def test_a_name_that_several_have_gives_all_of_them(house: House) -> None:
    answer = await house.call("get_resource", name="web-1")
    assert [row["account"] for row in answer["rows"]] == ["lab", "prod"]


async def test_a_uid_means_just_that_one_though_others_share_its_id(
    house: House, clouds: dict[str, Cloud]
) -> None:
    clouds["aws"].rows["lab", "us-east-1", "instances"] = [company.instance(1)]
    answer = await house.call("get_resource", id="aws:lab:us-east-1:instance:i-0001")
    assert [row["account"] for row in answer["rows"]] == ["lab"]
    assert len((await house.call("get_resource", id="i-0001"))["rows"]) == 2


async def test_known_ones_are_read_again_where_they_are_and_nowhere_else(
    house: House, clouds: dict[str, Cloud]
) -> None:
    await house.call("list_resources")
    house.clock.move(120)
    clouds["aws"].asked.clear()
    clouds["digitalocean"].asked.clear()
    answer = await house.call("get_resource", name="db-main")
    assert answer["rows"][0]["source"] == "live"
    assert {one.kind for one in clouds["aws"].asked} == {"databases"}
    assert clouds["digitalocean"].asked == []


async def test_an_unknown_name_gives_those_like_it(house: House) -> None:
    answer = await house.call("get_resource", name="train-4")
    assert answer["rows"] == []
    assert answer["notices"] == ["No resource is named 'train-4'. Names like it: train-3."]


async def test_without_id_name_or_address_it_is_refused(house: House) -> None:
    answer = await house.call("get_resource")
    assert answer["error"]["argument"] == "name"


async def test_the_record_comes_without_secrets_and_only_when_asked_for(house: House) -> None:
    (row,) = (await house.call("get_resource", id="i-0003"))["rows"]
    assert "raw" not in row
    (row,) = (await house.call("get_resource", id="i-0003", fields="raw"))["rows"]
    assert row == {"raw": {"InstanceId": "i-0003"}}


async def test_services_tell_their_types_and_metrics_without_asking(
    house: House, clouds: dict[str, Cloud]
) -> None:
    answer = await house.call("list_services")
    rows = {(row["provider"], row["id"]): row for row in answer["rows"]}
    assert set(rows) == {("aws", "ec2"), ("aws", "rds"), ("aws", "s3"), ("digitalocean", "droplets")}
    assert rows["aws", "ec2"]["capabilities"] == ["instance", "volume"]
    assert "cpu" in rows["aws", "ec2"]["metrics"]
    assert rows["aws", "ec2"]["configured"]
    assert clouds["aws"].asked == []
    answer = await house.call("list_services", providers="hetzner")
    assert answer["missing"][0]["code"] == "not_covered"


async def test_health_of_resources_is_what_their_cloud_says_else_their_status(house: House) -> None:
    answer = await house.call("check_health", resource_type=["instance", "database"], providers="aws")
    rows = {row["name"]: (row["status"], row["healthy"]) for row in answer["rows"]}
    assert rows["web-5"] == ("failing", False)
    assert rows["web-2"] == ("down", None)
    assert rows["train-3"] == ("healthy", True)
    assert rows["db-old"] == ("failing", False)
    assert {row["check"] for row in answer["rows"]} == {"resources"}
    messages = {row["name"]: row["message"] for row in answer["rows"]}
    assert messages["web-5"] == "The system check fails."
    assert messages["web-2"] == "Instance stopped."


async def test_unhealthy_is_looked_for_in_connections_and_resources(house: House) -> None:
    answer = await house.call("check_health", status="unhealthy")
    assert [(row["name"], row["check"]) for row in answer["rows"]] == [
        ("db-old", "resources"),
        ("web-5", "resources"),
    ]


async def test_what_narrows_to_resources_asks_no_connection(house: House) -> None:
    answer = await house.call("check_health", name="web-5")
    assert [row["uid"] for row in answer["rows"]] == ["aws:prod:us-east-1:instance:i-0005"]
    answer = await house.call("check_health", tag="env=dev")
    assert {row["check"] for row in answer["rows"]} == {"resources"}
    answer = await house.call("check_health", scope="connectors", providers="aws")
    assert "resources" not in {row["check"] for row in answer["rows"]}


async def test_connections_of_a_resource_are_refused_instead_of_told_as_the_resource(house: House) -> None:
    answer = await house.call("check_health", scope="connectors", name="web-1")
    assert answer["error"]["argument"] == "scope"
    assert (await house.call("check_health", scope="resources", name="web-1"))["rows"]
