"""An account of Azure: how it signs in, which subscriptions it reads, what is measured, what a key may do."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloudtop.errors import CloudError, Forbidden, Invalid, NotConfigured, NotFound, Unauthorized
from cloudtop.inventory import MetricQuery, Series, Target
from cloudtop.models import Health, Scope
from cloudtop.sandbox.clouds.azure import ACCOUNTS, CLOUD
from cloudtop.sandbox.serve import Sandbox, running
from cloudtop.settings import load
from connectors import azure_permissions, discovery
from connectors.azure_base import placed
from connectors.azure_errors import refusal
from tests.connectors.raw_servers import Audit, Clock, Hosts, reply, serving
from tests.connectors.sellers import connector_at

pytest.importorskip("azure.mgmt.compute")

KEY = {"tenant_id": "t", "client_id": "c", "client_secret": "canary-secret"}
ONE = {**KEY, "subscription_id": "s1"}
TOKEN = reply(200, json.dumps({"token_type": "Bearer", "expires_in": 3599, "access_token": "canary-token"}))
NOTHING = reply(200, '{"value": []}')
PROD = "6f2c1d84-93a5-4e0b-8f37-2b5d9c70a1e6"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running(("azure",)) as made:
        yield made


@pytest.fixture
def azure(sandbox: Sandbox) -> Sandbox:
    sandbox.calm()
    return sandbox


@asynccontextmanager
async def prod(azure: Sandbox, home: Path, **more: str) -> AsyncIterator[Any]:
    """A connector with the key of the sandbox's first account, which no subscription is named of."""
    async with connector_at("azure", azure.endpoint("azure"), {**ACCOUNTS["prod"], **more}, home) as made:
        yield made


async def listed(connector: Any, kind: str) -> list[Any]:
    scope = Scope("azure", "default", kind=kind)
    return [row async for page in getattr(connector, kind)(scope) for row in page]


def asked(azure: Sandbox, part: str = "") -> list[str]:
    return [one.path for one in azure.requests if part in one.path]


async def test_many_listings_at_once_sign_in_once(azure: Sandbox, tmp_path: Path) -> None:
    async with prod(azure, tmp_path, subscription_id=PROD) as connector:
        await asyncio.gather(
            *(listed(connector, kind) for kind in ("volumes", "vpcs", "addresses", "caches"))
        )
        await listed(connector, "clusters")
    assert len(asked(azure, "/oauth2/")) == 1


async def test_a_token_that_has_ended_is_not_used_any_more(tmp_path: Path) -> None:
    ending = reply(200, json.dumps({"token_type": "Bearer", "expires_in": 0, "access_token": "canary-old"}))
    async with (
        serving(ending, NOTHING, TOKEN, NOTHING) as server,
        connector_at("azure", server.url, ONE, tmp_path) as azure,
    ):
        await listed(azure, "vpcs")
        await listed(azure, "vpcs")
    sent = [
        str(one.headers["Authorization"]) for one in server.requests if b"/providers/" in one.line.encode()
    ]
    assert sent == ["Bearer canary-old", "Bearer canary-token"]


async def test_the_secret_goes_to_the_sign_in_and_nowhere_else(tmp_path: Path) -> None:
    async with (
        serving(TOKEN, NOTHING) as server,
        connector_at("azure", server.url, ONE, tmp_path) as azure,
    ):
        await listed(azure, "volumes")
        await listed(azure, "vpcs")
    first, *others = server.requests
    assert first.line.startswith("POST /t/oauth2/v2.0/token ")
    assert b"client_secret=canary-secret" in first.body
    assert all("canary-secret" not in f"{one.line} {one.headers} {one.body!r}" for one in others)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (
            401,
            {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid secret"},
            Unauthorized,
        ),
        (400, {"error": "invalid_request", "error_description": "AADSTS90002: No tenant"}, Unauthorized),
        (400, {"error": "unauthorized_client", "error_description": "AADSTS700016: No app"}, Unauthorized),
    ],
)
async def test_a_sign_in_that_is_refused_says_that_the_key_is_wrong(
    status: int, body: dict[str, str], kind: type[CloudError], tmp_path: Path
) -> None:
    async with (
        serving(reply(status, json.dumps(body))) as server,
        connector_at("azure", server.url, ONE, tmp_path) as azure,
    ):
        with pytest.raises(kind) as caught:
            await listed(azure, "volumes")
    assert "AADSTS" in caught.value.message
    assert "AZURE_CLIENT_SECRET" in caught.value.next_step
    assert "canary" not in str(caught.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "told", ["{}", '{"access_token": "a"}', '{"expires_in": "soon", "access_token": "a"}', "[]"]
)
async def test_a_sign_in_that_gives_no_token_is_no_answer(told: str, tmp_path: Path) -> None:
    async with (
        serving(reply(200, told)) as server,
        connector_at("azure", server.url, ONE, tmp_path) as azure,
    ):
        with pytest.raises((Invalid, Unauthorized)):
            await listed(azure, "volumes")


