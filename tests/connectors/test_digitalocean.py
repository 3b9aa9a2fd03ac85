"""DigitalOcean's traps that a listing of replies cannot show."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from cloudtop.errors import Invalid
from cloudtop.models import Scope
from cloudtop.sandbox.cloud import State
from cloudtop.sandbox.clouds import digitalocean as sandbox
from cloudtop.settings import ProviderSettings
from connectors import discovery
from connectors.base import Connector
from connectors.digitalocean import DigitalOcean
from connectors.digitalocean_prices import gpu_offers, has_gpu
from tests.connectors.raw_servers import START, Audit, Clock, Hosts, Secrets, reply, serving

JUNK: tuple[Any, ...] = (None, "", "n/a", [], {}, -1, 0, True, float("nan"), 1e300, [None], {"x": 1})
SIZE = {
    "slug": "gpu-h100x8-640gb",
    "memory": 1966080,
    "vcpus": 160,
    "price_hourly": 23.92,
    "regions": ["tor1"],
    "available": True,
    "gpu_info": {"count": 8, "vram": {"amount": 640, "unit": "gib"}, "model": "nvidia_h100"},
}


def asking(url: str) -> Connector:
    facts = discovery.found()["digitalocean"]
    settings = ProviderSettings("digitalocean", options={"endpoint": url})
    parts: dict[str, Any] = {"secrets": Secrets("k"), "clock": Clock(), "hosts": Hosts(), "audit": Audit()}
    return discovery.make(facts, settings, **parts)


def paths(record: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in record.items() if isinstance(record, dict) else ():
        yield (*above, name)
        yield from paths(value, (*above, name))


def changed(path: tuple[str, ...], *values: Any) -> dict[str, Any]:
    size = copy.deepcopy(SIZE)
    holder: Any = size
    for name in path[:-1]:
        holder = holder[name]
    holder.pop(path[-1])
    if values:
        holder[path[-1]] = values[0]
    return size


@pytest.mark.parametrize("path", [path for path in paths(SIZE) if path != ("slug",)], ids=".".join)
def test_any_field_but_the_slug_may_be_missing_or_nonsense(path: tuple[str, ...]) -> None:
    for size in (changed(path), *(changed(path, junk) for junk in JUNK)):
        assert has_gpu(size)
        (row,) = gpu_offers(size, START, "https://x.example")
        assert row.offer_id.startswith("gpu-h100x8-640gb")
        assert row.usd_per_hour in (23.92, None) or path == ("price_hourly",)
        assert row.usd_per_hour is None or row.usd_per_hour > 0
        # The slug says it again.
        if path[:1] == ("gpu_info",) and path != ("gpu_info", "model"):
            assert (row.gpu, row.gpu_memory_gib, row.gpu_count) in (("H100", 80, 8), ("H100", 80, 1))
            assert row.gpu_count == 8 or path == ("gpu_info", "count")


@pytest.mark.parametrize(
    ("count", "amount", "unit", "each"),
    [(8, 640, "gib", 80), (8, 80, "gib", 80), (1, 80, "gib", 80), (2, 160, "gb", 80), (8, 655360, "mib", 80)],
)
def test_the_memory_is_of_all_gpus_unless_only_one_can_have_it(
    count: int, amount: int, unit: str, each: float
) -> None:
    info = {"count": count, "vram": {"amount": amount, "unit": unit}, "model": "nvidia_h100"}
    (row,) = gpu_offers({**SIZE, "slug": "gpu-new", "gpu_info": info}, START, "https://x.example")
    assert (row.gpu, row.gpu_memory_gib, row.modified, row.fractional) == ("H100", each, False, False)


@pytest.mark.parametrize("meta", [{"total": 3}, {"total": "3"}])
async def test_a_listing_without_links_is_not_taken_for_whole(meta: Any) -> None:
    async with serving(reply(200, {"sizes": [SIZE], "meta": meta})) as server:
        connector: Any = asking(server.url)
        with pytest.raises(Invalid, match="1 of 3 sizes"):
            [page async for page in connector.gpu_offers(Scope("digitalocean"))]
        await connector.aclose()


@pytest.mark.parametrize("body", [{"sizes": [SIZE], "meta": {"total": 1}}, {"sizes": [SIZE]}])
async def test_a_listing_without_links_that_has_everything_is_whole(body: Any) -> None:
    async with serving(reply(200, body)) as server:
        connector: Any = asking(server.url)
        pages = [page async for page in connector.gpu_offers(Scope("digitalocean"))]
        await connector.aclose()
    assert [row.offer_id for page in pages for row in page] == ["gpu-h100x8-640gb@tor1"]


async def test_a_token_that_may_read_sizes_alone_is_none_the_worse() -> None:
    """Who it is and what it owes are refused to it, which costs no check its health."""
    refused = reply(403, {"id": "forbidden", "message": "You are not authorized to perform this operation"})
    async with serving(reply(200, {"sizes": []}), refused, refused) as server:
        connector: Any = asking(server.url)
        (rows,) = [rows async for rows in connector.health(Scope("digitalocean", kind="health"))]
        await connector.aclose()
    assert [(row.check, row.status) for row in rows] == [
        ("credentials", "healthy"), ("api", "healthy"), ("quota", "healthy"),
    ]  # fmt: skip
    assert "billing:read" in rows[2].message
    assert [one.line.split()[1] for one in server.requests] == [
        "/v2/sizes?page=1&per_page=1", "/v2/account", "/v2/customers/my/balance",
    ]  # fmt: skip


def test_an_error_in_a_good_answer_is_seen_but_an_account_is_none() -> None:
    assert DigitalOcean.refusal(200, {"id": "server_error", "message": "no"}) is Invalid
    assert DigitalOcean.refusal(200, {"sizes": []}) is None
    assert DigitalOcean.refusal(401, {"id": "unauthorized", "message": "no"}) is None


def test_the_local_cloud_pages_by_links_and_is_strict() -> None:
    client = TestClient(sandbox.app(State(lambda: START)), base_url="http://sandbox.example")
    assert client.get("/v2/sizes").json()["id"] == "unauthorized"
    client.headers["authorization"] = f"Bearer {sandbox.TOKEN}"
    for query in ("page=0", "per_page=201", "type=gpus", "page=x"):
        assert client.get(f"/v2/sizes?{query}").status_code == 400
    link, slugs = "/v2/sizes?per_page=200", []
    while link:
        answer = client.get(link).json()
        slugs += [size["slug"] for size in answer["sizes"]]
        link = answer["links"]["pages"].get("next", "")
        assert not link or re.match(r"http://sandbox\.example/v2/sizes\?page=\d+&per_page=\d+$", link)
    assert len(slugs) == len(set(slugs)) == answer["meta"]["total"]
    assert client.get("/v2/account").json()["account"]["status"] == "active"
