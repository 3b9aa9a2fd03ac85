"""The least an MCP server over HTTP can be: the SDK's own app, one tool that returns bytes it was given."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import mcp.types as types
import uvicorn
from mcp.server import Server

KEPT = json.loads(Path(sys.argv[1]).read_text())
LISTED = types.ListToolsResult(tools=[types.Tool(name="compare_gpu_prices", input_schema={"type": "object"})])


async def tools(ctx: Any, params: Any) -> types.ListToolsResult:
    return LISTED


async def call(ctx: Any, params: Any) -> types.CallToolResult:
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=KEPT["text"])], structured_content=KEPT["structured"]
    )


server: Server[Any] = Server("bare", on_list_tools=tools, on_call_tool=call)
app = server.streamable_http_app(stateless_http=True, json_response=sys.argv[3] == "json")
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="critical", access_log=False, ws="none")