async def test_a_tenant_that_can_be_none_is_said_to_be_so(tmp_path: Path) -> None:
    async with connector_at("azure", "http://127.0.0.1:1", {**ONE, "tenant_id": "a/b"}, tmp_path) as azure:
        with pytest.raises(Unauthorized, match="tenant"):
            await listed(azure, "volumes")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (409, "MissingSubscriptionRegistration", NotFound),
        (403, "AuthorizationFailed", Forbidden),
        (401, "InvalidAuthenticationToken", Unauthorized),
        (404, "ResourceNotFound", None),
        (429, "OperationNotAllowed", None),
        (200, "InternalError", Invalid),
    ],
)
def test_a_code_means_what_it_says_whatever_the_status(
    status: int, code: str, kind: type[CloudError] | None
) -> None:
    assert refusal(status, {"error": {"code": code, "message": "The words of it."}}) is kind


async def test_without_a_subscription_all_are_read_that_may_be_used(tmp_path: Path) -> None:
    seen = [
        {"subscriptionId": "s1", "state": "Enabled"},
        {"subscriptionId": "s2", "state": "Disabled"},
        {"subscriptionId": "s3", "state": "Warned"},
        {"subscriptionId": "s4", "state": "Deleted"},
    ]
    several = reply(200, json.dumps({"value": seen}))
    async with (
        serving(TOKEN, several, NOTHING) as server,
        connector_at("azure", server.url, KEY, tmp_path) as azure,
    ):
        await listed(azure, "vpcs")
        await listed(azure, "addresses")
    paths = [one.line.split()[1].partition("?")[0] for one in server.requests[1:]]
    assert paths == [
        "/subscriptions",
        "/subscriptions/s1/providers/Microsoft.Network/virtualNetworks",
        "/subscriptions/s3/providers/Microsoft.Network/virtualNetworks",
        "/subscriptions/s1/providers/Microsoft.Network/publicIPAddresses",
        "/subscriptions/s3/providers/Microsoft.Network/publicIPAddresses",
    ]


async def test_an_account_that_keeps_files_alone_is_not_asked_for_blobs(tmp_path: Path) -> None:
    """It would answer with an error, for which no bucket of the others could be told."""
    within = "/subscriptions/s1/resourceGroups/g/providers/Microsoft.Storage/storageAccounts"
    kinds = {"files": "FileStorage", "blobs": "StorageV2"}
    accounts = [{"id": f"{within}/{name}", "name": name, "kind": kind} for name, kind in kinds.items()]
    inside = {"id": f"{within}/blobs/blobServices/default/containers/logs", "name": "logs"}
    async with (
        serving(
            TOKEN, reply(200, json.dumps({"value": accounts})), reply(200, json.dumps({"value": [inside]}))
        ) as server,
        connector_at("azure", server.url, ONE, tmp_path) as azure,
    ):
        (row,) = await listed(azure, "buckets")
    assert (row.name, row.details["account"]) == ("logs", "blobs")
    assert [one.line.split()[1].partition("?")[0] for one in server.requests[2:]] == [
        f"{within}/blobs/blobServices/default/containers"
    ]


async def test_a_key_that_sees_no_subscription_says_so(tmp_path: Path) -> None:
    async with (
        serving(TOKEN, NOTHING) as server,
        connector_at("azure", server.url, KEY, tmp_path) as azure,
    ):
        with pytest.raises(NotFound, match="sees no subscription"):
            await listed(azure, "vpcs")


async def test_nothing_is_ever_changed_even_where_the_sdk_would(azure: Sandbox, tmp_path: Path) -> None:
    """Left alone, azure-mgmt-core registers a service that is missing in a subscription."""
    missing = reply(
        409, '{"error": {"code": "MissingSubscriptionRegistration", "message": "Not registered."}}'
    )
    async with (
        serving(TOKEN, missing) as server,
        connector_at("azure", server.url, ONE, tmp_path) as connector,
    ):
        assert await listed(connector, "images") == []
        assert [one.code for one in connector.notes] == ["not_found"]
    assert [one.line.split()[0] for one in server.requests] == ["POST", "GET"]


