"""AWS to the fault layer: each service's errors in its own words, and every listing's pages taken apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from cloudtop.sandbox.aws import wire
from cloudtop.sandbox.aws.listed import TOLD, records
from cloudtop.sandbox.aws.wire import Asked, Refusal
from cloudtop.sandbox.speech import Page, Speech

if TYPE_CHECKING:
    from cloudtop.sandbox.faults import Exchange, Reply

CODES = {
    401: "AuthFailure",
    403: "UnauthorizedOperation",
    429: "RequestLimitExceeded",
    500: "InternalError",
    503: "Unavailable",
}
JSON_CODES = {
    401: "UnrecognizedClientException",
    403: "AccessDeniedException",
    429: "ThrottlingException",
    500: "InternalFailure",
    503: "ServiceUnavailableException",
}


def words(status: int, message: str, name: str = "ec2") -> bytes:
    """An error as a service writes it. `Code: text` names its code, else the status does."""
    codes = JSON_CODES if name in wire.SIGNED_FOR and name not in wire.FORMS else CODES
    match = re.match(r"([A-Za-z.]+): (.*)", message, re.DOTALL)
    code, text = match.groups() if match else (codes.get(status, "InvalidRequest"), message)
    return wire.error(name, Refusal(code, text, status)).body


class AmazonSpeech(Speech):
    """Services that speak five protocols."""

    def words(self, exchange: Exchange, status: int, message: str) -> bytes:
        """An error as the service writes it that the request is signed for."""
        signed = wire.signed(exchange.header("authorization"))
        return words(status, message, signed.name if signed else "ec2")

    def what(self, exchange: Exchange) -> str:
        """The path, the operation, whose tags it lists, and for where it is signed."""
        signed = wire.signed(exchange.header("authorization"))
        body = exchange.body.decode("latin-1")
        action = parse_qs(body).get("Action", [""])[0]
        whose = re.search(r"arn[%:][^\s\"&]*", body)
        path: str = exchange.scope["path"]
        return f"{path} {action}{exchange.header('x-amz-target')} {whose and whose[0]} {signed}"

    def page(self, exchange: Exchange, reply: Reply) -> Page | None:
        """An answer taken apart; prices and errors are none."""
        signed = wire.signed(exchange.header("authorization"))
        service = wire.service_of(signed.name, exchange.body) if signed else None
        if service is None or reply.status >= 300:
            return None
        pairs = ((key.decode(), value.decode("latin-1")) for key, value in exchange.scope["headers"])
        query = exchange.scope["query_string"].decode()
        path = exchange.scope["raw_path"].decode("latin-1").partition("?")[0]
        target = f"{path}?{query}" if query else path
        operation, _ = wire.parsed(
            service, Asked(exchange.scope["method"], target, dict(pairs), exchange.body)
        )
        return AmazonPage(service, operation, wire.read(service, operation, reply))


class AmazonPage(Page):
    """The answer to one operation, as boto3 would give it."""

    def __init__(self, service: str, operation: str, result: dict[str, Any]) -> None:
        paging: Mapping[str, Any] = wire.paging(service).get(operation, {})
        name = paging.get("result_key", "")
        super().__init__(result, name if isinstance(name, str) else name[0], paging.get("output_token", ""))
        self._service, self._operation, self._padding = service, operation, 0
        self._goes_on = paging.get("more_results")

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records, wherever the operation has them; none where it lists names alone."""
        told = TOLD.get((self._service, self._operation))
        return list(records(self.document, told.path)) if told else []

    def turn(self, more: Any) -> None:
        """Let something else lead to the next page, on the last one too."""
        if self.at_more:
            self.document[self.at_more] = more
        if self._goes_on:
            self.document[self._goes_on] = True

    def pad(self, size: int) -> None:
        """Make it longer by what every reader must skip: a comment in XML, an unknown member in JSON."""
        self._padding = size

    def body(self) -> bytes:
        """It as it is sent."""
        body = wire.answer(self._service, self._operation, self.document).body
        if not self._padding:
            return body
        filler = b"x" * self._padding
        if body.lstrip()[:1] == b"{":
            return body.replace(b"{", b'{"padding": "' + filler + b'", ', 1)
        end = body.rindex(b"</")
        return body[:end] + b"<!-- " + filler + b" -->" + body[end:]
