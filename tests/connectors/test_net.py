"""Whom we may ask, by when, and over which way."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest

from cloudtop import net
from cloudtop.errors import CloudError, Invalid, NotConfigured, TooSlow, Unreachable
from cloudtop.settings import AccountSettings, ProviderSettings
from connectors import discovery
from connectors.door import Door, Policy
from connectors.http import Http
from tests.connectors.raw_servers import House, Secrets, reply, serving, way_out

HOSTS = ("api.cloud.example", "*.regions.example")


@pytest.mark.parametrize(
    "url",
    [
        "https://api.cloud.example/x",
        "https://API.cloud.example./x",
        "https://eu.regions.example",
        "https://api.cloud.example:8443/",
    ],
)
def test_a_known_host_is_asked_over_https(url: str) -> None:
    net.check_url(url, HOSTS)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.cloud.example/",
        "ftp://api.cloud.example/",
        "//api.cloud.example/",
        "api.cloud.example",
        "",
        "https://",
        "https://evil.example/",
        "https://api.cloud.example.evil.example/",
        "https://api.cloud.example@evil.example/",
        "https://user:hunter2@api.cloud.example/",
        "https://regions.example/",
        "https://169.254.169.254/latest/meta-data",
        "http://metadata.google.internal/",
        "https://10.0.0.5/",
        "https://[fd00::1]/",
        "https://[::ffff:10.0.0.5]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "http://127.0.0.1:8000/",
        "https://localhost/",
        "https://[::1]/",
        "https://api.cloud.example:99999/",
        "https://[broken/",
    ],
)
def test_every_other_address_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        net.check_url(url, HOSTS)
    assert caught.value.next_step
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/", "http://localhost:1", "http://[::1]:8000", "https://127.8.9.1"]
)
def test_loopback_is_asked_where_it_is_allowed(url: str) -> None:
    net.check_url(url, HOSTS, loopback_ok=True)


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "192.168.0.7", "169.254.169.254", "fd00::1", "fe80::1%eth0", "::ffff:10.0.0.1"]
)
async def test_a_configured_host_that_leads_into_a_private_network_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def found(*_: Any, **__: Any) -> list[Any]:
        return [(2, 1, 6, "", ("8.8.8.8", 443)), (2, 1, 6, "", (address, 443))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)
    with pytest.raises(Invalid, match="private network"):
        await net.check_public("https://api.cloud.example/")


async def test_a_configured_host_with_public_addresses_or_none_passes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import socket

    async def public(*_: Any, **__: Any) -> list[Any]:
        return [(2, 1, 6, "", ("8.8.8.8", 443)), (10, 1, 6, "", ("2001:4860:4860::8888", 443, 0, 0))]

    async def nobody(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror(-2, "Name or service not known")

    for answer in (public, nobody):
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", answer)
        await net.check_public("https://api.cloud.example/")


async def test_a_name_server_that_never_answers_is_left_at_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never(*_: Any, **__: Any) -> list[Any]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", never)
    net.deadline.set(time.monotonic() + 0.1)
    with pytest.raises(TooSlow):
        await net.check_public("https://api.cloud.example/")


def test_the_time_left_is_counted_from_the_deadline_by_any_clock() -> None:
    assert net.left(lambda: 5.0) == net.DEADLINE_S
    token = net.deadline.set(12.0)
    assert net.left(lambda: 5.0) == 7.0
    with pytest.raises(TooSlow):
        net.left(lambda: 12.0)
    net.deadline.reset(token)


def test_proxies_of_the_environment_serve_all_but_loopback_and_what_is_excepted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert net.proxy_of("https", "api.cloud.example") is None
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "inside.example")
    assert net.proxy_of("https", "api.cloud.example") == "http://proxy.example:3128"
    assert net.proxy_of("https", "a.inside.example") is None
    assert net.proxy_of("https", "127.0.0.1") is None
    assert net.proxy_of("https", "localhost") is None


def to_the_cloud(house: House) -> Http:
    """A way out to the real address of the cloud, by whatever the environment says."""

    def door(refusal: Any) -> Door:
        return Door(house.facts, house.policy, clock=house.clock, hosts=house.hosts, audit=house.audit)

    return Http(house.facts, ProviderSettings("vast"), Secrets("canary-key-123456"), door)


async def failed(http: Http, path: str = "/x") -> CloudError:
    with pytest.raises(CloudError) as caught:
        await http.json("GET", path)
    await http.aclose()
    return caught.value


async def test_a_request_goes_through_the_proxy_and_its_refusal_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house = House("unused", policy=Policy(retries=0))
    async with serving(reply(403, "no")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("https_proxy", raising=False)
        error = await failed(to_the_cloud(house))
    assert proxy.requests[0].line.startswith("CONNECT console.vast.ai:443")
    assert "canary" not in repr(proxy.requests[0].headers.items())
    assert isinstance(error, Unreachable)
    assert error.message.startswith("The proxy 127.0.0.1 ")
    assert house.hosts.down == {}


async def test_a_proxy_that_is_not_there_does_not_make_the_cloud_dead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house = House("unused")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    error = await failed(to_the_cloud(house))
    assert isinstance(error, Unreachable)
    assert "the proxy 127.0.0.1" in error.message
    assert house.hosts.down == {}
    assert len(house.audit.records) == 1


@pytest.mark.parametrize("proxy", ["gopher://proxy.example", "http://[broken", "socks5://127.0.0.1:9"])
async def test_a_proxy_address_that_cannot_be_used_is_told(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    monkeypatch.setenv("no_proxy", "")
    error = await failed(to_the_cloud(House("unused")))
    assert isinstance(error, Unreachable | Invalid)
    assert error.next_step


async def test_certificates_that_cannot_be_read_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/corporate.pem")
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    error = await failed(to_the_cloud(House("unused")))
    assert isinstance(error, Unreachable)


async def test_another_endpoint_of_ones_own_is_only_a_known_host_or_loopback() -> None:
    for endpoint in ("https://evil.example", "http://console.vast.ai", "https://10.0.0.5"):
        house = House(endpoint, key="canary-key-123456")
        async with way_out(house) as http:
            with pytest.raises(Invalid):
                await http.json("GET", "/x")
        assert house.audit.records == []


async def test_an_account_may_have_an_endpoint_of_its_own() -> None:
    async with serving(reply(200, {})) as server:
        house = House(server.url)
        own = AccountSettings("work", options={"endpoint": server.url})
        settings = ProviderSettings("vast", accounts=(own,))

        def door(refusal: Any) -> Door:
            return Door(house.facts, house.policy, clock=house.clock, hosts=house.hosts, audit=house.audit)

        http = Http(house.facts, settings, Secrets(), door)
        assert http.url("/x", "work") == f"{server.url}/x"
        assert http.url("/x") == "https://console.vast.ai/x"
        assert await http.json("GET", "/x", account="work") == {}
        await http.aclose()


async def test_a_provider_without_an_address_says_so() -> None:
    facts = discovery.found()["pricelist"]
    http = Http(facts, ProviderSettings("pricelist"), Secrets(), lambda refusal: pytest.fail("no door"))
    with pytest.raises(NotConfigured):
        await http.json("GET", "/x")


async def test_a_client_carries_our_name_and_follows_nothing() -> None:
    async with serving(reply(200, {})) as server:
        house = House(server.url)
        async with way_out(house) as http:
            await http.json("GET", "/x")
        assert server.requests[0].headers["User-Agent"].startswith("cloudtop/")
    client = net.client(httpx.MockTransport(lambda request: httpx.Response(200)))
    assert not client.follow_redirects
    await client.aclose()


async def test_many_requests_to_one_host_share_several_small_pools() -> None:
    wire = net.Wire(48)
    now = peak = 0

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal now, peak
        now += 1
        peak = max(peak, now)
        await asyncio.sleep(0.05)
        now -= 1
        writer.write(reply(200, {}))
        await writer.drain()

    async with serving(slow) as server:

        async def asked() -> int:
            answer = await wire.handle_async_request(httpx.Request("GET", server.url))
            await answer.aread()
            await answer.aclose()
            return answer.status_code

        assert await asyncio.gather(*(asked() for _ in range(48))) == [200] * 48
        assert len(wire._ways) == 48 // net.POOL
        assert peak > net.POOL
        await wire.aclose()


async def test_requests_that_come_one_after_another_use_one_connection() -> None:
    wire = net.Wire(48)
    connections = 0

    async def kept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            await writer.drain()
        writer.close()
        await writer.wait_closed()
        ended.set()

    ended = asyncio.Event()
    server = await asyncio.start_server(kept, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    for _ in range(5):
        answer = await wire.handle_async_request(httpx.Request("GET", url))
        await answer.aread()
        await answer.aclose()
    assert connections == 1
    await wire.aclose()
    await ended.wait()
    server.close()