async def test_addresses_that_may_not_be_read_cost_no_machine(azure: Sandbox, tmp_path: Path) -> None:
    azure.fault("azure", "403", text="networkInterfaces")
    async with prod(azure, tmp_path, subscription_id=PROD) as connector:
        rows = await listed(connector, "instances")
        (note,) = connector.notes
    assert len(rows) == 16
    assert {row.private_ip for row in rows} == {None}
    assert {row.status for row in rows} >= {"running", "stopped"}
    assert (note.code, note.severity) == ("forbidden", "warning")


async def test_where_the_state_of_machines_is_refused_it_is_not_known(azure: Sandbox, tmp_path: Path) -> None:
    azure.fault("azure", "403", text="statusOnly")
    async with prod(azure, tmp_path, subscription_id=PROD) as connector:
        rows = await listed(connector, "instances")
        (note,) = connector.notes
    assert {row.name: row.status for row in rows if row.status != "unknown"} == {"staging-1": "starting"}
    assert {row.vcpus for row in rows} >= {4.0, 96.0}
    assert "Which machines run is not known" in note.message
    assert len(asked(azure, "virtualMachines")) == 3, "what was refused was asked again"


@pytest.mark.parametrize("told", ["[]", '{"value": {}}', "7"])
async def test_a_listing_of_the_sdk_that_is_none_is_invalid(told: str, tmp_path: Path) -> None:
    async with (
        serving(TOKEN, reply(200, told)) as server,
        connector_at("azure", server.url, ONE, tmp_path) as connector,
    ):
        with pytest.raises(Invalid, match="without a list"):
            await listed(connector, "volumes")


@pytest.mark.parametrize(
    ("url", "endpoint", "expected"),
    [
        ("/subscriptions?a=1", "http://127.0.0.1:9", "/subscriptions?a=1"),
        ("https://management.azure.com:443/a?b=1", "http://127.0.0.1:9/", "http://127.0.0.1:9/a?b=1"),
        ("https://eastus.metrics.monitor.azure.com/a", "http://127.0.0.1:9", "http://127.0.0.1:9/a"),
        ("https://management.azure.com.evil.example/a", "http://127.0.0.1:9", None),
        ("https://management.azure.com/a", None, None),
    ],
)
def test_only_azures_own_hosts_are_asked_at_the_endpoint_instead(
    url: str, endpoint: str | None, expected: str | None
) -> None:
    assert placed(url, endpoint, discovery.found()["azure"].hosts) == (expected or url)


async def test_the_health_of_an_account_names_its_subscription(azure: Sandbox, tmp_path: Path) -> None:
    async with prod(azure, tmp_path) as connector:
        rows = [row async for page in connector.health(Scope("azure", kind="health")) for row in page]
    said = {row.check: (row.status, row.message) for row in rows}
    assert said["credentials"] == ("healthy", "The key is accepted: subscription Brightwater Production.")
    assert said["api"][0] == "healthy"


async def may(azure: Sandbox, account: str, home: Path) -> dict[str, Health]:
    async with connector_at("azure", azure.endpoint("azure"), ACCOUNTS[account], home) as connector:
        scope = Scope("azure", "default", kind="permissions")
        return {row.name: row async for page in connector.permissions(scope) for row in page}


async def test_what_a_key_may_do_follows_from_its_roles(azure: Sandbox, tmp_path: Path) -> None:
    rows = await may(azure, "sandbox", tmp_path)
    assert set(rows) == set(discovery.found()["azure"].needs)
    denied = {name: row.status for name, row in rows.items() if row.status != "healthy"}
    assert denied == {"images": "failing", "zones": "failing"}
    assert "Microsoft.Network/dnsZones/read" in rows["zones"].message
    assert {row.status for row in (await may(azure, "prod", tmp_path)).values()} == {"healthy"}


