"""The server over HTTP: the tables of docs/http.md cell by cell, both eras, workers, sessions, the end."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import httpx
import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from mcp_server.http_wire import MOST_BYTES
from mcp_server.limits import EVERYBODY, SCOPES, Caller, Rate, Rates, needed
from mcp_server.place import Place
from tests.mcp_server.web import (
    DOCS,
    ERAS,
    EXPIRED,
    HANDSHAKE,
    MODERN,
    TOKENS,
    WRONG,
    Slow,
    Web,
    cells,
    message,
    table,
    web,
)  # fmt: skip

ROOT = Path(__file__).parents[2]
FAR = "0.0.0.0"
PUBLIC = "https://mcp.example.com/mcp"


def call(tool: str, **arguments: object) -> tuple[str, dict[str, object]]:
    return "tools/call", {"name": tool, "arguments": arguments}


REQUESTS = {
    "list tools": ("tools/list", {}),
    "list resources": ("resources/list", {}),
    "call a tool of public prices": call("car_prices"),
    "call a tool that reads your clouds": call("list_cars"),
    "call a tool that answers questions": call("ask"),
    "call a tool that changes something": call("sell_cars"),
    "read a resource about your clouds": ("resources/read", {"uri": "cloudtop://providers"}),
}
HOLDERS = {"no token": None, "unknown": WRONG, "expired": EXPIRED} | {
    f"`{name}`": token for name, token in TOKENS.items()
}
HOST_PLACES = [
    Place("127.0.0.1"),
    Place(FAR, public_url=PUBLIC),
    Place(FAR, hosts=frozenset({"mcp.internal"})),
]
ORIGIN_PLACES = [*HOST_PLACES[:2], Place(FAR, origins=frozenset({"https://app.example.com"}))]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory) -> Iterator[Web]:
    with web(tmp_path_factory.mktemp("guarded"), tokens="") as found:
        yield found


@pytest.fixture(scope="module")
def open_one(tmp_path_factory) -> Iterator[Web]:
    with web(tmp_path_factory.mktemp("open")) as found:
        yield found


@pytest.fixture(scope="module")
def placed(tmp_path_factory) -> Iterator[dict[Place, Web]]:
    places = dict.fromkeys([*HOST_PLACES, *ORIGIN_PLACES])
    with pytest.MonkeyPatch.context():
        stack = [web(tmp_path_factory.mktemp("placed"), place=place) for place in places]
        found = [one.__enter__() for one in stack]
        try:
            yield dict(zip(places, found, strict=True))
        finally:
            for one in stack:
                one.__exit__(None, None, None)


def test_every_row_of_the_tables_is_a_request_and_the_other_way_round():
    assert list(table("Scopes")[1]) == list(REQUESTS)
    assert table("Scopes")[0] == list(HOLDERS)
    assert set(table("Requests")[1]) == set(ODD)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(("request_", "holder", "status"), cells("Scopes"))
def test_each_scope_opens_what_the_table_says(guarded, request_, holder, status, era):
    method, params = REQUESTS[request_]
    answer = guarded.call(method, params, era=era, token=HOLDERS[holder])
    assert answer.status == status
    if status == 200:
        assert answer.json["result"].get("isError") in (None, False)
        return
    told = answer.challenge()
    assert told["resource_metadata"].endswith("/.well-known/oauth-protected-resource/mcp")
    if status == 401:
        assert told.get("error") == (None if holder == "no token" else "invalid_token")
        assert told["scope"] == "prices read"
    else:
        assert told["error"] == "insufficient_scope"
        assert set(told["scope"].split()) <= set(SCOPES)


def _host(row: str, web: Web) -> list[tuple[str, str]]:
    if row == "none":
        return []
    if row == "two":
        return [("Host", f"127.0.0.1:{web.port}"), ("Host", "attacker.example")]
    return [("Host", row.strip("`"))]


@pytest.mark.parametrize(("row", "column", "status"), cells("Host"))
def test_only_a_host_of_ours_is_answered(placed, row, column, status):
    found = placed[HOST_PLACES[table("Host")[0].index(column)]]
    body, headers = message("tools/list", {}, MODERN)
    pairs = [*_host(row, found), *headers, ("Content-Length", str(len(body))), ("Connection", "close")]
    lines = ["POST /mcp HTTP/1.1", *(f"{name}: {value}" for name, value in pairs)]
    assert found.raw("\r\n".join([*lines, "", ""]).encode() + body).status == status


@pytest.mark.parametrize(("row", "column", "status"), cells("Origin"))
def test_only_a_page_of_ours_may_ask(placed, row, column, status):
    found = placed[ORIGIN_PLACES[table("Origin")[0].index(column)]]
    given = {"none": [], "two": ["https://mcp.example.com", "https://attacker.example"]}
    origins = given.get(row, [row.strip("`")])
    answer = found.call(headers=[("Origin", one) for one in origins])
    assert answer.status == status
    allowed = answer.headers.get("access-control-allow-origin")
    assert allowed == (origins[0] if origins and status == 200 else None)


def deep() -> bytes:
    return b"[" * 200_000


def odd(name: str, found: Web) -> object:
    body, headers = message("tools/list", {}, MODERN)
    mine = ("Authorization", f"Bearer {TOKENS['admin']}")
    plain = [mine, *headers]
    big = b'{"a":"' + b"x" * MOST_BYTES + b'"}'
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (big[:600_000], big[600_000:]))
    return {
        "another path": lambda: found.ask(path="/mcp/x", body=body, headers=plain),
        "`GET` without sessions": lambda: found.ask("GET", headers=plain),
        "`PUT`": lambda: found.ask("PUT", body=body, headers=plain),
        "a body of more than 1 MiB": lambda: found.ask(
            headers=[*plain, ("Content-Length", str(MOST_BYTES + 1))]
        ),
        "a chunked body of more than 1 MiB": lambda: found.ask(
            body=chunked + b"0\r\n\r\n", headers=[*plain, ("Transfer-Encoding", "chunked")]
        ),
        "a length that is no number": lambda: found.ask(body=body, headers=[*plain, ("Content-Length", "x")]),
        "not JSON": lambda: found.ask(body=b"{", headers=plain),
        "a batch": lambda: found.ask(body=b"[" + body + b"]", headers=plain),
        "JSON nested without end": lambda: found.ask(body=deep(), headers=plain),
        "not `application/json`": lambda: found.ask(
            body=body, headers=[mine, ("Content-Type", "text/plain"), *headers[1:]]
        ),
        "the token in the address": lambda: found.ask(
            path=f"/mcp?access_token={TOKENS['admin']}", body=body, headers=headers
        ),
        "the token as a password (Basic)": lambda: found.ask(
            body=body, headers=[("Authorization", f"Basic {TOKENS['admin']}"), *headers]
        ),
        "two Authorization headers": lambda: found.ask(body=body, headers=[mine, *plain]),
        "a toolset that is not served": lambda: found.ask(
            body=body, headers=[*plain, ("X-MCP-Toolsets", "boats")]
        ),
    }[name]()


ODD = [row for row, _, _ in cells("Requests")]


@pytest.mark.parametrize(("row", "column", "status"), cells("Requests"))
def test_a_request_that_is_not_one_is_refused(guarded, row, column, status):
    answer = odd(row, guarded)
    assert answer.status == status
    assert guarded.call(token=TOKENS["admin"]).status == 200


@pytest.mark.parametrize("era", ERAS)
def test_a_caller_sees_only_what_it_may_call(guarded, era):
    seen = {name: guarded.names(era=era, token=token) for name, token in TOKENS.items()}
    assert seen == {
        "prices": ["car_prices"],
        "read": ["list_cars"],
        "ask": [],
        "ask,read": ["ask", "list_cars"],
        "admin": ["ask", "car_prices", "list_cars", "sell_cars"],
    }


def test_a_list_that_is_not_for_everybody_is_not_for_shared_caches(guarded, open_one):
    mine = guarded.call(token=TOKENS["prices"]).json["result"]
    narrowed = open_one.call(headers=[("X-MCP-Toolsets", "yard")]).json["result"]
    everybodys = open_one.call().json["result"]
    assert [one["cacheScope"] for one in (mine, narrowed, everybodys)] == ["private", "private", "public"]


@pytest.mark.parametrize("era", ERAS)
def test_a_clients_headers_take_tools_away_and_never_add_one(guarded, era):
    admin, prices = TOKENS["admin"], TOKENS["prices"]
    assert guarded.names(era=era, token=admin, headers=[("X-MCP-Toolsets", "yard, prices")]) == [
        "car_prices", "list_cars", "sell_cars",
    ]  # fmt: skip
    both = [("X-MCP-Toolsets", "yard"), ("X-MCP-Readonly", "true")]
    assert guarded.names(era=era, token=admin, headers=both) == ["list_cars"]
    assert guarded.names(era=era, token=prices, headers=[("X-MCP-Toolsets", "all")]) == ["car_prices"]
    assert guarded.names(era=era, token=prices, headers=[("X-MCP-Toolsets", "yard")]) == []
    refused = guarded.call(*call("sell_cars"), era=era, token=admin, headers=[("X-MCP-Readonly", "1")])
    assert "Unknown tool" in refused.json["error"]["message"]


@pytest.mark.parametrize("era", ERAS)
def test_read_only_serves_no_tool_that_does_not_say_it_only_reads(tmp_path, era):
    with web(tmp_path, read_only=True) as found:
        assert found.names(era=era) == ["ask", "car_prices", "list_cars"]
        refused = found.call(*call("sell_cars"), era=era)
        off = found.names(era=era, headers=[("X-MCP-Readonly", "false"), ("X-MCP-Toolsets", "all")])
        assert found.yard.seen == []
    assert "Unknown tool: sell_cars" in refused.json["error"]["message"]
    assert off == ["ask", "car_prices", "list_cars"]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("stateless", [True, False])
async def test_a_client_of_either_era_lists_calls_and_hears_progress(tmp_path, mode, stateless):
    with web(tmp_path, stateless=stateless) as found:
        async with Client(found.url, mode=mode) as client:
            tools = (await client.list_tools()).tools
            result = await client.call_tool("list_cars", {"limit": 2, "format": "json"})
            refused = await client.call_tool("list_cars", {"colour": "rde"})
            with pytest.raises(MCPError, match="Unknown tool"):
                await client.call_tool("list_boats", {})
            modern = client.protocol_version >= MODERN
    assert [tool.name for tool in tools] == ["ask", "car_prices", "list_cars", "sell_cars"]
    assert json.loads(result.content[0].text) == result.structured_content
    assert refused.is_error
    assert modern == (mode == "auto")


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_client_with_a_token_is_let_in_and_one_without_is_told(guarded, mode):
    headers = {"Authorization": f"Bearer {TOKENS['read']}"}
    async with httpx2.AsyncClient(headers=headers, trust_env=False) as http:
        wire = streamable_http_client(guarded.url, http_client=http)
        async with Client(wire, mode=mode) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["list_cars"]
            with pytest.raises(MCPError, match="lacks the scope admin"):
                await client.call_tool("sell_cars", {})


@pytest.mark.parametrize(("era", "listens"), [(era, listens) for era in ERAS for listens in (True, False)])
def test_a_call_whose_client_has_gone_is_stopped(tmp_path, era, listens):
    yard = Slow()
    meta = {"_meta": {"progressToken": 1}} if listens else {}
    body, headers = message("tools/call", {"name": "list_cars", "arguments": {}, **meta}, era)
    with web(tmp_path, yard=yard) as found:
        lines = [f"{name}: {value}" for name, value in headers]
        head = ["POST /mcp HTTP/1.1", "Host: localhost", *lines, f"Content-Length: {len(body)}", "", ""]
        with socket.create_connection(("127.0.0.1", found.port)) as wire:
            wire.sendall("\r\n".join(head).encode() + body)
            assert yard.began.wait(10)
            if listens:
                heard = b""
                while b"notifications/progress" not in heard:
                    heard += wire.recv(65_536)
                assert b"text/event-stream" in heard
        assert yard.ended.wait(10)


def test_a_session_belongs_to_the_token_that_opened_it(tmp_path):
    with web(tmp_path, tokens="", stateless=False) as found:
        hello = {
            "protocolVersion": HANDSHAKE,
            "capabilities": {},
            "clientInfo": {"name": "r", "version": "1"},
        }
        opened = found.call("initialize", hello, era=HANDSHAKE, token=TOKENS["read"])
        session = [("Mcp-Session-Id", opened.headers["mcp-session-id"])]
        own = found.call("tools/list", era=HANDSHAKE, token=TOKENS["read"], headers=session)
        other = found.call("tools/list", era=HANDSHAKE, token=TOKENS["admin"], headers=session)
        none = found.call("tools/list", era=HANDSHAKE, headers=session)
        gone = found.ask("DELETE", headers=[*session, ("Authorization", f"Bearer {TOKENS['read']}")])
        after = found.call("tools/list", era=HANDSHAKE, token=TOKENS["read"], headers=session)
    assert [one.status for one in (own, other, none, gone, after)] == [200, 404, 401, 200, 404]
    assert [tool["name"] for tool in own.json["result"]["tools"]] == ["list_cars"]


def test_a_token_that_asks_too_often_waits_and_others_do_not(tmp_path):
    token = "hasty-token-aaaaaaaaaaaaaa"
    with web(tmp_path, tokens=f"hasty {token} read rate=3/m") as found:
        statuses = [found.call(token=token).status for _ in range(4)]
        refused = found.call(token=token)
        others = found.call(token=TOKENS["read"]).status
        found.clock.at += _seconds(20)
        again = [found.call(token=token).status for _ in range(2)]
    assert statuses == [200, 200, 200, 429]
    assert refused.headers["retry-after"] == "21"
    assert others == 200
    assert again == [200, 429]


def _seconds(count: float):
    from datetime import timedelta

    return timedelta(seconds=count)


def test_a_floor_under_max_age_is_kept_and_said(tmp_path):
    token = "floor-token-aaaaaaaaaaaaaa"
    asked = call("list_cars", max_age="0", format="json")
    with web(tmp_path, tokens=f"floor {token} read max_age=15m") as found:
        low = found.call(*asked, token=token).json["result"]["structuredContent"]
        free = found.call(*asked, token=TOKENS["read"]).json["result"]["structuredContent"]
        old = call("list_cars", max_age="1h")
        high = found.call(*old, token=token).json["result"]["structuredContent"]
        seen = [one["max_age"] for one in found.yard.seen]
    assert seen == [900.0, 0.0, 3600.0]
    assert low["notices"] == ["max_age was raised to 900 s, the least that this token may ask for."]
    assert free["notices"] == high["notices"] == []


@pytest.mark.parametrize("era", ERAS)
def test_the_floor_holds_for_resources_too_and_for_this_caller_alone(tmp_path, era):
    token = "floor-token-aaaaaaaaaaaaaa"
    asked = ("resources/read", {"uri": "cloudtop://lexicon"})
    with web(tmp_path, tokens=f"floor {token} read max_age=15m") as found:
        read = [found.call(*asked, era=era, token=one) for one in (token, TOKENS["read"])]
    floors = [json.loads(one.json["result"]["contents"][0]["text"])["floor_s"] for one in read]
    assert floors == [900.0, 0.0]


def test_everybody_on_this_machine_can_be_held_to_a_rate_and_a_floor(tmp_path):
    everybody = replace(EVERYBODY, rate=Rate(2, 60.0), floor_s=60.0)
    with web(tmp_path, everybody=everybody) as found:
        found.call(*call("list_cars", max_age="0"))
        assert [found.call().status for _ in range(2)] == [200, 429]
        assert found.yard.seen[0]["max_age"] == 60.0


def test_health_tells_nothing_but_health(guarded):
    answer = guarded.ask("GET", "/healthz", host="10.0.0.7")
    assert (answer.status, answer.json) == (200, {"status": "ok"})


def test_the_metadata_of_the_resource_is_where_every_401_says(guarded, open_one):
    told = guarded.call().challenge()["resource_metadata"]
    path = "/" + told.split("/", 3)[3]
    answer = guarded.ask("GET", path)
    assert answer.json == {
        "resource": guarded.url,
        "resource_name": "cloudtop",
        "scopes_supported": list(SCOPES),
        "bearer_methods_supported": ["header"],
    }
    assert guarded.ask("GET", "/.well-known/oauth-protected-resource").json == answer.json
    assert guarded.ask("GET", "/.well-known/oauth-protected-resource/other").status == 404
    assert open_one.ask("GET", path).status == 404


def test_a_page_of_ours_may_ask_what_a_browser_asks_first(open_one):
    asked = [("Origin", "http://localhost:6274"), ("Access-Control-Request-Method", "POST")]
    answer = open_one.ask("OPTIONS", headers=asked)
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == "http://localhost:6274"
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    assert open_one.ask("OPTIONS", headers=[("Origin", "https://attacker.example")]).status == 403


def test_nothing_secret_and_nothing_made_up_is_written_to_the_log(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    with web(tmp_path, tokens="", stateless=False) as found:
        hello = {
            "protocolVersion": HANDSHAKE,
            "capabilities": {},
            "clientInfo": {"name": "r", "version": "1"},
        }
        opened = found.call("initialize", hello, era=HANDSHAKE, token=TOKENS["admin"])
        session = opened.headers["mcp-session-id"]
        found.call(era=HANDSHAKE, token=TOKENS["read"], headers=[("Mcp-Session-Id", session)])
        found.call(token=WRONG)
        found.call(*call("sell\nall"), token=TOKENS["admin"])
        found.call("no/such\nthing", token=TOKENS["admin"])
        found.call(*call("list_cars", make="canary-argument"), token=TOKENS["read"])
        found.ask(path=f"/mcp?access_token={TOKENS['admin']}", body=b"{}")
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO]
    ours = [record.getMessage() for record in caplog.records if record.name == "cloudtop.http"]
    assert any("list_cars status=200 token=read" in line for line in ours)
    for secret in (*TOKENS.values(), WRONG, session, "sell\nall", "such\nthing", "canary-argument"):
        assert not [line for line in said if secret in line]


def test_a_body_that_never_ends_is_given_up(open_one, monkeypatch):
    monkeypatch.setattr("mcp_server.http_wire.BODY_S", 0.2)
    _, headers = message("tools/list", {}, MODERN)
    assert open_one.ask(headers=[*headers, ("Content-Length", "10")]).status == 408


@pytest.mark.parametrize("first", [True, False])
def test_a_head_that_never_ends_is_given_up_however_it_trickles(open_one, monkeypatch, first):
    monkeypatch.setattr("mcp_server.http_process.HEAD_S", 0.3)
    body, headers = message("tools/list", {}, MODERN)
    lines = ["POST /mcp HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers)]
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode()
    with socket.create_connection(("127.0.0.1", open_one.port), timeout=10) as wire:
        if not first:
            wire.sendall(head + body)
            assert wire.recv(65_536).startswith(b"HTTP/1.1 200")
        until = time.monotonic() + 8
        with suppress(ConnectionError):
            while time.monotonic() < until:
                wire.sendall(b"P")
                time.sleep(0.02)
        assert time.monotonic() < until
    assert open_one.call().status == 200


async def test_fifty_clients_at_once_are_all_answered(open_one):
    async def one(number: int) -> int:
        async with Client(open_one.url, mode=("auto", "legacy")[number % 2]) as client:
            tools = await client.list_tools()
            for _ in range(3):
                result = await client.call_tool("list_cars", {"limit": number % 7 + 1})
                assert not result.is_error
            return len(tools.tools)

    assert await asyncio.gather(*(one(number) for number in range(50))) == [4] * 50


COMMAND = [sys.executable, "-c", "from cloudtop.cli.main import main; main()"]


@contextmanager
def started(home: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server by the command line, and its URL."""
    env = {**os.environ, "CLOUDTOP_HOME": str(home), "CLOUDTOP_CONFIG": ""}
    command = [*COMMAND, "--offline", "mcp", "--http", "127.0.0.1:0", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env, cwd=ROOT) as process:
        try:
            line = process.stderr.readline()
            yield process, re.search(r"http://\S+/mcp", line)[0]
        finally:
            if process.poll() is None:
                process.kill()
            process.stderr.close()


