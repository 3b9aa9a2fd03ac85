"""AWS' protocols: who signed a request, which operation it calls with what, and an answer in its format.

Parsing and writing are moto's and botocore's, by the models of the services, for what moto answers and what
this sandbox answers itself alike. Errors are written here, in the words of each protocol. Imported with the
first request that needs it: botocore, moto.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from cloudtop.sandbox.faults import Reply

SIGNED_FOR = {
    "dynamodb": "dynamodb",
    "ec2": "ec2",
    "ecr": "ecr",
    "ecs": "ecs",
    "eks": "eks",
    "elasticache": "elasticache",
    "elasticloadbalancing": "elb",
    "iam": "iam",
    "lambda": "lambda",
    "monitoring": "cloudwatch",
    "pricing": "pricing",
    "rds": "rds",
    "route53": "route53",
    "s3": "s3",
    "tagging": "resourcegroupstaggingapi",
}
"""The service, as botocore calls it, by the name in a signature. Two versions of load balancing share one."""
ELB2 = "2015-12-01"


@dataclass(frozen=True)
class Signed:
    """Who signed a request, and for where: what its Authorization header says."""

    key: str
    region: str
    name: str


SIGNATURE = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,\s]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9]+)/aws4_request, ?"
    r"SignedHeaders=[a-z0-9;-]+, ?Signature=[0-9a-f]{64}"
)


def signed(authorization: str) -> Signed | None:
    """Who signed a request, for which region and service; None for one that is not signed."""
    match = SIGNATURE.fullmatch(authorization)
    return Signed(match[1], match[3], match[4]) if match else None


@dataclass(frozen=True)
class Asked:
    """An HTTP request as it came."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Call:
    """One call of an operation: by whom, where, of what, with which arguments."""

    account: str
    number: str
    region: str
    service: str
    operation: str
    arguments: Mapping[str, Any]


class Refusal(Exception):
    """AWS says no: an error code, a sentence, a status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@cache
def model(service: str) -> Any:
    """The model of a service."""
    from moto.core.utils import get_service_model

    return get_service_model(service)


def service_of(name: str, body: bytes) -> str | None:
    """The service that a request signed for `name` means, None for one that is not here."""
    found = SIGNED_FOR.get(name)
    return "elbv2" if found == "elb" and f"Version={ELB2}".encode() in body else found


def parsed(service: str, asked: Asked) -> tuple[str, dict[str, Any]]:
    """The operation and its arguments; Refusal for one that the service has not, or an unknown argument."""
    from moto.core.parse import PROTOCOL_PARSERS
    from moto.core.request import Request, determine_request_protocol
    from moto.core.routing import get_service_router
    from werkzeug.exceptions import NotFound

    request: Any = Request.from_primitives(
        asked.method, f"https://aws{asked.target}", asked.headers, asked.body
    )
    try:
        operation, places = get_service_router(service).match(request)
        protocol = determine_request_protocol(model(service), request.content_type)
        found = PROTOCOL_PARSERS[protocol](operation).parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": request.data,
                "url_path": request.path,
                "url_params": places,
            }
        )
    except (NotFound, NotImplementedError) as error:
        raise Refusal("InvalidAction", "The action is not valid for this web service.") from error
    except (ValueError, TypeError) as error:
        raise Refusal("SerializationException", "The request cannot be read.") from error
    _known(operation, protocol, asked.body, found)
    return operation.name, found


def _known(operation: Any, protocol: str, body: bytes, arguments: Mapping[str, Any]) -> None:
    """Refuse an argument that the operation does not have."""
    if protocol == "json":
        sent, known = set(json.loads(body or b"{}")), set(operation.input_shape.members)
    elif protocol in ("query", "ec2"):
        sent = set(dict(parse_qsl(body.decode(), keep_blank_values=True)))
        known = set(written(operation, protocol, arguments)["body"])
    else:
        return
    if unknown := sorted(sent - known):
        raise Refusal("ValidationError", f"The parameter {unknown[0]} is not recognized")


def written(operation: Any, protocol: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A call as an HTTP request: url_path, query_string, method, headers, body."""
    from botocore.serialize import create_serializer

    kept = {name: value for name, value in arguments.items() if value not in (None, [], {})}
    request: dict[str, Any] = create_serializer(protocol, False).serialize_to_request(kept, operation)
    return request


@cache
def paging(service: str) -> Mapping[str, Any]:
    """How a service cuts its listings into pages, by operation: what botocore's own paginators go by."""
    from moto.core.utils import get_pagination_model

    found: Mapping[str, Any] = get_pagination_model(service)
    return found


def protocol_of(service: str) -> str:
    """The protocol in which botocore speaks to a service."""
    return str(model(service).resolved_protocol)


def read(service: str, operation: str, reply: Reply) -> dict[str, Any]:
    """An answer as boto3 would give it."""
    from botocore.parsers import create_parser

    shape = model(service).operation_model(operation).output_shape
    about = {"body": reply.body, "headers": dict(reply.headers), "status_code": reply.status}
    found: dict[str, Any] = create_parser(protocol_of(service)).parse(about, shape)
    found.pop("ResponseMetadata", None)
    return found


def answer(service: str, operation: str, result: Mapping[str, Any]) -> Reply:
    """An answer in the service's format, from what boto3 shall give; what the model has not is left out."""
    from moto.core.serialize import get_serializer_class

    made = get_serializer_class(service, protocol_of(service))(
        operation_model=model(service).operation_model(operation)
    )
    written = made.serialize(result)
    body = written["body"]
    headers = tuple((name.lower(), str(value)) for name, value in written["headers"].items())
    return Reply(written["status_code"], body.encode() if isinstance(body, str) else body, headers)


def written_out(result: Mapping[str, Any]) -> Reply:
    """An answer in JSON of what is JSON already: a hundred times as fast where there are many points."""
    body = json.dumps({name: value for name, value in result.items() if value is not None}).encode()
    return Reply(200, body, (("content-type", "application/x-amz-json-1.0"),))


def error(name: str, refusal: Refusal) -> Reply:
    """An error as a service writes it; `name` is the one in the signature."""
    if name in FORMS or name not in SIGNED_FOR:
        code, message = escape(refusal.code), escape(refusal.message)
        inner = f"<Code>{code}</Code><Message>{message}</Message>"
        body = '<?xml version="1.0" encoding="UTF-8"?>\n' + FORMS.get(name, QUERY).format(inner)
        return Reply(refusal.status, body.encode(), (("content-type", "text/xml;charset=UTF-8"),))
    body = json.dumps({"__type": refusal.code, "message": refusal.message})
    kind = "application/json" if name in ("eks", "lambda") else "application/x-amz-json-1.1"
    headers = (("content-type", kind), ("x-amzn-errortype", refusal.code))
    return Reply(refusal.status, body.encode(), headers)


QUERY = (
    "<ErrorResponse><Error><Type>Sender</Type>{}</Error>"
    "<RequestId>sandbox-request</RequestId></ErrorResponse>"
)
FORMS = {
    "ec2": "<Response><Errors><Error>{}</Error></Errors><RequestID>sandbox-request</RequestID></Response>",
    "s3": "<Error>{}<RequestId>sandbox-request</RequestId></Error>",
    **dict.fromkeys(("elasticache", "elasticloadbalancing", "iam", "rds", "route53"), QUERY),
}
"""How the services that speak XML write an error around its code and message; the others speak JSON."""
