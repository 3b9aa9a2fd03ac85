"""The company's AWS: calls are answered by moto over the fleet, or here where moto cannot.

A key belongs to one account, and may read: whatever changes something is denied. Every listing that AWS cuts
into pages comes in two at least where it has two records. moto's objects hold no times, so all sandboxes of a
process share them; what a moment is follows from the sandbox that is asked.
"""

from __future__ import annotations

import base64
import copy
import json
import re
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache, cached_property
from typing import Any

from cloudtop.sandbox.aws import answers, metrics, wire
from cloudtop.sandbox.aws.listed import mended
from cloudtop.sandbox.aws.seeds import NEEDS, SEEDS, Place
from cloudtop.sandbox.aws.wire import Asked, Call, Refusal, Signed
from cloudtop.sandbox.faults import Reply
from cloudtop.sandbox.fleet import Fleet

READS = re.compile(r"(Describe|List|Get|Head|Lookup|Search|Simulate|BatchGet)")
LONGEST_PAGE = 100
EXPLICIT = re.compile(r"(?<!Owner)(Ids|Arns|(?<!Action)Names|InstanceTypes)$")
"""Arguments that name what is asked for."""
ACTIONS = {"monitoring": "cloudwatch", "tagging": "tag"}
"""How a policy names a service, where a signature names it otherwise."""
DENIED = {"ec2": ("UnauthorizedOperation", 403), "s3": ("AccessDenied", 403)}
QUERY = ("elasticache", "elasticloadbalancing", "iam", "rds", "route53")
DENIED |= dict.fromkeys(QUERY, ("AccessDenied", 403))
UNKNOWN_KEY = {"ec2": ("AuthFailure", 401), "s3": ("InvalidAccessKeyId", 403)}
UNKNOWN_KEY |= dict.fromkeys((*QUERY, "sts"), ("InvalidClientTokenId", 403))
UNKNOWN_KEY |= dict.fromkeys(("eks", "lambda"), ("UnrecognizedClientException", 403))
ALONE = ("cloudwatch", "pricing", "resourcegroupstaggingapi")
"""Services of which moto answers nothing."""

_MOTO = threading.RLock()
"""moto's objects belong to the process, and are made by one thread at a time."""
_FILLED: set[tuple[str, str, str]] = set()


