"""boto3 behind the door: real boto3 clients, raw servers on loopback, a clock that moves only by sleeping."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from cloudtop import net
from cloudtop.errors import (
    CloudError,
    Forbidden,
    Invalid,
    NotConfigured,
    NotFound,
    RateLimited,
    TooSlow,
    Unauthorized,
    Unavailable,
    Unreachable,
)
from cloudtop.settings import ProviderSettings
from connectors import discovery
from connectors.aws_door import BotoDoor
from connectors.base import Facts
from connectors.door import Door
from connectors.http import Http
from tests.connectors.raw_servers import (
    Audit,
    Clock,
    Hosts,
    Policy,
    free_port,
    never_accepting,
    reply,
    serving,
)

pytest.importorskip("boto3")

KEY_ID, SECRET, TOKEN = "AKIACANARYCANARY0000", "canary-secret-0123456789", "canary-session-token-987"
KEYS = {"access_key_id": KEY_ID, "secret_access_key": SECRET}
QUICK = Policy(requests_per_second=1000, burst=1000)
REGIONS = """<DescribeRegionsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId>
<regionInfo><item><regionName>us-east-1</regionName></item></regionInfo></DescribeRegionsResponse>"""
FINE = reply(200, REGIONS)


def ec2_error(code: str, message: str = "m") -> str:
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return f"<?xml version='1.0'?><Response><Errors>{error}</Errors><RequestID>rid</RequestID></Response>"


@dataclass
class House:
    """A door for boto3 with everything around it."""

    url: str | None
    policy: Policy = QUICK
    keys: dict[str, str] = field(default_factory=lambda: dict(KEYS))
    facts: Facts = field(default_factory=lambda: discovery.found()["aws"])
    clock: Clock = field(default_factory=Clock)
    hosts: Hosts = field(default_factory=Hosts)
    audit: Audit = field(default_factory=Audit)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[BotoDoor]:
        ports: dict[str, Any] = {"clock": self.clock, "hosts": self.hosts, "audit": self.audit}

        def door(refusal: Any, parsed: Any) -> Door:
            return Door(self.facts, self.policy, refusal=refusal, parsed=parsed, **ports)

        options = {"endpoint": self.url} if self.url else {}
        settings = ProviderSettings("aws", options=options, in_flight=self.policy.in_flight)
        made = BotoDoor(self.facts, settings, Http(self.facts, settings, self, door), door)
        try:
            yield made
        finally:
            await made.aclose()

    def secret(self, provider: str, account: str, name: str) -> str | None:
        """A credential of every account."""
        return self.keys.get(name)

    async def ask(self, operation: str = "describe_regions", service: str = "ec2", **more: Any) -> Any:
        async with self.opened() as boto:
            return await boto.call(service, operation, region="us-east-1", account="default", **more)

    async def fail(
        self, operation: str = "describe_regions", service: str = "ec2", **more: Any
    ) -> CloudError:
        with pytest.raises(CloudError) as caught:
            await self.ask(operation, service, **more)
        return caught.value


@pytest.fixture(autouse=True)
async def warm() -> None:
    """boto3 is imported and reads its models before any deadline of a test begins."""
    async with serving(FINE) as server:
        await House(server.url).ask()


async def test_an_answer_is_what_boto3_makes_of_it() -> None:
    async with serving(FINE) as server:
        house = House(server.url)
        net.actor.set("somebody")
        answer = await house.ask()
    assert [one["RegionName"] for one in answer["Regions"]] == ["us-east-1"]
    assert server.requests[0].body.startswith(b"Action=DescribeRegions")
    assert f"Credential={KEY_ID}/" in str(server.requests[0].headers["Authorization"])
    (record,) = house.audit.records
    assert (record.operation, record.account, record.status, record.error, record.attempt, record.actor) == (
        "ec2 DescribeRegions",
        "default",
        200,
        None,
        1,
        "somebody",
    )


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, ec2_error("AuthFailure"), Unauthorized),
        (403, ec2_error("InvalidClientTokenId"), Unauthorized),
        (400, ec2_error("ExpiredToken"), Unauthorized),
        (400, ec2_error("RequestExpired"), Unauthorized),
        (403, ec2_error("SignatureDoesNotMatch"), Unauthorized),
        (403, {"message": "The security token included in the request is expired"}, Unauthorized),
        (403, ec2_error("UnauthorizedOperation"), Forbidden),
        (400, {"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "no"}, Forbidden),
        (401, ec2_error("OptInRequired"), Forbidden),
        (400, ec2_error("Throttling"), RateLimited),
        (503, ec2_error("RequestLimitExceeded"), RateLimited),
        (400, ec2_error("EC2ThrottledException"), RateLimited),
        (400, {"__type": "ThrottlingException", "message": "Rate exceeded"}, RateLimited),
        (503, "<Error><Code>SlowDown</Code><Message>m</Message></Error>", RateLimited),
        (429, "", RateLimited),
        (400, ec2_error("InvalidInstanceID.NotFound"), NotFound),
        (404, "<Error><Code>NoSuchBucket</Code></Error>", NotFound),
        (400, ec2_error("InvalidParameterValue"), Invalid),
        (500, ec2_error("InternalError"), Unavailable),
        (503, ec2_error("Unavailable"), Unavailable),
        (502, "<html><body>Bad gateway</body></html>", Unavailable),
        (200, ec2_error("InternalError"), Invalid),
        (200, ec2_error("AuthFailure"), Unauthorized),
        (200, REGIONS[:-40], Invalid),
        (200, "<!DOCTYPE html><html><head><title>t</title></head><body>Sign in</body></html>", Invalid),
        (200, "soon", Invalid),
        (307, "", Invalid),
    ],
)
async def test_every_refusing_answer_becomes_the_right_trouble_and_one_record(
    status: int, body: Any, error: type[CloudError]
) -> None:
    async with serving(reply(status, body)) as server:
        house = House(server.url, replace(QUICK, retries=0))
        failure = await house.fail()
    assert type(failure) is error
    assert failure.next_step
    assert "<" not in failure.message
    assert [record.error for record in house.audit.records] == [error.__name__]


async def test_the_code_and_the_words_of_the_cloud_are_told() -> None:
    body = ec2_error("UnauthorizedOperation", "You are not authorized &amp; that is all")
    async with serving(reply(403, body, x_amzn_requestid="req-7")) as server:
        failure = await House(server.url).fail()
    assert "UnauthorizedOperation: You are not authorized & that is all" in failure.message
    assert failure.reference == "req-7"


async def test_a_reading_call_is_repeated_and_waits_as_the_cloud_asks() -> None:
    throttled = reply(400, ec2_error("Throttling"))
    asked = reply(503, ec2_error("RequestLimitExceeded"), Retry_After="7")
    async with serving(throttled, asked, FINE) as server:
        house = House(server.url)
        assert (await house.ask())["Regions"]
    assert [(one.attempt, one.status) for one in house.audit.records] == [(1, 400), (2, 503), (3, 200)]
    assert 1 <= house.clock.slept[0] <= 1.25
    assert house.clock.slept[1] == 7


@pytest.mark.parametrize("down", [503, 400])
async def test_a_changing_call_is_sent_once(down: int) -> None:
    async with serving(reply(down, ec2_error("RequestLimitExceeded"))) as server:
        await House(server.url).fail("start_instances", InstanceIds=["i-1"])
    assert len(server.requests) == 1


async def test_trouble_for_ever_ends_after_three_retries() -> None:
    async with serving(reply(500, ec2_error("InternalError"))) as server:
        house = House(server.url)
        net.deadline.set(house.clock.monotonic() + 1000)
        assert isinstance(await house.fail(), Unavailable)
    assert len(server.requests) == 4


async def test_a_refused_connection_is_remembered_and_not_tried_again() -> None:
    house = House(f"http://127.0.0.1:{free_port()}")
    assert isinstance(await house.fail(), Unreachable)
    assert len(house.audit.records) == 1
    assert "not asked again" in (await house.fail()).message
    assert len(house.audit.records) == 1


async def test_a_port_that_never_accepts_is_left_after_a_second() -> None:
    with never_accepting() as port:
        started = time.monotonic()
        assert isinstance(await House(f"http://127.0.0.1:{port}").fail(), Unreachable)
        assert 0.9 < time.monotonic() - started < 5


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for place in range(len(FINE)):
        writer.write(FINE[place : place + 1])
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("behave", [silent, dripping])
async def test_a_server_that_hangs_or_drips_is_left_at_the_deadline(behave: Any) -> None:
    before = set(threading.enumerate())
    async with serving(behave) as server:
        house = House(server.url)
        net.deadline.set(house.clock.monotonic() + 0.3)
        started = time.monotonic()
        assert isinstance(await house.fail(), TooSlow)
        assert time.monotonic() - started < 5
    assert [record.error for record in house.audit.records] == ["TooSlow"]
    assert not [one for one in set(threading.enumerate()) - before if "boto3" in one.name]


async def test_a_call_that_is_given_up_gives_its_thread_and_its_place_back() -> None:
    before = set(threading.enumerate())
    async with serving(FINE, silent, silent, FINE) as server:
        house = House(server.url, replace(QUICK, in_flight=1))
        async with house.opened() as boto:
            # Once before, because making a client takes longer than anybody waits below.
            assert (await boto.call("ec2", "describe_regions", region="r-1", account="a"))["Regions"]
            for _ in range(2):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(
                        boto.call("ec2", "describe_regions", region="r-1", account="a"), 0.4
                    )
            assert (await boto.call("ec2", "describe_regions", region="r-1", account="a"))["Regions"]
    assert [record.error for record in house.audit.records] == [None, "Cancelled", "Cancelled", None]
    assert not [one for one in set(threading.enumerate()) - before if "boto3" in one.name]


async def test_never_more_in_flight_than_allowed() -> None:
    now = peak = 0

    async def counting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal now, peak
        now += 1
        peak = max(peak, now)
        await asyncio.sleep(0.02)
        now -= 1
        writer.write(FINE)
        await writer.drain()

    async with serving(counting) as server:
        house = House(server.url, replace(QUICK, in_flight=3))
        async with house.opened() as boto:
            calls = [boto.call("ec2", "describe_regions", region="r-1", account="a") for _ in range(15)]
            assert len(await asyncio.gather(*calls)) == 15
    assert peak == 3
    assert len(house.audit.records) == 15


async def test_no_secret_is_logged_told_or_recorded(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def echoing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent = server.requests[-1].headers["Authorization"]
        writer.write(reply(403, ec2_error("UnauthorizedOperation", f"you sent {sent} {SECRET} {TOKEN}")))
        await writer.drain()

    async with serving(echoing) as server:
        house = House(server.url, keys={**KEYS, "session_token": TOKEN})
        failure = await house.fail()
        assert isinstance(failure, Forbidden)
    signature = str(server.requests[0].headers["Authorization"]).rpartition("=")[2]
    for secret in (KEY_ID, SECRET, TOKEN, signature):
        assert secret not in caplog.text + str(failure) + repr(house.audit.records)
    assert "X-Amz-Security-Token" not in server.requests[0].headers, "a token went out unencrypted"


async def test_what_the_environment_says_to_boto3_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    broken = tmp_path / "config"
    broken.write_text("[[[ not a file of profiles")
    async with serving(FINE) as elsewhere, serving(FINE) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", elsewhere.url)
        monkeypatch.setenv("AWS_PROFILE", "nobody")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(broken))
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "9")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER")
        await House(server.url).ask()
    assert elsewhere.requests == []
    assert KEY_ID in str(server.requests[0].headers["Authorization"])


async def test_a_host_that_is_not_the_providers_gets_nothing() -> None:
    house = House(None, facts=replace(discovery.found()["aws"], hosts=("example.com",)))
    failure = await house.fail()
    assert isinstance(failure, Invalid)
    assert "nothing was sent" in failure.message
    assert house.audit.records == []


async def test_without_keys_it_says_which_to_set() -> None:
    failure = await House("http://127.0.0.1:1", keys={}).fail()
    assert isinstance(failure, NotConfigured)
    assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in failure.next_step


async def test_without_boto3_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3.exceptions", None)
    failure = await House("http://127.0.0.1:1").fail()
    assert isinstance(failure, NotConfigured)
    assert "pip install 'cloudtop[aws]'" in failure.next_step


async def test_a_request_that_boto3_refuses_to_make_is_invalid() -> None:
    async with serving(FINE) as server:
        assert isinstance(await House(server.url).fail(Bogus=1), Invalid)
    assert server.requests == []


async def test_other_services_pass_the_same_door() -> None:
    identity = (
        "<GetCallerIdentityResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><GetCallerIdentityResult>"
        "<Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
    )
    cases = (
        ("sts", "get_caller_identity", identity, "Account", "1"),
        ("lambda", "list_functions", {"Functions": []}, "Functions", []),
        ("cloudwatch", "list_metrics", {"Metrics": []}, "Metrics", []),
        ("s3", "list_buckets", "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>", "Buckets", []),
    )
    for service, operation, body, name, value in cases:
        async with serving(reply(200, body)) as server:
            house = House(server.url)
            assert (await house.ask(operation, service))[name] == value, service
            assert len(house.audit.records) == 1


async def test_a_region_and_a_service_have_the_rate_for_themselves() -> None:
    async with serving(FINE) as server:
        house = House(server.url, Policy(requests_per_second=1, burst=1))
        async with house.opened() as boto:
            for region, account in (("r-1", "a"), ("r-2", "a"), ("r-1", "b"), ("r-1", "a")):
                await boto.call("ec2", "describe_regions", region=region, account=account)
    assert house.clock.slept == [1.0]


async def test_what_a_listing_can_do_without_is_tried_less_often() -> None:
    async with serving(reply(503, ec2_error("Unavailable"))) as server:
        await House(server.url).fail(retries=1)
    assert len(server.requests) == 2


async def test_pages_are_read_where_they_were_parsed_and_let_go() -> None:
    def page(name: str, token: str) -> bytes:
        more = f"<nextToken>{token}</nextToken>" if token else ""
        set_of = f"<volumeSet><item><volumeId>{name}</volumeId></item></volumeSet>{more}"
        head = 'xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"'
        return reply(200, f"<DescribeVolumesResponse {head}>{set_of}</DescribeVolumesResponse>")

    threads, pages = set(), []

    def read(answer: Any) -> list[str]:
        threads.add(threading.current_thread().name)
        pages.append(answer)
        return [one["VolumeId"] for one in answer["Volumes"]]

    async with serving(page("vol-1", "t1"), page("vol-2", "t2"), page("vol-3", "")) as server:
        async with House(server.url).opened() as boto:
            where = {"region": "r-1", "account": "a"}
            turned = boto.pages("ec2", "describe_volumes", read=read, size=500, **where)
            assert [one async for one in turned] == [["vol-1"], ["vol-2"], ["vol-3"]]
        assert [b"NextToken=t" in one.body for one in server.requests] == [False, True, True]
        assert all(b"MaxResults=500" in one.body for one in server.requests)
    assert all(name.startswith("aws-boto3") for name in threads)
    assert all([*one["Volumes"]] == [] for one in pages)


async def test_a_page_that_comes_twice_is_invalid() -> None:
    body = "<volumeSet/><nextToken>same</nextToken>"
    answer = f"<DescribeVolumesResponse>{body}</DescribeVolumesResponse>"
    async with serving(reply(200, answer)) as server, House(server.url).opened() as boto:
        turned = boto.pages("ec2", "describe_volumes", region="r-1", account="a", read=len)
        with pytest.raises(Invalid, match="repeats the same page"):
            _ = [one async for one in turned]


@pytest.mark.parametrize(
    "body",
    [
        "<DescribeRegionsResponse><regionInfo></wrong></DescribeRegionsResponse>",
        "<DescribeRegionsResponse><a></DescribeRegionsResponse>",
    ],
)
async def test_an_answer_that_is_broken_inside_is_invalid(body: str) -> None:
    async with serving(reply(200, body)) as server:
        assert isinstance(await House(server.url).fail(), Invalid)


async def test_one_thread_computes_while_the_others_wait() -> None:
    now = peak = 0

    def read(page: Any) -> int:
        nonlocal now, peak
        now += 1
        peak = max(peak, now)
        time.sleep(0.01)
        now -= 1
        return 1

    async with serving(FINE) as server:
        house = House(server.url, replace(QUICK, in_flight=8))
        async with house.opened() as boto:

            async def listed() -> None:
                body = boto.pages("ec2", "describe_vpcs", region="r-1", account="a", read=read)
                async for _ in body:
                    pass

            await asyncio.gather(*(listed() for _ in range(8)))
    assert peak == 1


def test_the_process_can_always_end(tmp_path: Any) -> None:
    code = """
import asyncio, sys, time
from tests.connectors.raw_servers import serving
from tests.connectors.test_aws_door import House, silent
async def main():
    async with serving(silent) as server:
        house = House(server.url)
        manager = house.opened()
        boto = await manager.__aenter__()
        task = asyncio.ensure_future(boto.call("ec2", "describe_regions", region="r-1", account="a"))
        while not server.requests:
            await asyncio.sleep(0.01)
        print(time.time(), flush=True)
        sys.exit(0)
asyncio.run(main())
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert ran.stdout, ran.stderr
    assert time.time() - float(ran.stdout) < 3


def test_botocore_is_loaded_without_what_only_its_own_requests_would_need() -> None:
    code = """
import sys
from connectors.aws_session import lightly
with lightly():
    import botocore.httpsession
print("OpenSSL" in sys.modules, "urllib3.contrib.pyopenssl" in sys.modules)
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert ran.stdout == "False False\n", ran.stderr
