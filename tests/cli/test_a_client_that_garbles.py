"""Raw lines of a client whose model, or whose own words, cannot be read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli.client_models import A100, CHEAPEST, TRUTH, config

COMMAND = [sys.executable, "-c", "from cloudtop.cli.main import main; main()"]
ABLE = {"sampling": {"tools": {}}}
INFO = {"name": "raw", "version": "1"}
MODERN, OLDER = "2026-07-28", "2025-11-25"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": INFO,
    "io.modelcontextprotocol/clientCapabilities": ABLE,
}
CALL = {"type": "tool_use", "id": "1", "name": A100[0], "input": A100[1]}
GARBLED: list[Any] = [
    {},
    {"role": "assistant", "model": "x", "content": "text"},
    {"role": "assistant", "model": "x", "content": [{**CALL, "input": "{gpu: oops"}]},
    {"role": "assistant", "model": "x", "content": [{**CALL, "id": None}]},
    {"role": "robot", "model": "x", "content": {"type": "text", "text": "hello"}},
    {"role": "assistant", "model": 7, "content": {"type": "text", "text": "hello"}},
]


class Wire:
    """The lines to and from one server."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process, self.number = process, 0

    def send(self, **message: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.process.stdin.flush()

    def request(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request, or what the server requests before it answers."""
        self.number += 1
        self.send(id=self.number, method=method, params=params)
        return self.heard()

    def heard(self) -> dict[str, Any]:
        """The next line that is no notification."""
        assert self.process.stdout
        for line in self.process.stdout:
            said: dict[str, Any] = json.loads(line)
            if "id" in said:
                return said
        raise AssertionError("the server ended")


@contextmanager
def wire(home: Path) -> Iterator[Wire]:
    words = [*COMMAND, "--config", str(config(home, client_model="always")), "mcp"]
    env = {**os.environ, "CLOUDTOP_HOME": str(home)}
    with subprocess.Popen(words, stdin=-1, stdout=-1, stderr=subprocess.DEVNULL, env=env) as process:
        yield Wire(process)
        assert process.stdin
        process.stdin.close()
        assert process.wait(10) == 0


def test_in_older_protocols_what_cannot_be_read_leaves_the_question_to_the_planner(tmp_path: Path) -> None:
    with wire(tmp_path) as server:
        hello = {"protocolVersion": OLDER, "capabilities": ABLE, "clientInfo": INFO}
        assert server.request("initialize", hello)["result"]["protocolVersion"] == OLDER
        server.send(method="notifications/initialized")
        for reply in GARBLED:
            asked = server.request("tools/call", {"name": "ask", "arguments": {"question": CHEAPEST}})
            assert asked["method"] == "sampling/createMessage"
            server.send(id=asked["id"], result=reply)
            result = server.heard()["result"]
            row = result["structuredContent"]["rows"][0]
            assert row["status"] == "answered", reply
            said = row["answer"]
            assert "The client's model answered with something that cannot be read; the" in said, reply


def test_since_2026_it_is_refused_by_the_protocol_and_the_question_waits_on(tmp_path: Path) -> None:
    with wire(tmp_path) as server:
        ask = {"name": "ask", "arguments": {"question": CHEAPEST}, "_meta": META}
        state = server.request("tools/call", ask)["result"]["requestState"]
        for reply in GARBLED:
            more = {"requestState": state, "inputResponses": {"model": reply}}
            assert server.request("tools/call", {**ask, **more})["error"]["code"] == -32602, reply
        for content in (CALL, {"type": "text", "text": TRUTH}):
            turn = {"role": "assistant", "model": "x", "content": content}
            more = {"requestState": state, "inputResponses": {"model": turn}}
            result = server.request("tools/call", {**ask, **more})["result"]
            state = result.get("requestState")
        assert result["structuredContent"]["rows"][0]["model"] == "client"
