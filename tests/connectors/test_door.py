"""The door, over real sockets: raw servers on loopback, a clock that moves only by sleeping."""

from __future__ import annotations

import asyncio
import gzip
import inspect
import ssl
import time
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from cloudtop import net
from cloudtop.errors import (
    Changed,
    CloudError,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    TooSlow,
    Unauthorized,
    Unavailable,
    Unreachable,
)
from cloudtop.faults import Whom, of_exception
from connectors.door import Door
from tests.connectors.raw_servers import (
    START,
    Clock,
    House,
    Policy,
    free_port,
    never_accepting,
    reply,
    serving,
    way_out,
)

KEY = "canary-0123456789abcdef"
FINE = reply(200, {"fine": True})
QUICK = Policy(requests_per_second=1000, burst=1000)


async def asked(house: House, method: str = "GET", path: str = "/x", **more: Any) -> Any:
    async with way_out(house) as http:
        return await http.json(method, path, **more)


async def failed(house: House, method: str = "GET", path: str = "/x", **more: Any) -> CloudError:
    with pytest.raises(CloudError) as caught:
        await asked(house, method, path, **more)
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "error", "code"),
    [
        (400, {"error": "invalid_request", "msg": "Invalid json body"}, Invalid, "invalid"),
        (400, {"code": "Throttling", "message": "Rate exceeded"}, RateLimited, "rate_limited"),
        (400, "<Error><Code>RequestLimitExceeded</Code></Error>", RateLimited, "rate_limited"),
        (401, {"error": "auth_error", "msg": "Invalid user key"}, Unauthorized, "unauthorized"),
        (402, {"error": "no credit"}, Forbidden, "forbidden"),
        (403, {"message": "not allowed"}, Forbidden, "forbidden"),
        (403, {"error": {"errors": [{"reason": "rateLimitExceeded"}]}}, RateLimited, "rate_limited"),
        (404, {"message": "no such thing"}, NotFound, "not_found"),
        (404, {"error": "auth_error", "msg": "Invalid user key"}, Unauthorized, "unauthorized"),
        (405, b"", Changed, "changed"),
        (409, {"message": "locked"}, Unavailable, "unavailable"),
        (410, "Gone", Changed, "changed"),
        (418, "teapot", Invalid, "invalid"),
        (429, {"detail": "slow"}, RateLimited, "rate_limited"),
        (500, "oops", Unavailable, "unavailable"),
        (503, "<html>down</html>", Unavailable, "unavailable"),
        (301, b"", Changed, "changed"),
        (302, b"", Invalid, "invalid"),
        (
            200,
            {"success": False, "error": "auth_error", "msg": "Invalid user key"},
            Unauthorized,
            "unauthorized",
        ),
        (200, {"success": False, "msg": "broken inside"}, Invalid, "invalid"),
    ],
)
async def test_every_refusing_answer_becomes_the_right_trouble(
    status: int, body: Any, error: type[CloudError], code: str
) -> None:
    async with serving(reply(status, body)) as server:
        house = House(server.url, key=KEY, policy=replace(QUICK, retries=0))
        async with way_out(house) as http:
            from connectors.vast import Vast

            http.refusal = Vast.refusal
            with pytest.raises(error) as caught:
                await http.json("GET", "/x")
    assert caught.value.code == code
    assert f"127.0.0.1:{server.port}" in caught.value.message
    assert caught.value.next_step
    assert "<html" not in caught.value.message
    assert [record.error for record in house.audit.records] == [error.__name__]


async def test_the_words_of_the_cloud_are_given_without_control_characters_and_short() -> None:
    body = {"error": "invalid_args", "msg": "bad\x1b[31m field\u202e " + "x" * 500}
    async with serving(reply(400, body)) as server:
        error = await failed(House(server.url))
    assert "invalid_args: bad" in error.message
    assert "\x1b" not in error.message
    assert "\u202e" not in error.message
    assert len(error.message) < 300


