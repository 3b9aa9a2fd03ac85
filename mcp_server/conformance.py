"""What the protocol's own conformance suites ask a server for, put in front of our server's own answers.

Served by the hidden `cloudtop mcp --conformance` alone. The suites prescribe the names, the words and the
bytes; everything that is not theirs goes on to the server as ever, so that it is our server that is judged.
"""

from __future__ import annotations

import asyncio
import json
import re
import warnings
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import mcp.types as types
from mcp import MCPDeprecationWarning, MCPError
from mcp.server import ServerRequestContext
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.types.version import MODERN_PROTOCOL_VERSIONS

from mcp_server.conformance_facts import (
    ARGUMENTS,
    BLANK,
    CONTENTS,
    OPTIONS,
    PNG,
    RESOURCES,
    SCHEMAS,
    TITLED,
    WAV,
)
from mcp_server.server import ToolServer

STEP_S = 0.05
"""How long the suites have a tool pause between two notifications."""


_Ctx = ServerRequestContext[Any]
_Result = dict[str, Any]
_Call = types.CallToolRequestParams
_Tool = Callable[[_Ctx, _Call], Awaitable["_Result | types.InputRequiredResult"]]
_Asked = types.ElicitRequest | types.CreateMessageRequest | types.ListRootsRequest

_COMPLETE = {"resultType": "complete"}


def install(server: ToolServer) -> None:
    """Have the server answer for the suites' fixtures too; before it is served."""
    # Log messages and sampling are on their way out of the protocol, and still judged.
    warnings.filterwarnings("ignore", category=MCPDeprecationWarning)
    pack = _Pack(server)
    for name, (method, fixtures) in _LISTS.items():
        server.add_request_handler(method, types.PaginatedRequestParams, pack.listed(name, method, fixtures))
    server.add_request_handler("tools/call", _Call, pack.call)
    server.add_request_handler("resources/read", types.ReadResourceRequestParams, pack.read)
    server.add_request_handler("prompts/get", types.GetPromptRequestParams, pack.prompt)
    server.add_request_handler("completion/complete", types.CompleteRequestParams, pack.complete)
    server.add_request_handler("resources/subscribe", types.SubscribeRequestParams, _accepted)
    server.add_request_handler("resources/unsubscribe", types.UnsubscribeRequestParams, _accepted)
    server.add_request_handler("logging/setLevel", types.SetLevelRequestParams, _accepted)
    schemas = {tool["name"]: tool["inputSchema"] for tool in _TOOLS}
    server.get_tool_input_schema = schemas.get
    server.middleware.append(
        RequestStateBoundary(RequestStateSecurity.ephemeral(), default_audience=server.name)
    )


async def _accepted(ctx: _Ctx, params: Any) -> _Result:
    return {}


class _Pack:
    """The fixtures' answers, and the server's own for everything else."""

    def __init__(self, server: ToolServer) -> None:
        self._server = server
        self._own = {method: self._handler(method) for method in _PASSED_ON}
        self._tools: dict[str, _Tool] = {
            **_HANDLERS,
            "test_trigger_tool_change": self._changed,
            "test_trigger_prompt_change": self._changed,
        }

    def _handler(self, method: str) -> Callable[[_Ctx, Any], Awaitable[Any]]:
        entry = self._server.get_request_handler(method)
        assert entry is not None, method
        return entry.handler

    def listed(
        self, name: str, method: str, more: list[_Result]
    ) -> Callable[[_Ctx, Any], Awaitable[_Result]]:
        """A list of the server with the fixtures after its last page."""
        own = self._handler(method)

        async def handler(ctx: _Ctx, params: Any) -> _Result:
            result: _Result = await own(ctx, params)
            return result if result.get("nextCursor") else {**result, name: [*result[name], *more]}

        return handler

    async def call(self, ctx: _Ctx, params: _Call) -> Any:
        """tools/call."""
        tool = self._tools.get(params.name)
        return await (tool or self._own["tools/call"])(ctx, params)

    async def read(self, ctx: _Ctx, params: types.ReadResourceRequestParams) -> Any:
        """resources/read."""
        uri = str(params.uri)
        found = CONTENTS.get(uri)
        if match := re.fullmatch(r"test://template/([^/]+)/data", uri):
            told = {"id": match[1], "templateTest": True, "data": f"Data for ID: {match[1]}"}
            found = {"mimeType": "application/json", "text": json.dumps(told)}
        if found is None:
            return await self._own["resources/read"](ctx, params)
        return {"contents": [{"uri": uri, **found}], **_COMPLETE}

    async def prompt(self, ctx: _Ctx, params: types.GetPromptRequestParams) -> Any:
        """prompts/get."""
        given = params.arguments or {}
        if params.name == "test_input_required_result_prompt":
            answer = _content(params, "user_context")
            if answer is None:
                form = _form("What context should the prompt use?", context={"type": "string"})
                return types.InputRequiredResult(input_requests={"user_context": form})
            return _messages(_text(f"Use this context: {answer.get('context')}"))
        make = _MESSAGES.get(params.name)
        if make is None:
            return await self._own["prompts/get"](ctx, params)
        known = next(one for one in _PROMPTS if one["name"] == params.name)
        if missing := [one["name"] for one in known.get("arguments", ()) if one["name"] not in given]:
            raise MCPError(types.INVALID_PARAMS, f"{params.name} needs {', '.join(missing)}")
        return _messages(*make(given))

    async def complete(self, ctx: _Ctx, params: types.CompleteRequestParams) -> Any:
        """completion/complete."""
        ref = params.ref
        if isinstance(ref, types.PromptReference) and ref.name in _MESSAGES:
            words = [one for one in ("paris", "park", "party") if one.startswith(params.argument.value)]
            return {"completion": {"values": words, "total": len(words), "hasMore": False}, **_COMPLETE}
        return await self._own["completion/complete"](ctx, params)

    async def _changed(self, ctx: _Ctx, params: _Call) -> _Result:
        await self._server.changes.tools_changed()
        return _said("Everybody who listens was told.")


