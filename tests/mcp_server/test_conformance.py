"""The fixtures of the conformance suites: beside our own tools, never without being asked for."""

from __future__ import annotations

import pytest
from mcp import Client, MCPError

from cloudtop.cli.main import ended
from mcp_server import conformance
from tests.mcp_server.prices_server import served, stocked

ERAS = ["auto", "legacy"]


@pytest.fixture
async def server(tmp_path):
    made = stocked(tmp_path / "house")
    yield served(made)
    await made.close()


async def names(server):
    async with Client(server) as client:
        return {tool.name for tool in (await client.list_tools()).tools}


async def test_the_fixtures_join_our_own_tools(server):
    own = await names(server)
    conformance.install(server)
    both = await names(server)
    assert own < both
    assert all(name.startswith(("test_", "json_schema_")) for name in both - own)
    assert not any(name.startswith("test_") for name in own)


@pytest.mark.parametrize("era", ERAS)
async def test_our_own_answers_stay_as_they_are(server, era):
    async with Client(server, mode=era) as client:
        before = await client.call_tool("compare_gpu_prices", {"gpu": ["A100"], "limit": 2})
        words = await client.read_resource("cloudtop://providers")
    conformance.install(server)
    async with Client(server, mode=era) as client:
        assert await client.call_tool("compare_gpu_prices", {"gpu": ["A100"], "limit": 2}) == before
        assert await client.read_resource("cloudtop://providers") == words
        with pytest.raises(MCPError, match="Unknown tool: nothing"):
            await client.call_tool("nothing", {})
        with pytest.raises(MCPError, match="not found"):
            await client.read_resource("test://nothing")
        with pytest.raises(MCPError, match="Unknown prompt"):
            await client.get_prompt("nothing")


@pytest.mark.parametrize("era", ERAS)
async def test_a_client_that_cannot_be_asked_is_told_so(server, era):
    conformance.install(server)
    async with Client(server, mode=era) as client:
        for tool, arguments in {
            "test_sampling": {"prompt": "?"},
            "test_elicitation": {"message": "?"},
        }.items():
            assert (await client.call_tool(tool, arguments)).is_error
        with pytest.raises(MCPError, match="needs arg2"):
            await client.get_prompt("test_prompt_with_arguments", {"arg1": "hello"})


def test_the_option_is_hidden(capsys):
    with pytest.raises(SystemExit):
        ended(["mcp", "--help"])
    assert "--http" in (said := capsys.readouterr().out)
    assert "conformance" not in said