async def test_a_key_that_the_cloud_echoes_is_not_shown() -> None:
    body = {"msg": f"unknown key {KEY} in header Bearer {KEY}"}
    async with serving(reply(401, body)) as server:
        house = House(server.url, key=KEY)
        error = await failed(house)
    assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    assert KEY not in str(error)
    assert "VAST_API_KEY" in error.next_step
    assert KEY not in repr(house.audit.records)


async def test_a_request_id_of_the_cloud_is_kept_as_reference() -> None:
    async with serving(reply(500, "", X_Request_Id="req-7")) as server:
        error = await failed(House(server.url, policy=replace(QUICK, retries=0)))
    assert error.reference == "req-7"


@pytest.mark.parametrize("text", ["", "ключ", "two\nlines"])
async def test_a_key_with_impossible_characters_is_refused_before_anything_is_sent(text: str) -> None:
    async with serving(FINE) as server:
        house = House(server.url, key=text)
        if text:
            assert isinstance(await failed(house), Unauthorized)
            assert server.requests == []
        else:
            assert await asked(house) == {"fine": True}
            assert server.requests[0].headers["Authorization"] is None


@pytest.mark.parametrize(
    ("first", "waits"),
    [
        (reply(429, {"detail": "x"}, Retry_After="2"), 2.0),
        (
            reply(
                429, {"detail": "x"}, Retry_After=format_datetime(START + timedelta(seconds=5), usegmt=True)
            ),
            5.0,
        ),
        (reply(429, "API requests too frequent: endpoint threshold=2.5"), 2.5),
        (reply(429, {"detail": "API requests too frequent endpoint threshold=3.0"}), 3.0),
        (reply(503, "", Retry_After="4"), 4.0),
        (reply(400, {"code": "Throttling"}, Retry_After="1"), 1.0),
    ],
)
async def test_a_wait_that_the_cloud_asks_for_is_kept(first: bytes, waits: float) -> None:
    async with serving(first, FINE) as server:
        house = House(server.url)
        assert await asked(house) == {"fine": True}
    assert house.clock.slept == [waits]
    assert [(record.attempt, record.status) for record in house.audit.records] == [
        (1, int(first.split()[1])),
        (2, 200),
    ]


async def test_a_date_to_wait_for_is_read_by_the_clock_of_the_cloud() -> None:
    theirs = START - timedelta(hours=1)
    until = format_datetime(theirs + timedelta(seconds=3), usegmt=True)
    first = reply(429, "", Retry_After=until, Date=format_datetime(theirs, usegmt=True))
    async with serving(first, FINE) as server:
        house = House(server.url)
        await asked(house)
    assert house.clock.slept == [3.0]


@pytest.mark.parametrize("nonsense", ["soon", "nan", "inf", ""])
async def test_a_wait_that_makes_no_sense_is_replaced_by_our_own(nonsense: str) -> None:
    async with serving(reply(429, "", Retry_After=nonsense), FINE) as server:
        house = House(server.url)
        await asked(house)
    assert len(house.clock.slept) == 1
    assert 1 <= house.clock.slept[0] <= 1.25


async def test_a_wait_beyond_the_deadline_is_not_waited_for_but_told() -> None:
    async with serving(reply(429, "", Retry_After="60")) as server:
        house = House(server.url)
        net.deadline.set(house.clock.monotonic() + 8)
        error = await failed(house)
    assert isinstance(error, RateLimited)
    assert error.retry_after_s == 60
    assert house.clock.slept == []
    assert len(server.requests) == 1


async def test_our_own_waits_double_and_end_after_three_retries() -> None:
    async with serving(reply(503, "down")) as server:
        house = House(server.url)
        net.deadline.set(house.clock.monotonic() + 1000)
        assert isinstance(await failed(house), Unavailable)
    assert len(server.requests) == 4
    for slept, least in zip(house.clock.slept, (1, 2, 4), strict=True):
        assert least <= slept <= least + 0.25
    assert [record.attempt for record in house.audit.records] == [1, 2, 3, 4]


