"""Oracle through its SDK: who asks, what one compartment refuses, and what the SDK is kept from."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cloudtop import net
from cloudtop.errors import CloudError, Forbidden, NotConfigured, Unauthorized, Unavailable
from cloudtop.models import Health, Scope
from cloudtop.sandbox.faults import Armed, Exchange, Reply
from cloudtop.sandbox.oci.signed import ACCOUNTS, token
from cloudtop.sandbox.serve import Sandbox, running
from cloudtop.settings import load
from connectors import discovery
from connectors.oci_session import CLIENTS, MEANT_HOST, Clients
from tests.connectors.raw_servers import Audit, Clock, Hosts
from tests.connectors.sellers import connector_at

KEYS = ACCOUNTS["prod"]
INSTANCES = Scope("oci", "default", "us-ashburn-1", "instances")
VISION = "ocid1.compartment.oc1..vision"


@pytest.fixture(scope="module")
def started() -> Iterator[Sandbox]:
    with running(("oci",)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(started: Sandbox) -> Sandbox:
    started.calm()
    return started


async def every(pages: AsyncIterator[list[Any]]) -> list[Any]:
    return [row async for page in pages for row in page]


@asynccontextmanager
async def at(sandbox: Sandbox, home: Path, **auth: str) -> AsyncIterator[Any]:
    """A connector that also looks where Oracle's own tools keep credentials."""
    facts = discovery.found()["oci"]
    fast = {"requests_per_second": 10_000, "burst": 10_000}
    about = {"auth": auth or KEYS, "options": {"endpoint": sandbox.endpoint("oci")}, "rate_limit": fast}
    config = home / "cloudtop.json"
    config.write_text(json.dumps({"providers": {"oci": about}}))
    settings = load(config, home, environ={"HOME": str(home)}, ambient={"oci": facts.ambient})
    ports: dict[str, Any] = {"clock": Clock(), "hosts": Hosts(), "audit": Audit()}
    made = discovery.make(facts, settings.provider("oci"), secrets=settings, **ports)
    try:
        yield made
    finally:
        await made.aclose()


def file(home: Path, text: str) -> str:
    """A configuration file of Oracle's tools, and the key beside it."""
    (home / "key.pem").write_text(KEYS["key_content"])
    place = home / "oci-config"
    place.write_text(text.format(home=home, **KEYS))
    return str(place)


PROFILES = """[DEFAULT]
user={user}
tenancy={tenancy}
fingerprint={fingerprint}
key_file={home}/key.pem
region=eu-frankfurt-1

[broken]
user={user}
tenancy=none
fingerprint={fingerprint}
key_file={home}/key.pem
region=us-ashburn-1
"""


async def said(connector: Any) -> dict[str, Health]:
    scope = Scope("oci", "default", kind="health")
    return {one.check: one for one in await every(connector.health(scope))}