def _text(text: str) -> _Result:
    return {"type": "text", "text": text}


def _image() -> _Result:
    return {"type": "image", "data": PNG, "mimeType": "image/png"}


def _resource(uri: str, mime: str, text: str) -> _Result:
    return {"type": "resource", "resource": {"uri": uri, "mimeType": mime, "text": text}}


def _result(*content: _Result) -> _Result:
    return {"content": list(content), **_COMPLETE}


def _said(text: str) -> _Result:
    return _result(_text(text))


def _failed(text: str) -> _Result:
    return {**_said(text), "isError": True}


def _messages(*content: _Result) -> _Result:
    return {"messages": [{"role": "user", "content": one} for one in content], **_COMPLETE}


def _constant(*content: _Result) -> _Tool:
    async def tool(ctx: _Ctx, params: _Call) -> _Result:
        return _result(*content)

    return tool


async def _error(ctx: _Ctx, params: _Call) -> _Result:
    return _failed("This tool intentionally returns an error for testing")


async def _echo(ctx: _Ctx, params: _Call) -> _Result:
    return _said(json.dumps(params.arguments or {}, sort_keys=True))


async def _log(ctx: _Ctx, *lines: str) -> None:
    for number, line in enumerate(lines):
        await asyncio.sleep(STEP_S if number else 0.0)
        await ctx.session.send_log_message("info", line, related_request_id=ctx.request_id)


async def _logging(ctx: _Ctx, params: _Call) -> _Result:
    await _log(ctx, "Tool execution started", "Tool processing data", "Tool execution completed")
    return _said("Three messages were logged.")


async def _progress(ctx: _Ctx, params: _Call) -> _Result:
    for done in (0, 50, 100):
        await asyncio.sleep(STEP_S if done else 0.0)
        await ctx.session.report_progress(done, 100, f"{done} of 100")
    return _said("All of 100 is done.")


async def _reconnection(ctx: _Ctx, params: _Call) -> _Result:
    """The stream is closed before there is an answer; the client comes back for it."""
    if ctx.close_sse_stream is not None:
        await ctx.close_sse_stream()
    await asyncio.sleep(2 * STEP_S)
    return _said("Reconnection test completed.")


def _lacks(ctx: _Ctx, name: str) -> bool:
    able = ctx.session.client_capabilities
    return getattr(able, name, None) is None


async def _sampling(ctx: _Ctx, params: _Call) -> _Result:
    if _lacks(ctx, "sampling") or not ctx.session.can_send_request:
        return _failed("This client cannot be asked for a sample.")
    asked = _sample(str((params.arguments or {}).get("prompt")), 100).params
    answer = await ctx.session.create_message(
        asked.messages, max_tokens=asked.max_tokens, related_request_id=ctx.request_id
    )
    return _said(f"LLM response: {getattr(answer.content, 'text', '')}")


