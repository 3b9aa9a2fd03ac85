"""Who asks Google: a token that is set, or what Google's own tools keep. And what is imported for it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from cloudtop import sellers
from cloudtop.errors import CloudError, NotConfigured, Unauthorized
from cloudtop.models import Scope
from cloudtop.settings import Settings, load
from connectors import discovery
from mcp_server.standing import Standing
from tests.connectors.raw_servers import Audit, Clock, Hosts, Request, reply, serving

pytest.importorskip("google.auth")

NOTHING = reply(200, {"items": []})
TOKEN = reply(200, {"access_token": "ya29.made-canary", "expires_in": 3600, "token_type": "Bearer"})
PROJECT = {"options": {"project_id": "acme"}}


@cache
def private_key() -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.PKCS8
    return made.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def service_account(**more: str) -> str:
    return json.dumps({
        "type": "service_account",
        "project_id": "acme",
        "private_key_id": "k1",
        "private_key": private_key(),
        "client_email": "reader@acme.iam.gserviceaccount.com",
        "token_uri": "https://oauth2.googleapis.com/token",
        **more,
    })  # fmt: skip


def person(**more: str) -> str:
    return json.dumps({
        "type": "authorized_user",
        "client_id": "id",
        "client_secret": "canary-client-secret",
        "refresh_token": "canary-refresh-token",
        **more,
    })  # fmt: skip


@dataclass
class Home:
    """A person's home, and their environment."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    audit: Audit = field(default_factory=Audit)

    def file(self, name: str, text: str) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)

    def settings(self, gcp: Mapping[str, Any] | None = None) -> Settings:
        file = self.folder / "config.json"
        file.write_text(json.dumps({"providers": {"gcp": gcp or {}}}))
        facts = discovery.found()["gcp"]
        variables = {("gcp", name): tuple(names) for name, names in facts.credentials.items()}
        environ = {"HOME": str(self.folder), **self.environ}
        ambient = {"gcp": facts.ambient}
        return load(file, self.folder, environ=environ, variables=variables, ambient=ambient)

    def standing(self, gcp: Mapping[str, Any] | None = None) -> Standing:
        facts = discovery.found()
        return Standing(facts, sellers.known(facts), self.settings(gcp))

    @asynccontextmanager
    async def connector(self, url: str, gcp: Mapping[str, Any] | None = None) -> AsyncIterator[Any]:
        gcp = gcp or {}
        settings = self.settings({**gcp, "options": {"endpoint": url, **gcp.get("options", {})}})
        made = discovery.make(
            discovery.found()["gcp"],
            settings.provider("gcp"),
            secrets=settings,
            clock=Clock(),
            hosts=Hosts(),
            audit=self.audit,
        )
        try:
            yield made
        finally:
            await made.aclose()

    async def asked(
        self, *replies: bytes, gcp: Mapping[str, Any] | None = None, times: int = 1, kind: str = "databases"
    ) -> list[Request]:
        """The requests that one listing took."""
        async with serving(*replies) as server, self.connector(server.url, gcp) as connector:
            for _ in range(times):
                async for _ in getattr(connector, kind)(Scope("gcp", "default", kind=kind)):
                    pass
        return server.requests

    async def fails(self, *replies: bytes, gcp: Mapping[str, Any] | None = None) -> CloudError:
        with pytest.raises(CloudError) as caught:
            await self.asked(*(replies or (NOTHING,)), gcp=gcp)
        return caught.value


def bearer(request: Request) -> str:
    return str(request.headers["Authorization"])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """The home of somebody in whose environment nothing of Google's is."""
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT", "CLOUDSDK_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    return Home(tmp_path)


async def test_a_token_that_is_set_is_shown_as_it_is(home: Home) -> None:
    for variable in ("CLOUDSDK_AUTH_ACCESS_TOKEN", "GOOGLE_OAUTH_ACCESS_TOKEN"):
        home.environ = {variable: "ya29.set"}
        (request,) = await home.asked(NOTHING, gcp=PROJECT)
        assert bearer(request) == "Bearer ya29.set"
        assert request.line.startswith("GET /v1/projects/acme/instances?")


async def test_the_sdk_and_rest_show_the_same_token(home: Home) -> None:
    home.environ = {"CLOUDSDK_AUTH_ACCESS_TOKEN": "ya29.set"}
    (request,) = await home.asked(reply(200, {"kind": "x"}), gcp=PROJECT, kind="volumes")
    assert bearer(request) == "Bearer ya29.set"
    assert request.line == "GET /compute/v1/projects/acme/aggregated/disks?maxResults=500 HTTP/1.1"


