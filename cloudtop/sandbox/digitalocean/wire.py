"""How DigitalOcean's API answers: tokens, parameters, pages with links, errors, the headers of its rate."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

ASKED, MOST = 20, 200
RATE = {"ratelimit-limit": "5000", "ratelimit-remaining": "4816", "ratelimit-reset": "1795900000"}


class Refused(Exception):
    """An answer that refuses."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        self.status, self.name, self.message = status, name, message


def error(status: int, name: str, message: str) -> JSONResponse:
    """An error as DigitalOcean words it."""
    return JSONResponse({"id": name, "message": message}, status_code=status, headers=RATE)


def answered(answer: Callable[[], Any]) -> Response:
    """An answer, or the error that stands for a refusal."""
    try:
        return JSONResponse(answer(), headers=RATE)
    except Refused as refused:
        return error(refused.status, refused.name, refused.message)


def accepted(request: Request, tokens: Mapping[str, str], parameters: Collection[str] | None = None) -> str:
    """The account that a token is of, where all parameters are known ones."""
    account = tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
    if account is None:
        raise Refused(401, "unauthorized", "Unable to authenticate you.")
    if parameters is not None:
        check(request, parameters)
    return account


def check(request: Request, parameters: Collection[str]) -> None:
    """Refuse a parameter that the path does not take."""
    stranger = next((name for name in request.query_params if name not in parameters), None)
    if stranger is not None:
        raise Refused(400, "bad_request", f"unknown parameter: {stranger}")


def page(
    request: Request, key: str, every: Sequence[Any], parameters: Collection[str], most: int | None
) -> dict[str, Any]:
    """One page of at most so many records and the links to its neighbours; None: all of them, no links."""
    check(request, parameters)
    if most is None:
        return {key: list(every)}
    asked = [request.query_params.get("page", "1"), request.query_params.get("per_page", str(ASKED))]
    if not all(text.isascii() and text.isdigit() and int(text) > 0 for text in asked) or int(asked[1]) > MOST:
        raise Refused(400, "bad_request", f"page must be 1 or more, per_page from 1 to {MOST}.")
    number, size = int(asked[0]), min(int(asked[1]), most)
    start, last = (number - 1) * size, -(-len(every) // size)

    def link(to: int) -> str:
        rest = {name: value for name, value in request.query_params.items() if "page" not in name}
        query = urlencode({"page": to, "per_page": size, **rest})
        return f"{request.url.scheme}://{request.url.netloc}{request.url.path}?{query}"

    pages: dict[str, str] = {}
    if number > 1:
        pages |= {"first": link(1), "prev": link(number - 1)}
    if number < last:
        pages |= {"next": link(number + 1), "last": link(last)}
    links = {"pages": pages} if pages else {}
    return {key: every[start : start + size], "links": links, "meta": {"total": len(every)}}
