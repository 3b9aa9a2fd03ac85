"""Vultr: shares and several of a GPU, what an id tells, the ways a plan is let, and cursors."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cloudtop import regions
from cloudtop.errors import Invalid, Unauthorized
from cloudtop.models import GpuOffer, Health, PriceQuery, Scope
from cloudtop.sandbox.clouds import vultr as sandbox
from cloudtop.settings import load
from connectors import discovery
from connectors.vultr import Vultr, gpu_offers, gpus_of
from tests.connectors.raw_servers import Audit, Clock, Hosts, Server, reply, serving

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
A100 = {"id": "vcg-a100-12c-120g-80vram", "gpu_type": "NVIDIA_A100", "gpu_vram_gb": 80, "hourly_cost": 2.397}
ODD: tuple[Any, ...] = (..., None, [], {}, "?", -1, True, 1e300)
PLAN = {**A100, "locations": ["ewr"]}
LOCATIONS = {
    "us": "atl dfw ewr hnl lax mia ord sea sjc",
    "in": "blr bom del",
    "jp": "itm nrt",
    "uk": "lhr man",
    "au": "mel syd",
    "nl": "ams",
    "fr": "cdg",
    "de": "fra",
    "kr": "icn",
    "za": "jnb",
    "es": "mad",
    "mx": "mex",
    "it": "mxp",
    "br": "sao",
    "cl": "scl",
    "sg": "sgp",
    "se": "sto",
    "il": "tlv",
    "pl": "waw",
    "ca": "yto",
}
"""Every location of its public list, by the country that the list gives."""


def page(plans: list[Any], following: Any = "", name: str = "plans") -> bytes:
    return reply(200, {name: plans, "meta": {"total": 99, "links": {"next": following, "prev": ""}}})


def vultr(server: Server, home: Path, key: str | None = "key-hush") -> Vultr:
    """The connector at a server that answers one reply after the other."""
    config: dict[str, Any] = {"options": {"endpoint": server.url}, "retries": 0}
    config |= {"auth": {"api_key": key}} if key else {}
    file = home / "config.json"
    file.write_text(json.dumps({"providers": {"vultr": config}}))
    settings = load(file, home, environ={})
    made = discovery.make(
        discovery.found()["vultr"],
        settings.provider("vultr"),
        secrets=settings,
        clock=Clock(),
        hosts=Hosts(),
        audit=Audit(),
    )
    assert isinstance(made, Vultr)
    return made


async def offers(one: Vultr, at: int = 0) -> list[GpuOffer]:
    scope = one.price_scopes(PriceQuery(("A100",)))[at]
    return [offer async for some in one.gpu_offers(scope) for offer in some]


async def health(one: Vultr, account: str) -> dict[str, Health]:
    scope = Scope("vultr", account, kind="health")
    return {row.check: row async for some in one.health(scope) for row in some}


def rows(plan: dict[str, Any]) -> list[tuple[str, bool, float | None, bool | None]]:
    found = gpu_offers(plan, AT, "")
    return [(row.offer_id, row.spot, row.usd_per_hour, row.available) for row in found]


async def test_prices_go_without_a_key_even_when_there_is_one(tmp_path: Path) -> None:
    async with serving(
        page([PLAN], "b3BhcXVlLw=="), page([{**PLAN, "id": "vcg-b"}]), page([], "", "plans_metal")
    ) as server:
        one = vultr(server, tmp_path)
        assert [scope.query for scope in one.price_scopes(PriceQuery())] == [
            '{"list":"plans"}',
            '{"list":"plans-metal"}',
        ]
        found = await offers(one)
        assert await offers(one, 1) == []
        await one.aclose()
    assert [row.offer_id for row in found] == ["vcg-a100-12c-120g-80vram@ewr", "vcg-b@ewr"]
    assert [request.headers["Authorization"] for request in server.requests] == [None] * 3
    assert [request.line.split()[1] for request in server.requests] == [
        "/v2/plans?type=all&per_page=500",
        "/v2/plans?type=all&per_page=500&cursor=b3BhcXVlLw%3D%3D",
        "/v2/plans-metal?per_page=500",
    ]
    assert found[0].source_url == f"{server.url}/v2/plans"


async def test_the_key_is_for_health_alone(tmp_path: Path) -> None:
    async with serving(reply(200, {"account": {"name": "x"}})) as server:
        one = vultr(server, tmp_path)
        found = await health(one, "default")
        await one.aclose()
    assert found["credentials"].status == "healthy"
    assert server.requests[0].line.split()[1] == "/v2/account"
    assert server.requests[0].headers["Authorization"] == "Bearer key-hush"

    async with serving(page([], "", "plans_metal")) as server:
        one = vultr(server, tmp_path, None)
        assert [scope.account for scope in one.price_scopes(PriceQuery())] == ["public", "public"]
        found = await health(one, "public")
        await one.aclose()
    assert (found["credentials"].status, found["api"].status) == ("unknown", "healthy")
    assert found["credentials"].message == "No key is set. It works without a key: prices only."
    assert server.requests[0].line.split()[1] == "/v2/plans-metal?per_page=1"


async def test_a_refused_key_is_not_repeated(tmp_path: Path) -> None:
    async with serving(reply(401, {"error": "Invalid API token key-hush.", "status": 401})) as server:
        one = vultr(server, tmp_path)
        found = await health(one, "default")
        await one.aclose()
    assert found["credentials"].status == "failing"
    assert "Invalid API token" in found["credentials"].message
    assert "key-hush" not in repr(found)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"error": "Something went wrong", "status": 500}, Invalid),
        ({"error": "Invalid API token.", "status": 401}, Unauthorized),
        ({}, Invalid),
        ([], Invalid),
        ({"plans": None}, Invalid),
        ({"plans_metal": []}, Invalid),
    ],
)
async def test_what_holds_no_plans_is_never_an_empty_list(
    tmp_path: Path, answer: Any, error: type[Exception]
) -> None:
    async with serving(reply(200, answer)) as server:
        one = vultr(server, tmp_path)
        with pytest.raises(error):
            await offers(one)
        await one.aclose()


async def test_a_cursor_that_leads_back_ends_with_a_word(tmp_path: Path) -> None:
    async with serving(page([PLAN], "again")) as server:
        one = vultr(server, tmp_path)
        with pytest.raises(Invalid, match="repeats the same page"):
            await offers(one)
        await one.aclose()
    assert len(server.requests) == 2


@pytest.mark.parametrize("following", ["", None, 7, []])
async def test_the_last_page_has_no_cursor(tmp_path: Path, following: Any) -> None:
    async with serving(page([PLAN], following)) as server:
        one = vultr(server, tmp_path)
        assert len(await offers(one)) == 1
        await one.aclose()
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("told", "count", "share", "memory"),
    [
        ({"gpu_vram_gb": 4}, 0.05, True, 80),
        ({"gpu_vram_gb": 4, "gpu_count": "1/20"}, 0.05, True, 80),
        ({"gpu_vram_gb": 10, "gpu_count": 1}, 0.125, True, 80),
        ({"gpu_vram_gb": 40}, 0.5, True, 80),
        ({"gpu_vram_gb": 79}, 1, False, 80),
        ({"gpu_vram_gb": 80, "gpu_count": "1"}, 1, False, 80),
        ({"gpu_vram_gb": "160"}, 2, False, 80),
        ({"gpu_vram_gb": 640}, 8, False, 80),
        ({"gpu_vram_gb": 640, "gpu_count": 8}, 8, False, 80),
        # the memory of one beside the number of all
        ({"gpu_vram_gb": 80, "gpu_count": 8}, 8, False, 80),
        ({"gpu_count": 4}, 4, False, 80),
        ({"gpu_count": "1/4"}, 0.25, True, 80),
        # no number of boards has that
        ({"gpu_vram_gb": 240}, None, False, 80),
        ({"gpu_vram_gb": 100}, None, False, 80),
        ({}, None, False, 80),
    ],
)
def test_memory_and_count_tell_a_share_from_several(
    told: dict[str, Any], count: float | None, share: bool, memory: float
) -> None:
    found = gpus_of({"id": "vcg-1", "gpu_type": "NVIDIA_A100", **told})
    assert found is not None
    assert (found.name, found.number, found.fractional) == ("A100", count, share)
    assert (found.memory_gib, found.form, found.modified) == (memory, None, False)


@pytest.mark.parametrize(
    ("plan", "name", "count", "memory"),
    [
        ("vbm-112c-2048gb-8-h100-gpu", "H100", 8, 80),
        ("vbm-48c-1024gb-4-a100-gpu", "A100", 4, 80),
        ("vbm-64c-2048gb-8-l40-gpu", "L40S", 8, 48),
        ("vbm-72c-480gb-gh200-gpu", "GH200", 1, 96),
        ("vbm-256c-3072gb-8-mi325x-gpu", "MI325X", 8, 256),
        ("vbm-256c-3072gb-8-b200-gpu-v2", "B200", 8, 180),
        ("vbm-96c-1024gb-4-rtx-pro-6000-gpu", "RTXPRO6000", 4, 96),
        ("vbm-96c-1024gb-16-x9000-gpu", None, 16, None),
        ("vcg-a100-1c-6g-4vram", "A100", 0.05, 80),
        ("vcg-a16-96c-960g-256vram", "A16", 16, 16),
        ("vcg-b200-248c-2826g-1536vram", "B200", 8, 180),
        ("vcg-mi355x-252c-2872g-2304vram", "MI355X", 8, 288),
        ("vcg-h100-216c-1914gb-640vram", "H100", 8, 80),
    ],
)
def test_an_id_tells_what_no_field_does(
    plan: str, name: str | None, count: float, memory: float | None
) -> None:
    found = gpus_of({"id": plan})
    assert found is not None
    assert (found.name, found.number, found.memory_gib) == (name, count, memory)
    assert found.fractional == (count < 1)


@pytest.mark.parametrize(
    "plan",
    [
        "vc2-1c-0.5gb-free",
        "vhp-8c-16gb-amd",
        "voc-g-1c-4gb-30s-amd",
        "vx1-g-2c-8g",
        "vbm-4c-32gb",
        "vbm-24c-256gb-amd",
        7,
    ],
)
def test_nothing_is_read_into_the_id_of_a_cpu_plan(plan: Any) -> None:
    assert gpus_of({"id": plan, "gpu_brand": "none", "gpu_type": None}) is None
    assert gpus_of({"id": plan, "gpu_type": "none"}) is None


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, [("@ewr", False, 2.0, True), ("@ewr", True, 0.5, True)]),
        ({"deploy_preemptible": False}, [("@ewr", False, 2.0, True)]),
        ({"deploy_ondemand": False}, [("", False, 2.0, False), ("@ewr", True, 0.5, True)]),
        ({"deploy_ondemand": False, "deploy_preemptible": False}, [("", False, 2.0, False)]),
        ({"hourly_cost_preemptible": 0}, [("@ewr", False, 2.0, True)]),
        (
            {"hourly_cost_preemptible": 0, "deploy_preemptible": True},
            [("@ewr", False, 2.0, True), ("@ewr", True, None, True)],
        ),
        ({"locations": []}, [("", False, 2.0, False), ("", True, 0.5, False)]),
        ({"locations": [""]}, [("", False, 2.0, False), ("", True, 0.5, False)]),
        ({"locations": None}, [("", False, 2.0, None), ("", True, 0.5, None)]),
        ({"hourly_cost": 0}, [("@ewr", False, None, True), ("@ewr", True, 0.5, True)]),
        (
            {"location_cost": {"ewr": {"hourly_cost": 3}}},
            [("@ewr", False, 3.0, True), ("@ewr", True, 0.5, True)],
        ),
        (
            {"location_cost": {"ewr": {"hourly_cost": 0}}},
            [("@ewr", False, None, True), ("@ewr", True, 0.5, True)],
        ),
        (
            {"location_cost": {"ewr": 3, "lax": {"hourly_cost": 9}}},
            [("@ewr", False, 2.0, True), ("@ewr", True, 0.5, True)],
        ),
    ],
)
def test_a_row_is_a_way_of_letting_in_a_location(
    told: dict[str, Any], expected: list[tuple[str, bool, float | None, bool | None]]
) -> None:
    plan = {
        "id": "p",
        "gpu_type": "NVIDIA_A40",
        "gpu_count": 1,
        "hourly_cost": 2.0,
        "hourly_cost_preemptible": 0.5,
    }
    found = rows({**plan, "locations": ["ewr"], **told})
    assert found == [(f"p{where}", spot, usd, available) for where, spot, usd, available in expected]


def test_no_field_but_the_id_loses_a_plan() -> None:
    for plan in (*sandbox.PLANS, *sandbox.METAL):
        whole = list(gpu_offers(plan, AT, ""))
        for name in plan.keys() - {"id"}:
            for value in ODD:
                odd = {key: old if key != name else value for key, old in plan.items()}
                found = list(gpu_offers({key: old for key, old in odd.items() if old is not ...}, AT, ""))
                if name == "gpu_type" and isinstance(value, str):
                    continue
                assert bool(found) == bool(whole)
                assert all(row.gpu_count > 0 and row.usd_per_hour != 0 for row in found)
                if whole and name not in ("gpu_vram_gb", "gpu_count"):
                    assert found[0].gpu == whole[0].gpu
                    assert found[0].gpu_count == whole[0].gpu_count


def test_every_location_of_vultr_is_known() -> None:
    for country, codes in LOCATIONS.items():
        for code in codes.split():
            assert regions.place("vultr", code).country == country
            assert regions.wanted(code).matches(regions.place("vultr", code).places)
    assert regions.place("vultr", "fra").city == "Frankfurt"
