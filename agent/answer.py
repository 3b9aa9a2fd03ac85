"""The answer, rendered from rows: first sentence, table, sources, ages, what is missing, how to repeat it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agent import figures
from agent.columns import ALWAYS, UNCOUNTED, shape, table
from agent.compute import Computed, computed
from agent.feeding import reference
from agent.graph import Called, Results
from agent.measured import series
from agent.planner.query import Plan
from agent.sentences import first_sentence
from cloudtop import troubles


@dataclass(frozen=True, slots=True)
class Answer:
    """One answered question: what `ask --json` prints of it, and the exit code."""

    status: str
    text: str
    calls: list[dict[str, Any]] = field(default_factory=list)
    then: Mapping[str, Any] | None = None
    reason: str | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)
    sources: list[dict[str, Any]] = field(default_factory=list)
    missing: list[dict[str, Any]] = field(default_factory=list)
    applied: dict[str, Any] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    choices: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    exit_code: int = 0


def unplanned(plan: Plan) -> Answer:
    """The answer to a question that is asked back or refused."""
    refused = plan.behaviour == "refuse"
    lines = [plan.question or ("This is not something cloudtop does." if refused else "What do you mean?")]
    lines += [f"- {choice}" for choice in plan.choices]
    return Answer(
        status="refused" if refused else "clarify",
        text="\n".join(lines),
        then=plan.then,
        reason=plan.reason if refused else None,
        ignored=list(plan.ignored),
        choices=list(plan.choices),
        notices=list(plan.notices),
        exit_code=5 if refused else 4,
    )


def told(answer: Answer, notice: str | None) -> Answer:
    """The answer with one more notice, which also stands below its text."""
    if notice is None:
        return answer
    return replace(answer, text=f"{answer.text}\n- Note: {notice}", notices=[notice, *answer.notices])


def rendered(plan: Plan | None, results: Results, prose: str, out: Sequence[str]) -> Answer:
    """The answer over what the calls brought."""
    calls = list(results.calls.values())
    every = [call.result for call in calls if call.result is not None]
    telling = results.telling
    feeding = [call.result for call in telling if call.result is not None and call.id in results.feeding]
    done = [call.result for call in telling if call.result is not None and call.id not in results.feeding]
    then = dict(plan.then) if plan and plan.then else None
    asked = [call for call in telling if call.id not in results.feeding]
    if not done or (then and then["op"] == "share" and len(done) < len(asked)):
        return _failed(plan, calls)
    if then and then["op"] == "compare" and len(done) < len(asked):
        then = _compared(then, asked)
    result = computed(then, done, feeding) if then else None
    rows = [dict(row) for row in result.rows] if result else list(done[-1]["rows"])
    missing = _joined(every, "missing")
    status = _status(calls, rows, missing, result)
    notices = [*(plan.notices if plan else ()), *_joined(every, "notices")]
    if out:
        notices.append(f"Struck from the model's words, because no row bears it out: {len(out)} sentence(s).")
    answer = Answer(
        status=status,
        text="",
        calls=[_call(call) for call in calls],
        then=then,
        rows=rows,
        sources=_joined(every, "sources"),
        missing=missing,
        applied=_applied([*feeding, *done], then),
        ignored=list(plan.ignored) if plan else [],
        notices=notices,
        exit_code=_exit(calls, every),
    )
    text = _text(replace(answer, calls=[_call(call) for call in telling]), result, done, prose, results)
    return replace(answer, text=text)


def _compared(then: Mapping[str, Any], asked: Sequence[Called]) -> dict[str, Any] | None:
    """A comparison of those sides that were answered, each by its own name; None where one alone was."""
    values = then.get("values") or ()
    if len(values) != len(asked):
        return dict(then)
    left = [value for value, call in zip(values, asked, strict=True) if call.result is not None]
    return {**then, "values": left} if len(left) > 1 else None


def _applied(done: Sequence[Mapping[str, Any]], then: Mapping[str, Any] | None) -> dict[str, Any]:
    """What took effect: the filters of all calls, and the conditions that code applied."""
    applied: dict[str, Any] = {}
    for key, value in (pair for one in done for pair in one["applied"].items() if pair[0] != "id"):
        held = applied.get(key)
        if isinstance(held, list) and isinstance(value, list):
            applied[key] = [*held, *(one for one in value if one not in held)]
        else:
            applied[key] = value
    where = [*(then or {}).get("before", ()), *(then or {}).get("where", ()), *(then or {}).get("some", ())]
    return {**applied, "where": where} if where else applied


def _joined(done: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    """A list of all results, each thing once."""
    seen: list[Any] = []
    for one in done:
        seen += [item for item in one.get(name) or [] if item not in seen]
    return seen


def _failed(plan: Plan | None, calls: Sequence[Called]) -> Answer:
    text = "\n".join(call.error for call in calls if call.error) or "No tool was called."
    code = max((call.exit_code for call in calls), default=1) or 1
    return Answer(
        "failed", text, [_call(call) for call in calls], plan.then if plan else None, exit_code=code
    )


def _call(call: Called) -> dict[str, Any]:
    failed = call.error is not None
    return {
        "tool": call.tool,
        "arguments": dict(call.arguments),
        "status": "failed" if failed else "partial" if _errors(call.result) else "answered",
        "as_of": call.result.get("as_of") if call.result else None,
        **({"error": call.error} if failed else {}),
    }


def _errors(result: Mapping[str, Any] | None) -> list[Any]:
    return [one for one in (result or {}).get("missing", []) if one.get("severity") == "error"]


def _status(
    calls: Sequence[Called],
    rows: Sequence[Mapping[str, Any]],
    missing: Sequence[Any],
    result: Computed | None,
) -> str:
    if missing and not rows and not any(call.result and call.result["sources"] for call in calls):
        return "failed"
    if any(one.get("severity") == "error" for one in missing):
        return "partial"
    stale = any(row.get("source") == "stale" for row in rows)
    cut = result is not None and not result.whole
    return "partial" if stale or cut or any(call.error for call in calls) else "answered"


def _exit(calls: Sequence[Called], done: Sequence[Mapping[str, Any]]) -> int:
    nothing = not any(one["rows"] or one["sources"] for one in done)
    return 1 if nothing and any(one["missing"] for one in done) else 0


def _text(
    answer: Answer,
    result: Computed | None,
    done: Sequence[Mapping[str, Any]],
    prose: str,
    results: Results,
) -> str:
    """The whole answer in Markdown."""
    total = done[-1].get("total")
    table_rows = list(result.lines) if result and result.lines else series(answer.rows)
    parts = [first_sentence(answer, result, done)]
    if prose:
        parts.append("The model says, its figures held against the rows: " + " ".join(prose.split()))
    if (
        result is not None
        and result.op in ("count", "share")
        and table_rows
        and shape(table_rows[0]) in UNCOUNTED
    ):
        table_rows = []
    if len(table_rows) > 1 or (table_rows and shape(table_rows[0]) in ALWAYS):
        counted = result is not None or len(table_rows) < len(answer.rows)
        parts.append(table(table_rows, len(table_rows) if counted else (total or len(table_rows))))
    small = [f"Sources: {'; '.join(_sources(answer.sources))}."] if answer.sources else []
    small += [f"Not included: {line}" for line in troubles.told(answer.missing)]
    small += [f"Note: {notice}" for notice in answer.notices]
    if answer.ignored:
        small.append("Ignored: " + ", ".join(f"“{word}”" for word in answer.ignored) + ".")
    small += [call.error for call in results.calls.values() if call.error]
    if results.program is not None:
        small += [f"Again: `{one}`" for one in _again(results.program, results, answer.then)]
    return "\n\n".join([*parts, "\n".join(f"- {line}" for line in dict.fromkeys(small))])


def _again(program: str, results: Results, then: Mapping[str, Any] | None) -> list[str]:
    """The commands that give the same rows; a chain that one call does not replace is asked again."""
    fed = [call for call in results.telling if reference(call.arguments) is not None]
    then = then or {}
    if any(call.again is None for call in fed) or any(then.get(name) for name in ("where", "before", "some")):
        return [f"{program} ask {shlex.quote(results.question)}"]
    said = (call for call in results.telling if call.id not in results.feeding)
    return [figures.command(program, call.tool, call.again or call.arguments) for call in said]


_READ = {
    "live": "asked now",
    "cache": "read earlier",
    "stale": "kept from earlier",
    "list": "price list",
    "sandbox": "sandbox",
}
MANY_SOURCES = 3
"""So many that were read alike at the same minute share their words."""


def _sources(sources: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each source with how and when it was read; many of one kind and minute together.

    What several calls read of an account in the same minute is one source.
    """
    alike: dict[tuple[str, str], dict[tuple[str, str], dict[str, Any]]] = {}
    for one in sources:
        known = alike.setdefault((one["source"], figures.moment(one["fetched_at"])), {})
        before = known.get((one["provider"], one["account"]), {"rows": 0})
        known[one["provider"], one["account"]] = {**one, "rows": before["rows"] + one["rows"]}
    told: list[str] = []
    for (kind, moment), found in alike.items():
        group = list(found.values())
        if len(group) < MANY_SOURCES:
            told += [_source(one) for one in group]
        else:
            names = ", ".join(f"{one['provider']}{_account(one)} {one['rows']}" for one in group)
            told.append(f"{_READ.get(kind, kind)}, {moment}, rows of {names}")
    return told


def _source(one: Mapping[str, Any]) -> str:
    told = _READ.get(one["source"], one["source"])
    moment = figures.moment(one["fetched_at"])
    return f"{one['provider']}{_account(one)}, {told}, {moment}, {one['rows']} rows"


def _account(one: Mapping[str, Any]) -> str:
    return f" ({one['account']})" if one["account"] not in ("public", "default") else ""
