"""The fault layer before AWS: five protocols are misbehaved in, and each service errs in its own words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from cloudtop.sandbox.fault_kinds import BIG_PAGE_BYTES
from cloudtop.sandbox.serve import Sandbox, running
from tests.sandbox.amazon import LISTED, client, expected, ids, pages

PLACE = ("prod", "us-east-1")
SERVICES = {
    "ec2": ("describe_vpcs", "Vpcs"),
    "rds": ("describe_db_instances", "DBInstances"),
    "ecs": ("list_clusters", "clusterArns"),
    "lambda": ("list_functions", "Functions"),
    "s3": ("list_buckets", "Buckets"),
}
"""One service for each protocol: an operation, and where its records stand."""

each = pytest.mark.parametrize("service", SERVICES)


@pytest.fixture(scope="module")
def started() -> Iterator[Sandbox]:
    with running(("aws",)) as made:
        yield made


@pytest.fixture
def sandbox(started: Sandbox) -> Sandbox:
    started.calm()
    return started


def ask(sandbox: Sandbox, service: str, **arguments: Any) -> Any:
    """One answer of a service."""
    with closing(client(service, sandbox.endpoint("aws"), *PLACE)) as asked:
        return getattr(asked, SERVICES[service][0])(**arguments)


def code(sandbox: Sandbox, service: str) -> str:
    """The code of the error that a service answers with."""
    with pytest.raises(ClientError) as caught:
        ask(sandbox, service)
    said: Any = caught.value.response
    return str(said["Error"]["Code"])


@pytest.mark.parametrize(
    ("fault", "codes"),
    [
        ("403", ["UnauthorizedOperation", "UnauthorizedOperation", *["AccessDeniedException"] * 2]),
        ("429", ["RequestLimitExceeded", "RequestLimitExceeded", *["ThrottlingException"] * 2]),
        ("400-throttling", ["Throttling"] * 4),
    ],
)
def test_each_service_errs_in_its_own_words(sandbox: Sandbox, fault: str, codes: list[str]) -> None:
    sandbox.fault("aws", fault)
    assert [code(sandbox, service) for service in list(SERVICES)[:4]] == codes


@each
def test_of_half_an_answer_nothing_can_be_read(sandbox: Sandbox, service: str) -> None:
    """botocore takes broken JSON for an empty answer, and says so of XML alone."""
    sandbox.fault("aws", "truncated")
    if service in ("ecs", "lambda"):
        assert SERVICES[service][1] not in ask(sandbox, service)
    else:
        with pytest.raises((ResponseParserError, ClientError)):
            ask(sandbox, service)


@each
def test_a_big_page_says_the_same(sandbox: Sandbox, service: str) -> None:
    key = SERVICES[service][1]
    usual = ask(sandbox, service)[key]
    sandbox.fault("aws", "big-page")
    big = ask(sandbox, service)
    assert big[key] == usual
    assert int(big["ResponseMetadata"]["HTTPHeaders"]["content-length"]) > BIG_PAGE_BYTES


def test_a_field_can_be_left_out_of_every_record_and_of_none_else(sandbox: Sandbox) -> None:
    sandbox.fault("aws", "missing-field", field="Placement.AvailabilityZone")
    found = [
        one["Instances"][0] for page in pages(sandbox.endpoint("aws"), "instances", *PLACE) for one in page
    ]
    assert sorted(ids("instances", [{"Instances": [one]} for one in found])) == sorted(
        expected("instances", *PLACE)
    )
    assert all("AvailabilityZone" not in one["Placement"] for one in found)
    assert all("Tenancy" in one["Placement"] for one in found)


@pytest.mark.parametrize(
    "group", ["instances", "eks_clusters", "functions", "db_instances", "load_balancers"]
)
def test_an_empty_page_leads_to_a_next_one(sandbox: Sandbox, group: str) -> None:
    sandbox.fault("aws", "empty-page-next")
    first, second = pages(sandbox.endpoint("aws"), group, *PLACE)
    assert first == []
    assert second


@pytest.mark.parametrize(
    "group", ["instances", "eks_clusters", "functions", "db_instances", "load_balancers"]
)
def test_the_same_token_comes_twice_and_the_same_page(sandbox: Sandbox, group: str) -> None:
    service, operation, key, _ = LISTED[group]
    with closing(client(service, sandbox.endpoint("aws"), *PLACE)) as asked:
        paging = asked.get_paginator(operation)
        for fault in ("same-token", "stuck-page"):
            sandbox.calm()
            sandbox.fault("aws", fault)
            with pytest.raises(Exception, match="same next token"):
                list(paging.paginate())
    assert key


def test_a_stuck_page_is_stuck_for_its_own_listing_and_place_alone(sandbox: Sandbox) -> None:
    sandbox.fault("aws", "stuck-page")
    endpoint = sandbox.endpoint("aws")
    with (
        closing(client("ec2", endpoint, *PLACE)) as here,
        closing(client("ec2", endpoint, "prod", "us-west-2")) as there,
    ):
        assert here.describe_vpcs()["Vpcs"] != there.describe_vpcs()["Vpcs"]
        assert here.describe_subnets()["Subnets"]


def test_prices_and_errors_are_left_as_they_are(sandbox: Sandbox) -> None:
    sandbox.fault("aws", "missing-field", field="Anything")
    with (
        closing(client("sts", sandbox.endpoint("aws"), "AKIAOFNOBODYOFNOBODY")) as asked,
        pytest.raises(ClientError, match="InvalidClientTokenId"),
    ):
        asked.get_caller_identity()