async def test_a_post_is_sent_once_unless_it_only_searches() -> None:
    for repeatable, times in ((False, 1), (True, 4)):
        async with serving(reply(503, "down")) as server:
            await failed(House(server.url), "POST", body={}, repeatable=repeatable)
        assert len(server.requests) == times


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 501, 301])
async def test_a_refusal_that_waiting_does_not_mend_is_not_repeated(status: int) -> None:
    async with serving(reply(status, "no")) as server:
        await failed(House(server.url))
    assert len(server.requests) == 1


async def test_a_redirect_is_not_followed_and_the_key_stays_here() -> None:
    async with (
        serving(FINE) as elsewhere,
        serving(reply(307, "", Location=elsewhere.url + "/x?k=1")) as server,
    ):
        error = await failed(House(server.url, key=KEY))
    assert elsewhere.requests == []
    assert f"redirects to 127.0.0.1:{elsewhere.port}" in error.message


async def test_a_next_link_to_another_host_is_refused() -> None:
    async with serving(FINE) as elsewhere, serving(FINE) as server:
        error = await failed(House(server.url, key=KEY), path=elsewhere.url + "/next")
    assert isinstance(error, Invalid)
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"offers": [{"id": 1', "in the middle"),
        (b"<html><body>Sign in</body></html>", "web page"),
        (b"", "nothing"),
        (b"hello", "else than JSON"),
        (b"[" * 200_000, "in the middle"),
        (b"\xff\xfe\x00", "else than JSON"),
    ],
)
async def test_a_good_status_over_something_else_than_json_is_invalid(body: bytes, says: str) -> None:
    async with serving(reply(200, body)) as server:
        house = House(server.url)
        error = await failed(house)
    assert isinstance(error, Invalid)
    assert says in error.message
    assert "Sign in" not in error.message
    assert [record.error for record in house.audit.records] == ["Invalid"]


async def test_an_answer_without_content_is_none() -> None:
    async with serving(reply(204)) as server:
        assert await asked(House(server.url)) is None


async def test_a_packed_answer_is_unpacked_once() -> None:
    packed = reply(200, gzip.compress(b'{"a": 1}'), Content_Encoding="gzip")
    broken = reply(200, b"not gzip at all", Content_Encoding="gzip")
    async with serving(packed, broken) as server:
        house = House(server.url)
        assert await asked(house) == {"a": 1}
        assert isinstance(await failed(house), Invalid)


async def test_an_answer_too_long_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.door.BODY_LIMIT", 1_000)
    async with serving(reply(200, b"[" + b"1," * 2_000 + b"1]")) as server:
        error = await failed(House(server.url))
    assert isinstance(error, Invalid)
    assert "0.001 MB" in error.message


async def test_a_ten_megabyte_page_is_read() -> None:
    async with serving(reply(200, {"text": "x" * 10_000_000})) as server:
        house = House(server.url)
        assert len((await asked(house))["text"]) == 10_000_000
    assert house.audit.records[0].bytes == 10_000_012


