"""Spaces: the S3 API's list of an account's buckets in a region, to whoever signs for it.

The signature is checked with botocore, which makes the real ones. A region has a path here where it has a
host there, and must be the one that was signed for. Imported late: botocore.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import Response

from cloudtop.sandbox.digitalocean.records import written
from cloudtop.sandbox.fleet import Fleet, Record

PROOF = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[a-z0-9]+)/s3/aws4_request, "
    r"SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=(?P<signature>[0-9a-f]{64})"
)
SPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


class Spaces:
    """The buckets of the company. `accounts`: credentials by the names of the configuration."""

    def __init__(self, fleet: Fleet, accounts: Mapping[str, Mapping[str, str]]) -> None:
        self.fleet = fleet
        self.keys = {
            auth["access_key_id"]: (name, auth["secret_access_key"]) for name, auth in accounts.items()
        }

    async def listing(self, request: Request) -> Response:
        """GET /spaces/{region}/: the buckets there."""
        proof = PROOF.fullmatch(request.headers.get("authorization", ""))
        account, secret = self.keys.get(proof["key"], ("", "")) if proof else ("", "")
        if proof is None or not account or proof["region"] != request.path_params["region"]:
            return _error("InvalidAccessKeyId")
        if signature(request, proof["key"], secret, proof["region"]) != proof["signature"]:
            return _error("SignatureDoesNotMatch")
        told = "".join(map(_bucket, self.fleet.of("spaces", account, proof["region"])))
        body = f"<ListAllMyBucketsResult {SPACE}><Buckets>{told}</Buckets></ListAllMyBucketsResult>"
        return _xml(body)


def signature(request: Request, key: str, secret: str, region: str) -> str:
    """What the signature of a request must be."""
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    names = ("host", "x-amz-content-sha256", "x-amz-date")
    headers = {name: request.headers.get(name, "") for name in names}
    made = AWSRequest("GET", str(request.url), headers=headers)
    made.context["timestamp"] = headers["x-amz-date"]
    signer = S3SigV4Auth(Credentials(key, secret), "s3", region)
    wanted = signer.string_to_sign(made, signer.canonical_request(made))
    return str(signer.signature(wanted, made))


def _bucket(one: Record) -> str:
    made = f"<CreationDate>{written(one.created)}</CreationDate>" if one.created else ""
    return f"<Bucket><Name>{escape(one.id)}</Name>{made}</Bucket>"


def _error(code: str) -> Response:
    return _xml(f"<Error><Code>{code}</Code></Error>", 403)


def _xml(body: str, status: int = 200) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>{body}'
    return Response(text, status, media_type="application/xml")
