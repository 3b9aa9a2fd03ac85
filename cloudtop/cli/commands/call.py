"""`call`, `tools`, `providers`: straight to the runtime, without a model, MCP or LangGraph.

Imported late: rich (on a terminal only).
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cloudtop.cli import views
from cloudtop.cli.build import QUESTION_S, House, build, finished
from cloudtop.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from mcp_server.result import Outcome
    from mcp_server.runtime import Runtime

USUAL_LIMIT = 20
"""Rows of a tool that has no limit of its own."""

MOST = 500
"""The largest page there is."""


def run(options: argparse.Namespace) -> int:
    """Call one tool and print what it gives."""
    arguments = _arguments(options)
    house = build(
        options.config,
        options.home,
        offline=options.offline,
        deadline_s=seconds(options.timeout),
        usual_s=QUESTION_S,
        now=instant(options.now),
    )
    return finished(_called(house, options, arguments))


def seconds(text: str | None, option: str = "--timeout") -> float | None:
    """An option as seconds; None without it."""
    if text is None:
        return None
    from cloudtop.settings import duration_s

    try:
        given = duration_s(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}.", f"Such as {option} 20, or 5m.") from error
    if given <= 0:
        raise UsageError(f"{option}: no time at all.", f"Such as {option} 20, or 5m.")
    return given


def instant(text: str | None) -> datetime | None:
    """--now as a moment; a time without a zone is UTC."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(f"--now: {text!r} is not a time.", "Such as 2026-11-20T14:00:00Z.") from error
    return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)


def _arguments(options: argparse.Namespace) -> dict[str, Any]:
    """The arguments of --args and of the key=value words together; the runtime judges them."""
    given: dict[str, Any] = {}
    if options.args:
        try:
            given = json.loads(options.args)
        except json.JSONDecodeError as error:
            raise UsageError(f"--args is not JSON: {error.msg} at column {error.colno}.") from error
        if not isinstance(given, dict):
            raise UsageError("--args is not a JSON object.", 'Such as --args \'{"gpu": "A100"}\'.')
    for pair in options.pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"{pair!r} is not key=value.", "Such as gpu=A100.")
        given[key] = value
    return given


async def _called(house: House, options: argparse.Namespace, arguments: dict[str, Any]) -> int:
    try:
        as_json = options.json or house.settings.defaults.output_format == "json"
        outcome, whole = await joined(house.runtime(), options.tool, arguments, house, to_the_end=as_json)
    finally:
        await house.aclose()
    if outcome.is_error:
        if options.json:
            sys.stdout.write(outcome.structured_json + "\n")
        else:
            sys.stderr.write(outcome.text + "\n")
        return outcome.exit_code
    views.notices(house.notices)
    if options.json or (house.settings.defaults.output_format == "json" and "format" not in arguments):
        sys.stdout.write(
            (outcome.structured_json if whole is outcome.structured else views.dumps(whole)) + "\n"
        )
    elif "format" in arguments:
        sys.stdout.write(outcome.text + "\n")
    else:
        views.result(options.tool, whole, house.settings)
    return exit_code(whole, strict=options.strict)


async def joined(
    runtime: Runtime, tool: str, arguments: dict[str, Any], house: House, *, to_the_end: bool = False
) -> tuple[Outcome, dict[str, Any]]:
    """One call with all its pages joined, up to `limit`.

    `to_the_end`: what its spec calls a whole list is read to its end where no limit is told.
    """
    with views.progress() as progress:
        limit, others = _limit(runtime, tool, arguments, to_the_end=to_the_end)
        first = {**others, "limit": MOST} if limit is None else arguments
        outcome = await runtime.call(tool, first, now=house.now, progress=progress)
        whole = outcome.structured
        if outcome.is_error or not whole.get("next_cursor") or "cursor" in arguments:
            return outcome, whole
        if limit is not None and not whole["truncated"]:
            return outcome, whole
        whole = {**whole, "rows": list(whole["rows"])}
        while whole["next_cursor"] and (limit is None or len(whole["rows"]) < limit):
            more = {**others, "cursor": whole["next_cursor"]}
            if "limit" in runtime.specs[tool].parameters:
                more["limit"] = min(MOST, MOST if limit is None else limit - len(whole["rows"]))
            page = await runtime.call(tool, more, now=house.now, progress=progress)
            if page.is_error:
                return page, page.structured
            whole["rows"] += page.structured["rows"]
            whole["next_cursor"] = page.structured["next_cursor"]
            whole["notices"] = list(dict.fromkeys([*whole["notices"], *page.structured["notices"]]))
        whole["truncated"] = bool(whole["next_cursor"]) and (limit is None or len(whole["rows"]) < limit)
        return outcome, whole


def _limit(
    runtime: Runtime, tool: str, arguments: dict[str, Any], *, to_the_end: bool
) -> tuple[int | None, dict[str, Any]]:
    """How many rows were asked for, None for all there are, and the other arguments."""
    from mcp_server.arguments import folded, prepared

    spec = runtime.specs.get(tool)
    if spec is None:
        return USUAL_LIMIT, arguments
    others = {
        name: value for name, value in arguments.items() if spec.names.get(folded(name), name) != "limit"
    }
    if to_the_end and spec.whole and len(others) == len(arguments) and "limit" in spec.parameters:
        return None, others
    try:
        return {**prepared(spec, arguments), **spec.fixed}.get("limit") or USUAL_LIMIT, others
    except UsageError:
        # The call itself says what is wrong.
        return USUAL_LIMIT, arguments


def exit_code(whole: dict[str, Any], *, strict: bool) -> int:
    """1 when nothing could be asked, 3 for a partial answer under --strict, else 0."""
    wrong = any(one["severity"] == "error" for one in whole["missing"])
    if whole["missing"] and not whole["rows"] and not whole["sources"]:
        return 1
    partial = wrong or any(row.get("source") == "stale" for row in whole["rows"])
    return 3 if strict and partial else 0


def tools(options: argparse.Namespace) -> int:
    """List the tools with their arguments."""
    house = build(options.config, options.home, offline=True)
    found = house.runtime().specs.values()
    finished(house.aclose())
    views.notices(house.notices)
    rows: list[dict[str, Any]] = [
        {
            "name": spec.name,
            "title": spec.title,
            "description": spec.description.strip(),
            "arguments": list(spec.parameters),
            "input_schema": spec.input_schema,
            "examples": spec.examples,
        }
        for spec in found
    ]
    if options.json:
        sys.stdout.write(views.dumps(rows) + "\n")
        return 0
    for row in rows:
        example = next(iter(row["examples"]), None)
        sys.stdout.write(f"{row['name']}\n  {row['description'].splitlines()[0]}\n")
        sys.stdout.write(f"  arguments: {', '.join(row['arguments'])}\n")
        if example:
            pairs = " ".join(f"{key}={views.cell(value)}" for key, value in example["arguments"].items())
            sys.stdout.write(f"  e.g. cloudtop call {row['name']} {pairs}\n")
    return 0


def providers(options: argparse.Namespace) -> int:
    """List the providers: the tool list_providers, as a command."""
    options.tool, options.pairs, options.args = "list_providers", ["limit=100"], None
    options.strict, options.timeout, options.now = False, None, None
    return run(options)