async def resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    import socket
    import struct

    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{")
    await writer.drain()
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def stopping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{")


async def gibberish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example ESMTP ready\r\n")


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n")
    while not writer.is_closing():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("breaking", [resetting, stopping, gibberish])
async def test_a_connection_that_breaks_off_is_tried_again(breaking: Any) -> None:
    async with serving(breaking, FINE) as server:
        house = House(server.url)
        assert await asked(house) == {"fine": True}
    assert [record.error for record in house.audit.records] == ["Unreachable", None]
    assert house.hosts.down == {}


@pytest.mark.parametrize("slow", [silence, dripping])
async def test_a_server_that_never_finishes_is_left_at_the_deadline(slow: Any) -> None:
    async with serving(slow) as server:
        house = House(server.url)
        net.deadline.set(house.clock.monotonic() + 0.3)
        started = asyncio.get_running_loop().time()
        # The clock of the house stands still, so that only the first try counts.
        house = replace(house, policy=replace(QUICK, retries=0))
        error = await failed(house)
        took = asyncio.get_running_loop().time() - started
    assert isinstance(error, TooSlow)
    assert 0.25 < took < 5
    assert [record.error for record in house.audit.records] == ["TooSlow"]
    assert house.hosts.down == {}


async def test_one_slow_request_is_given_up_before_the_deadline_and_tried_again() -> None:
    async with serving(silence, FINE) as server:
        house = House(server.url, policy=replace(QUICK, request_s=0.1))
        assert await asked(house) == {"fine": True}
    assert [record.error for record in house.audit.records] == ["TooSlow", None]


async def test_nothing_is_sent_after_the_deadline() -> None:
    async with serving(FINE) as server:
        house = House(server.url)
        net.deadline.set(house.clock.monotonic() - 1)
        assert isinstance(await failed(house), TooSlow)
    assert server.requests == []
    assert house.audit.records == []


async def test_a_refused_connection_is_not_repeated_and_the_host_is_remembered() -> None:
    port = free_port()
    house = House(f"http://127.0.0.1:{port}")
    first = await failed(house)
    assert isinstance(first, Unreachable)
    assert "refused" in first.message
    assert len(house.audit.records) == 1
    assert house.hosts.down == {f"127.0.0.1:{port}": START + timedelta(seconds=60)}

    again = await failed(house)
    assert isinstance(again, Unreachable)
    assert "2026-11-20T12:01:00Z" in again.message
    assert again.retry_after_s == 60
    assert len(house.audit.records) == 1, "nothing left the house"

    house.clock.advance(61)
    assert "refused" in (await failed(house)).message
    assert len(house.audit.records) == 2


async def test_a_port_that_never_accepts_is_given_up_after_the_connect_time() -> None:
    with never_accepting() as port:
        house = House(f"http://127.0.0.1:{port}", policy=replace(QUICK, connect_s=0.1))
        error = await failed(house)
    assert isinstance(error, Unreachable)
    assert "did not accept a connection within 0.1 s" in error.message
    assert len(house.audit.records) == 1
    assert list(house.hosts.down) == [f"127.0.0.1:{port}"]


async def test_a_deadline_shorter_than_the_connect_time_proves_nothing_about_the_host() -> None:
    with never_accepting() as port:
        house = House(f"http://127.0.0.1:{port}", policy=replace(QUICK, retries=0))
        net.deadline.set(house.clock.monotonic() + 0.1)
        assert isinstance(await failed(house), TooSlow)
    assert house.hosts.down == {}


def hold_up(turns: int) -> None:
    """Let every turn of the loop take long, as on a machine whose threads all want to run."""
    time.sleep(0.1)
    if turns:
        asyncio.get_running_loop().call_soon(hold_up, turns - 1)


async def test_a_machine_that_had_no_time_to_look_still_gets_its_answer() -> None:
    async with serving(FINE) as server:
        house = House(server.url, policy=replace(QUICK, connect_s=0.3, retries=0))
        asyncio.get_running_loop().call_soon(hold_up, 10)
        assert await asked(house) == {"fine": True}
    assert house.hosts.down == {}
    assert [record.error for record in house.audit.records] == [None]


async def test_a_host_that_takes_connections_and_agrees_on_no_encryption_is_left_alone_too() -> None:
    async with serving(silence) as server:
        house = House(f"https://127.0.0.1:{server.port}", policy=replace(QUICK, connect_s=0.05))
        error = await failed(house)
    assert isinstance(error, Unreachable)
    assert list(house.hosts.down) == [f"127.0.0.1:{server.port}"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_host_accepts_where_something_listens_and_nowhere_else(host: str) -> None:
    async with serving(FINE) as server:
        assert await net.accepts(host, server.port, 0.1)
    assert not await net.accepts(host, free_port(), 0.1)
    with never_accepting() as port:
        assert not await net.accepts(host, port, 0.1)
    assert not await net.accepts("name.invalid", port, 0.1)


class NoName:
    """A wire on which no name resolves."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        import socket

        try:
            raise socket.gaierror(-2, "Name or service not known")
        except OSError as error:
            raise httpx.ConnectError("All connection attempts failed") from error

    async def aclose(self) -> None: ...


class NoTrust(NoName):
    """A wire whose certificates nobody trusts."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            raise ssl.SSLCertVerificationError(1, "self-signed certificate")
        except OSError as error:
            raise httpx.ConnectError("certificate verify failed") from error


@pytest.mark.parametrize(
    ("wire", "says", "remembered"),
    [(NoName(), "does not resolve", True), (NoTrust(), "No trusted encrypted connection", False)],
)
async def test_a_name_that_does_not_resolve_and_a_certificate_nobody_trusts_are_told_apart(
    wire: Any, says: str, remembered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudtop.net.Wire", lambda in_flight: wire)
    house = House("http://127.0.0.1:9")
    error = await failed(house)
    assert isinstance(error, Unreachable)
    assert says in error.message
    assert len(house.audit.records) == 1
    assert bool(house.hosts.down) is remembered


async def test_the_rate_is_kept_by_waiting_and_refused_where_the_wait_is_too_long() -> None:
    async with serving(FINE) as server:
        house = House(server.url, policy=Policy(requests_per_second=0.5, burst=2))
        async with way_out(house) as http:
            for _ in range(4):
                await http.json("GET", "/x")
            assert house.clock.slept == [2.0, 2.0]
            net.deadline.set(house.clock.monotonic() + 1)
            with pytest.raises(RateLimited) as caught:
                await http.json("GET", "/x")
    assert caught.value.retry_after_s == 2.0
    assert len(house.audit.records) == 4


async def test_each_bucket_has_the_rate_for_itself_unless_one_is_set_for_all() -> None:
    def named(bucket: str) -> httpx.Request:
        return httpx.Request("GET", server.url, extensions={"cloudtop": {"bucket": bucket}})

    for one_bucket, waits in ((False, [1.0]), (True, [1.0, 1.0, 1.0])):
        async with serving(FINE) as server:
            policy = Policy(requests_per_second=1, burst=1, one_bucket=one_bucket)
            house = House(server.url, policy=policy)
            ports: Any = {"clock": house.clock, "hosts": house.hosts, "audit": house.audit}
            door = Door(house.facts, policy, **ports)
            for bucket in ("a eu", "a us", "b eu", "a eu"):
                await door.handle_async_request(named(bucket))
            await door.aclose()
        assert house.clock.slept == waits


async def test_what_can_be_done_without_is_tried_less_often() -> None:
    async with serving(reply(500, {})) as server:
        house = House(server.url)
        ports: Any = {"clock": house.clock, "hosts": house.hosts, "audit": house.audit}
        door = Door(house.facts, QUICK, **ports)
        for retries, tries in ((0, 1), (1, 2), (9, 4)):
            before = len(server.requests)
            note = {"cloudtop": {"retries": retries}}
            with pytest.raises(Unavailable):
                await door.handle_async_request(httpx.Request("GET", server.url, extensions=note))
            assert len(server.requests) - before == tries
        await door.aclose()


async def test_the_wait_for_the_rate_can_be_bounded() -> None:
    async with serving(FINE) as server:
        house = House(server.url, policy=Policy(requests_per_second=0.1, burst=1, turn_s=5))
        async with way_out(house) as http:
            await http.json("GET", "/x")
            with pytest.raises(RateLimited):
                await http.json("GET", "/x")
    assert house.clock.slept == []


async def test_no_more_than_the_limit_are_in_flight_bodies_included() -> None:
    now = peak = 0

    async def counting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal now, peak
        now += 1
        peak = max(peak, now)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{")
        await writer.drain()
        await asyncio.sleep(0.02)
        now -= 1
        writer.write(b"}")
        await writer.drain()

    async with serving(counting) as server:
        house = House(server.url, policy=replace(QUICK, in_flight=3))
        async with way_out(house) as http:
            await asyncio.gather(*(http.json("GET", "/x") for _ in range(12)))
        assert peak == 3
        peak = 0
        house = replace(house, shared=asyncio.Semaphore(1))
        async with way_out(house) as http:
            await asyncio.gather(*(http.json("GET", "/x") for _ in range(4)))
        assert peak == 1


async def test_waiting_for_others_ends_at_the_deadline_and_gives_the_place_back() -> None:
    async with serving(silence, FINE) as server:
        house = House(server.url, policy=replace(QUICK, in_flight=1, retries=0))
        async with way_out(house) as http:
            net.deadline.set(house.clock.monotonic() + 0.3)
            first = asyncio.create_task(http.json("GET", "/x"))
            await asyncio.sleep(0.05)
            net.deadline.set(house.clock.monotonic() + 0.05)
            with pytest.raises(TooSlow, match="not sent"):
                await http.json("GET", "/x")
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            net.deadline.set(house.clock.monotonic() + 5)
            assert await http.json("GET", "/x") == {"fine": True}
    assert [record.error for record in house.audit.records] == ["Cancelled", None]


async def test_an_audit_record_holds_no_query_and_no_header() -> None:
    async with serving(FINE) as server:
        house = House(server.url, key=KEY)
        await asked(house, path="/v1/things/", params={"token": KEY}, operation="list things", account="work")
    (record,) = house.audit.records
    assert (record.operation, record.method, record.host) == ("list things", "GET", "127.0.0.1")
    assert (record.provider, record.account, record.actor) == ("vast", "work", "local")
    assert (record.status, record.error, record.attempt, record.bytes) == (200, None, 1, 14)
    assert record.at == START
    assert KEY not in repr(record)


def test_every_exception_of_httpx_has_a_sentence() -> None:
    made = {
        httpx.HTTPStatusError: lambda kind: kind("x", request=None, response=None),
        httpx.StreamConsumed: lambda kind: kind(),
        httpx.StreamClosed: lambda kind: kind(),
        httpx.ResponseNotRead: lambda kind: kind(),
        httpx.RequestNotRead: lambda kind: kind(),
    }
    kinds = [kind for kind in vars(httpx).values() if inspect.isclass(kind) and issubclass(kind, Exception)]
    assert len(kinds) > 25
    from connectors.door import _WIRE

    for kind in kinds:
        error = made.get(kind, lambda kind: kind("secret words"))(kind)
        fault = of_exception(error, Whom("Cloud", "api.cloud.example"), waited_s=1)
        assert isinstance(fault.error, CloudError)
        assert "api.cloud.example" in fault.error.message
        assert "secret words" not in str(fault.error)
        assert fault.error.next_step
        assert issubclass(kind, _WIRE), "the door catches it"


async def test_a_door_without_waiting_keeps_connections_open() -> None:
    async def twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
        writer.write(answer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    async with serving(twice) as server:
        async with way_out(House(server.url)) as http:
            assert await http.json("GET", "/x") == {}
            assert await http.json("GET", "/x") == {}
        assert len(server.requests) == 1


def test_a_clock_that_stands_still_is_enough_for_a_house() -> None:
    assert Clock().now() == START


async def test_requests_that_waited_for_their_turn_do_not_knock_at_a_dead_host_one_after_another() -> None:
    with never_accepting() as port:
        house = House(f"http://127.0.0.1:{port}", policy=replace(QUICK, in_flight=1, connect_s=0.2))
        async with way_out(house) as http:
            errors = await asyncio.gather(
                *(http.json("GET", f"/{n}") for n in range(5)), return_exceptions=True
            )
    assert [type(error) for error in errors] == [Unreachable] * 5
    assert len(house.audit.records) == 1