def _elicitation(words: str, message: str | None, required: bool, **fields: _Result) -> _Tool:
    """A tool of the older era that asks with a form; without a message of its own its caller gives one."""

    async def tool(ctx: _Ctx, params: _Call) -> _Result:
        if _lacks(ctx, "elicitation") or not ctx.session.can_send_request:
            return _failed("This client cannot be asked.")
        asked = message or str((params.arguments or {}).get("message"))
        schema = {"type": "object", "properties": fields, **({"required": [*fields]} if required else {})}
        answer = await ctx.session.elicit_form(asked, schema, related_request_id=ctx.request_id)
        content = json.dumps(answer.content or {}, sort_keys=True)
        return _said(f"{words}: action={answer.action}, content={content}")

    return tool


def _form(message: str, **fields: _Result) -> types.ElicitRequest:
    schema = {"type": "object", "properties": fields, "required": list(fields)}
    return types.ElicitRequest(params=types.ElicitRequestFormParams(message=message, requested_schema=schema))


def _sample(text: str, max_tokens: int) -> types.CreateMessageRequest:
    said = types.SamplingMessage(role="user", content=types.TextContent(type="text", text=text))
    return types.CreateMessageRequest(
        params=types.CreateMessageRequestParams(messages=[said], max_tokens=max_tokens)
    )


def _content(params: _Call | types.GetPromptRequestParams, key: str) -> Mapping[str, Any] | None:
    """What a form was answered with; None as long as it was not."""
    answer = (params.input_responses or {}).get(key)
    return (answer.content or {}) if isinstance(answer, types.ElicitResult) else None


def _shown(answer: object) -> str:
    """An answer to a request as a text has it."""
    if isinstance(answer, types.ListRootsResult):
        return ", ".join(f"{one.name or ''} {one.uri}".strip() for one in answer.roots)
    if isinstance(answer, types.ElicitResult):
        return json.dumps(answer.content or {}, sort_keys=True)
    return str(getattr(getattr(answer, "content", None), "text", answer))


def _needing(words: str, requests: Mapping[str, _Asked], state: str | None = None) -> _Tool:
    """A tool that needs all these answers, and its state back where it gave one."""

    async def tool(ctx: _Ctx, params: _Call) -> _Result | types.InputRequiredResult:
        given = params.input_responses or {}
        if any(key not in given for key in requests) or params.request_state != state:
            return types.InputRequiredResult(input_requests=dict(requests), request_state=state)
        return _said(f"{words} {'; '.join(_shown(given[key]) for key in requests)}")

    return tool


async def _greeting(ctx: _Ctx, params: _Call) -> _Result | types.InputRequiredResult:
    answer = _content(params, "user_name")
    if not answer or not isinstance(answer.get("name"), str):
        return types.InputRequiredResult(input_requests={"user_name": _NAME})
    return _said(f"Hello, {answer['name']}!")


async def _rounds(ctx: _Ctx, params: _Call) -> _Result | types.InputRequiredResult:
    """Two questions, one after the other; what was answered so far is in the state."""
    state = json.loads(params.request_state) if params.request_state else {}
    for key, form in _STEPS.items():
        if (answer := _content(params, key)) is not None:
            state[key] = dict(answer)
        if key not in state:
            return types.InputRequiredResult(input_requests={key: form}, request_state=json.dumps(state))
    return _said(json.dumps(state, sort_keys=True))


async def _able(ctx: _Ctx, params: _Call) -> _Result | types.InputRequiredResult:
    """Asks for what this client can be asked for, nothing else."""
    wanted: dict[str, _Asked] = {
        "elicitation": _NAME,
        "sampling": _CAPITAL,
        "roots": types.ListRootsRequest(),
    }
    offered = {name: one for name, one in wanted.items() if not _lacks(ctx, name)}
    if not offered or all(name in (params.input_responses or {}) for name in offered):
        return _said("Nothing more is needed.")
    return types.InputRequiredResult(input_requests=offered)


async def _missing_capability(ctx: _Ctx, params: _Call) -> _Result:
    if _lacks(ctx, "sampling"):
        needs: _Result = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(types.MISSING_REQUIRED_CLIENT_CAPABILITY, "This tool needs sampling.", data=needs)
    return _said("The client can sample.")


async def _streaming(ctx: _Ctx, params: _Call) -> _Result | types.InputRequiredResult:
    if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS and not _lacks(ctx, "elicitation"):
        return await _greeting(ctx, params)
    return _failed("This client cannot be asked.")


_PASSED_ON = ("tools/call", "resources/read", "prompts/get", "completion/complete")

