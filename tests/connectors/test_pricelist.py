"""Price lists: files as people have them, rows expected by hand."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cloudtop.errors import CloudError, Invalid, NotFound
from cloudtop.models import SHIPPED, GpuOffer, PriceQuery, Scope
from cloudtop.settings import ProviderSettings
from connectors import discovery
from connectors.pricelist import PAGE, SHIPPED_FILE, PriceList
from tests.connectors.raw_servers import Audit, Clock, Hosts, Secrets

HEADER = (
    "provider,instance_type,region,gpu,gpu_count,gpu_memory_gib,"
    "price_per_hour_usd,spot_price_per_hour_usd,as_of,source\n"
)


def connector(**options: Any) -> PriceList:
    facts = discovery.found()["pricelist"]
    made = discovery.make(
        facts,
        ProviderSettings("pricelist", options=options),
        secrets=Secrets(),
        clock=Clock(),
        hosts=Hosts(),
        audit=Audit(),
    )
    assert isinstance(made, PriceList)
    return made


async def read(one: PriceList) -> list[GpuOffer]:
    (scope,) = one.price_scopes(PriceQuery())
    return [offer async for page in one.gpu_offers(scope) for offer in page]


@pytest.fixture
def own(tmp_path: Path) -> Any:
    """A connector that reads one file of one's own, written as given."""

    def made(text: str | bytes, name: str = "prices.csv", **options: Any) -> PriceList:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return connector(files=[str(path)], shipped=False, **options)

    return made


async def test_a_row_becomes_an_offer_for_each_of_its_prices(own: Any) -> None:
    one = own(
        HEADER
        + "aws,p4d.24xlarge,us-east-2,A100,8,40,21.957642,9.50,2026-07-20,https://prices.example.invalid/aws\n"
    )
    rented, spot = await read(one)
    assert (rented.seller, rented.instance_type, rented.region, rented.country) == (
        "aws",
        "p4d.24xlarge",
        "us-east-2",
        "us",
    )
    assert (rented.gpu, rented.gpu_raw, rented.gpu_count, rented.gpu_memory_gib) == ("A100", "A100", 8, 40)
    assert (rented.usd_per_hour, rented.price_raw, rented.spot) == (21.957642, "21.957642", False)
    assert (spot.usd_per_hour, spot.price_raw, spot.spot) == (9.5, "9.50", True)
    assert rented.offer_id == spot.offer_id
    assert rented.source_url == "https://prices.example.invalid/aws"
    assert rented.as_of == datetime(2026, 7, 20, tzinfo=UTC)
    assert (rented.tier, rented.available, rented.suspect, rented.fractional) == (None, None, None, False)
    assert one.notes == []


async def test_a_price_of_nothing_is_no_price_and_nothing_is_free(own: Any) -> None:
    rows = await read(
        own(
            HEADER
            + "vast,,Oregon,RTX 4090,1,24,0.4,0.00,,\n"
            + "vast,,Oregon,RTX 3090,1,24,0,,,\n"
            + "vast,,Oregon,RTX 3080,1,10,,0.1,,\n"
            + "vast,,Oregon,RTX 3070,1,8,,,,\n"
        )
    )
    assert [(row.gpu, row.spot, row.usd_per_hour) for row in rows] == [
        ("RTX4090", False, 0.4),
        ("RTX4090", True, None),
        ("RTX3090", False, None),
        ("RTX3080", True, 0.1),
        ("RTX3070", False, None),
    ]
    assert {row.tier for row in rows} == {"marketplace"}


@pytest.mark.parametrize("count", ["0.1667", "0.125", "0.5", "0.6667"])
async def test_a_share_of_a_gpu_is_marked(own: Any, count: str) -> None:
    (row,) = await read(own(HEADER + f"azure,NV6ads,eastus,A10,{count},24,0.454,,,\n"))
    assert (row.gpu_count, row.fractional, row.gpu_memory_gib) == (float(count), True, 24)


@pytest.mark.parametrize(
    ("written", "known_as"),
    [
        ("AWS", "aws"),
        ("Oracle", "oci"),
        ("vast.ai", "vast"),
        ("RunPod.io", "runpod"),
        ("datacrunch", "verda"),
        ("Our Own Rack", "our-own-rack"),
    ],
)
async def test_a_seller_is_known_however_it_is_spelled(own: Any, written: str, known_as: str) -> None:
    (row,) = await read(own(HEADER + f"{written},x,,H100,1,80,2,,,\n"))
    assert row.seller == known_as


async def test_the_instance_type_tells_what_the_cells_do_not(own: Any) -> None:
    rows = await read(
        own(HEADER + "aws,p4d.24xlarge,us-east-1,,,,22,,,\n" + "aws,p4de.24xlarge,us-east-1,A100,8,,27,,,\n")
    )
    assert [(row.gpu, row.gpu_count, row.gpu_memory_gib) for row in rows] == [
        ("A100", 8, 40),
        ("A100", 8, 80),
    ]


