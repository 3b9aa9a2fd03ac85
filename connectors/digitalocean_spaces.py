"""Spaces: buckets, which only the S3 API lists, region by region, to a key pair of its own.

An account without such a pair is not asked, and that is said. The one question (GET of a region's root) is
signed here with AWS' Signature Version 4, which takes a few lines; boto3 would be a whole SDK for it. What a
bucket holds is told by nobody but the list of its objects, which is not read.
Source: the Spaces API reference, and Signature Version 4 of the S3 documentation.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from functools import reduce
from typing import NamedTuple
from urllib.parse import urlsplit
from xml.etree import ElementTree

from cloudtop.errors import Forbidden, Invalid, NotConfigured
from cloudtop.inventory import Resource
from cloudtop.models import Scope
from connectors.digitalocean_base import Ocean
from connectors.digitalocean_rows import moment, raw

HOST = "https://{region}.digitaloceanspaces.com/"
REGIONS = ("nyc3", "ams3", "atl1", "blr1", "fra1", "lon1", "sfo2", "sfo3", "sgp1", "syd1", "tor1")
LISTED = "ListAllMyBucketsResult"
NOTHING = hashlib.sha256(b"").hexdigest()
SIGNED = "host;x-amz-content-sha256;x-amz-date"


class Pair(NamedTuple):
    """A key of Spaces."""

    key: str
    secret: str


class Spaces(Ocean):
    """Object storage."""

    async def spaces(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """The buckets of every region that has Spaces, or of those that are configured."""
        key, secret = (self.http.key(scope.account, name) for name in ("access_key_id", "secret_access_key"))
        if not key or not secret:
            raise NotConfigured("Spaces were not asked: they take a key pair of their own.", self._to_set)
        own = next((one.regions for one in self.settings.accounts if one.name == scope.account), ())
        chosen = own or self.settings.regions
        regions = [one for one in REGIONS if not chosen or one in chosen]
        pair = Pair(key, secret)
        for found in await self.each(regions, lambda region: self._region(scope, region, pair)):
            yield found

    async def _region(self, scope: Scope, region: str, pair: Pair) -> list[Resource]:
        endpoint = self.settings.endpoint_of(scope.account)
        # One endpoint stands for the hosts of all regions.
        url = f"{endpoint.rstrip('/')}/spaces/{region}/" if endpoint else HOST.format(region=region)
        headers = signed(url, region, pair, self.now())
        lines = self.http.lines(url, headers=headers, operation="list buckets", account=scope.account)
        try:
            text = "\n".join([line async for line in lines])
        except Forbidden as error:
            raise Forbidden(f"{error.message} This was the key of Spaces.", self._to_set) from error
        try:
            return [bucket(one, region) for one in buckets(text)]
        except (ElementTree.ParseError, ValueError) as error:
            message = f"{self.facts.title} answered without a list of buckets."
            raise Invalid(message, "Try again; if it stays so, the interface may have changed.") from error

    @property
    def _to_set(self) -> str:
        names = " and ".join(self.facts.credentials[one][0] for one in ("access_key_id", "secret_access_key"))
        return f"Set {names} to a key of Spaces that may read; the control panel makes them."


def signed(url: str, region: str, pair: Pair, at: datetime) -> dict[str, str]:
    """The headers of a GET of an address without a query, signed for a region."""
    target = urlsplit(url)
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    parts = (stamp[:8], region, "s3", "aws4_request")
    scope = "/".join(parts)
    told = f"host:{target.netloc}\nx-amz-content-sha256:{NOTHING}\nx-amz-date:{stamp}\n"
    request = hashlib.sha256(f"GET\n{target.path}\n\n{told}\n{SIGNED}\n{NOTHING}".encode()).hexdigest()
    secret = reduce(_hashed, parts, f"AWS4{pair.secret}".encode())
    signature = _hashed(secret, f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{request}").hex()
    proof = f"Credential={pair.key}/{scope}, SignedHeaders={SIGNED}, Signature={signature}"
    return {
        "x-amz-content-sha256": NOTHING,
        "x-amz-date": stamp,
        "authorization": f"AWS4-HMAC-SHA256 {proof}",
    }


def _hashed(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def buckets(text: str) -> Iterator[dict[str, str]]:
    """The buckets in a list of them; ValueError for anything else."""
    root = ElementTree.fromstring(text)
    if _name(root) != LISTED:
        raise ValueError(f"{_name(root)} is no list of buckets")
    for one in root.iter():
        if _name(one) == "Bucket":
            found = {_name(part): part.text or "" for part in one}
            if found.get("Name"):
                yield found


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def bucket(one: dict[str, str], region: str) -> Resource:
    """One bucket."""
    return Resource(
        id=one["Name"],
        type="bucket",
        name=one["Name"],
        status="available",
        region=region,
        created_at=moment(one.get("CreationDate")),
        details={"service": "spaces", "address": f"{one['Name']}.{region}.digitaloceanspaces.com"},
        raw=raw(one),
    )
