"""Amazon Web Services: what a fixture of one listing cannot say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cloudtop.errors import Invalid, NotConfigured, Unauthorized
from cloudtop.models import GpuOffer, PriceQuery, Scope
from cloudtop.sandbox.clouds import aws as sandbox
from cloudtop.sandbox.serve import Sandbox, running
from cloudtop.settings import AccountSettings, ProviderSettings
from connectors import discovery
from connectors.aws import Aws
from connectors.aws_price_list import NEEDED, PriceTable, known_types, moment
from connectors.aws_prices import OPT_IN_REGIONS, SPOT
from tests.connectors.raw_servers import START, Audit, Clock, Hosts, reply, serving

KEYS = {"access_key_id": sandbox.ACCESS_KEY, "secret_access_key": sandbox.SECRET_KEY}
OPEN = discovery.found()["aws"].regions
NEW_YORK = b"".join(sandbox.price_list("us-east-1")).decode().splitlines()


class Keys:
    """Credentials of one account, or none."""

    def __init__(self, keys: Mapping[str, str], account: str = "default") -> None:
        self.keys, self.account = keys, account

    def secret(self, provider: str, account: str, name: str) -> str | None:
        return self.keys.get(name) if account == self.account else None


def aws(
    url: str = "http://127.0.0.1:1",
    keys: Mapping[str, str] | None = None,
    settings: ProviderSettings | None = None,
    account: str = "default",
    audit: Audit | None = None,
) -> Aws:
    made = discovery.make(
        discovery.found()["aws"],
        replace(settings or ProviderSettings("aws"), options={"endpoint": url}),
        secrets=Keys(keys or {}, account),
        clock=Clock(),
        hosts=Hosts(),
        audit=audit or Audit(),
    )
    assert isinstance(made, Aws)
    return made


async def offers(connector: Aws, scope: Scope) -> list[GpuOffer]:
    try:
        return [offer async for page in connector.gpu_offers(scope) for offer in page]
    finally:
        await connector.aclose()


def listed(region: str = "us-east-1") -> Scope:
    return Scope("aws", "public", region)


def spot(region: str = "us-east-1") -> Scope:
    return Scope("aws", "default", region, query=SPOT)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Sandbox]:
    with running(("aws",), now=START) as made:
        yield made


def test_without_keys_there_are_lists_only_and_they_are_bulk() -> None:
    connector = aws()
    scopes = connector.price_scopes(PriceQuery())
    assert [one.region for one in scopes] == [*OPEN, *OPT_IN_REGIONS]
    assert {(one.account, one.query) for one in scopes} == {("public", "")}
    assert all(connector.bulk(one) for one in scopes)
    assert connector.price_scopes(PriceQuery(spot=True)) == []


def test_with_keys_spot_prices_are_asked_in_the_regions_that_are_open_to_all() -> None:
    connector = aws(keys=KEYS)
    scopes = connector.price_scopes(PriceQuery(spot=True))
    assert [one.region for one in scopes] == list(OPEN)
    assert {(one.account, one.query) for one in scopes} == {("default", SPOT)}
    assert not any(connector.bulk(one) for one in scopes)
    assert all((connector.ttl_s(one) or 0) < 3600 for one in scopes)
    assert not any(one.query for one in connector.price_scopes(PriceQuery(spot=False)))
    assert len(connector.price_scopes(PriceQuery())) == 2 * len(OPEN) + len(OPT_IN_REGIONS)


def test_half_a_key_is_none() -> None:
    assert aws(keys={"access_key_id": "x"}).price_scopes(PriceQuery(spot=True)) == []


def test_configured_regions_and_a_named_account_are_asked() -> None:
    work = AccountSettings("work", regions=("eu-south-2",))
    settings = ProviderSettings("aws", regions=("eu-west-1",), accounts=(AccountSettings(), work))
    connector = aws(keys=KEYS, settings=settings, account="work")
    asked = [(one.account, one.region, one.query) for one in connector.price_scopes(PriceQuery())]
    assert asked == [("public", "eu-west-1", ""), ("work", "eu-south-2", SPOT)]


def test_a_scope_of_spot_prices_may_hold_more_in_its_query() -> None:
    kept = replace(spot(), query='{"endpoint":"127.0.0.1","spot":true}')
    assert not aws().bulk(kept)
    assert aws().bulk(replace(listed(), query='{"endpoint":"127.0.0.1"}'))


async def test_the_list_is_asked_without_the_keys(cloud: Sandbox) -> None:
    cloud.calm()
    found = await offers(aws(cloud.endpoint("aws"), KEYS), listed())
    assert found
    assert [one.keyed for one in cloud.requests] == [False]
    assert {one.as_of for one in found} == {datetime(2026, 11, 1, 12, tzinfo=UTC)}
    assert {one.source_url for one in found} == {
        f"{cloud.endpoint('aws')}/offers/v1.0/aws/AmazonEC2/current/us-east-1/index.csv"
    }
    first = found[0].raw or {}
    assert (first["EffectiveDate"], first["usageType"]) == ("2026-11-01", "BoxUsage:p5.48xlarge")
    assert "" not in first.values()


async def table_of(lines: list[str]) -> list[GpuOffer]:
    async with serving(reply(200, "\n".join(lines))) as server:
        return await offers(aws(server.url), listed())


@pytest.mark.parametrize("column", NEEDED)
async def test_a_header_without_a_needed_column_is_invalid_and_says_which(column: str) -> None:
    with pytest.raises(Invalid, match=f"no column {column}"):
        await table_of([line.replace(f'"{column}"', '"Elsewhere"') for line in NEW_YORK])


async def test_any_other_column_may_go_and_costs_no_offer() -> None:
    whole = await table_of(NEW_YORK)
    for column in set(sandbox.COLUMNS) - set(NEEDED):
        found = await table_of([line.replace(f'"{column}"', '"Elsewhere"') for line in NEW_YORK])
        ids = {one.offer_id for one in found}
        # Without its count, a type that nobody knows has no GPU.
        may_go = {"SBX1P9X48"} if column == "GPU" else set()
        assert {one.offer_id for one in whole} - ids == may_go, column
        assert all(one.region == "us-east-1" for one in found)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.01, 0.02, 0.1, 0.35, 0.5, 0.72, 0.9, 0.9999])
async def test_a_list_that_ends_in_the_middle_is_invalid(share: float) -> None:
    text = "\n".join(NEW_YORK)
    async with serving(reply(200, text[: int(len(text) * share)])) as server:
        with pytest.raises(Invalid):
            await offers(aws(server.url), listed())


def read_whole(lines: list[str]) -> None:
    table = PriceTable("AWS")
    for line in lines:
        table.record(line)
    table.ended()


def test_wherever_a_line_is_cut_the_table_notices() -> None:
    header, line = NEW_YORK[5], NEW_YORK[-2]
    for length in range(1, len(line)):
        with pytest.raises(Invalid):
            read_whole([header, line[:length]])


@pytest.mark.parametrize("body", ["<html><body>Sign in</body></html>", "", "{}", "\n\n"])
async def test_something_else_than_a_list_is_invalid(body: str) -> None:
    async with serving(reply(200, body)) as server:
        with pytest.raises(Invalid):
            await offers(aws(server.url), listed())


async def test_line_ends_of_another_system_change_nothing() -> None:
    other, usual = [
        [replace(one, source_url=None) for one in await table_of(lines)]
        for lines in ([f"{line}\r" for line in NEW_YORK], NEW_YORK)
    ]
    assert other == usual != []


@pytest.mark.parametrize("price", ["", "0", "0.0000000000", "free", "-1", "NaN", "1e400"])
async def test_a_price_that_is_none_is_never_free(price: str) -> None:
    lines = [line.replace('"6.7900000000"', f'"{price}"') for line in NEW_YORK]
    (found,) = [one for one in await table_of(lines) if one.offer_id == "SBX1P5040"]
    assert found.usd_per_hour is None
    assert found.price_raw == f"PricePerUnit={price} USD/Hrs"


def test_times_of_the_list() -> None:
    assert moment("2026-11-20T18:05:00Z") == datetime(2026, 11, 20, 18, 5, tzinfo=UTC)
    assert moment("soon") is None
    assert moment("2026-02-31T00:00:00Z") == datetime(2026, 3, 3, tzinfo=UTC)


async def test_a_date_in_the_future_is_not_believed() -> None:
    found = await table_of([line.replace(sandbox.PUBLISHED, "2099-01-01T00:00:00Z") for line in NEW_YORK])
    assert {one.as_of for one in found} == {START}


async def test_a_long_list_is_read_in_pages_and_not_held() -> None:
    plain = next(line for line in NEW_YORK if '"SBX1P5040","JRTCXETTQM"' in line)
    lines = [*NEW_YORK[:6], *(plain.replace("SBX1P5040", f"SBX{n}") for n in range(1201))]
    async with serving(reply(200, "\n".join(lines))) as server:
        connector = aws(server.url)
        sizes = [len(page) async for page in connector.gpu_offers(listed())]
        await connector.aclose()
    assert sizes == [500, 500, 201]


async def test_a_reader_that_stops_leaves_nothing_open(cloud: Sandbox) -> None:
    audit = Audit()
    connector = aws(cloud.endpoint("aws"), audit=audit)
    pages = connector.gpu_offers(listed())
    async for _ in pages:
        break
    await pages.aclose()  # type: ignore[attr-defined]
    await connector.aclose()
    assert len(audit.records) == 1


async def test_spot_prices_are_those_of_now_one_for_each_zone(cloud: Sandbox) -> None:
    cloud.calm()
    found = await offers(aws(cloud.endpoint("aws"), KEYS), spot())
    prices = {one.offer_id: one.usd_per_hour for one in found}
    assert prices["p5.48xlarge:us-east-1a"] == 19.84
    assert prices["p5.48xlarge:us-east-1b"] == 17.36
    assert len(prices) == len(found) == 6
    assert {(one.spot, one.region, one.as_of) for one in found} == {(True, "us-east-1", START)}
    assert len(cloud.requests) == 2
    assert b"NextToken=" in cloud.requests[1].body
    assert all(one.keyed for one in cloud.requests)


async def test_keys_that_are_wrong_are_told(cloud: Sandbox) -> None:
    with pytest.raises(Unauthorized, match="AuthFailure"):
        await offers(aws(cloud.endpoint("aws"), {**KEYS, "access_key_id": "AKIAWRONG"}), spot())


async def test_without_boto3_only_spot_prices_are_missing(
    cloud: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "boto3.exceptions", None)
    with pytest.raises(NotConfigured, match=r"cloudtop\[aws\]"):
        await offers(aws(cloud.endpoint("aws"), KEYS), spot())
    assert await offers(aws(cloud.endpoint("aws"), KEYS), listed())


def prices(*items: Mapping[str, str], token: str = "") -> bytes:
    """An answer of DescribeSpotPriceHistory."""
    rows = "".join(
        "<item>" + "".join(f"<{name}>{value}</{name}>" for name, value in item.items()) + "</item>"
        for item in items
    )
    space = "http://ec2.amazonaws.com/doc/2016-11-15/"
    return reply(
        200,
        f'<DescribeSpotPriceHistoryResponse xmlns="{space}"><requestId>r</requestId>'
        f"<spotPriceHistorySet>{rows}</spotPriceHistorySet><nextToken>{token}</nextToken>"
        "</DescribeSpotPriceHistoryResponse>",
    )


G5 = {
    "instanceType": "g5.xlarge",
    "productDescription": "Linux/UNIX",
    "spotPrice": "0.412000",
    "timestamp": "2026-11-20T10:00:00.000Z",
    "availabilityZone": "us-east-1a",
}


async def test_any_field_of_a_spot_price_may_be_missing_but_what_names_it() -> None:
    for gone in G5:
        async with serving(prices({name: value for name, value in G5.items() if name != gone})) as server:
            connector = aws(server.url, KEYS)
            found = await offers(connector, spot())
        if gone in ("instanceType", "availabilityZone"):
            assert found == []
            assert "without an id" in connector.notes[0].message
        else:
            assert [one.offer_id for one in found] == ["g5.xlarge:us-east-1a"]
            assert found[0].usd_per_hour == (None if gone == "spotPrice" else 0.412)


@pytest.mark.parametrize("price", ["0.000000", "", "none"])
async def test_a_spot_price_that_is_none_is_never_free(price: str) -> None:
    async with serving(prices({**G5, "spotPrice": price})) as server:
        (found,) = await offers(aws(server.url, KEYS), spot())
    assert found.usd_per_hour is None


async def test_an_older_price_changes_nothing_and_an_empty_page_is_not_the_end() -> None:
    old = {**G5, "spotPrice": "9.99"}
    async with serving(prices(G5, token="a"), prices(token="b"), prices(old)) as server:
        found = await offers(aws(server.url, KEYS), spot())
        assert len(server.requests) == 3
    assert [one.usd_per_hour for one in found] == [0.412]


async def test_pages_that_repeat_or_break_off_are_not_a_whole_listing() -> None:
    async with serving(prices(G5, token="a"), prices(G5, token="a")) as server:
        with pytest.raises(Invalid, match="repeats"):
            await offers(aws(server.url, KEYS), spot())
    async with serving(prices(G5, token="a"), reply(400, "no")) as server:
        with pytest.raises(Invalid):
            await offers(aws(server.url, KEYS), spot())


async def test_an_answer_without_prices_is_invalid() -> None:
    async with serving(reply(200, "<DescribeSpotPriceHistoryResponse/>")) as server:
        with pytest.raises(Invalid, match="without a list"):
            await offers(aws(server.url, KEYS), spot())


def test_every_known_type_fits_in_one_filter() -> None:
    assert 50 < len(known_types()) <= sandbox.MAX_VALUES


async def test_health_without_keys_looks_at_the_small_index(cloud: Sandbox) -> None:
    cloud.calm()
    connector = aws(cloud.endpoint("aws"))
    rows = [row async for page in connector.health(Scope("aws", kind="health")) for row in page]
    await connector.aclose()
    assert [(row.check, row.status) for row in rows] == [("credentials", "unknown"), ("api", "healthy")]
    assert [one.path for one in cloud.requests] == [f"{sandbox.ROOT}/region_index.json"]


async def test_health_with_keys_asks_whose_they_are(cloud: Sandbox) -> None:
    for keys, status in ((KEYS, "healthy"), ({**KEYS, "access_key_id": "AKIAWRONG"}, "failing")):
        connector = aws(cloud.endpoint("aws"), keys)
        rows = [
            row async for page in connector.health(Scope("aws", "default", kind="health")) for row in page
        ]
        await connector.aclose()
        assert [(row.check, row.status) for row in rows] == [("credentials", status), ("api", "healthy")]


async def test_what_is_kept_of_a_record_is_json(cloud: Sandbox) -> None:
    for scope in (listed(), spot()):
        for one in await offers(aws(cloud.endpoint("aws"), KEYS), scope):
            assert json.loads(json.dumps(one.raw))


def test_the_sandbox_has_the_columns_of_the_real_list() -> None:
    assert len(sandbox.COLUMNS) == len(set(sandbox.COLUMNS)) == 91
    assert set(NEEDED) < set(sandbox.COLUMNS)