async def test_the_memory_cell_decides_between_sizes_and_modified_boards(own: Any) -> None:
    rows = await read(
        own(
            HEADER
            + "x,,,A100-80GB,1,,1,,,\nx,,,V100-16GB,1,16,1,,,\n"
            + "x,,,RTX-4090,1,48,1,,,\nx,,,Unheard-9,1,7,1,,,\n"
        )
    )
    assert [(row.gpu, row.gpu_memory_gib, row.gpu_raw) for row in rows] == [
        ("A100", 80, "A100-80GB"),
        ("V100", 16, "V100-16GB"),
        ("RTX4090", 48, "RTX-4090"),
        (None, 7, "Unheard-9"),
    ]


@pytest.mark.parametrize("as_of", ["", "unknown(v8)", "2026-13-40", "soon"])
async def test_an_unreadable_date_is_unknown(own: Any, as_of: str) -> None:
    (row,) = await read(own(HEADER + f"x,,,H100,1,80,2,,{as_of},\n"))
    assert row.as_of is None


async def test_a_row_that_makes_no_sense_is_left_out_and_said(own: Any) -> None:
    bad = "aws,x,,H100,1,80,cheap,,,\n"
    one = own(
        HEADER
        + "aws,x,,H100,1,80,2,,,\n"
        + bad * 4
        + "aws,x,,,1,80,2,,,\n"
        + "aws,x,,H100,none,80,2,,,\n"
        + "aws,x,,H100,0,80,2,,,\n"
        + ",x,,H100,1,80,2,,,\n"
        + "\n,,,,,,,,,\n"
        + "aws,x,,H100,1,80,-2,,,\n"
        + "aws,x,,H200,1,141,3,,,\n"
    )
    rows = await read(one)
    assert [row.gpu for row in rows] == ["H100", "H200"]
    assert [note.message for note in one.notes] == [
        "prices.csv: 5 rows left out: a price that is none (line 3, 4, 5, …).",
        "prices.csv: 1 row left out: no GPU (line 7).",
        "prices.csv: 1 row left out: a GPU count or memory that is no number (line 8).",
        "prices.csv: 1 row left out: no GPU count (line 9).",
        "prices.csv: 1 row left out: no provider (line 10).",
    ]
    assert {note.severity for note in one.notes} == {"warning"}
    assert {note.account for note in one.notes} == {"own"}


async def test_columns_by_other_names_are_found_and_unknown_ones_are_said(own: Any) -> None:
    text = (
        "\ufeffprovider;gpu_canonical;gpu_count;gpu_memory_gib_each;Price;note\n"
        "lambda;A100-80GB;1;80;1.79;every region\n"
    )
    for columns in (
        {"gpu": "gpu_canonical", "gpu_memory_gib": "gpu_memory_gib_each", "price_per_hour_usd": "price"},
        {"gpu_canonical": "gpu", "gpu_memory_gib_each": "gpu_memory_gib", "PRICE": "price_per_hour_usd"},
    ):
        one = own(text, columns=columns)
        (row,) = await read(one)
        assert (row.seller, row.gpu, row.gpu_memory_gib, row.usd_per_hour) == ("lambda", "A100", 80, 1.79)
        (note,) = one.notes
        assert note.message == "prices.csv: 1 column not read: note."


async def test_a_file_without_a_column_of_counts_means_one_gpu_a_row(own: Any) -> None:
    (row,) = await read(own("provider,gpu,price_per_hour_usd\nx,H100,2\n"))
    assert row.gpu_count == 1


@pytest.mark.parametrize(
    "header", ["", "a,b,c", "provider,region,price_per_hour_usd", "gpu,price_per_hour_usd", "provider,gpu"]
)
async def test_a_file_without_the_needed_columns_is_refused_as_a_whole(own: Any, header: str) -> None:
    with pytest.raises(Invalid) as caught:
        await read(own(header + "\nx,y,z\n"))
    assert "prices.csv" in caught.value.message
    assert "price_per_hour_usd" in caught.value.next_step


async def test_a_quotation_mark_that_is_never_closed_is_found(own: Any) -> None:
    text = HEADER + 'aws,"x,,H100,1,80,2,,,\n' + "aws,y,,H100,1,80,2,,,\n" * 8000
    with pytest.raises(Invalid, match=r"damaged at line \d+"):
        await read(own(text))


async def test_bytes_that_are_no_utf8_cost_nothing_but_the_letter(own: Any) -> None:
    (row,) = await read(own(HEADER.encode() + "aws,größe,,H100,1,80,2,,,\n".encode("latin-1")))
    assert row.usd_per_hour == 2


async def test_rows_that_are_alike_keep_different_ids_and_the_same_in_every_reading(own: Any) -> None:
    one = own(HEADER + "aws,x,r,H100,1,80,2,,,\n" * 3 + "aws,x,r,H100,2,80,4,,,\n")
    first, second = await read(one), await read(one)
    assert len({row.offer_id for row in first}) == 4
    assert [row.offer_id for row in first] == [row.offer_id for row in second]


async def test_a_file_that_is_not_there_is_named_without_its_folder(tmp_path: Path) -> None:
    one = connector(files=[str(tmp_path / "secret-folder" / "mine.csv")], shipped=False)
    (scope,) = one.price_scopes(PriceQuery())
    assert one.stamp(scope) is None
    with pytest.raises(NotFound) as caught:
        await read(one)
    assert "mine.csv" in caught.value.message
    assert "providers.pricelist.options.files" in caught.value.message
    assert "secret-folder" not in str(caught.value)


