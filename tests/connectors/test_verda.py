"""Verda: the token it is asked with, secrets that come back, and answers that are no list."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cloudtop.errors import CloudError, Invalid, NotConfigured, Unauthorized
from cloudtop.models import GpuOffer, Health, PriceQuery, Scope
from cloudtop.sandbox.clouds import verda as sandbox
from cloudtop.settings import load
from connectors import discovery
from connectors.verda import Verda, carries_gpus, gpu_offer, places_of
from tests.connectors.raw_servers import Audit, Clock, Hosts, Server, reply, serving

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
AUTH = {"client_id": "id-hush", "client_secret": "secret-hush"}
TYPES = [
    {
        "instance_type": "1H100.80S.30V",
        "gpu": {"description": "1x H100 SXM5 80GB", "number_of_gpus": 1},
        "gpu_memory": {"size_in_gigabytes": 80},
        "price_per_hour": "2.19",
        "spot_price": "0.77",
    }
]
NOTHING: list[Any] = []
ODD: tuple[Any, ...] = (..., None, [], {}, "?", -1, True, 1e300)


def token(name: str = "token-hush", lasts: Any = 3600) -> bytes:
    return reply(200, {"access_token": name, "token_type": "Bearer", "expires_in": lasts})


def listing() -> tuple[bytes, bytes, bytes]:
    return reply(200, TYPES), reply(200, NOTHING), reply(200, NOTHING)


def verda(server: Server, home: Path, clock: Clock | None = None, accounts: Any = None) -> Verda:
    """The connector at a server that answers one reply after the other."""
    config: dict[str, Any] = {"options": {"endpoint": server.url}, "retries": 0}
    config |= {"accounts": accounts} if accounts else {"auth": AUTH}
    file = home / "config.json"
    file.write_text(json.dumps({"providers": {"verda": config}}))
    settings = load(file, home, environ={})
    made = discovery.make(
        discovery.found()["verda"],
        settings.provider("verda"),
        secrets=settings,
        clock=clock or Clock(),
        hosts=Hosts(),
        audit=Audit(),
    )
    assert isinstance(made, Verda)
    return made


async def offers(one: Verda, account: str | None = None) -> list[GpuOffer]:
    (scope,) = one.price_scopes(PriceQuery())
    asked = Scope("verda", account) if account else scope
    return [offer async for page in one.gpu_offers(asked) for offer in page]


async def health(one: Verda) -> dict[str, Health]:
    scope = Scope("verda", "default", kind="health")
    return {row.check: row async for page in one.health(scope) for row in page}


def bearers(server: Server) -> list[str | None]:
    return [request.headers["Authorization"] for request in server.requests]


async def test_a_token_is_bought_once_and_every_question_is_asked_with_it(tmp_path: Path) -> None:
    async with serving(token(), *listing(), *listing()) as server:
        one = verda(server, tmp_path)
        assert one.price_scopes(PriceQuery(("H100",), spot=True)) == [Scope("verda", "default")]
        first, second = await offers(one), await offers(one)
        await one.aclose()
    assert [row.usd_per_hour for row in first] == [2.19, 0.77]
    assert first == second
    assert server.requests[0].json == {"grant_type": "client_credentials", **AUTH}
    assert bearers(server) == [None, *["Bearer token-hush"] * 6]
    assert [request.line.split()[1] for request in server.requests[1:4]] == [
        "/v1/instance-types?currency=usd",
        "/v1/instance-availability",
        "/v1/instance-availability?is_spot=true",
    ]


@pytest.mark.parametrize(
    ("lasts", "after_s", "again"), [(600, 539, False), (600, 541, True), ("600", 530, False)]
)
async def test_a_token_is_not_used_in_its_last_minute(
    tmp_path: Path, lasts: Any, after_s: float, again: bool
) -> None:
    clock = Clock()
    more = (token("second"),) if again else ()
    async with serving(token(lasts=lasts), *listing(), *more, *listing()) as server:
        one = verda(server, tmp_path, clock)
        await offers(one)
        clock.advance(after_s)
        await offers(one)
        await one.aclose()
    assert bearers(server)[-1] == ("Bearer second" if again else "Bearer token-hush")


@pytest.mark.parametrize("lasts", [None, "soon", 0, -5, [], 30])
async def test_a_token_without_a_good_time_serves_one_question(tmp_path: Path, lasts: Any) -> None:
    async with serving(token(lasts=lasts), *listing(), token("second"), *listing()) as server:
        one = verda(server, tmp_path)
        await offers(one)
        await offers(one)
        await one.aclose()
    assert bearers(server)[1] == "Bearer token-hush"
    assert bearers(server)[-1] == "Bearer second"


async def test_a_token_for_ages_is_kept_for_a_day(tmp_path: Path) -> None:
    clock = Clock()
    async with serving(token(lasts=1e11), *listing(), token("second"), *listing()) as server:
        one = verda(server, tmp_path, clock)
        await offers(one)
        clock.advance(86_400)
        await offers(one)
        await one.aclose()
    assert bearers(server)[-1] == "Bearer second"


async def test_a_token_that_is_refused_is_forgotten(tmp_path: Path) -> None:
    no = reply(401, {"code": "unauthorized_request", "message": "Access token is missing or invalid."})
    async with serving(token(), *listing(), no, token("second"), *listing()) as server:
        one = verda(server, tmp_path)
        await offers(one)
        with pytest.raises(Unauthorized):
            await offers(one)
        assert len(await offers(one)) == 2
        await one.aclose()
    assert bearers(server)[-1] == "Bearer second"


async def test_each_account_has_a_token_of_its_own(tmp_path: Path) -> None:
    accounts = {name: {"auth": {"client_id": name, "client_secret": "s"}} for name in ("one", "two")}
    async with serving(token("for-one"), *listing(), token("for-two"), *listing()) as server:
        connector = verda(server, tmp_path, accounts=accounts)
        await offers(connector, "one")
        await offers(connector, "two")
        await connector.aclose()
    assert [server.requests[at].json["client_id"] for at in (0, 4)] == ["one", "two"]
    assert bearers(server)[-1] == "Bearer for-two"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 200])
async def test_no_secret_that_a_server_repeats_is_passed_on(tmp_path: Path, status: int) -> None:
    said = {
        "code": "invalid_request",
        "message": f"no good: {AUTH['client_id']}, {AUTH['client_secret']}, token-hush",
    }
    no = reply(status, said)
    at_sign_in, later = (no,), (token(), no, token(), no)
    for replies in (at_sign_in, later):
        async with serving(*replies) as server:
            one = verda(server, tmp_path)
            with pytest.raises(CloudError) as caught:
                await offers(one)
            found = await health(one)
            await one.aclose()
        told = f"{caught.value}{caught.value!r}{caught.value.__cause__!r}{found}"
        assert "secret-hush" not in told
        assert "id-hush" not in told
        # At the sign-in nobody can know the token yet.
        assert replies is at_sign_in or "token-hush" not in told


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"code": "unauthorized_request", "message": "Invalid client id or client secret."}),
        (400, {"code": "unauthorized_request", "message": "Invalid client id or client secret."}),
        (400, {"error": "invalid_client", "error_description": "Client authentication failed"}),
        (400, {"code": "invalid_client", "message": "?", "error": {"detail": []}}),
        (200, {"code": "unauthorized_request", "message": "?"}),
    ],
)
async def test_a_wrong_secret_is_unauthorized_however_it_is_said(
    tmp_path: Path, status: int, body: dict[str, Any]
) -> None:
    async with serving(reply(status, body)) as server:
        one = verda(server, tmp_path)
        with pytest.raises(Unauthorized):
            await offers(one)
        rows = await health(one)
        await one.aclose()
    assert rows["credentials"].status == "failing"
    assert rows["api"].status == "healthy"


@pytest.mark.parametrize(
    "answer", [{}, [], {"access_token": None}, {"access_token": ""}, {"access_token": "a\nb"}]
)
async def test_a_sign_in_without_a_token_is_invalid(tmp_path: Path, answer: Any) -> None:
    async with serving(reply(200, answer)) as server:
        one = verda(server, tmp_path)
        with pytest.raises(Invalid):
            await offers(one)
        await one.aclose()


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize(
    "wrong", [{}, {"code": "server_error", "message": "?"}, "text", None, {"data": TYPES}]
)
async def test_what_is_no_list_is_never_an_empty_one(tmp_path: Path, at: int, wrong: Any) -> None:
    lists: list[bytes] = list(listing())
    lists[at] = reply(200, json.dumps(wrong).encode())
    async with serving(token(), *lists) as server:
        one = verda(server, tmp_path)
        with pytest.raises(Invalid):
            await offers(one)
        await one.aclose()


async def test_health_asks_for_the_balance_and_shares_the_token(tmp_path: Path) -> None:
    async with serving(token(), reply(200, {"amount": 1.0, "currency": "usd"}), *listing()) as server:
        one = verda(server, tmp_path)
        rows = await health(one)
        assert len(await offers(one)) == 2
        await one.aclose()
    assert {check: row.status for check, row in rows.items()} == {"credentials": "healthy", "api": "healthy"}
    assert [request.line.split()[1] for request in server.requests[:2]] == ["/v1/oauth2/token", "/v1/balance"]


async def test_half_a_credential_is_not_sent(tmp_path: Path) -> None:
    half = {"default": {"auth": {"client_id": "id-hush"}}}
    async with serving(token()) as server:
        one = verda(server, tmp_path, accounts=half)
        assert one.price_scopes(PriceQuery()) == [Scope("verda")]
        with pytest.raises(NotConfigured, match="VERDA_CLIENT_SECRET"):
            await offers(one)
        await one.aclose()
    assert server.requests == []


def test_no_field_but_the_name_of_the_type_loses_a_row() -> None:
    for record in sandbox.MARKET:
        if not carries_gpus(record):
            continue
        whole = gpu_offer(record, False, "FIN-01", True, AT, "")
        for name in record.keys() - {"instance_type"}:
            for value in ODD:
                odd = {key: old if key != name else value for key, old in record.items()}
                odd = {key: old for key, old in odd.items() if old is not ...}
                assert carries_gpus(odd)
                row = gpu_offer(odd, False, "FIN-01", True, AT, "")
                assert row.offer_id == whole.offer_id
                assert row.gpu_count > 0
                assert name == "price_per_hour" or row.usd_per_hour in (whole.usd_per_hour, None)
                assert name == "price_per_hour" or row.gpu_count == whole.gpu_count


def test_a_cpu_type_stays_one_when_its_gpu_field_is_lost() -> None:
    for record in sandbox.MARKET:
        if record["instance_type"].startswith("CPU"):
            assert not carries_gpus({key: value for key, value in record.items() if key != "gpu"})


def test_a_type_that_availability_does_not_name_is_sold_out() -> None:
    assert places_of({"instance_type": "a"}, {}) == [(None, False)]
    assert places_of({"instance_type": "a"}, {"a": ("FIN-01", "X")}) == [("FIN-01", True), ("X", True)]
    assert places_of({}, {"a": ("FIN-01",)}) == [(None, None)]
