"""Asking the person behind the client for what only they know, in the way that the client's protocol has.

Since 2026-07-28 the answer to a request is that input is required, and the client sends the request again
with it; nothing is kept here in between. Before, the server sends a request of its own and waits. A client
that cannot ask gets the answer without: every reading with a notice, or a text that says what is missing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mcp.types as types
from mcp import MCPError
from mcp.shared.exceptions import NoBackChannelError
from mcp.types.version import MODERN_PROTOCOL_VERSIONS

from cloudtop.errors import ArgumentError
from mcp_server.arguments import converted, folded

if TYPE_CHECKING:
    from mcp.server import ServerRequestContext

    from mcp_server.result import Outcome
    from mcp_server.specs import ToolSpec

log = logging.getLogger("cloudtop.mcp")

ALL = "all of them"
MOST = 4
"""With more readings than this a name is a whole family (TPU), and all of it is meant."""

Answered = types.CallToolRequestParams | types.GetPromptRequestParams
Content = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """A form with one field for each thing to be known; `key` tells its answer from others."""

    key: str
    message: str
    fields: dict[str, dict[str, Any]]

    def request(self) -> types.ElicitRequest:
        """The form in the protocol's words."""
        schema = {"type": "object", "properties": self.fields, "required": list(self.fields)}
        return types.ElicitRequest(
            params=types.ElicitRequestFormParams(message=self.message, requested_schema=schema)
        )


async def asked(
    ctx: ServerRequestContext[Any], params: Answered, question: Question
) -> Content | types.InputRequiredResult | None:
    """What the person filled in, or what to send so that they are asked; None when nobody answers."""
    if not can_ask(ctx):
        return None
    if ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        return await _by_request(ctx, question)
    answer = (params.input_responses or {}).get(question.key)
    if answer is None:
        return types.InputRequiredResult(input_requests={question.key: question.request()})
    return _content(answer)


def can_ask(ctx: ServerRequestContext[Any]) -> bool:
    """Whether the client shows forms; one that says nothing of modes does."""
    capabilities = ctx.session.client_capabilities
    able = capabilities.elicitation if capabilities else None
    if able is None or (able.form is None and able.url is not None):
        return False
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS or ctx.session.can_send_request


async def _by_request(ctx: ServerRequestContext[Any], question: Question) -> Content | None:
    form = question.request().params
    assert isinstance(form, types.ElicitRequestFormParams)
    try:
        answer = await ctx.session.elicit_form(
            form.message, form.requested_schema, related_request_id=ctx.request_id
        )
    except (MCPError, NoBackChannelError) as error:
        log.debug("the client could not ask: %s", error)
        return None
    return _content(answer)


def _content(answer: Any) -> Content | None:
    """The filled-in fields; a person who declined has none."""
    if isinstance(answer, types.ElicitResult) and answer.action == "accept":
        return answer.content or {}
    return None


def one_text(key: str, title: str, description: str, message: str) -> Question:
    """A form with one line of text."""
    return Question(key, message, {key: {"type": "string", "title": title, "description": description}})


@dataclass(frozen=True, slots=True)
class Unclear:
    """An argument of a call that the person must settle: what to ask, and how the answer is put in."""

    question: Question
    argument: str
    texts: list[str]
    readings: dict[str, dict[str, str]]

    def settled(self, arguments: Mapping[str, Any], answer: Content) -> dict[str, Any]:
        """The arguments with the chosen readings; a field left out keeps what was said at first."""
        made = {name: value for name, value in arguments.items() if name != self.argument}
        if not self.readings:
            return {**made, **answer} if self.argument in answer else dict(arguments)
        chosen = [self._chosen(text, answer.get(_field(at))) for at, text in enumerate(self.texts)]
        return {**made, self.argument: chosen}

    def _chosen(self, text: str, choice: Any) -> str:
        """The reading of one name. What was not offered goes on as it is: the tool judges it."""
        if text not in self.readings or choice in (None, ALL):
            return text
        return self.readings[text].get(str(choice), str(choice))


