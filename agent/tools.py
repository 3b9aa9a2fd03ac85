"""The tools of an open MCP client, as the graph calls them: text for a model, rows beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

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


@dataclass(frozen=True, slots=True)
class Tool:
    """One MCP tool: called by the graph, which keeps the rows, and shown to models by its schema."""

    client: Client
    name: str
    description: str
    schema: dict[str, Any]
    progress: Progress | None = None
    reads: bool = False
    """Whether the server says that it changes nothing: a model is given no other."""

    @property
    def takes(self) -> frozenset[str]:
        """The names of its arguments."""
        return frozenset(self.schema.get("properties", {}))

    @property
    def bound(self) -> dict[str, Any]:
        """What a chat model is told of it."""
        function = {"name": self.name, "description": self.description, "parameters": self.schema}
        return {"type": "function", "function": function}

    async def __call__(self, arguments: Mapping[str, Any], *, whole: bool) -> tuple[str, dict[str, Any]]:
        """Text and structured content, as many rows as are asked for, or all. ToolFailed when it failed."""
        usual = self.schema.get("properties", {}).get("limit", {}).get("default", 20)
        wanted = None if whole else int(arguments.get("limit") or usual)
        return await whole_answer(self.client, self.name, arguments, wanted=wanted, progress=self.progress)


async def tools_of(client: Client, progress: Progress | None = None) -> dict[str, Tool]:
    """The tools of a server by name; their rows never travel through a model."""
    listed = (await client.list_tools()).tools
    return {
        tool.name: Tool(
            client,
            tool.name,
            tool.description or tool.name,
            tool.input_schema,
            progress,
            bool(tool.annotations and tool.annotations.read_only_hint),
        )
        for tool in listed
    }