def post(url: str, token: str | None = None) -> httpx.Response:
    body, headers = message("tools/list", {}, MODERN)
    given = dict(headers) | ({"Authorization": f"Bearer {token}"} if token else {})
    return httpx.post(url, content=body, headers=given, trust_env=False, timeout=20)


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at children through /proc")
def test_workers_share_an_address_replace_one_that_falls_and_end_together(tmp_path):
    with started(tmp_path, "--workers", "2") as (process, url):
        assert len(post(url).json()["result"]["tools"]) >= 4
        first = children(process.pid)
        os.kill(first[0], signal.SIGKILL)
        deadline = time.monotonic() + 20
        while len(set(children(process.pid)) - {first[0]}) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(children(process.pid)) == 2
        assert post(url).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        assert not [pid for pid in first if Path(f"/proc/{pid}").exists()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_cleanly(tmp_path, number):
    with started(tmp_path) as (process, url):
        assert httpx.get(url.replace("/mcp", "/healthz"), trust_env=False, timeout=20).status_code == 200
        process.send_signal(number)
        assert process.wait(timeout=10) == 0
        assert "Traceback" not in process.stderr.read()


def test_a_stream_that_is_open_does_not_hold_the_end_up(tmp_path):
    with web(tmp_path, stateless=False) as found:
        hello = {
            "protocolVersion": HANDSHAKE,
            "capabilities": {},
            "clientInfo": {"name": "r", "version": "1"},
        }
        session = found.call("initialize", hello, era=HANDSHAKE).headers["mcp-session-id"]
        head = [
            "GET /mcp HTTP/1.1",
            "Host: localhost",
            "Accept: text/event-stream",
            f"Mcp-Session-Id: {session}",
        ]
        with socket.create_connection(("127.0.0.1", found.port)) as wire:
            wire.sendall("\r\n".join([*head, "", ""]).encode())
            assert b"text/event-stream" in wire.recv(65_536)
            before = time.monotonic()
            found.stop()
            assert time.monotonic() - before < 4


def test_tokens_count_together_over_workers_and_open_what_the_file_says(tmp_path):
    file = tmp_path / "tokens"
    file.write_text("one token-for-one-aaaaaaaaaa prices rate=6/h\n")
    file.chmod(0o600)
    with started(tmp_path / "home", "--token-file", str(file), "--workers", "2") as (_, url):
        found = [post(url, "token-for-one-aaaaaaaaaa") for _ in range(12)]
        assert post(url).status_code == 401
    statuses = [one.status_code for one in found]
    assert 6 <= statuses.count(200) <= 8
    assert set(statuses) == {200, 429}
    assert {tool["name"] for tool in found[0].json()["result"]["tools"]} == {
        "compare_gpu_prices", "gpu_price_history",
    }  # fmt: skip


def refused(*words: str) -> str:
    env = {**os.environ, "CLOUDTOP_CONFIG": ""}
    done = subprocess.run(
        [*COMMAND, "mcp", *words], capture_output=True, text=True, env=env, cwd=ROOT, timeout=30, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]", "192.0.2.1", "mcp.example.com"])
def test_without_a_token_it_does_not_listen_beyond_this_machine(host):
    assert "without a token only this machine may ask" in refused("--http", f"{host}:0")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--http", "localhost"], "no address"),
        (["--http", "127.0.0.1:99999"], "no address"),
        (["--http", "0", "--workers", "2", "--stateful"], "keeps each session in one process"),
        (["--http", "0", "--workers", "0"], "out of bounds"),
        (["--http", "0", "--rate", "fast"], "is no rate"),
        (["--http", "0", "--max-age-floor", "soon"], "not a length of time"),
        (["--http", "0", "--jwt-issuer", "https://issuer.example"], "--jwt-audience and --jwks"),
        (["--http", "0", "--token-file", "no-such-file"], "there is no such file"),
        (["--workers", "2"], "--workers is for HTTP"),
        (["--token-file", "x"], "--token-file is for HTTP"),
        (["--stateful"], "--stateful is for HTTP"),
    ],
)  # fmt: skip
def test_a_command_line_that_cannot_be_meant_is_refused_by_name(words, said):
    assert said in refused(*words)