async def test_a_stamp_changes_with_the_file_and_with_the_columns_asked_of_it(
    own: Any, tmp_path: Path
) -> None:
    one = own(HEADER + "aws,x,,H100,1,80,2,,,\n")
    (scope,) = one.price_scopes(PriceQuery())
    stamp = one.stamp(scope)
    assert stamp == one.stamp(scope)
    other = own(HEADER + "aws,x,,H100,1,80,2,,,\n", columns={"gpu": "board"})
    os.utime(tmp_path / "prices.csv", ns=(1, 1))
    assert one.stamp(scope) != stamp
    assert other.stamp(scope) != one.stamp(scope)


def test_the_shipped_list_comes_first_and_can_be_left_out() -> None:
    both = connector(files=["a.csv", "b/a.csv"])
    assert both.price_scopes(PriceQuery()) == [
        Scope("pricelist", SHIPPED),
        Scope("pricelist", "own", query='{"file":"a.csv"}'),
        Scope("pricelist", "own", query='{"file":"b/a.csv"}'),
    ]
    assert [scope.account for scope in connector(shipped=False).price_scopes(PriceQuery())] == []


@pytest.mark.skipif(not SHIPPED_FILE.exists(), reason="the shipped list is not there yet")
async def test_the_shipped_list_is_read_whole() -> None:
    one = connector()
    offers = await read(one)
    assert one.notes == []
    assert len(offers) >= 50
    assert all(offer.gpu for offer in offers), "every GPU of our own list is in our own catalogue"
    assert all(offer.as_of and offer.source_url for offer in offers)
    assert len({(offer.offer_id, offer.spot) for offer in offers}) == len(offers)


async def test_a_quarter_of_a_million_rows_come_in_pages_and_soon(own: Any) -> None:
    kinds = ["H100", "A100-80GB", "RTX-4090", "L4", "T4", "V100-16GB", "A10", "L40S"]
    lines = [
        f"aws,type{n % 400},us-east-{n % 7},{kinds[n % 8]},{1 + n % 8},,{1 + n % 97 / 10},,2026-07-20,x\n"
        for n in range(230_000)
    ]
    one = own(HEADER + "".join(lines))
    (scope,) = one.price_scopes(PriceQuery())
    started, pages, count = time.process_time(), 0, 0
    async for page in one.gpu_offers(scope):
        assert len(page) <= PAGE
        pages, count = pages + 1, count + len(page)
    assert count == 230_000
    assert pages == 115
    print(f"230,000 rows in {time.process_time() - started:.2f} s of CPU")


async def test_every_error_of_a_list_is_the_trouble_of_one_scope(own: Any) -> None:
    with pytest.raises(CloudError):
        await read(own("nonsense\n"))


@pytest.mark.parametrize(
    "as_of", ["0001-01-01", "1999-12-31", "9999-12-31T23:59:59-23:59", "2026-11-20T12:00:01Z", "2027-01-01"]
)
async def test_a_date_that_no_price_can_be_from_is_unknown_and_counted(own: Any, as_of: str) -> None:
    one = own(HEADER + f"x,,,H100,1,80,2,,{as_of},\nx,,,H100,1,80,3,,2026-11-20,\n")
    slip, good = await read(one)
    assert slip.as_of is None
    assert good.as_of == datetime(2026, 11, 20, tzinfo=UTC)
    (note,) = one.notes
    assert "1 row as_of is before 2000 or in the future" in note.message


async def test_a_row_of_one_who_prices_in_parts_must_name_machine_and_gpu(own: Any) -> None:
    one = own(
        HEADER
        + "gcp,a2-highgpu-1g,us-central1,,,,0.739477,,,\n"
        + "google,,us-central1,A100,1,40,2.934,,,\n"
        + "gcp,a2-highgpu-1g,us-central1,A100,1,40,3.673,,,\n"
        + "gcp,,us-east5,TPU v6e,1,32,2.7,,,\n"
        + "aws,p4d.24xlarge,us-east-1,,,,21.96,,,\n"
    )
    assert [(row.seller, row.usd_per_hour) for row in await read(one)] == [
        ("gcp", 3.673),
        ("gcp", 2.7),
        ("aws", 21.96),
    ]
    told = "\n".join(note.message for note in one.notes)
    assert "without gpu this may be the machine alone (line 2)" in told
    assert "without instance_type this may be the GPU alone (line 3)" in told


async def test_the_least_that_is_billed_is_read_where_the_file_tells_it(own: Any) -> None:
    head = HEADER.replace("source", "source,months")
    one = own(head + "hetzner,GEX44,,RTX 4000 Ada,1,20,0.3,,,,720\n", columns={"min_hours": "months"})
    (row,) = await read(one)
    assert row.min_hours == 720.0
    (row,) = await read(own(HEADER + "hetzner,GEX44,,RTX 4000 Ada,1,20,0.3,,,\n"))
    assert row.min_hours is None
