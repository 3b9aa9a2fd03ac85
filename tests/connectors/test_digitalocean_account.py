"""An account of DigitalOcean as a whole: its key of Spaces, what its token may read, its regions."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cloudtop.errors import NotConfigured
from cloudtop.models import Scope
from cloudtop.sandbox.clouds.digitalocean import ACCOUNTS, TOKEN
from connectors.digitalocean_spaces import Pair, buckets, signed
from tests.connectors.inventories import amid
from tests.connectors.sellers import connector_at

PROD = ACCOUNTS["prod"]


async def rows(connector: Any, listing: str) -> list[Any]:
    scope = Scope("digitalocean", "default", "global", listing)
    return [row async for page in getattr(connector, listing)(scope) for row in page]


async def test_spaces_without_a_key_of_their_own_are_said_not_to_be_asked(tmp_path: Path) -> None:
    with amid("digitalocean") as sandbox:
        url = sandbox.endpoint("digitalocean")
        async with connector_at("digitalocean", url, {"api_key": TOKEN}, tmp_path) as connector:
            with pytest.raises(NotConfigured, match="not asked") as told:
                await rows(connector, "spaces")
            assert "SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY" in told.value.next_step
            assert sandbox.requests == []
            # The rest needs none.
            assert len(await rows(connector, "gpu_droplets")) == 5


async def test_a_wrong_key_of_spaces_is_called_that(tmp_path: Path) -> None:
    from cloudtop.errors import Forbidden

    with amid("digitalocean") as sandbox:
        auth = {**PROD, "secret_access_key": "another"}
        async with connector_at(
            "digitalocean", sandbox.endpoint("digitalocean"), auth, tmp_path
        ) as connector:
            with pytest.raises(Forbidden, match="key of Spaces") as told:
                await rows(connector, "spaces")
    assert "SPACES_SECRET_ACCESS_KEY" in told.value.next_step


def test_a_request_is_signed_as_botocore_signs_it() -> None:
    botocore = pytest.importorskip("botocore.auth")
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    at = datetime(2026, 11, 28, 22, 5, 9, tzinfo=UTC)
    url = "https://ams3.digitaloceanspaces.com/"
    mine = signed(url, "ams3", Pair("DO00KEY", "s3cret/+x"), at)
    request = AWSRequest("GET", url, headers={name: mine[name] for name in mine if name != "authorization"})
    request.headers["host"] = "ams3.digitaloceanspaces.com"
    request.context["timestamp"] = "20261128T220509Z"
    signer = botocore.S3SigV4Auth(Credentials("DO00KEY", "s3cret/+x"), "s3", "ams3")
    wanted = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    assert mine["authorization"].endswith(f"Signature={wanted}")
    assert mine["x-amz-date"] == "20261128T220509Z"


@pytest.mark.parametrize("text", ["<Error><Code>X</Code></Error>", "<html></html>"])
def test_what_is_no_list_of_buckets_is_not_taken_for_an_empty_one(text: str) -> None:
    with pytest.raises(ValueError, match="no list of buckets"):
        list(buckets(text))


async def test_a_scope_that_a_token_lacks_costs_its_kinds_alone(tmp_path: Path) -> None:
    with amid("digitalocean") as sandbox:
        sandbox.fault("digitalocean", "403", path="/v2/droplets")
        async with connector_at(
            "digitalocean", sandbox.endpoint("digitalocean"), PROD, tmp_path
        ) as connector:
            scope = Scope("digitalocean", "default", kind="permissions")
            (told,) = [page async for page in connector.permissions(scope)]
    failing = {row.name: row.message for row in told if row.status == "failing"}
    assert set(failing) == {"droplets", "gpu_droplets"}
    assert "droplet:read" in failing["droplets"]
    assert {row.status for row in told if row.name not in failing} == {"healthy"}


async def test_a_regions_choice_narrows_every_listing(tmp_path: Path) -> None:
    with amid("digitalocean") as sandbox:
        async with connector_at(
            "digitalocean", sandbox.endpoint("digitalocean"), PROD, tmp_path
        ) as connector:
            object.__setattr__(connector.settings, "regions", ("ams3",))
            for listing, count in (("droplets", 3), ("spaces", 2), ("databases", 3)):
                found = await rows(connector, listing)
                assert ({row.region for row in found}, len(found)) == ({"ams3"}, count)


def test_nothing_of_digitalocean_is_imported_before_it_is_asked() -> None:
    code = (
        "import sys, connectors.discovery as d; facts = d.found(); "
        "sys.exit(any('digitalocean_' in name for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
