"""The tools of an open MCP client, as the graph calls them: text for a model, rows beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from langchain_core.tools import StructuredTool
from mcp import Client
from mcp_types import TextContent


class Progress(Protocol):
    """Told how far a call is; shaped as the MCP client calls it."""

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None:
        """`progress` of `total` is done."""
        ...


PAGES = 200
"""How many pages of one call are read at most; far beyond any list a person asks for."""


class ToolFailed(Exception):
    """The tool answered with an error; its text is complete in itself."""

    def __init__(self, text: str, structured: Mapping[str, Any] | None) -> None:
        super().__init__(text)
        self.text = text
        error = (structured or {}).get("error") or {}
        self.exit_code = int(error.get("exit_code", 2 if error.get("argument") else 1))


async def answer_of(
    client: Client, tool: str, arguments: Mapping[str, Any], progress: Progress | None = None
) -> tuple[str, dict[str, Any]]:
    """Text and structured content of one call; ToolFailed when the tool says it failed."""
    result = await client.call_tool(tool, dict(arguments), progress_callback=progress)
    text = "\n".join(part.text for part in result.content if isinstance(part, TextContent))
    if result.is_error:
        raise ToolFailed(text, result.structured_content)
    return text, dict(result.structured_content or {})


async def whole_answer(
    client: Client, tool: str, arguments: Mapping[str, Any], *, wanted: int | None, progress: Progress | None
) -> tuple[str, dict[str, Any]]:
    """One call with its pages joined: `wanted` rows, or all there are (None).

    Without `wanted` the pages are as large as the tool allows. What joined pages could not agree on (the data
    changed between them) is in `notices`, as the tool says it.
    """
    first = dict(arguments)
    if wanted is None:
        first["limit"] = 500
    text, whole = await answer_of(client, tool, first, progress)
    cursor = whole.get("next_cursor")
    for _ in range(PAGES):
        if not cursor or (wanted is not None and len(whole["rows"]) >= wanted):
            break
        _, page = await answer_of(client, tool, {**first, "cursor": cursor}, progress)
        whole["rows"] += page["rows"]
        whole["notices"] = list(dict.fromkeys([*whole["notices"], *page["notices"]]))
        cursor = page.get("next_cursor")
    if wanted is not None:
        whole["rows"] = whole["rows"][:wanted]
    whole["next_cursor"] = cursor
    whole["truncated"] = bool(cursor) and (wanted is None or len(whole["rows"]) < wanted)
    return text, whole


async def tools_of(
    client: Client, *, all_rows: bool = False, progress: Progress | None = None
) -> dict[str, StructuredTool]:
    """One LangChain tool per MCP tool; the rows travel as the artifact, never through the model."""

    def one(name: str, description: str, schema: dict[str, Any], default: int) -> StructuredTool:
        async def run(**arguments: Any) -> tuple[str, dict[str, Any]]:
            wanted = None if all_rows else int(arguments.get("limit") or default)
            return await whole_answer(client, name, arguments, wanted=wanted, progress=progress)

        return StructuredTool(
            name=name,
            description=description,
            args_schema=schema,
            coroutine=run,
            response_format="content_and_artifact",
        )

    listed = (await client.list_tools()).tools
    return {
        tool.name: one(
            tool.name,
            tool.description or tool.name,
            tool.input_schema,
            int(tool.input_schema.get("properties", {}).get("limit", {}).get("default", 20)),
        )
        for tool in listed
    }
