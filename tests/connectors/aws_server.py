"""AWS as a test wants it: what each operation answers, and what it was asked. And the connector before it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from cloudtop.inventory import Resource
from cloudtop.models import Scope, Trouble
from cloudtop.settings import ProviderSettings
from connectors import discovery
from connectors.aws import Aws
from tests.connectors.raw_servers import Audit, Clock, Hosts, reply, serving

SIGNED = re.compile(r"Credential=[^/]+/\d+/([a-z0-9-]+)/([a-z0-9-]+)/")
KEYS = {"access_key_id": "AKIACANARYCANARY0000", "secret_access_key": "canary-secret-0123456789"}
SPACES = {
    "ec2": "http://ec2.amazonaws.com/doc/2016-11-15/",
    "rds": "http://rds.amazonaws.com/doc/2014-10-31/",
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
    "elasticloadbalancing": "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
}


@dataclass(frozen=True)
class Asked:
    """One request: of which service, in which region, which operation (or method and path), with what."""

    service: str
    region: str
    operation: str
    arguments: Mapping[str, Any]


Answer = bytes | Callable[[Asked], bytes]


@dataclass
class Cloud:
    """A made-up AWS. An operation that it does not know is denied."""

    answers: dict[str, Answer | list[Answer]]
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def of(self, operation: str) -> list[Asked]:
        """The requests for one operation."""
        return [one for one in self.asked if one.operation == operation]

    def answer(self, asked: Asked) -> bytes:
        """What a request is answered with; of several answers the next, and the last from then on."""
        before = len(self.of(asked.operation))
        self.asked.append(asked)
        found = self.answers.get(asked.operation, denied(asked.service))
        if isinstance(found, list):
            found = found[min(before, len(found) - 1)]
        return found(asked) if callable(found) else found


@asynccontextmanager
async def amazon(**answers: Answer | list[Answer]) -> AsyncIterator[Cloud]:
    """An AWS that answers these operations: `GET /path` written as `GET_path`, with _ for each slash."""
    cloud = Cloud(dict(answers))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = server.requests[-1]
        writer.write(cloud.answer(understood(request)))
        await writer.drain()

    async with serving(answer) as server:
        cloud.url = server.url
        yield cloud


def understood(request: Any) -> Asked:
    """What a request on the wire asks for."""
    signed = SIGNED.search(str(request.headers["Authorization"]))
    region, service = signed.groups() if signed else ("", "")
    method, target, _ = request.line.split(" ")
    path, _, query = unquote(target).partition("?")
    told: dict[str, Any] = dict(parse_qsl(query, keep_blank_values=True))
    if request.body[:1] == b"{":
        told |= json.loads(request.body)
    else:
        told |= dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    action = str(request.headers.get("X-Amz-Target") or "").rpartition(".")[2]
    plain = f"{method}{re.sub(r'[^A-Za-z0-9]+', '_', path)}"
    return Asked(service, region, told.pop("Action", None) or action or plain, told)


def denied(service: str, status: int = 403) -> bytes:
    """That this is not allowed, in the words of a service."""
    if service == "ec2":
        error = "<Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error>"
        return reply(status, f"<Response><Errors>{error}</Errors><RequestID>r</RequestID></Response>")
    if service in SPACES or service in ("s3", "route53", "elasticache"):
        error = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
        return reply(status, error if service == "s3" else f"<ErrorResponse>{error}</ErrorResponse>")
    return reply(status, {"__type": "AccessDeniedException", "message": "no"})


def throttled() -> bytes:
    """That there were too many requests."""
    return reply(400, {"__type": "ThrottlingException", "message": "Rate exceeded"})


def ec2(operation: str, inside: str) -> bytes:
    """An answer of EC2."""
    name = f"{operation}Response"
    return reply(200, f'<{name} xmlns="{SPACES["ec2"]}"><requestId>r</requestId>{inside}</{name}>')


def query(service: str, operation: str, inside: str) -> bytes:
    """An answer of a service of the query protocol."""
    result = f"<{operation}Result>{inside}</{operation}Result>"
    return reply(200, f'<{operation}Response xmlns="{SPACES[service]}">{result}</{operation}Response>')


def machines(*kinds: str, first: int = 1, more: str = "") -> bytes:
    """A page of instances of these types, named i-1, i-2, …"""
    items = "".join(
        f"<item><instancesSet><item><instanceId>i-{first + n}</instanceId><instanceType>{kind}</instanceType>"
        "<instanceState><code>16</code><name>running</name></instanceState></item></instancesSet></item>"
        for n, kind in enumerate(kinds)
    )
    token = f"<nextToken>{more}</nextToken>" if more else ""
    return ec2("DescribeInstances", f"<reservationSet>{items}</reservationSet>{token}")


class Keys:
    """The keys of every account."""

    def secret(self, provider: str, account: str, name: str) -> str | None:
        return KEYS.get(name)


@dataclass
class House:
    """The connector before a cloud, and everything around it."""

    cloud: Cloud
    clock: Clock = field(default_factory=Clock)
    audit: Audit = field(default_factory=Audit)
    settings: dict[str, Any] = field(default_factory=dict)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Aws]:
        settings = ProviderSettings("aws", options={"endpoint": self.cloud.url}, **self.settings)
        made = discovery.make(
            discovery.found()["aws"],
            settings,
            secrets=Keys(),
            clock=self.clock,
            hosts=Hosts(),
            audit=self.audit,
        )
        assert isinstance(made, Aws)
        try:
            yield made
        finally:
            await made.aclose()

    async def listed(self, kind: str, region: str = "eu-west-1") -> tuple[list[Resource], list[Trouble]]:
        """The rows of a listing, and what was remarked."""
        async with self.opened() as aws:
            return await rows(aws, kind, region)


async def rows(aws: Aws, kind: str, region: str = "eu-west-1") -> tuple[list[Resource], list[Trouble]]:
    """The rows of a listing, and what was remarked."""
    scope = Scope("aws", "default", "global" if kind in aws.facts.everywhere else region, kind)
    found = [one async for page in getattr(aws, kind)(scope) for one in page]
    return found, aws.noted.pop(scope, [])