def _field(number: int) -> str:
    return f"gpu_{number + 1}"


def unclear(spec: ToolSpec, arguments: Mapping[str, Any]) -> Unclear | None:
    """The first argument marked `elicit` that fits several GPUs."""
    for name, schema in spec.parameters.items():
        if not schema.get("elicit") or schema.get("kind") != "gpu":
            continue
        given = next((key for key in arguments if _means(spec, key) == name), None)
        if given is None or arguments[given] is None:
            continue
        if found := _several(name, given, schema, arguments):
            return found
    return None


def left_open(
    spec: ToolSpec, arguments: Mapping[str, Any], outcome: Outcome
) -> tuple[Unclear, Mapping[str, Any]] | None:
    """What a finished call leaves to ask, and the arguments that the answer is put into.

    A needed argument that was not given; or which of the things is meant that the agent offers, in the same
    dialogue.
    """
    if outcome.lacks:
        found = lacking(spec, outcome.lacks)
        return (found, arguments) if found else None
    if spec.handler != "ask" or outcome.is_error:
        return None
    (row,) = outcome.structured["rows"]
    if row["status"] != "clarify" or not row["choices"]:
        return None
    said = row["answer"].partition("\n")[0]
    body = {"type": "string", "title": "What is meant?", "enum": row["choices"]}
    question = Question("question", said, {"question": body})
    return Unclear(question, "question", [], {}), {"conversation": row["conversation"]}


def lacking(spec: ToolSpec, name: str) -> Unclear | None:
    """The question for an argument that a call needed and did not have; None for one nobody is asked for."""
    schema = spec.parameters.get(name, {})
    if not schema.get("elicit"):
        return None
    described = str(schema.get("description", ""))
    body = {"type": "string", "title": name.replace("_", " "), "description": described}
    if "enum" in schema:
        body["enum"] = schema["enum"]
    question = Question(name, f"Which {name.replace('_', ' ')}? {described}".strip(), {name: body})
    return Unclear(question, name, [], {})


def _means(spec: ToolSpec, given: str) -> str | None:
    return given if given in spec.parameters else spec.names.get(folded(given))


def _several(
    name: str, given: str, schema: Mapping[str, Any], arguments: Mapping[str, Any]
) -> Unclear | None:
    """A question when any of the GPUs could be two to four different cards."""
    memory = arguments.get("memory")
    try:
        texts = converted(name, schema, arguments[given])
    except ArgumentError:
        return None
    texts = [texts] if isinstance(texts, str) else texts
    readings = {text: found for text in texts if (found := _readings(text, memory))}
    if not readings:
        return None
    fields = {
        _field(number): {
            "type": "string",
            "title": f"Which {text}?",
            "enum": [*readings[text], ALL] if _answerable(text) else list(readings[text]),
        }
        for number, text in enumerate(texts)
        if text in readings
    }
    named = ", ".join(readings)
    question = Question(name, f"{named} is the name of several GPUs. Which one is meant?", fields)
    return Unclear(question, given, texts, readings)


def _readings(text: str, memory: object) -> dict[str, str]:
    """What an ambiguous name could be, by title; empty for a name that is clear or a whole family."""
    from cloudtop.gpu_catalogue import catalogue, squash
    from cloudtop.gpu_reading import read
    from cloudtop.gpus import resolve

    known = catalogue()
    size = float(memory) if isinstance(memory, int | float) and memory > 0 else None
    try:
        found = resolve(text, size)
        key = read(text).key or squash(text)
    except ArgumentError:
        return {}
    names = found.names if key in known.ambiguous else known.vague.get(key, ()) if not found.names else ()
    return {known.gpus[one].title: one for one in names} if 1 < len(names) <= MOST else {}


def _answerable(text: str) -> bool:
    """Whether the tool answers for all readings of this name at once."""
    from cloudtop.gpus import resolve

    return bool(resolve(text).names)