@pytest.mark.parametrize(
    ("roles", "allowed"),
    [
        ([{"actions": ["*"]}], True),
        ([{"actions": ["microsoft.compute/*/READ"]}], True),
        ([{"actions": ["*/read"], "notActions": ["Microsoft.Compute/disks/read"]}], False),
        # A role takes away only from itself.
        ([{"actions": ["*"], "notActions": ["Microsoft.Compute/*"]}, {"actions": ["*/read"]}], True),
        ([{"actions": ["Microsoft.Compute/disks/write"]}], False),
        ([{"actions": ["Microsoft.Compute/disks/rea."]}], False),
        ([{"dataActions": ["*"]}], False),
        ([], False),
    ],
)
def test_an_action_is_allowed_by_any_one_role(roles: list[dict[str, Any]], allowed: bool) -> None:
    assert azure_permissions.allows(roles, "Microsoft.Compute/disks/read") is allowed


NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


async def measured(
    azure: Sandbox, home: Path, kind: str, listing: str, name: str, *metrics: str, **more: Any
) -> dict[str, Series]:
    """Series of one resource over the two full hours before this one, by metric."""
    async with prod(azure, home, subscription_id=PROD) as connector:
        rows = [row for row in await listed(connector, listing) if row.name == name]
        targets = tuple(Target(row.id, row.name, row.details) for row in rows)
        about: dict[str, Any] = {"start": NOW - timedelta(hours=2), "end": NOW, "step_s": 300} | more
        wanted = MetricQuery(kind, metrics, targets=targets, **about)
        scope = Scope("azure", "default", rows[0].region, "metrics")
        return {one.metric: one async for page in connector.metrics(scope, wanted) for one in page}


def mean(one: Series) -> float:
    return sum(value for _, value in one.points) / len(one.points)


async def test_values_are_in_our_units(azure: Sandbox, tmp_path: Path) -> None:
    names = ("cpu", "memory", "memory_free", "network_in", "disk_write", "read_iops")
    found = await measured(azure, tmp_path, "instance", "instances", "web-prod-5", *names)
    assert {name: len(one.points) for name, one in found.items()} == dict.fromkeys(names, 24)
    assert found["cpu"].points[0][0] == NOW - timedelta(hours=2)
    assert {name: round(mean(one), 3) for name, one in found.items()} == {
        "cpu": 46.0,
        # What is available is 37.5 percent.
        "memory": 62.5,
        "memory_free": 6442450944.0,
        # Bytes of a minute, told as a total of five.
        "network_in": 20000.0,
        "disk_write": 4000.0,
        "read_iops": 3.0,
    }


async def test_the_most_memory_in_use_is_the_least_that_is_left(azure: Sandbox, tmp_path: Path) -> None:
    whole = {"step_s": 3600, "stat": "max"}
    found = await measured(azure, tmp_path, "instance", "instances", "web-prod-5", "cpu", "memory", **whole)
    assert round(max(value for _, value in found["cpu"].points), 1) == 58.0
    assert [round(value, 1) for _, value in found["memory"].points] == [67.5, 67.5]


async def test_counts_are_totals_and_seconds_become_milliseconds(azure: Sandbox, tmp_path: Path) -> None:
    names = ("invocations", "errors", "latency", "latency_max")
    found = await measured(azure, tmp_path, "function", "functions", "label-render", *names)
    assert {name: round(one.points[0][1], 3) for name, one in found.items()} == {
        "invocations": 15000.0,
        "errors": 60.0,
        "latency": 240.0,
        "latency_max": 240.0,
    }


async def test_a_database_is_measured_as_its_own_service_does(azure: Sandbox, tmp_path: Path) -> None:
    names = ("cpu", "memory", "connections", "disk", "network_out")
    postgres = await measured(azure, tmp_path, "database", "postgres_servers", "db-parcels", *names)
    assert {name: round(mean(one), 1) for name, one in postgres.items()} == {
        "cpu": 66.0,
        "memory": 72.0,
        "connections": 190.0,
        "disk": 81.0,
        "network_out": 300000.0,
    }
    sql = await measured(azure, tmp_path, "database", "sql_databases", "orders", *names)
    assert {name: round(mean(one), 1) for name, one in sql.items()} == {
        "cpu": 52.0,
        "connections": 84.0,
        "disk": 36.0,
    }


