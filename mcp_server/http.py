"""Streamable HTTP: who may knock, from where, how big and how often; behind it the SDK speaks both eras.

Checked in this order, each before anything dearer: path, Host, Origin, method, token, rate, body, scope. The
body of a stranger is never read. Nothing that a stranger sent is written to the log, nor any token.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.types import INTERNAL_ERROR, LOG_LEVEL_META_KEY
from mcp.types.version import HANDSHAKE_PROTOCOL_VERSIONS

from cloudtop import net
from cloudtop.errors import UsageError
from mcp_server.admission import KEY, Admission, Admitted, admit
from mcp_server.auth import Denied, Doors, challenge
from mcp_server.http_wire import (
    MOST_BYTES,
    Again,
    Receive,
    Refusal,
    Said,
    Scope,
    Send,
    body_of,
    headers_of,
    preflight,
    read,
    refused,
    send_json,
)
from mcp_server.limits import EVERYBODY, SCOPES, Caller, Rates, needed
from mcp_server.place import METADATA, PATH, Place
from mcp_server.resuming import AGAIN_MS, Sessions
from mcp_server.specs import narrowed

if TYPE_CHECKING:
    from mcp.server import Server

    from mcp_server.runtime import Runtime

log = logging.getLogger("cloudtop.http")

HEALTH = "/healthz"

IDLE_S = 1_800.0
"""How long a session without a request lives."""

SESSIONS = 1_000


@dataclass
class Gate:
    """The ASGI app: lets through to the SDK what may pass."""

    place: Place
    admission: Admission
    doors: Doors | None
    rates: Rates
    plain: StreamableHTTPSessionManager
    """Answers with JSON, where nothing is told on the way."""
    streaming: StreamableHTTPSessionManager
    """Streams where there is something to tell on the way, and keeps sessions where they are wanted."""
    stateless: bool = True
    terse: bool = True
    everybody: Caller = EVERYBODY
    healthy: Callable[[], object] = bool
    leaving: bool = False
    _open: set[anyio.CancelScope] = field(default_factory=set)
    _users: dict[Caller, AuthenticatedUser] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        started, said = time.perf_counter(), Said(send)
        try:
            await self._answer(scope, receive, said)
        except Refusal as refusal:
            await refused(said, refusal, scope.get("cloudtop.id"))
        self._note(scope, said.status, started)

    async def _answer(self, scope: Scope, receive: Receive, said: Said) -> None:
        path = scope["path"]
        if path == HEALTH:
            return await self._health(scope, said)
        headers = headers_of(scope)
        host = headers.get("host", "")
        if not self.place.is_host(host):
            raise Refusal(421, "This server does not answer under that name (Host).")
        if (origin := headers.get("origin")) is not None:
            if not self.place.is_origin(origin):
                raise Refusal(403, "Pages of that origin may not ask this server (Origin).")
            said.origin = origin
        if path == METADATA or path.startswith(f"{METADATA}/"):
            return await self._metadata(scope, host, said)
        if path != PATH:
            raise Refusal(404, f"There is nothing here; MCP is at {PATH}.")
        method = scope["method"]
        if method == "OPTIONS" and origin is not None:
            return await preflight(said)
        if method not in (("POST",) if self.stateless else ("POST", "GET", "DELETE")):
            raise Refusal(405, "MCP requests are POSTs here.", allow="POST, OPTIONS")
        caller = await self._caller(headers, host)
        if wait := self.rates.wait_s(caller):
            seconds = str(int(wait) + 1)
            raise Refusal(429, f"This token asked too often; wait {seconds} s.", retry_after=seconds)
        admitted = self._admitted(caller, headers)
        scope[KEY] = admitted
        if self.doors is not None:
            scope["user"] = self._user(caller)
        if method != "POST":
            return await self._long(self.streaming, scope, receive, said)
        body = await body_of(receive, headers)
        asked = read(body)
        scope["cloudtop.id"], scope["cloudtop.asked"] = asked.get("id"), asked
        self._check_scope(asked, caller, host)
        return await self._handed(scope, Again(body, receive), said, headers, asked)

    async def _handed(
        self, scope: Scope, again: Again, said: Said, headers: Mapping[str, str], asked: Mapping[str, Any]
    ) -> None:
        """To the SDK. A call that nobody listens to on the way needs no stream, and is quicker without."""
        era = headers.get("mcp-protocol-version")
        handshake = era is None or era in HANDSHAKE_PROTOCOL_VERSIONS
        if asked.get("method") == "subscriptions/listen":
            await self._long(self.streaming, scope, again, said)
        elif self.terse and not _listens(asked) and (self.stateless or not handshake):
            await _while_connected(self.plain, scope, again, said)
        else:
            await self.streaming.handle_request(scope, again, said)

    async def _caller(self, headers: Mapping[str, str], host: str) -> Caller:
        if self.doors is None:
            return self.everybody
        try:
            return await self.doors.caller(headers.get("authorization"))
        except Denied as denied:
            if denied.status == 503:
                raise Refusal(503, denied.message, INTERNAL_ERROR, retry_after="5") from denied
            error = "invalid_token" if denied.message else None
            words = denied.message or "A bearer token is needed."
            told = challenge(self.place.metadata(host), error, words, " ".join(SCOPES[:2]))
            raise Refusal(401, words, www_authenticate=told) from denied

    def _admitted(self, caller: Caller, headers: Mapping[str, str]) -> Admitted:
        """What the client leaves itself: its headers take tools away and never add one."""
        named = tuple(one.strip() for one in headers.get("x-mcp-toolsets", "").split(",") if one.strip())
        read_only = headers.get("x-mcp-readonly", "").strip().lower() in ("1", "true", "yes")
        if named:
            try:
                narrowed(self.admission.specs, named)
            except UsageError as error:
                raise Refusal(400, f"X-MCP-Toolsets: {error}") from error
        if caller is EVERYBODY and not named and not read_only:
            return _ALL
        return Admitted(caller, named, read_only)

    def _user(self, caller: Caller) -> AuthenticatedUser:
        """The caller as the SDK knows it: a session belongs to who opened it. The token is not in it."""
        found = self._users.get(caller)
        if found is None:
            if len(self._users) > SESSIONS:
                self._users.clear()
            claims = {"iss": caller.issuer} if caller.issuer else None
            token = AccessToken(
                token="",
                client_id=caller.name,
                scopes=sorted(caller.scopes),
                subject=caller.subject,
                claims=claims,
            )
            found = self._users[caller] = AuthenticatedUser(token)
        return found

    def _check_scope(self, asked: Mapping[str, Any], caller: Caller, host: str) -> None:
        method, params = asked.get("method"), asked.get("params")
        if not isinstance(method, str) or not isinstance(params, Mapping):
            return
        wanted = needed(method, params, self.admission.specs)
        if lacks := caller.lacks(wanted):
            scope = " ".join(one for one in SCOPES if one in wanted)
            words = f"The token lacks the scope {' '.join(lacks)}."
            told = challenge(self.place.metadata(host), "insufficient_scope", words, scope)
            raise Refusal(403, words, www_authenticate=told)

    async def _long(
        self, manager: StreamableHTTPSessionManager, scope: Scope, receive: Receive, said: Said
    ) -> None:
        """A stream that ends when the client goes, or the server."""
        with anyio.CancelScope() as cancel:
            self._open.add(cancel)
            try:
                if not self.leaving:
                    await manager.handle_request(scope, receive, said)
            finally:
                self._open.discard(cancel)
        await said.end()

    def leave(self) -> None:
        """Take part in no more streams; what was asked is still answered."""
        self.leaving = True
        for cancel in list(self._open):
            cancel.cancel()

    async def _health(self, scope: Scope, said: Said) -> None:
        """Whether it is worth asking: for a load balancer, so without a token and without any detail."""
        try:
            self.healthy()
            ok = not self.leaving
        except Exception:  # noqa: BLE001 - any defect of the store is one answer here
            ok = False
        await send_json(said, 200 if ok else 503, {"status": "ok" if ok else "unavailable"}, scope["method"])

    async def _metadata(self, scope: Scope, host: str, said: Said) -> None:
        resource = self.place.resource(host)
        here = net.split(self.place.metadata(host)).path
        if self.doors is None or scope["path"] not in (METADATA, here):
            raise Refusal(404, "There is nothing here; no token is needed.")
        if scope["method"] not in ("GET", "HEAD"):
            raise Refusal(405, "This is read with GET.", allow="GET, HEAD")
        await send_json(said, 200, self.doors.metadata(resource), scope["method"])

    def _note(self, scope: Scope, status: int | None, started: float) -> None:
        """One line for -v: who, what, how it went. Only names that we know are written."""
        if not log.isEnabledFor(logging.INFO):
            return
        asked, admitted = scope.get("cloudtop.asked") or {}, scope.get(KEY)
        params = asked.get("params")
        tool = params.get("name") if isinstance(params, Mapping) else None
        known = tool if isinstance(tool, str) and tool in self.admission.specs else "-"
        method = asked.get("method")
        shown = method if isinstance(method, str) and re.fullmatch(r"[a-zA-Z/_]{1,60}", method) else "-"
        who = admitted.caller.name if admitted and admitted.caller.name else "-"
        took = (time.perf_counter() - started) * 1000
        log.info("%s %s %s status=%s token=%s %.1f ms", scope["method"], shown, known, status, who, took)


_ALL = Admitted()


async def _while_connected(
    manager: StreamableHTTPSessionManager, scope: Scope, again: Again, said: Said
) -> None:
    """Stop a call whose client has gone: without a stream the SDK would not notice."""

    async def body() -> MutableMapping[str, Any]:
        if again.unread is not None:
            return await again()
        await again.gone.wait()
        return {"type": "http.disconnect"}

    async with anyio.create_task_group() as group:

        async def watch() -> None:
            await again.watch()
            group.cancel_scope.cancel()

        group.start_soon(watch)
        await manager.handle_request(scope, body, said)
        group.cancel_scope.cancel()


def _listens(asked: Mapping[str, Any]) -> bool:
    """Whether the client asks to be told something on the way."""
    params = asked.get("params")
    meta = params.get("_meta") if isinstance(params, Mapping) else None
    return isinstance(meta, Mapping) and ("progressToken" in meta or LOG_LEVEL_META_KEY in meta)


@asynccontextmanager
async def gate(
    server: Server[Any],
    runtime: Runtime,
    place: Place,
    *,
    doors: Doors | None = None,
    rates: Rates | None = None,
    stateless: bool = True,
    terse: bool = True,
    read_only: bool = False,
    everybody: Caller = EVERYBODY,
    healthy: Callable[[], object] = bool,
) -> AsyncIterator[Gate]:
    """The app around a server, for as long as it is served.

    Without `terse` every answer may become a stream: for tools that tell what nobody asked to hear.
    """

    def manager(*, as_json: bool) -> Sessions:
        return Sessions(
            server,
            json_response=as_json,
            stateless=stateless,
            retry_interval=AGAIN_MS,
            max_request_body_size=MOST_BYTES,
            session_idle_timeout=IDLE_S,
            max_sessions=SESSIONS,
        )

    plain, streaming = manager(as_json=True), manager(as_json=False)
    # They name sessions, which are as good as a password where no token is asked for.
    for name in ("streamable_http_manager", "streamable_http"):
        logging.getLogger(f"mcp.server.{name}").setLevel(logging.ERROR)
    admission = admit(server, runtime, read_only=read_only)
    made = Gate(
        place,
        admission,
        doors,
        rates or Rates(),
        plain,
        streaming,
        stateless=stateless,
        terse=terse,
        everybody=everybody,
        healthy=healthy,
    )
    async with server.lifespan(server) as state:
        server.lifespan = partial(_under_way, state)
        async with plain.run(), streaming.run():
            yield made


@asynccontextmanager
async def _under_way(state: Any, server: Server[Any]) -> AsyncIterator[Any]:
    """What the server does as long as it runs, which both managers would start."""
    yield state