class Amazon:
    """The accounts of one sandbox."""

    def __init__(self, now: Callable[[], datetime], keys: Mapping[str, str]) -> None:
        """`keys`: the id of each access key, and the account whose it is."""
        self._now, self._began, self._keys = now, now(), keys
        self._listings: dict[str, dict[str, Any]] = {}
        self._measured: dict[tuple[str, str], list[metrics.Metric]] = {}

    @cached_property
    def fleet(self) -> Fleet:
        """The company's part in AWS, read when it is first asked for."""
        return Fleet("aws", self._began)

    def account(self, signed: Signed) -> str:
        """The account whose key a request was signed with; Refusal for a key that nobody has."""
        if signed.key in self._keys:
            return self._keys[signed.key]
        code, status = UNKNOWN_KEY.get(signed.name, ("UnrecognizedClientException", 400))
        raise Refusal(code, "The security token included in the request is invalid.", status)

    def identity(self, account: str) -> tuple[str, str]:
        """An account's number, and the ARN of the user whose key it is."""
        return self.fleet.accounts[account]["number"], answers.principal(self.fleet, account)

    def answer(self, signed: Signed, asked: Asked) -> Reply:
        """One request, one answer; takes its time, and more at the first for a service."""
        try:
            return self._answer(signed, asked)
        except Refusal as refusal:
            return wire.error(signed.name, refusal)
        except ImportError as error:
            lacking = f"The sandbox needs {error.name}. Install it with: pip install 'cloudtop[sandbox]'"
            return wire.error(signed.name, Refusal("InternalError", lacking, 500))

    def _answer(self, signed: Signed, asked: Asked) -> Reply:
        account = self.account(signed)
        service = wire.service_of(signed.name, asked.body)
        if service is None:
            raise Refusal("UnknownService", f"{signed.name} is not in this sandbox.")
        if signed.region not in self.fleet.accounts[account]["regions"] and service not in ("iam", "pricing"):
            raise self._denied(signed.name, account, f"{signed.name} in {signed.region}")
        with _MOTO:
            operation, arguments = wire.parsed(service, asked)
            number = self.fleet.accounts[account]["number"]
            call = Call(account, number, signed.region, service, operation, arguments)
            self._permit(signed.name, call)
            return self._told(call)

    def _permit(self, name: str, call: Call) -> None:
        """Refuse what the account's policy does not allow, and whatever is no reading."""
        action = f"{ACTIONS.get(name, name)}:{call.operation}"
        if not READS.match(call.operation) or not answers.allowed(self.fleet, call.account, action):
            raise self._denied(name, call.account, action)
        if call.arguments.get("DryRun"):
            raise Refusal("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)

    def _denied(self, name: str, account: str, what: str) -> Refusal:
        code, status = DENIED.get(name, ("AccessDeniedException", 403 if name in ("eks", "lambda") else 400))
        who = answers.principal(self.fleet, account)
        return Refusal(code, f"User: {who} is not authorized to perform: {what}", status)

    def _told(self, call: Call) -> Reply:
        paging = wire.paging(call.service).get(call.operation)
        arguments = dict(call.arguments)
        token = arguments.pop(paging["input_token"], None) if paging else None
        size = int(arguments.pop(paging.get("limit_key"), 0)) or None if paging else None
        whole = Call(call.account, call.number, call.region, call.service, call.operation, arguments)
        found = self._whole(whole)
        if isinstance(found, Reply):
            return found
        if paging and not _at_once(whole, size):
            found = _page(whole, found, paging, token, None if call.service == "cloudwatch" else size)
        if call.operation == "GetMetricData":
            asked, known = found["MetricDataResults"], self._metrics(call)
            return wire.written_out(
                {**found, "MetricDataResults": metrics.results(known, call, asked, self._now())}
            )
        return wire.answer(call.service, call.operation, found)

    def _whole(self, call: Call) -> dict[str, Any] | Reply:
        """The whole answer to a call, as boto3 would give it; an error of moto as it is."""
        own = self._own(call)
        if own is not None:
            return own
        key = json.dumps(
            [call.account, call.region, call.service, call.operation, call.arguments], default=str
        )
        if key not in self._listings:
            reply = _of_moto(self.fleet, call)
            if reply.status >= 300:
                return reply
            found = wire.read(call.service, call.operation, reply)
            place = Place(call.account, call.number, call.region)
            self._listings[key] = mended(self.fleet, place, call, found)
        return copy.copy(self._listings[key])

    def _own(self, call: Call) -> dict[str, Any] | None:
        """What is answered here, None for what moto answers."""
        if (call.service, call.operation) == ("cloudwatch", "ListMetrics"):
            return metrics.list_metrics(self._metrics(call), call)
        if (call.service, call.operation) == ("cloudwatch", "GetMetricData"):
            return metrics.queries(call)
        if (call.service, call.operation) in OWN:
            return OWN[call.service, call.operation](self.fleet, call)
        if call.service in ALONE or (call.service == "iam" and call.operation.startswith("Simulate")):
            raise Refusal("InvalidAction", f"{call.operation} is not in this sandbox.")
        return None

    def _metrics(self, call: Call) -> list[metrics.Metric]:
        """The series of a place, which stay the same while the sandbox runs."""
        where = call.account, call.region
        if where not in self._measured:
            self._measured[where] = metrics.metrics(self.fleet, *where)
        return self._measured[where]


OWN: Mapping[tuple[str, str], Callable[[Fleet, Call], dict[str, Any]]] = {
    ("iam", "SimulatePrincipalPolicy"): answers.simulate_principal_policy,
    ("pricing", "GetProducts"): answers.get_products,
    ("resourcegroupstaggingapi", "GetResources"): answers.get_resources,
    ("s3", "GetBucketLocation"): answers.get_bucket_location,
}


def _of_moto(fleet: Fleet, call: Call) -> Reply:
    """What moto answers, filled from the fleet for this place before."""
    from moto.core.request import Request

    _fill(fleet, call.service, Place(call.account, call.number, call.region))
    model = wire.model(call.service)
    made = wire.written(model.operation_model(call.operation), wire.protocol_of(call.service), call.arguments)
    host = f"https://{model.endpoint_prefix}.{call.region}.amazonaws.com"
    query, body = made["query_string"], made["body"]
    url = host + made["url_path"] + (f"?{_query(query)}" if query else "")
    headers = {**made["headers"], "x-moto-account-id": call.number}
    if isinstance(body, dict):
        headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
        body = _query(body)
    request: Any = Request.from_primitives(made["method"], url, headers, body)
    try:
        status, told, text = _handler(call.service, url)(request, request.raw_url, request.headers)
    except NotImplementedError as error:
        if call.arguments.get("Filters"):
            raise Refusal("InvalidParameterValue", "A filter is invalid, or not in this sandbox.") from error
        raise Refusal("InvalidAction", f"{call.operation} is not in this sandbox.") from error
    lower = tuple((name.lower(), str(value)) for name, value in told.items())
    return Reply(int(status), text if isinstance(text, bytes) else text.encode(), lower)


def _handler(service: str, url: str) -> Callable[..., Any]:
    """What of moto answers at a URL."""
    bare = url.partition("?")[0]
    return next(handler for pattern, handler in _handlers(service) if pattern.match(bare))


@cache
def _handlers(service: str) -> list[tuple[re.Pattern[str], Callable[..., Any]]]:
    from moto.backends import get_backend

    name: Any = {"lambda": "awslambda"}.get(service, service)
    regions = get_backend(name)["123456789012"]
    backend: Any = regions["aws" if "aws" in regions.regions else "us-east-1"]
    return [(re.compile(pattern), handler) for pattern, handler in backend.urls.items()]


def _query(pairs: Any) -> str:
    from urllib.parse import urlencode

    return pairs if isinstance(pairs, str) else urlencode(pairs, doseq=True)


def _fill(fleet: Fleet, service: str, place: Place) -> None:
    """Put the fleet's part of one service in one place into moto, once for the process."""
    where = place.account, "" if service in ("s3", "route53") else place.region
    if service not in SEEDS or (service, *where) in _FILLED:
        return
    for other in NEEDS.get(service, ()):
        _fill(fleet, other, place)
    from moto import settings
    from moto.moto_api._internal import mock_random

    # Nobody asks for the images that moto would load anew for every region.
    settings.ec2_load_default_amis = lambda: False
    mock_random.seed(f"{service} {place}")
    SEEDS[service](fleet, place)
    _FILLED.add((service, *where))


def _at_once(call: Call, size: int | None) -> bool:
    """Whether a listing is not cut: what is asked for by name, and buckets where no limit is given."""
    named = any(EXPLICIT.search(name) for name in call.arguments)
    return named or (call.operation == "ListBuckets" and size is None)


def _page(
    call: Call, found: dict[str, Any], paging: Mapping[str, Any], token: str | None, size: int | None
) -> dict[str, Any]:
    """One page of a listing: as many records as are asked for, but half of them at most."""
    name = paging["result_key"] if isinstance(paging["result_key"], str) else paging["result_key"][0]
    records = found.get(name, [])
    longest = max(1, min((len(records) + 1) // 2, LONGEST_PAGE, size or LONGEST_PAGE))
    starts = {_token(call, at, records): at for at in range(longest, len(records), longest)}
    if token is not None and token not in starts:
        raise Refusal("InvalidParameterValue", "Unable to parse the pagination token")
    at = starts.get(token, 0) if token else 0
    more = at + longest < len(records)
    made = {**found, name: records[at : at + longest]}
    made[paging["output_token"]] = _token(call, at + longest, records) if more else None
    if "more_results" in paging:
        made[paging["more_results"]] = more
    return made


def _token(call: Call, at: int, records: list[Any]) -> str:
    """What leads to the page that begins at a record. DynamoDB names the last table before it."""
    if call.operation == "ListTables":
        return str(records[at - 1])
    where = f"{call.service}:{call.operation}:{call.account}:{call.region}:{at}"
    return base64.urlsafe_b64encode(where.encode()).decode()
