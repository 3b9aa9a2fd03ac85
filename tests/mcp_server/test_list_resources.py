"""list_resources over a small company: filters, groups, pages, what is missing, what was before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloudtop import resource_types
from cloudtop.errors import Forbidden, Unavailable
from tests.mcp_server import company
from tests.mcp_server.company import Cloud
from tests.mcp_server.market import House

TOOL = "list_resources"


@pytest.fixture
def clouds() -> dict[str, Cloud]:
    return company.company()


@pytest.fixture
async def house(tmp_path: Path, clouds: dict[str, Cloud]) -> AsyncIterator[House]:
    made = company.house(tmp_path, clouds)
    yield made
    await made.close()


async def names(house: House, **arguments: Any) -> list[str]:
    """Names, or ids where there is none, in the order given."""
    answer = await house.call(TOOL, **arguments)
    assert "error" not in answer, answer
    return [row["name"] or row["id"] for row in answer["rows"]]


async def refusal(house: House, **arguments: Any) -> str:
    answer = await house.call(TOOL, **arguments)
    assert "error" in answer, answer
    return f"{answer['error']['message']} {answer['error']['next_step']}"


async def test_every_cloud_account_region_and_page_is_listed_once(house: House) -> None:
    answer = await house.call(TOOL)
    assert len(answer["rows"]) == answer["total"] == 16
    uids = [row["uid"] for row in answer["rows"]]
    assert len(set(uids)) == 16
    assert "aws:prod:eu-west-1:instance:i-0006" in uids
    assert "aws:prod:eu-west-1:bucket:logs" in uids
    assert "digitalocean:default:fra1:instance:8" in uids
    assert {(one["provider"], one["account"]) for one in answer["sources"]} == {
        ("aws", "prod"),
        ("aws", "lab"),
        ("digitalocean", "default"),
    }
    assert answer["missing"] == []


async def test_a_row_has_the_common_fields_and_those_of_its_type(house: House) -> None:
    (row,) = (await house.call(TOOL, name="train-3"))["rows"]
    assert row == {
        "uid": "aws:prod:us-east-1:instance:i-0003",
        "id": "i-0003",
        "name": "train-3",
        "type": "instance",
        "kind": "compute",
        "service": "ec2",
        "provider": "aws",
        "account": "prod",
        "region": "us-east-1",
        "zone": None,
        "status": "running",
        "status_raw": "running",
        "tags": {"env": "prod", "team": "core"},
        "created_at": "2026-11-17T12:00:00Z",
        "updated_at": None,
        "usd_per_hour": 40.0,
        "instance_type": "p4de.24xlarge",
        "vcpus": 96.0,
        "ram_gib": 1152.0,
        "public_ip": None,
        "private_ip": "10.0.0.3",
        "spot": False,
        "gpus": [{"gpu": "A100", "count": 8, "memory_gib": 80.0}],
        "source": "live",
        "fetched_at": "2026-11-20T12:00:00Z",
    }
    (bucket,) = (await house.call(TOOL, name="logs"))["rows"]
    assert bucket["size_bytes"] == 5_000_000_000
    assert "instance_type" not in bucket


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"providers": "digitalocean"}, ["edge", "edge-2"]),
        ({"resource_type": "volume"}, ["vol-1", "vol-2"]),
        ({"resource_type": "storage"}, ["logs", "backup", "media", "vol-1", "vol-2"]),
        ({"resource_type": "VMs", "account": "lab"}, ["web-1"]),
        ({"resource_type": "gpu_instance"}, ["train-3"]),
        ({"resource_type": "gpu"}, ["train-3"]),
        ({"resource_type": "instance", "region": "eu"}, ["web-6", "edge"]),
        ({"resource_type": "instance", "region": "frankfurt"}, ["edge"]),
        ({"status": "stopped"}, ["web-2"]),
        ({"resource_type": "instance", "status_not": "running"}, ["web-2"]),
        ({"name_contains": "EDGE"}, ["edge", "edge-2"]),
        ({"name_contains": "edge-?"}, ["edge-2"]),
        ({"name_contains": "*-3"}, ["train-3"]),
        ({"search": "prod web-5"}, ["web-5"]),
        ({"search": "vol-2"}, ["vol-2"]),
        ({"tag": "env=prod", "providers": "aws"}, ["web-1", "train-3", "web-1", "web-5"]),
        ({"tag": {"ENV": "prod", "team": "core"}, "account": "lab"}, ["web-1"]),
        ({"resource_type": "instance", "tag_not": "env=prod"}, ["web-6", "web-2", "edge"]),
        ({"resource_type": "instance", "missing_tag": "team"}, ["web-2"]),
        ({"missing_tag": "Name", "resource_type": "instance"}, ["i-0004"]),
        ({"missing_tag": "*", "resource_type": "instance"}, ["web-2"]),
        ({"instance_type": "p4de"}, ["train-3"]),
        ({"gpu": "A100"}, ["train-3"]),
        ({"gpu": "A100 40GB"}, []),
        ({"gpu": "A100", "min_memory": 80}, ["train-3"]),
        ({"spot": True}, ["web-5"]),
        ({"engine": "mysql"}, ["db-main"]),
        ({"encrypted": True}, ["vol-1"]),
        ({"ip": "54.1.2.3"}, ["web-6"]),
        ({"ip": "10.0.0.3"}, ["train-3"]),
        ({"min_vcpu": 8}, ["train-3"]),
        ({"min_ram": 64}, ["train-3"]),
        ({"min_size_gb": 200}, ["vol-2"]),
        ({"max_price": 0.3}, ["web-1", "web-6", "i-0004", "web-1", "edge"]),
        ({"created_since": "last_3d", "resource_type": "instance"}, ["train-3", "web-1", "web-2"]),
        ({"older_than": "8d", "resource_type": "instance"}, ["edge-2"]),
        ({"created_before": "2026-11-12T12:00Z"}, ["edge-2"]),
        (
            {"exclude_resource_type": ["bucket", "instance"], "providers": "aws"},
            ["db-main", "db-old", "vol-1", "vol-2"],
        ),
        ({"id": "vol-1"}, ["vol-1"]),
        ({"id": "aws:prod:us-east-1:volume:vol-1"}, ["vol-1"]),
        ({"resource_type": "instance", "sort": "oldest", "limit": 2}, ["edge-2", "edge"]),
        ({"resource_type": "instance", "sort": "created_desc", "limit": 2}, ["web-1", "web-2"]),
        (
            {"sort": "size_gb_desc", "resource_type": ["volume", "database"]},
            ["vol-2", "vol-1", "db-main", "db-old"],
        ),
        ({"sort": "price_desc", "limit": 3}, ["train-3", "edge-2", "edge"]),
        ({"sort": "-name", "limit": 1}, ["web-6"]),
    ],
    ids=str,
)
async def test_a_filter_gives_what_it_says(
    house: House, arguments: dict[str, Any], expected: list[str]
) -> None:
    assert await names(house, **arguments) == expected


async def test_a_filter_that_is_false_or_nought_is_echoed_too(house: House) -> None:
    answer = await house.call(TOOL, encrypted=False, spot=False, max_price=0)
    assert answer["applied"] == {"encrypted": False, "spot": False, "max_price": 0}


async def test_what_a_cloud_does_not_tell_is_left_out_and_counted(house: House) -> None:
    answer = await house.call(TOOL, resource_type="instance", created_since="last_7d")
    assert "1 resource left out because its cloud does not tell when it was created." in answer["notices"]
    answer = await house.call(TOOL, resource_type="instance", missing_tag="owner")
    assert "i-0004" not in [row["id"] for row in answer["rows"]]
    assert "1 resource left out because its tags are not known." in answer["notices"]
    answer = await house.call(TOOL, max_price=1, resource_type="volume")
    assert answer["notices"] == ["2 resources left out because their price is not known."]


async def test_groups_count_and_add_up_prices(house: House) -> None:
    answer = await house.call(TOOL, resource_type="instance", group_by="provider")
    assert answer["rows"] == [
        {"group": "aws", "count": 7, "usd_per_hour": 40.4},
        {"group": "digitalocean", "count": 2, "usd_per_hour": 0.75},
    ]
    assert await groups(house, resource_type="bucket", group_by="region") == {"us-east-1": 2, "eu-west-1": 1}
    assert await groups(house, resource_type="instance", group_by="tag:env") == {"prod": 5, "dev": 2, None: 2}
    assert await groups(house, group_by="gpu", resource_type="gpu_instance") == {"A100": 1}
    assert await groups(house, group_by="version", providers="aws", resource_type="database") == {
        "8.0": 1,
        "12": 1,
    }
    found = await groups(house, group_by=["provider", "status"], resource_type="instance")
    assert found == {"aws, running": 6, "aws, stopped": 1, "digitalocean, running": 2}


async def test_what_is_priced_apart_has_not_the_price_of_its_type(
    house: House, clouds: dict[str, Cloud]
) -> None:
    rows = clouds["aws"].rows["prod", "us-east-1", "instances"]
    rows[0] = replace(rows[0], details={"priced_apart": "Windows"})
    answer = await house.call(TOOL, id=["i-0001", "i-0003"])
    assert {row["id"]: row["usd_per_hour"] for row in answer["rows"]} == {"i-0001": None, "i-0003": 40}
    (group,) = (await house.call(TOOL, id=["i-0001", "i-0003"], group_by="provider"))["rows"]
    assert group["usd_per_hour"] == 40


async def test_a_stopped_machine_costs_what_its_type_does_only_where_its_cloud_goes_on_charging(
    house: House, clouds: dict[str, Cloud]
) -> None:
    rows = clouds["aws"].rows["prod", "us-east-1", "instances"]
    (at,) = [place for place, one in enumerate(rows) if one.id == "i-0003"]
    rows[at] = replace(rows[at], status="stopped", details={"paid_while_stopped": True})
    rows[0] = replace(rows[0], status="stopped")
    answer = await house.call(TOOL, id=["i-0001", "i-0003"])
    assert {row["id"]: row["usd_per_hour"] for row in answer["rows"]} == {"i-0001": None, "i-0003": 40}


async def test_a_group_costs_the_same_whatever_was_asked_before(house: House) -> None:
    first = await house.call(TOOL, resource_type="instance", group_by="account", sort="price_desc")
    await house.call(TOOL, resource_type="instance", sort="price_desc")
    assert first["rows"] == [
        {"group": "prod", "count": 6, "usd_per_hour": 40.3},
        {"group": "default", "count": 2, "usd_per_hour": 0.75},
        {"group": "lab", "count": 1, "usd_per_hour": 0.1},
    ]
    again = await house.call(TOOL, resource_type="instance", group_by="account", sort="price_desc")
    assert again["rows"] == first["rows"]


async def groups(house: House, **arguments: Any) -> dict[Any, int]:
    answer = await house.call(TOOL, **arguments)
    assert answer["total"] == len(answer["rows"])
    return {row["group"]: row["count"] for row in answer["rows"]}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"resource_type": "instanc"}, "Did you mean instance?"),
        ({"resource_type": ["gpu_instance", "volume"]}, "gpu_instance alone"),
        ({"account": "pord"}, "Did you mean prod?"),
        ({"tag": "env"}, "key=value"),
        ({"status": "runing"}, "Did you mean running?"),
        ({"sort": "colour_asc"}, "no field"),
        ({"sort": "newest", "group_by": "region"}, "no age"),
        ({"group_by": "colour"}, "tag:<key>"),
        ({"fields": "colour"}, "no field"),
        ({"exclude_resource_type": "volume", "resource_type": "volume"}, "leaves nothing"),
        ({"as_of": "yesterday", "time": "last_7d"}, "one of the two"),
        ({"older_than": "old"}, "length of time"),
        ({"gpu": "Z9"}, "no GPU"),
        ({"colour": "red"}, "no argument"),
    ],
    ids=str,
)
async def test_what_cannot_be_meant_is_refused_by_name(
    house: House, arguments: dict[str, Any], says: str
) -> None:
    said = await refusal(house, **arguments)
    assert said.startswith(f"{next(iter(arguments))}:")
    assert says in said


async def test_only_the_listings_and_regions_that_can_hold_it_are_read(
    house: House, clouds: dict[str, Cloud]
) -> None:
    await house.call(TOOL, resource_type="volume", region="us-east-1", account="prod")
    read = {(one.account, one.region, one.kind) for one in clouds["aws"].asked}
    assert read == {("prod", "global", "divisions"), ("prod", "us-east-1", "volumes")}
    assert clouds["digitalocean"].asked == []


async def test_services_of_the_configuration_narrow_what_is_read(
    tmp_path: Path, clouds: dict[str, Cloud]
) -> None:
    config = {"providers": {"aws": {**company.CONFIG["providers"]["aws"], "services": ["vms", "s3"]}}}
    house = company.house(tmp_path, clouds, config=config)
    await house.call(TOOL, providers="aws")
    read = {one.kind for one in clouds["aws"].asked} - {"divisions", "instance_prices"}
    assert read == {"instances", "volumes", "buckets"}
    await house.close()


async def test_regions_of_the_configuration_are_the_only_ones(
    tmp_path: Path, clouds: dict[str, Cloud]
) -> None:
    config = {"providers": {"aws": {**company.CONFIG["providers"]["aws"], "regions": ["eu-west-1"]}}}
    house = company.house(tmp_path, clouds, config=config)
    assert await names(house, resource_type="instance", providers="aws") == ["web-6"]
    assert "divisions" not in {one.kind for one in clouds["aws"].asked}
    await house.close()


async def test_one_denied_region_costs_that_region_alone(house: House, clouds: dict[str, Cloud]) -> None:
    clouds["aws"].wrong = company.denied("eu-west-1")
    answer = await house.call(TOOL, providers="aws", resource_type="instance", account="prod")
    assert len(answer["rows"]) == 5
    (trouble,) = answer["missing"]
    assert (trouble["account"], trouble["region"], trouble["code"]) == ("prod", "eu-west-1", "forbidden")


async def test_a_region_denied_to_every_listing_is_told_in_one_trouble(
    house: House, clouds: dict[str, Cloud]
) -> None:
    clouds["aws"].wrong = company.denied("eu-west-1")
    answer = await house.call(TOOL, providers="aws", account="prod")
    (trouble,) = answer["missing"]
    assert trouble["region"] == "eu-west-1"
    assert trouble["kind"] == "databases, instances, volumes"


async def test_without_the_list_of_regions_those_of_the_facts_are_read(
    house: House, clouds: dict[str, Cloud]
) -> None:
    clouds["aws"].wrong = company.denied("global")
    answer = await house.call(TOOL, resource_type="instance", providers="aws")
    assert {row["region"] for row in answer["rows"]} == {"us-east-1"}
    assert {one["kind"] for one in answer["missing"]} == {"divisions"}


async def test_a_listing_that_broke_off_deletes_nothing_and_is_not_complete(
    house: House, clouds: dict[str, Cloud]
) -> None:
    await house.call(TOOL)
    house.clock.move(120)
    aws = clouds["aws"]
    aws.rows["prod", "us-east-1", "instances"] = [company.instance(1)]
    aws.wrong = lambda scope: Unavailable("Down.") if scope.region == "us-east-1" else None
    aws.after = 1
    answer = await house.call(TOOL, resource_type="instance", account="prod")
    assert len(answer["rows"]) == 6
    assert {row["source"] for row in answer["rows"]} == {"stale", "live"}
    aws.wrong = lambda scope: None
    house.clock.move(120)
    assert await names(house, resource_type="instance", account="prod") == ["web-6", "web-1"]


async def test_two_accounts_with_the_same_names_stay_apart(house: House) -> None:
    answer = await house.call(TOOL, name="web-1")
    assert [row["uid"] for row in answer["rows"]] == [
        "aws:lab:us-east-1:instance:i-0007",
        "aws:prod:us-east-1:instance:i-0001",
    ]


async def test_a_cloud_without_credentials_is_named_and_the_others_answer(tmp_path: Path) -> None:
    config = {"providers": {"aws": {"enabled": True}, "digitalocean": {"auth": {"api_key": "made-up"}}}}
    house = company.house(tmp_path, config=config)
    answer = await house.call(TOOL)
    assert {row["provider"] for row in answer["rows"]} == {"digitalocean"}
    (trouble,) = answer["missing"]
    assert (trouble["provider"], trouble["code"], trouble["severity"]) == ("aws", "not_configured", "info")
    named = await house.call(TOOL, providers="aws")
    assert named["missing"][0]["severity"] == "error"
    await house.close()


async def test_a_provider_without_an_inventory_is_not_covered(house: House) -> None:
    answer = await house.call(TOOL, providers="hetzner")
    assert answer["rows"] == []
    (trouble,) = answer["missing"]
    assert (trouble["provider"], trouble["code"]) == ("hetzner", "not_covered")
    assert "price" not in trouble["message"]


async def test_fields_choose_and_may_name_details_and_the_record(house: House) -> None:
    answer = await house.call(TOOL, name="train-3", fields=["name", "vpc_id", "cpu_cores", "gpu_type", "raw"])
    assert answer["rows"] == [
        {
            "name": "train-3",
            "vpc_id": "vpc-1",
            "vcpus": 96.0,
            "gpu_type": "A100",
            "raw": {"InstanceId": "i-0003"},
        }
    ]


async def test_prices_of_types_are_read_once_for_what_is_shown(
    house: House, clouds: dict[str, Cloud]
) -> None:
    answer = await house.call(TOOL, resource_type="instance", account="prod", region="us-east-1")
    prices = {row["name"] or row["id"]: row["usd_per_hour"] for row in answer["rows"]}
    assert prices == {"web-1": 0.1, "web-2": None, "train-3": 40.0, "i-0004": 0.1, "web-5": None}
    asked = [one for one in clouds["aws"].asked if one.kind == "instance_prices"]
    assert [(one.account, one.region) for one in asked] == [("prod", "us-east-1")]
    house.clock.move(7200)
    await house.call(TOOL, resource_type="instance", account="prod", region="us-east-1")
    assert len([one for one in clouds["aws"].asked if one.kind == "instance_prices"]) == 1
    house.clock.move(86_400)
    await house.call(TOOL, resource_type="instance", account="prod", region="us-east-1")
    assert len([one for one in clouds["aws"].asked if one.kind == "instance_prices"]) == 2


async def test_a_price_that_cannot_be_had_is_no_trouble_and_not_tried_again_soon(
    house: House, clouds: dict[str, Cloud]
) -> None:
    refusal = Forbidden("Not for you.", "Ask.")
    clouds["aws"].wrong = lambda scope: refusal if scope.kind == "instance_prices" else None
    for _ in range(2):
        answer = await house.call(TOOL, resource_type="instance", account="prod", region="us-east-1")
        assert answer["missing"] == []
        assert {row["usd_per_hour"] for row in answer["rows"]} == {None}
        house.clock.move(120)
    assert len([one for one in clouds["aws"].asked if one.kind == "instance_prices"]) == 1


async def test_an_earlier_state_is_told_from_what_was_kept(house: House, clouds: dict[str, Cloud]) -> None:
    await house.call(TOOL)
    rows = clouds["aws"].rows["prod", "us-east-1", "instances"]
    house.clock.move(3600)
    rows[0] = replace(rows[0], status="stopped")
    del rows[4]
    await house.call(TOOL)
    house.clock.move(3600)
    assert await names(house, status="stopped", account="prod") == ["web-1", "web-2"]
    assert await names(
        house, status="stopped", account="prod", as_of="2026-11-20T12:00Z/2026-11-20T12:30Z"
    ) == ["web-2"]
    assert "web-5" not in await names(house)
    gone = await house.call(TOOL, status="terminated", time="last_24h")
    assert [row["name"] for row in gone["rows"]] == ["web-5"]
    assert any("is when cloudtop first looked" in one for one in gone["notices"])


async def test_an_earlier_time_asks_nobody(house: House, clouds: dict[str, Cloud]) -> None:
    await house.call(TOOL)
    house.clock.move(7200)
    before = len(clouds["aws"].asked)
    await house.call(TOOL, as_of="2026-11-20T12:00Z/2026-11-20T12:30Z")
    assert len(clouds["aws"].asked) == before


async def test_pages_unite_to_the_whole_in_order(house: House) -> None:
    whole = await names(house, limit=100)
    joined: list[str] = []
    cursor = None
    while True:
        answer = await house.call(TOOL, limit=3, **({"cursor": cursor} if cursor else {}))
        joined += [row["name"] or row["id"] for row in answer["rows"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert joined == whole


async def test_a_place_that_nobody_knows_is_said(house: House) -> None:
    answer = await house.call(TOOL, region="atlantis")
    assert answer["rows"] == []
    assert answer["notices"][0].startswith("region: no known place is called 'atlantis'.")
    assert (await house.call(TOOL, region="us-east-1"))["notices"] == []


async def test_a_type_that_nobody_lists_is_said_instead_of_found_empty(house: House) -> None:
    answer = await house.call(TOOL, resource_type="queue")
    assert [(one["provider"], one["code"]) for one in answer["missing"]] == [
        ("aws", "not_covered"),
        ("digitalocean", "not_covered"),
    ]
    assert answer["missing"][0]["message"] == "cloudtop lists no queues of Amazon Web Services."
    one = await house.call(TOOL, resource_type="bucket", providers="digitalocean")
    assert [one["code"] for one in one["missing"]] == ["not_covered"]
    assert (await house.call(TOOL, resource_type="bucket"))["missing"] == []


async def test_a_type_that_is_called_like_its_group_is_that_type_alone(house: House) -> None:
    assert resource_types.meant(["container"]).types == ("container",)
    assert resource_types.meant(["function"]).types == ("function",)
    assert set(resource_types.meant(["compute"]).types) == {"instance"}
    assert await names(house, resource_type="database") == ["db-main", "db-old"]


async def test_an_empty_account_is_an_answer(tmp_path: Path) -> None:
    clouds = company.company()
    for cloud in clouds.values():
        cloud.rows.clear()
    house = company.house(tmp_path, clouds)
    answer = await house.call(TOOL)
    assert (answer["rows"], answer["total"], answer["missing"]) == ([], 0, [])
    assert len(answer["sources"]) == 3
    await house.close()
