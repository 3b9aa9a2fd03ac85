"""Over standard input and over HTTP the client's own model plans, and a state is its caller's."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from tests.cli.client_models import (
    CHEAPEST,
    ERAS,
    GONE,
    TRUTH,
    WITH_TOOLS,
    Model,
    Rounds,
    answered,
    config,
    good,
    note,
)
from tests.mcp.serving import serving

COMMAND = [sys.executable, "-c", "from cloudtop.cli.main import main; main()"]


def command(home: Path, **agent: Any) -> list[str]:
    return [*COMMAND, "--config", str(config(home, **agent)), "mcp"]


@ERAS
async def test_over_standard_input_the_model_of_the_client_plans(tmp_path: Path, era: str) -> None:
    first, *others = command(tmp_path, client_model="always")
    env = {**os.environ, "CLOUDTOP_HOME": str(tmp_path)}
    target = StdioServerParameters(command=first, args=others, env=env)
    model = good()
    async with Client(target, mode=era, sampling_callback=model, sampling_capabilities=WITH_TOOLS) as client:
        row = answered(await client.call_tool("ask", {"question": CHEAPEST}))
    assert row["model"] == "client"
    assert TRUTH in row["answer"]


@asynccontextmanager
async def over_http(url: str, model: Model, token: str, era: str = "auto") -> AsyncIterator[Client]:
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=30) as http:
        wire = streamable_http_client(url, http_client=http)
        able: dict[str, Any] = {"sampling_callback": model, "sampling_capabilities": WITH_TOOLS}
        async with Client(wire, mode=era, **able) as client:
            yield client


@pytest.mark.parametrize("how", ["--stateful", "--stateless"])
async def test_over_http_the_model_plans_where_it_can_be_reached_and_a_state_is_its_callers(
    tmp_path: Path, how: str
) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("".join(f"{name} {name}-token-aaaaaaaaaaaaaa ask,read\n" for name in ("one", "two")))
    tokens.chmod(0o600)
    one, two = (f"{name}-token-aaaaaaaaaaaaaa" for name in ("one", "two"))
    started = command(tmp_path, client_model="always")
    with serving(started, tmp_path, how, "--token-file", str(tokens)) as url:
        async with over_http(url, good(), one) as client:
            row = answered(await client.call_tool("ask", {"question": CHEAPEST}))
        assert row["model"] == "client"
        async with over_http(url, good(), one, "legacy") as client:
            row = answered(await client.call_tool("ask", {"question": CHEAPEST}))
        reached = how == "--stateful"
        assert row["model"] == ("client" if reached else "planner")
        assert reached or note(row) == "was not asked: the client offers no sampling with tools"
        async with over_http(url, good(), one) as owner, over_http(url, good(), two) as thief:
            mine, theirs = Rounds(owner), Rounds(thief)
            await mine.wanted()
            theirs.state = mine.state
            assert note(await theirs.row(theirs.turn(1))) == GONE
            await mine.wanted(mine.turn(1))
            assert (await mine.row(mine.turn(2)))["model"] == "client"
