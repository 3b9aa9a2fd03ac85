"""A cloudtop MCP server elsewhere: its address, the token that is shown to it, and what a refusal means.

Imported late: mcp, httpx2.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cloudtop import net
from cloudtop.errors import CloudtopError, UsageError, innermost
from cloudtop.settings import variable
from cloudtop.text import shown
from mcp_server.auth import PLAIN
from mcp_server.token_file import safely_read

if TYPE_CHECKING:
    import httpx2
    from mcp import Client, MCPError

ANSWER_S = 60.0
"""How long one request may take: a server gives its clouds 30 s."""

LONGEST = 200
"""Characters of what a server says that are shown."""

TOKEN = "CLOUDTOP_TOKEN"
"""The environment variable that holds the token. A command line is no place for it: others can read it."""


def token(file: Path | None) -> str | None:
    """The token out of a file, else out of the environment; UsageError for what cannot be one."""
    place = str(file) if file else TOKEN
    found = (safely_read(file)[1] if file else variable(TOKEN)).strip()
    if not found and file is None:
        return None
    if not PLAIN.fullmatch(found):
        raise UsageError(
            f"{place} holds no token.", "A token is one word of letters, digits and . _ ~ + / - ="
        )
    return found


@asynccontextmanager
async def connected(url: str, bearer: str | None, seconds: float = ANSWER_S) -> AsyncIterator[Client]:
    """A client of the server at `url`, with the token `bearer`; CloudtopError says what stands in the way.

    A token travels over https only, but on this machine. `seconds`: how long one request may take.
    """
    host = _checked(url, bearer)
    import httpx2
    from mcp import Client, MCPError
    from mcp.client.streamable_http import streamable_http_client

    # It logs what a stranger answered, whole; here one sentence is made of it.
    logging.getLogger("mcp.client").setLevel(logging.CRITICAL)
    answers: list[httpx2.Response] = []

    async def note(answer: httpx2.Response) -> None:
        answers[:] = [answer]

    http = httpx2.AsyncClient(
        headers={"Authorization": f"Bearer {bearer}"} if bearer else {},
        timeout=seconds,
        trust_env=not net.is_loopback(host),
        event_hooks={"response": [note]},
    )
    wire, met = streamable_http_client(url, http_client=http), False
    try:
        async with http, Client(wire, read_timeout_seconds=seconds) as client:
            met = True
            yield client
    except (MCPError, httpx2.HTTPError, httpx2.InvalidURL, BaseExceptionGroup) as error:
        inside = innermost(error)
        if isinstance(inside, httpx2.ReadTimeout):
            what, step = "did not answer in time", _LONGER
        elif isinstance(inside, MCPError) and answers:
            what, step = _refused(inside, answers[0].status_code, met=met, token=bool(bearer))
        elif isinstance(inside, MCPError | httpx2.HTTPError | httpx2.InvalidURL):
            what, step = "cannot be reached", "Check the address given with --server."
            if met:
                what, step = "is gone", "Ask again: it may have been started anew."
        else:
            raise
        raise CloudtopError(f"The server {url} {what}.", step) from error


def _checked(url: str, bearer: str | None) -> str:
    """The host of an address that may be asked."""
    parts = net.split(url)
    host = parts.hostname or ""
    if parts.username or parts.password:
        raise UsageError("--server: an address with a name and a password in it is not used.", _HOW)
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError(f"--server: {url!r} is no address.", "Such as https://mcp.example.com/mcp")
    if bearer and parts.scheme == "http" and not net.is_loopback(host):
        what = f"--server: over plain http anybody on the way to {host} could read the token."
        raise UsageError(what, "Use https.")
    return host


def _refused(error: MCPError, status: int, *, met: bool, token: bool) -> tuple[str, str]:
    """What a server did, and what a person can do. `met`: it has begun as a server of MCP does."""
    from mcp.types import INVALID_PARAMS, METHOD_NOT_FOUND, REQUEST_TIMEOUT

    if error.code == REQUEST_TIMEOUT:
        return "did not answer in time", _LONGER
    if met and error.code in (METHOD_NOT_FOUND, INVALID_PARAMS):
        return "is not one of cloudtop", "Check the address given with --server."
    if status == 401 and not token:
        return "wants a token", _HOW
    if status in _MEANT:
        what, step = _MEANT[status]
        return f"{what}: {shown(str(error))[:LONGEST].rstrip('.')}", step
    if status >= 500:
        return f"failed (status {status})", "Try again later."
    return "does not speak MCP there", "The address of cloudtop's ends with /mcp."


_LONGER = "Give it longer: --timeout."
_HOW = f"Put its token into {TOKEN}, or into a file for --token-file."
_MEANT = {
    401: ("does not take the token", "Ask who runs it for another one."),
    403: ("refuses", "A question takes a token with the scopes prices and read."),
    421: ("is not to be asked under that name", "Who runs it can allow the name: --allow-host."),
    429: ("has been asked too often", "Ask later, or who runs it for a higher rate."),
}
