"""Cloudflare's traps: answers that the SDK's strict mode accepts, tokens of two kinds, what stays inside."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloudtop.errors import Forbidden, Invalid, NotConfigured, RateLimited, Unauthorized
from cloudtop.inventory import MetricQuery, Series, Target
from cloudtop.models import Health, Scope
from cloudtop.sandbox.clouds.cloudflare import ACCOUNTS
from cloudtop.sandbox.serve import Sandbox, running
from connectors.cloudflare_errors import refusal
from tests.audit import company
from tests.connectors.raw_servers import START
from tests.connectors.sellers import connector_at, serving

cloudflare = pytest.importorskip("cloudflare")

PROD: Any = ACCOUNTS["prod"]
NUMBER = company.file("cloudflare")["accounts"]["prod"]["number"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running(("cloudflare",)) as found:
        yield found


@pytest.fixture(autouse=True)
def _calm(sandbox: Sandbox) -> None:
    sandbox.calm()


async def test_the_sdk_in_its_strict_mode_takes_every_answer_of_the_sandbox(sandbox: Sandbox) -> None:
    """Of the account where nothing is left out: the SDK wants more than Cloudflare tells everywhere."""
    async with cloudflare.AsyncCloudflare(
        api_token=PROD["api_key"],
        base_url=f"{sandbox.endpoint('cloudflare')}/client/v4",
        max_retries=0,
        _strict_response_validation=True,
    ) as sdk:
        listings = {
            "function": sdk.workers.scripts.list(account_id=NUMBER),
            "model": sdk.ai.models.list(account_id=NUMBER),
            "zone": sdk.zones.list(account={"id": NUMBER}),
            "app": sdk.pages.projects.list(account_id=NUMBER),
            "queue": sdk.queues.list(account_id=NUMBER),
        }
        for kind, listing in listings.items():
            found = [one async for one in listing]
            assert len(found) == len([one for one in company.of("cloudflare", kind) if one.account == "prod"])
        databases = [one async for one in sdk.d1.database.list(account_id=NUMBER)]
        for one in databases:
            assert (await sdk.d1.database.get(one.uuid, account_id=NUMBER)).file_size
        assert len([one async for one in sdk.kv.namespaces.list(account_id=NUMBER)]) == len(databases) == 4
        for place, many in (("default", 3), ("eu", 1), ("us", 1), ("fedramp", 0), ("fedramp-high", 0)):
            page = await sdk.r2.buckets.list(account_id=NUMBER, cf_r2_jurisdiction=place)
            assert len(page.buckets) == many, place
        tagged = [one async for one in sdk.resource_tagging.list(account_id=NUMBER)]
        own = company.things("cloudflare")
        assert len(tagged) == len([one for one in own if one.account == "prod" and one.tags])
        queue = company.of("cloudflare", "queue")[0].id
        assert (await sdk.queues.get_metrics(queue, account_id=NUMBER)).backlog_count == 42
        assert (await sdk.user.tokens.verify()).status == "active"
        assert [one.id async for one in sdk.accounts.list()] == [NUMBER]


async def test_the_strict_mode_would_notice_a_wrong_shape() -> None:
    wrong = {"success": True, "errors": [], "messages": [], "result": {"buckets": "none"}}
    async with serving([{"ask": f"GET /client/v4/accounts/{NUMBER}/r2/buckets", "body": wrong}]) as (url, _):
        base = f"{url}/client/v4"
        sdk = cloudflare.AsyncCloudflare(api_token="x", base_url=base, _strict_response_validation=True)
        async with sdk:
            with pytest.raises(cloudflare.APIResponseValidationError):
                await sdk.r2.buckets.list(account_id=NUMBER)


async def checks(sandbox: Sandbox, auth: Any, home: Path, kind: str = "health") -> dict[str, Health]:
    async with connector_at("cloudflare", sandbox.endpoint("cloudflare"), auth, home) as connector:
        rows = [
            row
            async for page in getattr(connector, kind)(Scope("cloudflare", "default", kind=kind))
            for row in page
        ]
    return {row.check if kind == "health" else row.name: row for row in rows}


async def test_tokens_of_users_and_of_accounts_are_both_known(sandbox: Sandbox, tmp_path: Path) -> None:
    found = await checks(sandbox, PROD, tmp_path)
    assert found["credentials"].message == "The key is accepted: a token of a user."
    found = await checks(sandbox, ACCOUNTS["sandbox"], tmp_path)
    assert (
        found["credentials"].message == "The key is accepted: a token of the account, which ends 2027-06-30."
    )
    found = await checks(sandbox, {"api_key": "nobody's-token-at-all", "account_id": NUMBER}, tmp_path)
    assert (found["credentials"].status, found["api"].status) == ("failing", "healthy")


async def test_a_token_that_has_ended_is_no_good_token(tmp_path: Path) -> None:
    body = {"success": True, "errors": [], "messages": [], "result": {"id": "t", "status": "expired"}}
    async with (
        serving([{"ask": "GET /client/v4/user/tokens/verify", "body": body}]) as (url, _),
        connector_at("cloudflare", url, PROD, tmp_path) as connector,
    ):
        scope = Scope("cloudflare", "default", kind="health")
        rows = [row async for page in connector.health(scope) for row in page]
    assert rows[0].status == "failing"
    assert "it is expired" in rows[0].message


async def test_a_permission_that_is_missing_is_named(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.fault("cloudflare", "403", path=f"/client/v4/accounts/{NUMBER}/queues")
    sandbox.fault("cloudflare", "403", path="/client/v4/graphql")
    found = await checks(sandbox, PROD, tmp_path, "permissions")
    assert {name for name, row in found.items() if row.status == "failing"} == {"queues", "metrics"}
    assert {name for name, row in found.items() if row.status == "degraded"} == {"buckets", "namespaces"}
    assert "Queues Read" in found["queues"].message


async def test_a_token_that_sees_several_accounts_needs_to_be_told_which(tmp_path: Path) -> None:
    body = {"success": True, "errors": [], "messages": [], "result": [{"id": "a"}, {"id": "b"}]}
    async with (
        serving([{"ask": "GET /client/v4/accounts?per_page=50", "body": body}]) as (url, _),
        connector_at("cloudflare", url, {"api_key": "t-several"}, tmp_path) as connector,
    ):
        with pytest.raises(NotConfigured, match="several accounts") as raised:
            [row async for row in connector.workers(Scope("cloudflare", "default", kind="workers"))]
    assert "CLOUDFLARE_ACCOUNT_ID" in raised.value.next_step


async def test_what_the_environment_holds_for_the_sdk_does_not_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFLARE_EMAIL", "somebody@brightwater.example")
    monkeypatch.setenv("CLOUDFLARE_API_KEY", "global-key-of-somebody")
    monkeypatch.setenv("CLOUDFLARE_BASE_URL", "http://127.0.0.1:9/elsewhere")
    seen: list[dict[str, str]] = []
    with running(("cloudflare",)) as sandbox:
        layer = sandbox.app("cloudflare")
        inner = layer.app

        async def looking(scope: Any, receive: Any, send: Any) -> None:
            seen.append({key.decode(): value.decode() for key, value in scope["headers"]})
            await inner(scope, receive, send)

        monkeypatch.setattr(layer, "app", looking)
        async with connector_at("cloudflare", sandbox.endpoint("cloudflare"), PROD, tmp_path) as connector:
            [row async for row in connector.workers(Scope("cloudflare", "default", kind="workers"))]
    assert seen
    for headers in seen:
        assert headers["authorization"] == f"Bearer {PROD['api_key']}"
        assert not [name for name in headers if name.startswith(("x-auth", "x-stainless"))]


async def series(sandbox: Sandbox, home: Path, **about: Any) -> list[Series]:
    async with connector_at("cloudflare", sandbox.endpoint("cloudflare"), PROD, home) as connector:
        scope = Scope("cloudflare", "default", "global", "metrics")
        return [one async for page in connector.metrics(scope, MetricQuery(**about)) for one in page]


async def test_a_year_is_asked_for_as_far_as_it_is_kept(tmp_path: Path) -> None:
    now = START
    shop = Target("shop-edge", "shop-edge", {"service": "worker"})
    with running(("cloudflare",), now=now) as sandbox:
        (one,) = await series(sandbox, tmp_path, type="function", metrics=("invocations",), targets=(shop,),
                              start=now - timedelta(days=365), end=now, step_s=86_400)  # fmt: skip
    assert now - one.points[0][0] < timedelta(days=32)
    assert len(one.points) >= 30


async def test_queries_of_a_day_are_told_by_the_second(sandbox: Sandbox, tmp_path: Path) -> None:
    """6,000 reads a minute and one write are a hundred a second, today too."""
    now = datetime.now(UTC)
    flags = Target("0f2ac74b498b48028cb68387c421e279", "feature-flags", {"service": "kv"})
    (one,) = await series(sandbox, tmp_path, type="database", metrics=("queries",), targets=(flags,),
                          start=now - timedelta(days=3), end=now, step_s=3600)  # fmt: skip
    assert [round(value) for _, value in one.points[:3]] == [100, 100, 100]


async def test_a_question_is_about_one_account_and_as_many_groups_as_there_may_be(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    many = tuple(Target(f"worker-{number}", None, {"service": "worker"}) for number in range(100))
    await series(sandbox, tmp_path, type="function", metrics=("invocations", "errors"), targets=many,
                 start=now - timedelta(days=1), end=now, step_s=300)  # fmt: skip
    asked = [one.json() for one in sandbox.requests if one.path.endswith("/graphql")]
    assert len(asked) == 3
    assert {one["variables"]["accountTag"] for one in asked} == {NUMBER}
    assert max(len(one["variables"]["ids"]) for one in asked) * 290 <= 10_000


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (200, "not authorized for that account", Forbidden),
        (200, "rate limiter budget depleted, try again after 5 minutes", RateLimited),
        (200, "cannot request data older than 2678400s", Invalid),
        (503, "too many queries in progress", RateLimited),
        (403, "Invalid access token", Unauthorized),
        (400, "Invalid request headers", Unauthorized),
        (403, "Authentication error", None),
    ],
)
def test_an_error_is_what_it_says_and_not_its_status(status: int, message: str, kind: Any) -> None:
    assert refusal(status, {"data": None, "errors": [{"message": message}]}) is kind


def test_an_answer_without_errors_is_one() -> None:
    assert refusal(200, {"success": True, "errors": None, "result": []}) is None
    assert refusal(200, {"data": {"viewer": {}}, "errors": None}) is None
    assert refusal(200, {"success": False, "errors": []}) is Invalid


def test_nothing_of_the_sdk_is_imported_before_cloudflare_is_asked() -> None:
    code = """
import json, sys
from connectors import discovery
found = discovery.connector_class(discovery.found()["cloudflare"])
print(json.dumps([name for name in sys.modules if name in ("cloudflare", "httpx", "pydantic")]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(done.stdout) == []