async def test_a_profile_of_oracles_own_tools_is_used_with_its_home_region(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with at(sandbox, tmp_path, key_file=file(tmp_path, PROFILES)) as connector:
        checks = await said(connector)
    assert checks["credentials"].healthy
    assert (
        "tenancy brightwater, at home in eu-frankfurt-1. Found in key_file" in checks["credentials"].message
    )


async def test_a_key_file_beside_tenancy_and_user_is_the_private_key(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    file(tmp_path, "")
    auth = {**KEYS, "key_file": str(tmp_path / "key.pem")}
    del auth["key_content"]
    async with at(sandbox, tmp_path, **auth) as connector:
        assert (await said(connector))["credentials"].healthy


async def test_the_token_of_a_session_is_used_and_read_again_when_it_is_renewed(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    session = PROFILES.replace("user={user}", "security_token_file={home}/token", 1)
    place, held = file(tmp_path, session), tmp_path / "token"
    held.write_text(f"{token('prod')}x")
    async with at(sandbox, tmp_path, key_file=place) as connector:
        assert (await said(connector))["credentials"].status == "failing"
        held.write_text(f"{token('prod')}\n")
        checks = await said(connector)
        repeating = _answering(400, f"InvalidParameter: The token {token('prod')} is odd.")
        sandbox.layers["oci"].arm("repeating", repeating, path="/20160918/vcns")
        with pytest.raises(CloudError) as raised:
            await every(connector.vcns(Scope("oci", "default", "us-ashburn-1", "vcns")))
    assert checks["credentials"].healthy
    assert "tenancy brightwater, at home in eu-frankfurt-1" in checks["credentials"].message
    assert "The token" in str(raised.value)
    assert token("prod") not in str(raised.value)


async def test_a_resource_principal_of_the_environment_is_who_the_machine_is(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {
        "VERSION": "2.2",
        "RPST": token("prod"),
        "PRIVATE_PEM": KEYS["key_content"],
        "REGION": "us-ashburn-1",
    }
    for name, value in told.items():
        monkeypatch.setenv(f"OCI_RESOURCE_PRINCIPAL_{name}", value)
    async with at(sandbox, tmp_path, method="service_account") as connector:
        checks = await said(connector)
        assert await every(connector.instances(INSTANCES))
    assert "tenancy brightwater, at home in us-ashburn-1" in checks["credentials"].message


async def test_the_usual_place_is_found_by_its_variable(sandbox: Sandbox, tmp_path: Path) -> None:
    facts = discovery.found()["oci"]
    config = tmp_path / "c.json"
    config.write_text("{}")
    ambient = {"oci": facts.ambient}
    environ = {"HOME": str(tmp_path), "OCI_CONFIG_FILE": file(tmp_path, PROFILES)}
    found = load(config, tmp_path, environ=environ, ambient=ambient).provider("oci")
    assert found.source("default") == "OCI_CONFIG_FILE"


@pytest.mark.parametrize(
    ("auth", "kind", "words"),
    [
        ({"key_file": "/nowhere/config"}, NotConfigured, "ConfigFileNotFound"),
        ({"profile": "lost"}, NotConfigured, "ProfileNotFound"),
        ({"profile": "broken"}, Unauthorized, "InvalidConfig"),
        ({**KEYS, "key_content": "no key"}, Unauthorized, "InvalidPrivateKey"),
        ({**KEYS, "tenancy": "none"}, Unauthorized, "InvalidConfig"),
        ({**KEYS, "user": "ocid1.user.oc1..stranger"}, Unauthorized, "does not accept the key"),
    ],
)
async def test_credentials_that_are_none_are_told_without_being_shown(
    auth: dict[str, str], kind: type[CloudError], words: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    if "profile" in auth:
        auth = {**auth, "key_file": file(tmp_path, PROFILES)}
    async with at(sandbox, tmp_path, **auth) as connector:
        with pytest.raises(kind) as raised:
            await every(connector.instances(INSTANCES))
    assert words in str(raised.value)
    assert raised.value.next_step
    assert KEYS["fingerprint"] not in str(raised.value)
    assert "no key" not in str(raised.value)


async def test_a_compartment_that_refuses_costs_its_own_resources_and_is_named(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with at(sandbox, tmp_path) as connector:
        whole = {row.id for row in await every(connector.instances(INSTANCES))}
        assert connector.notes == []
        sandbox.fault("oci", "403", path="/20160918/instances", text=VISION)
        left = {row.id for row in await every(connector.instances(INSTANCES))}
    assert {one.rpartition(".")[2] for one in whole - left} == {f"training-node-{n}" for n in range(31, 36)}
    (note,) = connector.notes
    assert note.message.startswith("1 of 5 compartments do not allow this: vision.")
    assert (note.code, note.severity, note.region) == ("forbidden", "warning", "us-ashburn-1")


async def test_a_listing_that_every_compartment_refuses_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.fault("oci", "403", path="/20160918/instances")
    async with at(sandbox, tmp_path) as connector:
        with pytest.raises(Forbidden):
            await every(connector.instances(INSTANCES))


async def test_a_cloud_that_fails_is_asked_as_often_as_the_door_says_and_no_oftener(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """The SDK would try eight times more, and its breaker would answer in the cloud's place."""
    async with at(sandbox, tmp_path) as connector:
        await every(connector.instances(INSTANCES))
        sandbox.fault("oci", "503", path="/20160918/vcns")
        before = len(sandbox.requests)
        with pytest.raises(Unavailable):
            await every(connector.vcns(Scope("oci", "default", "us-ashburn-1", "vcns")))
        asked = [one for one in sandbox.requests[before:] if one.path == "/20160918/vcns"]
    places = {one.query for one in asked}
    assert len(asked) == 4 * len(places)


async def test_the_regions_are_those_that_the_tenancy_has_subscribed_to(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with at(sandbox, tmp_path) as connector:
        found = await every(connector.divisions(Scope("oci", "default", kind="divisions")))
    assert [one.region for one in found] == ["us-ashburn-1", "eu-frankfurt-1"]


async def test_a_key_that_may_not_see_its_tenancy_is_a_good_key(sandbox: Sandbox, tmp_path: Path) -> None:
    words = "NotAuthorizedOrNotFound: Authorization failed or requested resource not found."
    sandbox.layers["oci"].arm("hidden", _answering(404, words), path="/20160918/tenancies")
    async with at(sandbox, tmp_path) as connector:
        checks = await said(connector)
    assert checks["credentials"].healthy
    assert "may not see the tenancy" in checks["credentials"].message


async def test_permissions_are_found_out_by_trying(sandbox: Sandbox, tmp_path: Path) -> None:
    hidden = _answering(404, "NotAuthorizedOrNotFound: Authorization failed.")
    sandbox.layers["oci"].arm("hidden", hidden, path="/20160918/vcns")
    sandbox.layers["oci"].arm("hidden", hidden, path="/20160918/volumes", text=KEYS["tenancy"])
    sandbox.fault("oci", "500", path="/20160918/subnets")
    async with at(sandbox, tmp_path) as connector:
        rows = {
            one.name: one
            for one in await every(connector.permissions(Scope("oci", "default", kind="permissions")))
        }
    assert set(rows) == set(discovery.found()["oci"].needs)
    assert (rows["vcns"].healthy, rows["vcns"].status) == (False, "failing")
    assert "inspect vcns" in rows["vcns"].message
    assert rows["volumes"].healthy
    assert "in some compartments" in rows["volumes"].message
    assert rows["subnets"].healthy is None
    assert rows["instances"].message.startswith("Allowed: inspect instances.")


def _answering(status: int, words: str) -> Any:
    """A fault that answers in Oracle's words: `Code: text`."""
    code, _, text = words.partition(": ")

    async def behave(exchange: Exchange, armed: Armed) -> None:
        await exchange.reply(Reply(status, json.dumps({"code": code, "message": text}).encode()))

    return behave


async def test_without_a_key_what_needs_one_says_what_to_set(sandbox: Sandbox, tmp_path: Path) -> None:
    async with connector_at("oci", sandbox.endpoint("oci"), {}, tmp_path) as connector:
        with pytest.raises(NotConfigured) as raised:
            await every(connector.instances(INSTANCES))
    assert "OCI_CLI_TENANCY" in raised.value.next_step


ALONE = """
import asyncio, json, sys
from pathlib import Path
from cloudtop.models import PriceQuery, Scope
from tests.connectors.sellers import connector_at

async def main(home, endpoint, auth):
    async with connector_at("oci", endpoint, json.loads(auth), Path(home)) as made:
        scope = made.price_scopes(PriceQuery())[0]
        rows = [row async for page in made.gpu_offers(scope) for row in page]
        prices = bool(rows) and "oci" in sys.modules
        vcns = Scope("oci", "default", "us-ashburn-1", "vcns")
        rows = [row async for page in made.vcns(vcns) for row in page]
        print(json.dumps([prices, "oci" in sys.modules, len(rows), "boto3" in sys.modules]))

asyncio.run(main(*sys.argv[1:]))
"""


def test_prices_import_nothing_of_the_sdk_and_a_listing_does(sandbox: Sandbox, tmp_path: Path) -> None:
    command = [sys.executable, "-c", ALONE, str(tmp_path), sandbox.endpoint("oci"), json.dumps(KEYS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == [False, True, 2, False]


def test_without_an_endpoint_each_service_is_asked_at_its_own_host_of_the_region(tmp_path: Path) -> None:
    facts = discovery.found()["oci"]
    config = tmp_path / "cloudtop.json"
    config.write_text(json.dumps({"providers": {"oci": {"auth": KEYS}}}))
    settings = load(config, tmp_path, environ={})
    ports: dict[str, Any] = {"clock": Clock(), "hosts": Hosts(), "audit": Audit()}
    made = discovery.make(facts, settings.provider("oci"), secrets=settings, **ports)
    clients = Clients(facts, made.settings, made.http, lambda: None)
    for service in CLIENTS:
        base = clients.client(service, "eu-frankfurt-1", "default").base_client
        url = base.get_endpoint()
        net.check_url(url, facts.hosts, loopback_ok=False)
        assert ".eu-frankfurt-1." in url
        assert MEANT_HOST not in base.session.headers
