"""Lambda's traps that a listing of replies cannot show. The module's name is a word of Python."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from cloudtop.errors import Invalid
from cloudtop.sandbox.cloud import State
from tests.connectors.raw_servers import START, reply, serving
from tests.connectors.sellers import from_sandbox, reading

connector: Any = importlib.import_module("connectors.lambda")
sandbox: Any = importlib.import_module("cloudtop.sandbox.clouds.lambda")

NAME = "gpu_8x_a100_80gb_sxm4"
JUNK: tuple[Any, ...] = (None, "", "n/a", [], {}, -1, 0, True, float("nan"), 1e300, [None], {"x": 1})
RECORD = {
    "instance_type": {
        "name": NAME,
        "description": "8x A100 (80 GB SXM4)",
        "gpu_description": "A100 (80 GB SXM4)",
        "price_cents_per_hour": 1432,
        "specs": {"vcpus": 240, "memory_gib": 1800, "storage_gib": 19456, "gpus": 8},
    },
    "regions_with_capacity_available": [{"name": "us-midwest-1", "description": "Illinois, USA"}],
}


def paths(record: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in record.items() if isinstance(record, dict) else ():
        yield (*above, name)
        yield from paths(value, (*above, name))


def changed(path: tuple[str, ...], *values: Any) -> dict[str, Any]:
    record = copy.deepcopy(RECORD)
    holder: Any = record
    for name in path[:-1]:
        holder = holder[name]
    holder.pop(path[-1])
    if values:
        holder[path[-1]] = values[0]
    return record


@pytest.mark.parametrize("path", list(paths(RECORD)), ids=".".join)
def test_any_field_may_be_missing_or_nonsense(path: tuple[str, ...]) -> None:
    for record in (changed(path), *(changed(path, junk) for junk in JUNK)):
        if path[-1] != "gpus":
            assert connector.has_gpu(NAME, record)
        (row,) = connector.gpu_offers(NAME, record, START, "https://x.example")
        assert row.offer_id.startswith(NAME)
        # The name says it again.
        assert (row.gpu, row.gpu_memory_gib, row.gpu_count) == ("A100", 80, 8)
        assert row.usd_per_hour is None or row.usd_per_hour > 0


def test_a_type_that_counts_no_gpus_is_no_offer_whatever_it_is_called() -> None:
    assert not connector.has_gpu("gpu_0x_odd", {"instance_type": {"specs": {"gpus": 0}}})
    assert not connector.has_gpu("cpu_4x_general", {})
    assert connector.has_gpu("odd", {})


async def test_types_are_never_multiplied_by_regions(tmp_path: Path) -> None:
    """Seen elsewhere: every type in every region at one price, in stock or not."""
    found = await from_sandbox("lambda", tmp_path)
    stock = {row[0]: row[-1] for row in sandbox.TYPES if row[2]}
    assert len(found.offers) == sum(max(1, len(regions)) for regions in stock.values())
    for offer in found.offers:
        assert (offer.region in stock[offer.instance_type or ""]) is bool(offer.available)


async def test_a_list_in_place_of_the_mapping_is_read_by_the_names_inside(tmp_path: Path) -> None:
    nameless = {"instance_type": {"specs": {"gpus": 1}}}
    async with serving(reply(200, {"data": [RECORD, nameless, None]})) as server:
        found = await reading("lambda", server.url, {"api_key": "k"}, tmp_path)
    assert [one.offer_id for one in found.offers] == [f"{NAME}@us-midwest-1"]
    assert "1 offer of Lambda Cloud came without an id" in found.notes[0].message
    assert server.requests[0].headers["authorization"] == "Bearer k"


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": "none"}, [], {"error": {"code": "global/x"}}])
async def test_an_answer_without_types_is_no_empty_market(body: Any, tmp_path: Path) -> None:
    async with serving(reply(200, body)) as server:
        with pytest.raises(Invalid):
            await reading("lambda", server.url, {"api_key": "k"}, tmp_path)


def test_the_local_cloud_takes_a_key_in_both_ways_and_is_strict() -> None:
    client = TestClient(sandbox.app(State(lambda: START)))
    listing = "/api/v1/instance-types"
    refused = client.get(listing)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "global/invalid-api-key")
    assert client.get(listing, auth=(sandbox.TOKEN, "")).json()["data"]
    client.headers["authorization"] = f"Bearer {sandbox.TOKEN}"
    assert client.get(f"{listing}?region=us").status_code == 400
    assert NAME in client.get(listing).json()["data"]
