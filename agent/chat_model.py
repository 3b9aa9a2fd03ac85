"""The pure planner as a LangChain chat model, so that one graph serves it and every LLM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import ConfigDict, Field

from agent.feeding import ready
from agent.planner.lexicon import Lexicon
from agent.planner.plan import plan
from agent.planner.query import Plan, Query

if TYPE_CHECKING:
    from agent.graph import Called

PLAN = "cloudtop_plan"
"""Where in a message's `response_metadata` the whole plan stands."""


class PlannerModel(BaseChatModel):
    """Answers a question with tool calls, those that feed others first; nothing once all rows are there."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    lexicon: Lexicon = Field(repr=False)
    now: datetime
    previous: Query | None = None
    made: Plan | None = None
    """The plan when it was made already: a question is planned once."""

    @property
    def _llm_type(self) -> str:
        return "cloudtop-planner"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> PlannerModel:
        """The planner knows its tools from the lexicon."""
        return self

    def _planned(self, messages: list[BaseMessage]) -> AIMessage:
        question = next(str(one.content) for one in reversed(messages) if isinstance(one, HumanMessage))
        made = self.made or plan(question, self.lexicon, self.now, self.previous)
        done = {one.tool_call_id for one in messages if isinstance(one, ToolMessage)}
        calls = [
            {"name": call.tool, "args": dict(call.arguments), "id": call.id, "type": "tool_call"}
            for call in ready(made.calls, done)
        ]
        return AIMessage(content="", tool_calls=calls, response_metadata={PLAN: made})

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._planned(messages))])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        # Pure code that takes a millisecond: no thread hop.
        return self._generate(messages)


@dataclass(frozen=True, slots=True)
class PlannedTurns:
    """The planner's turns in the graph: nothing bounds them, for a plan has its end in it."""

    model: PlannerModel

    async def turn(self, messages: Sequence[BaseMessage]) -> AIMessage:
        """The calls that are ready."""
        return await self.model.ainvoke(list(messages))

    def given(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """They are meant as they are."""
        return dict(arguments)

    def seen(self, call: Called) -> str:
        """That it is done: the planner reads no results."""
        return call.error or call.text

    def said(self, message: AIMessage) -> str:
        """The planner adds no words."""
        return ""