def test_an_address_that_is_taken_is_said_in_a_sentence(open_one):
    done = subprocess.run(
        [*COMMAND, "mcp", "--http", f"127.0.0.1:{open_one.port}"],
        capture_output=True, text=True, cwd=ROOT, timeout=30, check=False,
        env={**os.environ, "CLOUDTOP_CONFIG": ""},
    )  # fmt: skip
    assert done.returncode == 1
    assert f"cannot listen at 127.0.0.1:{open_one.port}" in done.stderr


def test_a_rate_comes_back_evenly_and_is_each_callers_own():
    now = [100.0]
    rates = Rates(lambda: now[0])
    one, other = (Caller(name, frozenset(), Rate(4, 60.0)) for name in ("one", "other"))
    assert [rates.wait_s(one) for _ in range(4)] == [0.0] * 4
    assert rates.wait_s(one) == pytest.approx(15.0)
    assert rates.wait_s(other) == 0.0
    now[0] += 15
    assert rates.wait_s(one) == 0.0
    assert rates.wait_s(one) > 0
    assert [rates.wait_s(Caller("free", frozenset())) for _ in range(9)] == [0.0] * 9


@pytest.mark.parametrize(
    ("method", "params", "scopes"),
    [
        ("resources/read", {"uri": "cloudtop://prices/H100"}, {"prices"}),
        ("resources/read", {"uri": "cloudtop://history/H100/chart"}, {"prices"}),
        ("resources/read", {"uri": "cloudtop://prices.evil/H100"}, {"read"}),
        ("resources/read", {"uri": "cloudtop://resources/aws:1"}, {"read"}),
        ("resources/read", {"uri": "ui://cloudtop/prices"}, set()),
        ("resources/read", {}, {"read"}),
        ("completion/complete", {"argument": {"name": "gpu", "value": "H"}}, {"prices"}),
        ("completion/complete", {"argument": {"name": "tag", "value": "t"}}, {"read"}),
        ("completion/complete", {"argument": 3}, {"read"}),
        ("prompts/get", {"name": "x"}, set()),
        ("tools/call", {"name": ["x"]}, set()),
    ],
)
def test_what_a_request_takes_follows_from_what_it_tells(method, params, scopes):
    assert needed(method, params, {}) == scopes


def test_the_page_about_http_names_every_option():
    from cloudtop.cli.main import parser

    mcp = parser()._subparsers._group_actions[0].choices["mcp"]
    text = DOCS.read_text(encoding="utf-8")
    options = {word for action in mcp._actions for word in action.option_strings if word.startswith("--")}
    everywhere = {"--help", "--config", "--home", "--offline", "--json", "--verbose", "--conformance"}
    assert [word for word in sorted(options - everywhere) if word not in text] == []
