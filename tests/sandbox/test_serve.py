"""The sandbox starts, says where it is, and leaves nothing behind."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from cloudtop import settings
from cloudtop.sandbox.cloud import clouds
from cloudtop.sandbox.serve import RAW, running

SEARCH = "/api/v0/bundles/"


def cheapest(url: str) -> float:
    body = {"limit": 1, "order": [["dph_base", "asc"]], "gpu_name": {"eq": "H100 NVL"}}
    price: float = httpx.post(url + SEARCH, json=body).json()["offers"][0]["dph_base"]
    return price


def test_it_leaves_no_thread_and_no_port() -> None:
    before = threading.active_count()
    with running() as sandbox:
        url = sandbox.endpoint("vast")
        assert cheapest(url) > 0
    assert threading.active_count() == before
    with pytest.raises(httpx.ConnectError):
        cheapest(url)


def test_it_stops_while_a_request_hangs() -> None:
    with running(faults={"vast": "silent"}) as sandbox:
        host, port = sandbox.endpoint("vast").removeprefix("http://").split(":")
        hanging = socket.create_connection((host, int(port)))
        hanging.settimeout(10)
        hanging.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        while not sandbox.requests:
            pass
    with hanging:
        while hanging.recv(1000):
            pass
    assert [seen.fault for seen in sandbox.requests] == ["silent"]


def test_a_fixed_clock_and_still_prices_hold_the_answer_still() -> None:
    saturday = datetime(2026, 11, 21, tzinfo=UTC)
    with running(now=saturday) as moved, running(moving=False) as still:
        low, base = cheapest(moved.endpoint("vast")), cheapest(still.endpoint("vast"))
    assert low == pytest.approx(base * 0.97)


@pytest.mark.parametrize("fault", [None, *RAW])
def test_its_configuration_is_one_that_cloudtop_accepts(fault: str | None, tmp_path: Path) -> None:
    with running() as sandbox:
        if fault:
            sandbox.fault("vast", fault)
        file = tmp_path / "config.json"
        file.write_text(json.dumps(sandbox.config()))
        loaded = settings.load(file, tmp_path, environ={})
        assert loaded.provider("vast").endpoint == sandbox.endpoint("vast")
        assert loaded.secret("vast", "prod", "api_key") == clouds()["vast"].auth["api_key"]


def test_calm_brings_the_usual_port_back() -> None:
    with running() as sandbox:
        usual = sandbox.endpoint("vast")
        sandbox.fault("vast", "refused")
        assert sandbox.endpoint("vast") != usual
        sandbox.calm()
        assert sandbox.endpoint("vast") == usual
        assert sandbox.requests == []


@pytest.mark.parametrize("end", ["input", "signal"])
def test_as_a_command_it_prints_where_it_is_and_runs_until_told_to_stop(end: str) -> None:
    command = [sys.executable, "-m", "cloudtop.sandbox", "--still"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        assert cheapest(said["endpoints"]["vast"]) > 0
        assert said["config"]["providers"]["vast"]["options"]["endpoint"] == said["endpoints"]["vast"]
        if end == "signal":
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        else:
            process.communicate(timeout=10)
            assert process.returncode == 0
