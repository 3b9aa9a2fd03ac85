"""LangChain's MCP client (`langchain[mcp]`): every tool listed and called, as an agent would call it.

`python client_langchain.py JSON` prints one line a tool; JSON: {"url"|"command", "env", "calls": {tool:
[arguments]}, "mode", "era"}. It runs in an environment of its own, where cloudtop is not.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from langchain.mcp import MCPAdapter
from langchain_core.tools import BaseTool

MODERN = "2026-07-28"


async def answer(tool: BaseTool, arguments: dict[str, Any]) -> Any:
    """The message that an agent gets."""
    return await tool.ainvoke({"type": "tool_call", "id": "1", "name": tool.name, "args": arguments})


async def main(asked: dict[str, Any]) -> None:
    if "url" in asked:
        target: Any = asked["url"]
    else:
        program, *words = asked["command"]
        target = StdioTransport(program, words, env={**os.environ, **asked["env"]})
    async with MCPAdapter(Client(target, mode=asked["mode"])) as adapter:
        version = adapter.client.protocol_version
        if (version >= MODERN) != (asked["era"] == "modern"):
            raise ValueError(f"the client speaks {version}")
        tools = {tool.name: tool for tool in await adapter.list_tools()}
        if sorted(tools) != sorted(asked["calls"]):
            raise ValueError(f"tools/list gives {sorted(tools)}")
        for name, calls in sorted(asked["calls"].items()):
            if not tools[name].metadata["mcp"]["tool"]["annotations"]["read_only_hint"]:
                raise ValueError(f"{name} is not said to read only")
            for arguments in calls:
                told = await answer(tools[name], arguments)
                rows = told.status == "success" and told.artifact["structured_content"]["rows"]
                if not rows:
                    raise ValueError(f"{name} {arguments}: {str(told)[:600]}")
            print(f"{name} {len(calls)} calls")
        refused = await answer(tools["compare_gpu_prices"], {"gpu": ["Z9"]})
        if refused.status != "error" or "Z9" not in str(refused.content):
            raise ValueError(f"an unknown GPU: {str(refused)[:600]}")


asyncio.run(main(json.loads(sys.argv[1])))
