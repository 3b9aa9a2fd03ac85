"""The model of the MCP client that asked, as a LangChain chat model: each turn is one sampling request.

Both sides are spelled as the protocol does (sampling/createMessage of 2025-11-25 and 2026-07-28).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, SystemMessage, ToolCall, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, Field

from cloudtop.ports import ClientTurn

ENDED = {"maxTokens": "max_tokens"}
"""Why a turn ended, in the words that the other providers have for it."""


class ClientModel(BaseChatModel):
    """Asks `turn` for every message; NotSampled when the client does not give one."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    turn: ClientTurn = Field(repr=False)
    max_tokens: int
    tools: list[dict[str, Any]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "mcp-sampling"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> ClientModel:
        """The same model, which is told of these tools."""
        return self.model_copy(update={"tools": [_tool(one) for one in tools]})

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise NotImplementedError("a client is asked on the running loop: await ainvoke")

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        rules = [one.text for one in messages if isinstance(one, SystemMessage)]
        reply = await self.turn(
            {
                "messages": _spoken(messages),
                "systemPrompt": "\n".join(rules),
                "maxTokens": self.max_tokens,
                "tools": self.tools,
            }
        )
        return ChatResult(generations=[ChatGeneration(message=_message(reply))])


def _tool(one: Any) -> dict[str, Any]:
    function = convert_to_openai_tool(one)["function"]
    return {
        "name": function["name"],
        "description": function["description"],
        "inputSchema": function["parameters"],
    }


def _spoken(messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    """What was said so far. The results of one turn's calls are one message, as the protocol wants them."""
    made: list[dict[str, Any]] = []
    for message in messages:
        if isinstance(message, SystemMessage):
            continue
        blocks = list(_blocks(message))
        role = "assistant" if isinstance(message, AIMessage) else "user"
        if isinstance(message, ToolMessage) and made and made[-1]["content"][0]["type"] == "tool_result":
            made[-1]["content"] += blocks
        elif blocks:
            made.append({"role": role, "content": blocks})
    return made


def _blocks(message: BaseMessage) -> Iterator[dict[str, Any]]:
    if isinstance(message, ToolMessage):
        yield {
            "type": "tool_result",
            "toolUseId": message.tool_call_id,
            "content": [{"type": "text", "text": message.text}],
            "isError": message.status == "error",
        }
        return
    if message.text:
        yield {"type": "text", "text": message.text}
    for call in message.tool_calls if isinstance(message, AIMessage) else ():
        yield {"type": "tool_use", "id": call["id"], "name": call["name"], "input": call["args"]}


def _message(reply: Mapping[str, Any]) -> AIMessage:
    """The turn that came back; images and sounds in it say nothing here."""
    content = reply["content"]
    blocks = content if isinstance(content, list) else [content]
    said = "".join(one["text"] for one in blocks if one["type"] == "text")
    calls = [
        ToolCall(name=one["name"], args=one["input"], id=one["id"], type="tool_call")
        for one in blocks
        if one["type"] == "tool_use"
    ]
    why = str(reply.get("stopReason"))
    return AIMessage(content=said, tool_calls=calls, response_metadata={"stop_reason": ENDED.get(why, why)})
