"""The least an MCP server can be: one tool that returns the bytes it was given."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import mcp.types as types
from mcp.server import Server
from mcp.server.stdio import stdio_server

KEPT = json.loads(Path(sys.argv[1]).read_text())


async def main() -> None:
    listed = types.ListToolsResult(
        tools=[types.Tool(name="compare_gpu_prices", input_schema={"type": "object"})]
    )

    async def tools(ctx: Any, params: Any) -> types.ListToolsResult:
        return listed

    async def call(ctx: Any, params: Any) -> types.CallToolResult:
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=KEPT["text"])], structured_content=KEPT["structured"]
        )

    server = Server("bare", on_list_tools=tools, on_call_tool=call)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


asyncio.run(main())