_NAME = _form("What is your name?", name={"type": "string"})
_CAPITAL = _sample("What is the capital of France?", 100)
_STEPS = {
    "step1": _form("Step 1: What is your name?", name={"type": "string"}),
    "step2": _form("Step 2: What is your favorite color?", color={"type": "string"}),
}
_CONFIRM = _form("Please confirm", ok={"type": "boolean"})

_HANDLERS: dict[str, _Tool] = {
    "test_simple_text": _constant(_text("This is a simple text response for testing.")),
    "test_image_content": _constant(_image()),
    "test_audio_content": _constant({"type": "audio", "data": WAV, "mimeType": "audio/wav"}),
    "test_embedded_resource": _constant(
        _resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")
    ),
    "test_multiple_content_types": _constant(
        _text("Multiple content types test:"),
        _image(),
        _resource("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
    ),
    "test_tool_with_logging": _logging,
    "test_logging_tool": _logging,
    "test_error_handling": _error,
    "test_tool_with_progress": _progress,
    "test_reconnection": _reconnection,
    "test_sampling": _sampling,
    "test_elicitation": _elicitation(
        "User response",
        None,
        True,
        username={"type": "string", "description": "User's response"},
        email={"type": "string", "description": "User's email address"},
    ),
    "test_elicitation_sep1034_defaults": _elicitation(
        "Elicitation completed",
        "Every field has a default.",
        False,
        name={"type": "string", "default": "John Doe"},
        age={"type": "integer", "default": 30},
        score={"type": "number", "default": 95.5},
        status={"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        verified={"type": "boolean", "default": True},
    ),
    "test_elicitation_sep1330_enums": _elicitation(
        "Elicitation completed",
        "Every kind of choice.",
        False,
        untitledSingle={"type": "string", "enum": OPTIONS},
        titledSingle={"type": "string", "oneOf": TITLED},
        legacyEnum={
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        untitledMulti={"type": "array", "items": {"type": "string", "enum": OPTIONS}},
        titledMulti={"type": "array", "items": {"anyOf": TITLED}},
    ),
    "test_missing_capability": _missing_capability,
    "test_streaming_elicitation": _streaming,
    "test_input_required_result_elicitation": _greeting,
    "test_input_required_result_sampling": _needing("The answer:", {"capital_question": _CAPITAL}),
    "test_input_required_result_list_roots": _needing(
        "The roots:", {"client_roots": types.ListRootsRequest()}
    ),
    "test_input_required_result_request_state": _needing("state-ok", {"confirm": _CONFIRM}, "to confirm"),
    "test_input_required_result_tampered_state": _needing("state-ok", {"confirm": _CONFIRM}, "to confirm"),
    "test_input_required_result_multiple_inputs": _needing(
        "All of it:",
        {
            "user_name": _NAME,
            "greeting": _sample("Generate a greeting", 50),
            "client_roots": types.ListRootsRequest(),
        },
        "three questions",
    ),
    "test_input_required_result_multi_round": _rounds,
    "test_input_required_result_capabilities": _able,
    "json_schema_2020_12_tool": _echo,
    "test_header_tool": _echo,
}

_TOOLS: list[_Result] = [
    {
        "name": name,
        "description": f"Conformance fixture: {name.removeprefix('test_').replace('_', ' ')}",
        "inputSchema": SCHEMAS.get(name, {"type": "object", "properties": {}}),
    }
    for name in sorted([*_HANDLERS, "test_trigger_tool_change", "test_trigger_prompt_change"])
]


_MESSAGES: dict[str, Callable[[Mapping[str, str]], list[_Result]]] = {
    "test_simple_prompt": lambda given: [_text("This is a simple prompt for testing.")],
    "test_prompt_with_arguments": lambda given: [
        _text(f"Prompt with arguments: arg1='{given['arg1']}', arg2='{given['arg2']}'")
    ],
    "test_prompt_with_embedded_resource": lambda given: [
        _resource(given["resourceUri"], "text/plain", "Embedded resource content for testing."),
        _text("Please process the embedded resource above."),
    ],
    "test_prompt_with_image": lambda given: [_image(), _text("Please analyze the image above.")],
}
_PROMPTS: list[_Result] = [
    {
        "name": name,
        "description": "Conformance fixture",
        "arguments": [
            {"name": one, "description": "Conformance fixture", "required": True}
            for one in ARGUMENTS.get(name, ())
        ],
    }
    for name in sorted([*_MESSAGES, "test_input_required_result_prompt"])
]
_LISTS = {
    "tools": ("tools/list", _TOOLS),
    "resources": ("resources/list", RESOURCES),
    "resourceTemplates": ("resources/templates/list", [BLANK]),
    "prompts": ("prompts/list", _PROMPTS),
}