async def test_fifty_resources_are_asked_for_at_once_and_no_more(azure: Sandbox, tmp_path: Path) -> None:
    ids = [
        f"/subscriptions/s1/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v{n}"
        for n in range(120)
    ]
    targets = tuple(
        Target(one, None, {"location": "eastus" if n < 70 else "westus3"}) for n, one in enumerate(ids)
    )
    wanted = MetricQuery(
        "instance", ("cpu", "memory", "network_in"), NOW - timedelta(hours=1), NOW, 60, targets=targets
    )
    async with (
        serving(TOKEN, reply(200, '{"values": []}')) as server,
        connector_at("azure", server.url, ONE, tmp_path) as connector,
    ):
        scope = Scope("azure", "default", "eastus", "metrics")
        assert [page async for page in connector.metrics(scope, wanted) if page] == []
    batches = [one.json["resourceids"] for one in server.requests[1:]]
    # Averages of two metrics, totals of one; seventy in one region, fifty in another.
    assert sorted(map(len, batches)) == [20, 20, 50, 50, 50, 50]
    assert "scope=https%3A%2F%2Fmetrics.monitor.azure.com%2F.default" in server.requests[0].body.decode()


def test_the_sandbox_takes_no_token_for_another_service(azure: Sandbox) -> None:
    import httpx

    url = azure.endpoint("azure")
    tenant = ACCOUNTS["prod"]["tenant_id"]
    form = {
        **ACCOUNTS["prod"],
        "grant_type": "client_credentials",
        "scope": "https://graph.microsoft.com/.default",
    }
    del form["tenant_id"]
    token = httpx.post(f"{url}/{tenant}/oauth2/v2.0/token", data=form).json()["access_token"]
    told = httpx.get(
        f"{url}/subscriptions?api-version=2022-12-01", headers={"Authorization": f"Bearer {token}"}
    )
    assert (told.status_code, told.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")


def settings(home: Path, azure: Mapping[str, Any], **environ: str) -> Any:
    facts = discovery.found()["azure"]
    file = home / "config.json"
    file.write_text(json.dumps({"providers": {"azure": azure}}))
    return load(
        file,
        home,
        environ={"HOME": str(home), **environ},
        variables={("azure", name): tuple(names) for name, names in facts.credentials.items()},
        ambient={"azure": facts.ambient},
    )


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The home of somebody in whose environment nothing of Azure is."""
    for name in [one for one in os.environ if one.startswith(("AZURE_", "IDENTITY_", "MSI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@asynccontextmanager
async def ambient(home: Path, azure: Mapping[str, Any], **environ: str) -> AsyncIterator[Any]:
    """A connector of somebody whose home and environment these are."""
    known = settings(home, azure, **environ)
    made = discovery.make(
        discovery.found()["azure"],
        known.provider("azure"),
        secrets=known,
        clock=Clock(datetime.now(UTC)),
        hosts=Hosts(),
        audit=Audit(),
    )
    try:
        yield made
    finally:
        await made.aclose()


async def test_without_any_credentials_it_is_said_what_to_set(tmp_path: Path) -> None:
    async with ambient(tmp_path, {}) as connector:
        with pytest.raises(
            NotConfigured, match="AZURE_TENANT_ID and AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"
        ):
            await listed(connector, "vpcs")


async def test_who_has_signed_in_with_the_azure_cli_needs_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The CLI here is a script that tells a token, as the real one does."""
    (tmp_path / ".azure").mkdir()
    (tmp_path / ".azure" / "azureProfile.json").write_text("{}")
    token = {
        "accessToken": "canary-cli-token",
        "expiresOn": "2036-01-01 00:00:00.000000",
        "tokenType": "Bearer",
    }
    script = tmp_path / "bin" / "az"
    script.parent.mkdir()
    script.write_text(f"#!/bin/sh\necho '{json.dumps(token)}'\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")
    async with serving(NOTHING) as server:
        options = {"options": {"endpoint": server.url, "subscription_id": "s1"}}
        async with ambient(tmp_path, options) as connector:
            assert connector.has_credentials("default")
            await listed(connector, "vpcs")
    assert [str(one.headers["Authorization"]) for one in server.requests] == ["Bearer canary-cli-token"]


async def test_a_cli_that_nobody_signed_in_with_says_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".azure").mkdir()
    (tmp_path / ".azure" / "azureProfile.json").write_text("{}")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    async with ambient(tmp_path, {"options": {"subscription_id": "s1"}}) as connector:
        with pytest.raises(CloudError, match="az login") as caught:
            await listed(connector, "vpcs")
    assert caught.value.code in ("not_configured", "unauthorized")
    assert "azureProfile.json" in caught.value.message


FILED = {"tenantId": "t", "clientId": "c", "clientSecret": "canary-filed", "subscriptionId": "s9"}