async def test_a_service_accounts_file_becomes_a_token_through_the_door_and_once(home: Home) -> None:
    file = home.file("reader.json", service_account())
    first, *others = await home.asked(TOKEN, NOTHING, gcp={"auth": {"key_file": file}}, times=3)
    assert first.line == "POST /token HTTP/1.1"
    told = parse_qs(first.body.decode())
    assert told["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assert [bearer(one) for one in others] == ["Bearer ya29.made-canary"] * 3
    assert others[0].line.startswith("GET /v1/projects/acme/instances?")
    assert home.audit.records[0].operation == "renew a token"
    assert "canary" not in repr(home.audit.records)


async def test_gclouds_login_is_found_and_bills_the_project_that_it_names(home: Home) -> None:
    folder = ".config/gcloud/application_default_credentials.json"
    home.file(folder, person(quota_project_id="payer"))
    assert home.standing().origins("gcp") == {"default": f"~/{folder}"}
    first, second = await home.asked(TOKEN, NOTHING, gcp=PROJECT)
    assert parse_qs(first.body.decode())["refresh_token"] == ["canary-refresh-token"]
    assert bearer(second) == "Bearer ya29.made-canary"
    assert second.headers["X-Goog-User-Project"] == "payer"


async def test_a_file_that_the_environment_names_and_one_in_gcp_are_found(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.file(".gcp/service-account.json", service_account())
    assert home.standing().origins("gcp") == {"default": "~/.gcp/service-account.json"}
    assert len(await home.asked(TOKEN, NOTHING)) == 2
    file = home.file("other.json", person())
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", file)
    home.environ = {"GOOGLE_APPLICATION_CREDENTIALS": file}
    first, _ = await home.asked(TOKEN, NOTHING, gcp=PROJECT)
    assert b"canary-refresh-token" in first.body


@pytest.mark.parametrize("text", ["not json", "{}", json.dumps({"type": "service_account"})])
async def test_a_file_that_holds_no_credentials_is_said(home: Home, text: str) -> None:
    file = home.file("wrong.json", text)
    error = await home.fails(gcp={"auth": {"key_file": file}, **PROJECT})
    assert isinstance(error, NotConfigured)
    assert "key_file" in error.message


async def test_a_file_that_is_not_there_is_said(home: Home) -> None:
    error = await home.fails(gcp={"auth": {"key_file": "/nowhere/k.json"}, **PROJECT})
    assert isinstance(error, NotConfigured)


async def test_credentials_that_do_not_hold_any_more_are_unauthorized(home: Home) -> None:
    file = home.file("reader.json", service_account())
    refused = reply(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
    error = await home.fails(refused, gcp={"auth": {"key_file": file}})
    assert isinstance(error, Unauthorized)
    assert "Invalid JWT Signature" in error.message


async def test_a_refusal_that_repeats_what_it_was_sent_is_told_without_it(home: Home) -> None:
    file = home.file("me.json", person())
    said = "no canary-refresh-token and no canary-client-secret"
    refused = reply(400, {"error": "invalid_grant", "error_description": said})
    error = await home.fails(refused, gcp={"auth": {"key_file": file}, **PROJECT})
    assert isinstance(error, Unauthorized)
    assert "canary" not in str(error)


async def test_nobody_is_asked_without_an_identity(home: Home) -> None:
    error = await home.fails(gcp=PROJECT)
    assert isinstance(error, NotConfigured)
    assert "gcloud auth application-default login" in error.next_step


async def test_an_account_of_its_own_uses_nothing_of_the_environment(home: Home) -> None:
    home.environ = {"CLOUDSDK_AUTH_ACCESS_TOKEN": "ya29.mine"}
    accounts = {"lab": {"auth": {"access_token": "ya29.lab"}, **PROJECT}}
    async with serving(NOTHING) as server, home.connector(server.url, {"accounts": accounts}) as connector:
        async for _ in connector.databases(Scope("gcp", "lab", kind="databases")):
            pass
    assert bearer(server.requests[0]) == "Bearer ya29.lab"


def test_an_api_key_is_enough_for_prices_and_for_nothing_else(home: Home) -> None:
    home.environ = {"GCP_API_KEY": "k"}
    standing = home.standing()
    assert standing.can("gcp", "gpu_offers")
    assert not standing.can("gcp", "resources")
    assert standing.accounts("gcp", "resources") == ()
    assert standing.origins("gcp") == {"default": "GCP_API_KEY"}
    home.environ = {"CLOUDSDK_AUTH_ACCESS_TOKEN": "t"}
    assert home.standing().can("gcp", "resources")
    assert home.standing().can("gcp", "gpu_offers")
    home.environ = {}
    assert not home.standing().can("gcp", "gpu_offers")


async def test_prices_are_asked_with_the_identity_where_there_is_no_api_key(home: Home) -> None:
    home.environ = {"CLOUDSDK_AUTH_ACCESS_TOKEN": "ya29.set"}
    async with serving(reply(200, {"skus": []})) as server, home.connector(server.url) as connector:
        async for _ in connector.gpu_offers(Scope("gcp", "default")):
            pass
    assert bearer(server.requests[0]) == "Bearer ya29.set"
    assert server.requests[0].headers["X-Goog-Api-Key"] is None


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def test_a_call_that_is_given_up_gives_its_thread_back(home: Home) -> None:
    home.environ = {"CLOUDSDK_AUTH_ACCESS_TOKEN": "t"}
    gcp = {**PROJECT, "in_flight": 1}
    async with (
        serving(silent, reply(200, {"kind": "x"})) as server,
        home.connector(server.url, gcp) as connector,
    ):
        scope = Scope("gcp", "default", kind="volumes")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(connector.volumes(scope)), 2)
        async with asyncio.timeout(5):
            assert [page async for page in connector.volumes(scope)] == [[]]


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )


def test_the_process_can_always_end(tmp_path: Path) -> None:
    ran = run(f"""
import asyncio, sys, time
from pathlib import Path
from cloudtop.models import Scope
from tests.connectors.raw_servers import serving
from tests.connectors.test_gcp_identity import Home, PROJECT, silent
async def main():
    home = Home(Path({str(tmp_path)!r}), {{"CLOUDSDK_AUTH_ACCESS_TOKEN": "t"}})
    async with serving(silent) as server:
        connector = await home.connector(server.url, PROJECT).__aenter__()
        pages = connector.volumes(Scope("gcp", "default", kind="volumes"))
        task = asyncio.ensure_future(anext(pages))
        while not server.requests:
            await asyncio.sleep(0.01)
        print(time.time(), flush=True)
        sys.exit(0)
asyncio.run(main())
""")
    assert ran.stdout, ran.stderr
    # A second is enough but where many share the machine; what is waited for would never end.
    assert time.time() - float(ran.stdout) < 10


IMPORTED = """
import asyncio, json, sys
from pathlib import Path
from cloudtop.cli.build import build
from cloudtop.sandbox.serve import running
home = Path({home!r})
with running({clouds!r}) as sandbox:
    file = home / "config.json"
    file.write_text(json.dumps(sandbox.config()))
    async def ask():
        house = build(file, home)
        told = await house.runtime().call({tool!r}, {arguments!r}, deadline_s=60)
        assert told.structured["rows"], told.structured["missing"]
        await house.aclose()
    asyncio.run(ask())
google = [one for one in ("google.cloud.compute_v1", "google.auth", "grpc", "requests") if one in sys.modules]
print(json.dumps(google))
"""


@pytest.mark.parametrize(
    ("clouds", "tool", "arguments", "expected"),
    [
        (("aws",), "list_resources", {"resource_type": "vpc"}, False),
        (("gcp",), "compare_gpu_prices", {"gpu": "H100", "providers": ["gcp"]}, False),
        (("gcp",), "list_resources", {"resource_type": "bucket", "providers": ["gcp"]}, False),
        (("gcp",), "list_resources", {"resource_type": "vpc", "providers": ["gcp"]}, True),
    ],
)
def test_googles_package_is_imported_only_where_compute_engine_is_asked(
    clouds: tuple[str, ...], tool: str, arguments: Any, expected: bool, tmp_path: Path
) -> None:
    ran = run(IMPORTED.format(home=str(tmp_path), clouds=clouds, tool=tool, arguments=arguments))
    assert ran.returncode == 0, ran.stderr
    loaded = json.loads(ran.stdout.splitlines()[-1])
    assert ("google.cloud.compute_v1" in loaded) == expected, loaded


EARLY = """
import json, sys, time
from pathlib import Path
from cloudtop.cli.build import build
from cloudtop.cli.commands.mcp import begin
from cloudtop.sandbox.serve import running
home = Path({home!r})
with running({clouds!r}) as sandbox:
    file = home / "config.json"
    file.write_text(json.dumps(sandbox.config()))
house = build(file, home)
begin(house.fleet.standing.early())
began = time.monotonic()
while "google.cloud.compute_v1" not in sys.modules and time.monotonic() - began < {patience_s}:
    time.sleep(0.05)
print("google.cloud.compute_v1" in sys.modules)
"""


@pytest.mark.parametrize(
    ("clouds", "expected", "patience_s"), [(("gcp",), "True", 60), (("aws",), "False", 1)]
)
def test_a_server_begins_with_googles_package_when_it_starts(
    clouds: tuple[str, ...], expected: str, patience_s: int, tmp_path: Path
) -> None:
    ran = run(EARLY.format(home=str(tmp_path), clouds=clouds, patience_s=patience_s))
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == expected


async def test_without_the_package_it_says_how_to_install_it(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.environ = {"CLOUDSDK_AUTH_ACCESS_TOKEN": "t"}
    monkeypatch.setitem(sys.modules, "google.api_core.client_options", None)
    with pytest.raises(NotConfigured) as caught:
        await home.asked(NOTHING, gcp=PROJECT, kind="volumes")
    assert "cloudtop[gcp]" in caught.value.next_step
