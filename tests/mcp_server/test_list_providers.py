"""list_providers: who there is, who can be asked, and why not."""

from __future__ import annotations

from pathlib import Path

from tests.mcp_server import market

IDS = """aws gcp azure oci cloudflare digitalocean neon vast runpod lambda verda vultr linode hetzner
cloudrift pricelist coreweave nebius crusoe scaleway tensordock hyperbolic shadeform kubernetes"""


async def test_every_provider_id_has_one_row(tmp_path: Path) -> None:
    house = market.house(tmp_path)
    answer = await house.call("list_providers", limit=100)
    found = [row["provider"] for row in answer["rows"]]
    assert set(found) >= set(IDS.split())
    assert len(found) == len(set(found)) == answer["total"]
    await house.close()


async def test_rows_come_in_pages(tmp_path: Path) -> None:
    house = market.house(tmp_path)
    first = await house.call("list_providers", limit=5)
    second = await house.call("list_providers", limit=5, cursor=first["next_cursor"])
    assert len({row["provider"] for row in (*first["rows"], *second["rows"])}) == 10
    await house.close()


async def test_a_cloud_that_answers_without_a_key_is_configured_without_one(tmp_path: Path) -> None:
    house = market.house(tmp_path)
    rows = {row["provider"]: row for row in (await house.call("list_providers", limit=100))["rows"]}
    vast = rows["vast"]
    assert (vast["configured"], vast["accounts"], vast["keyless"]) == (True, [], ["gpu_offers", "health"])
    assert vast["docs_url"] == "https://docs.vast.ai/api-reference"
    await house.close()


async def test_a_provider_that_is_switched_off_says_where(tmp_path: Path) -> None:
    house = market.house(tmp_path, config={"providers": {"vast": {"enabled": False}}})
    rows = {row["provider"]: row for row in (await house.call("list_providers", limit=100))["rows"]}
    assert (rows["vast"]["enabled"], rows["vast"]["configured"]) == (False, False)
    assert "providers.vast.enabled" in rows["vast"]["reason"]
    await house.close()


async def test_named_accounts_with_keys_are_listed_and_those_without_are_not(tmp_path: Path) -> None:
    accounts = {"work": {"auth": {"api_key": "key-of-work"}}, "play": {}}
    house = market.house(tmp_path, config={"providers": {"vast": {"accounts": accounts}}})
    rows = {row["provider"]: row for row in (await house.call("list_providers", limit=100))["rows"]}
    assert rows["vast"]["accounts"] == ["work"]
    assert "key-of-work" not in str(rows)
    await house.close()


async def test_a_seller_without_connector_says_where_its_prices_are_from(tmp_path: Path) -> None:
    house = market.house(tmp_path)
    rows = {row["provider"]: row for row in (await house.call("list_providers", limit=100))["rows"]}
    assert "price lists" in rows["coreweave"]["reason"]
    assert rows["coreweave"]["kinds"] == []
    await house.close()