@pytest.mark.parametrize("named", [True, False])
async def test_a_file_of_a_service_principal_is_a_key(named: bool, tmp_path: Path) -> None:
    file = tmp_path / ("elsewhere.json" if named else ".azure/credentials.json")
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(FILED))
    # A file that is named goes before the machine.
    auth = {"auth": {"key_file": str(file), "method": "service_account"}} if named else {}
    async with (
        serving(TOKEN, NOTHING) as server,
        ambient(tmp_path, {"options": {"endpoint": server.url}, **auth}) as connector,
    ):
        await listed(connector, "vpcs")
    first, second = server.requests
    assert b"client_secret=canary-filed" in first.body
    assert "/subscriptions/s9/" in second.line


async def test_a_file_that_cannot_be_read_says_how_it_is_written(tmp_path: Path) -> None:
    auth = {"auth": {"key_file": str(tmp_path / "nowhere.json")}}
    async with ambient(tmp_path, auth) as connector:
        with pytest.raises(NotConfigured, match="create-for-rbac"):
            await listed(connector, "vpcs")


async def test_a_secret_out_of_a_file_is_not_repeated_either(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    file.write_text(json.dumps(FILED))
    said = reply(401, '{"error": "invalid_client", "error_description": "AADSTS1: wrong is canary-filed"}')
    async with serving(said) as server:
        config = {"options": {"endpoint": server.url}, "auth": {"key_file": str(file)}}
        async with ambient(tmp_path, config) as connector:
            with pytest.raises(Unauthorized) as caught:
                await listed(connector, "vpcs")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("may", [True, False])
async def test_the_machine_is_asked_who_it_is_only_where_that_is_said(
    may: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine is one of App Service, whose address stands in two variables."""
    (tmp_path / ".azure").mkdir()
    (tmp_path / ".azure" / "azureProfile.json").write_text("{}")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("IDENTITY_HEADER", "canary-header")
    told = {
        "access_token": "canary-machine",
        "expires_on": "2080000000",
        "resource": "r",
        "token_type": "Bearer",
    }
    auth = {"auth": {"method": "service_account"}} if may else {}
    async with serving(reply(200, json.dumps(told))) as machine, serving(NOTHING) as server:
        monkeypatch.setenv("IDENTITY_ENDPOINT", machine.url)
        options = {"options": {"endpoint": server.url, "subscription_id": "s1"}, **auth}
        async with ambient(tmp_path, options) as connector:
            if may:
                await listed(connector, "vpcs")
            else:
                with pytest.raises(CloudError):
                    await listed(connector, "vpcs")
    assert len(machine.requests) == int(may)
    sent = [str(one.headers["Authorization"]) for one in server.requests]
    assert sent == (["Bearer canary-machine"] if may else [])


async def test_a_workload_signs_in_with_the_token_that_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    file.write_text("canary-federated")
    told = {"AZURE_FEDERATED_TOKEN_FILE": str(file), "AZURE_CLIENT_ID": "c", "AZURE_TENANT_ID": "t"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    async with serving(TOKEN, NOTHING) as server:
        options = {"options": {"endpoint": server.url, "subscription_id": "s1"}}
        async with ambient(tmp_path, options, **told) as connector:
            await listed(connector, "vpcs")
    first, second = server.requests
    assert b"client_assertion=canary-federated" in first.body
    assert str(second.headers["Authorization"]) == "Bearer canary-token"


async def test_without_its_packages_azure_says_how_to_install_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "connectors.azure_door", raising=False)
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    async with connector_at("azure", "http://127.0.0.1:1", ONE, tmp_path) as connector:
        with pytest.raises(NotConfigured, match=r"pip install 'cloudtop\[azure\]'") as caught:
            await listed(connector, "vpcs")
    assert "azure.identity" in caught.value.message


def test_nothing_of_the_sdk_is_imported_before_azure_is_asked(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom cloudtop.cli.main import ended\n"
        f"code = ended(['--home', {str(tmp_path)!r}, 'call', 'list_providers', '--json'])\n"
        "import connectors.azure\n"
        "heavy = sorted(one for one in sys.modules if one.split('.')[0] in ('azure', 'msal'))\n"
        "print(code, heavy, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stderr.splitlines()[-1] == "0 []", ran.stderr


def test_what_names_an_account_is_no_secret() -> None:
    assert set(CLOUD.secrets) == {one["client_secret"] for one in ACCOUNTS.values()}
