"""The files of the made-up company keep their own promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cloudtop import resource_types
from cloudtop.sandbox.aws import wire
from cloudtop.sandbox.aws.listed import OURS, TOLD
from cloudtop.sandbox.cloud import clouds
from cloudtop.sandbox.clouds import aws as sandbox_aws
from cloudtop.sandbox.fleet import Fleet, has, length
from cloudtop.sandbox.series import combined, series
from tests.audit import company

NOON = datetime(2026, 11, 20, 12, 25, 40, tzinfo=UTC)
each = pytest.mark.parametrize("cloud", company.CLOUDS)


@each
def test_every_file_is_of_a_cloud_that_there_is(cloud: str) -> None:
    assert cloud in clouds()
    assert has(cloud)
    assert set(company.file(cloud)["accounts"]) == set(clouds()[cloud].accounts or {"default": {}})


@each
def test_a_record_says_what_every_record_says(cloud: str) -> None:
    accounts = company.file(cloud)["accounts"]
    for one in company.things(cloud):
        assert one.account in accounts, one
        assert one.region is None or one.region in accounts[one.account].get("regions", [one.region]), one
        assert all(isinstance(text, str) for pair in one.tags.items() for text in pair), one
        assert one.type is None or one.type in resource_types.types(), one
        for key in ("created", "stopped"):
            assert one.age(key) is None or timedelta(0) < one.age(key) < timedelta(days=4000), one  # type: ignore[operator]


@each
def test_no_two_records_of_a_type_have_one_id_in_one_place(cloud: str) -> None:
    seen = [(one.type or one.group, one.account, one.region, one.said.get("cluster"), one.id)
            for one in company.things(cloud)]  # fmt: skip
    assert len(set(seen)) == len(seen)


@each
def test_a_person_reads_a_file_as_the_sandbox_does(cloud: str) -> None:
    read = {
        (one.group, one.account, one.region, one.own.get("cluster"), one.id): one
        for one in Fleet(cloud, NOON).records
    }
    assert len(read) == len(company.things(cloud))
    for thing in company.things(cloud):
        one = read[thing.group, thing.account, thing.region, thing.said.get("cluster"), thing.id]
        age = thing.age()
        assert one.created == (None if age is None else company.hour(NOON) - age)
        assert (dict(one.tags), one.type) == (dict(thing.tags), thing.type)


@each
def test_the_company_is_large_enough_to_be_one(cloud: str) -> None:
    things = [one for one in company.things(cloud) if one.type]
    assert len(things) >= {"aws": 120}.get(cloud, 20)
    assert any(not one.tags for one in things)
    # Some clouds know no tags.
    assert not any(one.tags for one in things) or any(one.tags.get("cost-center") == "4711" for one in things)
    assert any("without" in one.said for one in things)


AWS_OWN = {"id", "in", "created", "stopped", "tags", "without", "metrics", *OURS}


def test_every_field_of_the_aws_file_is_one_of_aws() -> None:
    """A misspelt field would be left out of the answers without a word."""
    members: dict[str, set[str]] = {}
    for (service, operation), told in TOLD.items():
        if operation != "DescribeInstanceStatus":
            shape: Any = wire.model(service).operation_model(operation).output_shape
            for name in told.path:
                shape = shape.members[name]
                shape = shape.member if shape.type_name == "list" else shape
            members.setdefault(told.group, set()).update(shape.members)
    for one in company.things("aws"):
        wrong = (set(one.said) - AWS_OWN | set(one.said.get("without", ()))) - members[one.group]
        assert not wrong, (one.group, one.id, wrong)


def test_every_field_that_the_aws_file_tells_is_left_out_somewhere() -> None:
    for group in {one.group for one in company.things("aws")}:
        records = [one for one in company.things("aws") if one.group == group]
        told = {name for one in records for name in one.said} - AWS_OWN
        assert [name for name in sorted(told) if all(one.told(name) is not None for one in records)] == []


def test_a_price_of_the_aws_file_is_the_one_of_the_price_list() -> None:
    listed = {
        (sold.type, region): float(sold.price)
        for region, market in sandbox_aws.MARKET.items()
        for sold in market
        if not sold.place
    }
    prices = {
        (kind, region): usd
        for kind, places in company.file("aws")["prices"].items()
        for region, usd in places.items()
    }
    both = listed.keys() & prices.keys()
    assert len(both) > 8
    assert {one: prices[one] for one in both} == {one: listed[one] for one in both}


@pytest.mark.parametrize(
    ("text", "hours"), [("212d", 212 * 24), ("5h", 5), ("1d12h", 36), ("30m", 0.5), ("2d1h30m", 49.5)]
)
def test_lengths_of_time(text: str, hours: float) -> None:
    assert length(text) == company.ago(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "soon", "5", "h5", "5 d", "-1d", "1d2d"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no length of time"):
        length(text)


@pytest.mark.parametrize(
    ("told", "minute", "expected"),
    [(7, 15, 7), ([40, 10], 0, 40), ([40, 10], 15, 50), ([40, 10], 45, 30), ([40, 10], 30, 40)],
)
def test_a_sample_by_hand(told: Any, minute: int, expected: float) -> None:
    at = NOON.replace(minute=minute, second=0) - timedelta(hours=3)
    made = series(told, 60, NOON)
    _, values = made.samples(at.timestamp(), at.timestamp() + 60, NOON.timestamp())
    assert values == pytest.approx([expected])
    assert company.sample(told, at, NOON) == pytest.approx(expected)


def test_what_was_otherwise_before_is_told_so() -> None:
    told = {"is": 10, "was": 70, "until": "2h"}
    started = NOON.replace(minute=0, second=0)
    made = series(told, 300, started)
    start, end = (started - timedelta(hours=3)).timestamp(), started.timestamp()
    points = list(made.points("avg", start, end, 3600, NOON.timestamp()))
    assert [value for _, value in points] == [70, 10, 10]
    assert [at for at, _ in points] == [start, start + 3600, start + 7200]


def test_the_newest_sample_is_a_whole_step_old_and_none_is_older_than_its_thing() -> None:
    born = NOON - timedelta(minutes=11)
    made = series(5, 300, NOON, born=born)
    first, values = made.samples((NOON - timedelta(hours=1)).timestamp(), NOON.timestamp(), NOON.timestamp())
    assert datetime.fromtimestamp(first, UTC) == NOON.replace(minute=15, second=0)
    assert len(values) == 2  # 12:15 and 12:20; that of 12:25 is not over yet
    died = series(5, 300, NOON, died=NOON - timedelta(minutes=30))
    _, values = died.samples((NOON - timedelta(hours=1)).timestamp(), NOON.timestamp(), NOON.timestamp())
    assert len(values) == 6


@pytest.mark.parametrize(
    ("stat", "expected"),
    [("avg", 2.5), ("sum", 10), ("min", 1), ("max", 4), ("count", 4), ("p50", 2), ("p99", 4), ("p10", 1)],
)
def test_samples_combine(stat: str, expected: float) -> None:
    assert combined(stat, [4, 1, 3, 2]) == expected
