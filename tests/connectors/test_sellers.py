"""What holds for every seller of GPUs, one suite over all of them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cloudtop import gpus
from cloudtop.models import GpuOffer
from cloudtop.sandbox.cloud import clouds
from connectors import discovery
from connectors.base import public
from tests.connectors.sellers import SELLERS, fixture, from_fixture, from_sandbox, health, market, table

TIERS = {None, "secure", "community", "datacenter", "marketplace"}
AUDITED = {"vast"}
"""Its market is a file of its own, recomputed in tests/audit; its fixture is in test_vast.py."""


each = pytest.mark.parametrize("seller", SELLERS)


def named(offer: GpuOffer, names: Any) -> dict[str, Any]:
    """These fields of a row."""
    return {name: getattr(offer, name) for name in names}


@each
def test_it_has_a_sandbox_and_a_fixture(seller: str) -> None:
    assert seller in clouds()
    assert seller in AUDITED or fixture(seller)["offers"]


@each
async def test_replies_in_its_own_format_become_the_rows_expected_by_hand(
    seller: str, tmp_path: Path
) -> None:
    if seller in AUDITED:
        pytest.skip("its replies and rows are in test_vast.py")
    told = fixture(seller)
    found = await from_fixture(seller, tmp_path)
    expected = {(row["offer_id"], row["spot"]): row for row in told["offers"]}
    assert len(expected) == len(told["offers"])
    got = {(one.offer_id, one.spot): one for one in found.offers}
    assert sorted(got) == sorted(expected), found.asked
    for key, row in expected.items():
        assert named(got[key], row) == pytest.approx(row), key
    said = " ".join(f"{note.message} {note.next_step}" for note in found.notes)
    for text in told.get("notes", ()):
        assert text in said
    assert bool(found.notes) == bool(told.get("notes")), said


@each
async def test_its_sandbox_is_read_as_a_person_reads_it(seller: str, tmp_path: Path) -> None:
    if seller in AUDITED:
        pytest.skip("its market is recomputed in tests/audit")
    expected = table(seller)
    found = await from_sandbox(seller, tmp_path)
    got = {(one.offer_id, one.spot): one for one in found.offers}
    assert sorted(got) == sorted(expected)
    for key, row in expected.items():
        assert named(got[key], row) == pytest.approx(row), key


@each
async def test_every_row_keeps_the_promises_of_an_offer(seller: str, tmp_path: Path) -> None:
    found = await from_sandbox(seller, tmp_path)
    assert len({(one.offer_id, one.spot) for one in found.offers}) == len(found.offers)
    for one in found.offers:
        assert one.seller == seller
        assert one.offer_id
        assert one.gpu_raw
        assert one.price_raw
        assert one.usd_per_hour is None or 0 < one.usd_per_hour < 2_000
        assert 0 < one.gpu_count <= 72
        assert one.gpu is None or one.gpu in gpus.catalogue().gpus
        assert one.gpu_memory_gib is None or 1 <= one.gpu_memory_gib <= 600
        assert one.fractional or one.gpu_count % 1 == 0
        assert one.tier in TIERS
        assert one.as_of is not None
        assert one.as_of.utcoffset() == timedelta(0)
        assert one.source_url
        assert one.source_url.startswith("http")
        assert one.country is None or (len(one.country) == 2 and one.country.islower())
        assert one.reliability is None or 0 <= one.reliability <= 1
        json.dumps(one.raw)


@each
async def test_nothing_that_it_keeps_holds_a_credential(seller: str, tmp_path: Path) -> None:
    found = await from_sandbox(seller, tmp_path)
    for secret in clouds()[seller].auth.values():
        assert secret not in repr(found)


@each
async def test_its_market_holds_what_the_question_of_the_day_is_about(seller: str, tmp_path: Path) -> None:
    found = await from_sandbox(seller, tmp_path)
    priced = {one.gpu for one in found.offers if one.usd_per_hour}
    assert "H100" in priced
    assert any(one.usd_per_hour is None for one in found.offers), "a price of 0, null or nothing is a trap"


@each
async def test_its_health_is_told_and_a_wrong_key_is_not_called_healthy(seller: str, tmp_path: Path) -> None:
    facts, auth = discovery.found()[seller], clouds()[seller].auth
    wrong = {name: f"{value[:-3]}bad" for name, value in auth.items()}
    with market(seller) as endpoint:
        right = await health(seller, endpoint, auth, tmp_path)
        refused = await health(seller, endpoint, wrong, tmp_path) if auth else {}
        without = await health(seller, endpoint, {}, tmp_path) if "health" in facts.keyless else {}
    assert right["api"].healthy
    assert right["credentials"].status == ("healthy" if auth else "unknown")
    for secret in (*auth.values(), *wrong.values()):
        assert secret not in repr((right, refused))
    assert not auth or refused["credentials"].status == "failing"
    assert "health" not in facts.keyless or without["api"].healthy


@each
def test_its_facts_agree_with_each_other(seller: str) -> None:
    facts = discovery.found()[seller]
    assert set(facts.keyless) <= set(facts.kinds)
    assert facts.docs_url
    assert bool(clouds()[seller].auth) <= bool(facts.credentials)
    assert facts.credentials or set(facts.keyless) == set(facts.kinds)


def test_what_may_be_a_secret_is_kept_at_no_depth() -> None:
    record = {"id": 1, "api_key": "k", "ssh": {"port": 22}, "in": [{"password": "p", "size": 2}]}
    assert public(record) == {"id": 1, "in": [{"size": 2}]}
