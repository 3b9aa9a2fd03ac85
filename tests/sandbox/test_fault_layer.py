"""Each fault looks from outside as it is described."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from cloudtop.sandbox.fault_kinds import BIG_PAGE_BYTES, FAULTS
from cloudtop.sandbox.serve import RAW, Sandbox, running

SEARCH = "/api/v0/bundles/"
BODY = {"limit": 3, "order": [["dph_total", "asc"]]}


@pytest.fixture(scope="module")
def started() -> Iterator[Sandbox]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(started: Sandbox) -> Iterator[Sandbox]:
    yield started
    started.calm()


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=5) as made:
        yield made


async def ask(client: httpx.AsyncClient, sandbox: Sandbox, **more: Any) -> httpx.Response:
    return await client.post(sandbox.endpoint("vast") + SEARCH, json=BODY, **more)


@pytest.mark.parametrize(
    ("name", "status"),
    [(name, int(name[:3])) for name in FAULTS if name[:3].isdigit()],
)
async def test_a_status_is_answered_and_repeats_the_callers_key(
    client: httpx.AsyncClient, sandbox: Sandbox, name: str, status: int
) -> None:
    sandbox.fault("vast", name)
    answer = await ask(client, sandbox, headers={"Authorization": "Bearer canary"})
    assert answer.status_code == status
    assert ("canary" in answer.text) == (name != "429-text")


async def test_retry_after_comes_as_seconds_or_as_a_date(client: httpx.AsyncClient, sandbox: Sandbox) -> None:
    sandbox.fault("vast", "429-seconds", times=1)
    sandbox.fault("vast", "429-date")
    seconds, date = await ask(client, sandbox), await ask(client, sandbox)
    assert seconds.headers["retry-after"] == "1"
    assert parsedate_to_datetime(date.headers["retry-after"]) > parsedate_to_datetime(date.headers["date"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("refused", httpx.ConnectError),
        ("unaccepting", httpx.ConnectTimeout),
        ("reset", httpx.ReadError),
        ("silent", httpx.ReadTimeout),
    ],
)
async def test_a_connection_fails_in_its_own_way(
    client: httpx.AsyncClient, sandbox: Sandbox, name: str, expected: type[Exception]
) -> None:
    sandbox.fault("vast", name)
    with pytest.raises(expected):
        await ask(client, sandbox, timeout=0.3)


async def test_a_drip_is_endless_though_every_byte_comes_soon(
    client: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    sandbox.fault("vast", "drip")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await ask(client, sandbox, timeout=0.3)


async def test_truncated_json_is_framed_well_and_cannot_be_parsed(
    client: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    sandbox.fault("vast", "truncated")
    answer = await ask(client, sandbox)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        answer.json()


async def test_html_has_status_200(client: httpx.AsyncClient, sandbox: Sandbox) -> None:
    sandbox.fault("vast", "html")
    answer = await ask(client, sandbox)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")


async def test_the_big_page_is_valid_and_ten_megabytes(client: httpx.AsyncClient, sandbox: Sandbox) -> None:
    sandbox.fault("vast", "big-page")
    answer = await ask(client, sandbox)
    assert len(answer.content) >= BIG_PAGE_BYTES
    assert len(answer.json()["offers"]) == 3


async def test_the_date_header_may_be_a_day_ahead(client: httpx.AsyncClient, sandbox: Sandbox) -> None:
    now = parsedate_to_datetime((await ask(client, sandbox)).headers["date"])
    sandbox.fault("vast", "clock-off")
    ahead = parsedate_to_datetime((await ask(client, sandbox)).headers["date"])
    assert (ahead - now).total_seconds() >= 86_400


async def test_a_redirect_names_another_host_and_who_follows_is_seen(
    client: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    sandbox.fault("vast", "redirect")
    answer = await ask(client, sandbox)
    assert answer.status_code == 307
    assert answer.headers["location"].startswith("http://localhost:")
    followed = await ask(client, sandbox, follow_redirects=True)
    assert followed.status_code == 200
    assert sandbox.requests[-1].host.startswith("localhost:")


async def test_one_field_is_missing_in_every_row(client: httpx.AsyncClient, sandbox: Sandbox) -> None:
    sandbox.fault("vast", "missing-field", field="gpu_name")
    offers = (await ask(client, sandbox)).json()["offers"]
    assert len(offers) == 3
    assert not any("gpu_name" in offer for offer in offers)


async def test_a_stuck_page_comes_again(client: httpx.AsyncClient, sandbox: Sandbox) -> None:
    sandbox.fault("vast", "stuck-page")
    first = await ask(client, sandbox)
    second = await client.post(sandbox.endpoint("vast") + SEARCH, json={"dph_total": {"gte": 1.0}}, timeout=5)
    assert first.json() == second.json()


@pytest.fixture
def paged() -> Iterator[tuple[Sandbox, str]]:
    with running(("vultr",)) as sandbox:
        yield sandbox, sandbox.endpoint("vultr") + "/v2/plans-metal?per_page=2"


def onward(answer: httpx.Response) -> str:
    """The token of the next page."""
    token: str = answer.json()["meta"]["links"]["next"]
    return token


async def test_an_empty_first_page_still_leads_on(
    client: httpx.AsyncClient, paged: tuple[Sandbox, str]
) -> None:
    sandbox, url = paged
    sandbox.fault("vultr", "empty-page-next")
    first = await client.get(url)
    second = await client.get(url, params={"cursor": onward(first)})
    assert first.json()["plans_metal"] == []
    assert second.json()["plans_metal"]


async def test_the_same_token_stands_on_every_page(
    client: httpx.AsyncClient, paged: tuple[Sandbox, str]
) -> None:
    sandbox, url = paged
    sandbox.fault("vultr", "same-token")
    first = await client.get(url)
    second = await client.get(url, params={"cursor": onward(first)})
    assert first.json()["plans_metal"] != second.json()["plans_metal"]
    assert onward(first) == onward(second)


async def test_a_link_to_the_next_page_can_lead_to_another_host(
    client: httpx.AsyncClient, paged: tuple[Sandbox, str]
) -> None:
    sandbox, url = paged
    sandbox.fault("vultr", "other-host-next")
    assert onward(await client.get(url)).startswith("http://localhost:")


async def test_a_fault_holds_for_its_path_its_text_and_its_number_of_requests(
    client: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    sandbox.fault("vast", "503", path=SEARCH, text='"limit":3', after=1, times=2)
    statuses = [(await ask(client, sandbox)).status_code for _ in range(4)]
    other = await client.post(sandbox.endpoint("vast") + SEARCH, json={"limit": 4})
    assert statuses == [200, 503, 503, 200]
    assert other.status_code == 200


async def test_requests_are_logged_without_the_key(client: httpx.AsyncClient, sandbox: Sandbox) -> None:
    sandbox.fault("vast", "500")
    await ask(client, sandbox, headers={"Authorization": "Bearer canary"})
    seen = sandbox.requests[-1]
    assert (seen.method, seen.path, seen.json(), seen.keyed, seen.fault) == (
        "POST",
        SEARCH,
        BODY,
        True,
        "500",
    )
    assert "canary" not in repr(seen)


def test_an_unknown_fault_is_refused_with_the_known_ones(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="429-seconds"):
        sandbox.fault("vast", "418")


def test_every_fault_says_what_it_is() -> None:
    assert all(fault.what for fault in FAULTS.values())
    assert not set(FAULTS) & set(RAW)
