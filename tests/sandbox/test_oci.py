"""Oracle's local server against the SDK's own models, and how strictly it takes what is asked."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from cloudtop.sandbox.oci.signed import ACCOUNTS
from cloudtop.sandbox.serve import running

MODELS = {
    "compute list_instances": "core.models.Instance",
    "compute list_shapes": "core.models.Shape",
    "compute list_vnic_attachments": "core.models.VnicAttachment",
    "compute list_volume_attachments": "core.models.ParavirtualizedVolumeAttachment",
    "blockstorage list_volumes": "core.models.Volume",
    "blockstorage list_boot_volumes": "core.models.BootVolume",
    "network list_vcns": "core.models.Vcn",
    "network list_subnets": "core.models.Subnet",
    "network list_public_ips": "core.models.PublicIp",
    "load_balancer list_load_balancers": "load_balancer.models.LoadBalancer",
    "network_load_balancer list_network_load_balancers": (
        "network_load_balancer.models.NetworkLoadBalancerSummary"
    ),
    "container_engine list_clusters": "container_engine.models.ClusterSummary",
    "container_engine list_node_pools": "container_engine.models.NodePoolSummary",
    "container_instances list_container_instances": "container_instances.models.ContainerInstanceSummary",
    "functions list_applications": "functions.models.ApplicationSummary",
    "autonomous list_autonomous_databases": "database.models.AutonomousDatabaseSummary",
    "autonomous list_db_systems": "database.models.DbSystemSummary",
    "mysql list_db_systems": "mysql.models.DbSystemSummary",
    "postgresql list_db_systems": "psql.models.DbSystemSummary",
    "object_storage list_buckets": "object_storage.models.BucketSummary",
    "identity list_compartments": "identity.models.Compartment",
}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with running(("oci",)) as sandbox:
        yield sandbox.endpoint("oci")


def client(service: str, endpoint: str, region: str = "us-ashburn-1") -> Any:
    """The SDK's own client of a service, its own models and its own wire."""
    import oci

    from connectors.oci_session import CLIENTS

    module, name = CLIENTS[service]
    made = getattr(importlib.import_module(f"oci.{module}"), name)(
        {**ACCOUNTS["prod"], "region": region}, retry_strategy=oci.retry.NoneRetryStrategy()
    )
    made.base_client.session.headers["X-Forwarded-Host"] = made.base_client.get_endpoint().split("/")[2]
    made.base_client.endpoint = endpoint
    return made


@pytest.mark.parametrize("listing", MODELS)
def test_every_field_of_a_record_is_one_that_the_sdk_knows_and_can_read(listing: str, endpoint: str) -> None:
    service, operation = listing.split()
    module, _, name = MODELS[listing].rpartition(".")
    known = set(getattr(importlib.import_module(f"oci.{module}"), name)().attribute_map.values())
    asked = client(service, endpoint)
    tenancy = ACCOUNTS["prod"]["tenancy"]
    parts = [f"ocid1.compartment.oc1..{name}" for name in ("shop", "vision", "data", "network")]
    more = {"scope": "REGION"} if operation == "list_public_ips" else {}
    more |= {"namespace_name": "axbrightwater"} if operation == "list_buckets" else {}
    read = 0
    for place in (tenancy,) if operation == "list_compartments" else (tenancy, *parts):
        typed = getattr(asked, operation)(compartment_id=place, **more).data
        asked.base_client.skip_deserialization = True
        plain = getattr(asked, operation)(compartment_id=place, **more).data
        asked.base_client.skip_deserialization = False
        records = plain["items"] if isinstance(plain, dict) else plain
        read += len(records)
        assert len(getattr(typed, "items", typed)) == len(records)
        for one in records:
            assert set(one) <= known, sorted(set(one) - known)
    assert read, "there should be some"


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"authorization": 'Signature version="1",keyId="a/b/c"'}, 401)],
)
def test_who_signs_nothing_or_with_a_key_of_nobody_is_not_let_in(
    headers: dict[str, str], status: int, endpoint: str
) -> None:
    answer = httpx.get(f"{endpoint}/20160918/instances?compartmentId=x", headers=headers)
    assert answer.status_code == status
    assert answer.json()["code"] == "NotAuthenticated"


def test_a_signature_over_another_target_is_refused(endpoint: str) -> None:
    import oci
    from oci._vendor import requests

    keys = ACCOUNTS["prod"]
    signer = oci.signer.Signer(
        keys["tenancy"], keys["user"], keys["fingerprint"], None, private_key_content=keys["key_content"]
    )
    url = f"{endpoint}/20160918/tenancies/{keys['tenancy']}"
    signed = signer(requests.Request("GET", url).prepare())
    headers = {
        name: text if isinstance(text, str) else text.decode() for name, text in signed.headers.items()
    }
    assert httpx.get(url, headers=headers).status_code == 200
    assert httpx.get(f"{url}/regionSubscriptions", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("operation", "about", "code"),
    [
        ("list_instances", {"compartment_id": "ocid1.compartment.oc1..nobody"}, "NotAuthorizedOrNotFound"),
        ("list_instances", {"compartment_id": ACCOUNTS["prod"]["tenancy"], "page": "x"}, "InvalidParameter"),
        (
            "list_instances",
            {"compartment_id": ACCOUNTS["prod"]["tenancy"], "sort_by": "TIMECREATED"},
            "InvalidParameter",
        ),
    ],
)
def test_what_it_does_not_know_is_refused(
    operation: str, about: dict[str, str], code: str, endpoint: str
) -> None:
    import oci

    with pytest.raises(oci.exceptions.ServiceError) as refused:
        getattr(client("compute", endpoint), operation)(**about)
    assert refused.value.code == code


def test_a_listing_is_only_at_its_own_host_and_in_a_region_that_was_subscribed(endpoint: str) -> None:
    import oci

    elsewhere, foreign = client("compute", endpoint), client("compute", endpoint, "ap-tokyo-1")
    elsewhere.base_client.session.headers["X-Forwarded-Host"] = "database.us-ashburn-1.oraclecloud.com"
    for asked, code in ((elsewhere, "NotFound"), (foreign, "NotAuthenticated")):
        with pytest.raises(oci.exceptions.ServiceError) as refused:
            asked.list_instances(ACCOUNTS["prod"]["tenancy"])
        assert refused.value.code == code


def test_a_counter_grows_and_its_rate_is_what_the_file_says(endpoint: str) -> None:
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    asked = client("monitoring", endpoint)
    asked.base_client.skip_deserialization = True

    def values(statistic: str) -> list[float]:
        details = {
            "namespace": "oci_computeagent",
            "query": f'NetworksBytesIn[30m]{{resourceDisplayName = "web-prod-31"}}.{statistic}',
            "startTime": (end - timedelta(hours=2)).isoformat(),
            "endTime": end.isoformat(),
        }
        (one,) = asked.summarize_metrics_data("ocid1.compartment.oc1..shop", details).data
        return [point["value"] for point in one["aggregatedDatapoints"]]

    counted = values("max()")
    assert counted == sorted(counted)
    assert counted[0] > 2_100_000 * 86_400
    assert sum(values("rate()")) / 4 == pytest.approx(2_100_000, rel=0.05)
