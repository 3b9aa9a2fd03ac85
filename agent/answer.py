"""The answer, rendered from rows: first sentence, table, sources, ages, what is missing, how to repeat it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent import figures
from agent.compute import Computed, computed
from agent.graph import Called, Results
from agent.planner.query import Plan
from agent.sentences import first_sentence
from cloudtop import troubles
from cloudtop.text import clean

SHOWN = {"health": 60, "provider": 60, "group": 20}
USUALLY_SHOWN = 10
"""Rows of the table in an answer; `rows` has them all."""


def _left(row: Mapping[str, Any], name: str) -> str:
    """A price of a point; without one nothing was left."""
    return figures.usd(row[name]) if row.get(name) is not None else "sold out"


COLUMNS = {
    "offer": (
        ("seller", lambda row: row.get("provider")),
        ("machine", figures.machine),
        ("$/GPU-hour", lambda row: figures.usd(row.get("usd_per_gpu_hour"))),
        ("$/hour", lambda row: figures.usd(row.get("usd_per_hour"))),
        ("total", lambda row: figures.total(row["usd_total"]) if row.get("usd_total") is not None else None),
        ("kind", figures.kind),
        ("place", figures.place),
        ("tier", lambda row: row.get("tier")),
        ("price", figures.age),
        ("note", lambda row: "doubtful" if row.get("suspect") else None),
    ),
    "trend": (
        ("group", lambda row: figures.side(row.get("group"))),
        ("first", lambda row: figures.usd(row["first"]) if row.get("first") is not None else None),
        ("last", lambda row: figures.usd(row["last"]) if row.get("last") is not None else "sold out"),
        ("%", lambda row: figures.number(row["delta_percent"]) if row.get("delta_percent") else None),
        ("lowest", lambda row: figures.usd(row["min"]) if row.get("min") is not None else None),
        ("median", lambda row: figures.usd(row["median"]) if row.get("median") is not None else None),
        ("cheaper than % of 30 days", lambda row: row.get("cheaper_than_30d")),
        ("days known", lambda row: row.get("days_covered_30d")),
        ("source", lambda row: row.get("source")),
    ),
    "group": (
        ("group", lambda row: figures.side(row.get("group"))),
        ("offers", lambda row: row.get("count")),
        ("cheapest $/GPU-hour", lambda row: figures.usd(row.get("min"))),
        ("median $/GPU-hour", lambda row: figures.usd(row.get("median"))),
    ),
    "change": (
        ("series", lambda row: row.get("group")),
        ("kind", figures.kind),
        ("before", lambda row: figures.usd(row.get("old"))),
        ("after", lambda row: figures.usd(row.get("new"))),
    ),
    "point": (
        ("seller", lambda row: row.get("provider")),
        ("GPU", figures.gpu_name),
        ("from", lambda row: figures.moment(row.get("time"))),
        ("cheapest $/GPU-hour", lambda row: _left(row, "usd_per_gpu_hour_min")),
        ("median", lambda row: _left(row, "usd_per_gpu_hour_median")),
        ("kind", figures.kind),
        ("region", lambda row: row.get("region")),
        ("source", lambda row: row.get("source")),
    ),
    "health": (
        ("cloud", lambda row: row.get("provider")),
        ("account", lambda row: row.get("account")),
        ("check", lambda row: row.get("check")),
        ("status", lambda row: row.get("status")),
        ("message", lambda row: row.get("message")),
    ),
    "provider": (
        ("id", lambda row: row.get("provider")),
        ("title", lambda row: row.get("title")),
        ("usable", lambda row: "yes" if row.get("configured") or row.get("keyless") else "no"),
        ("answers", lambda row: ", ".join(row.get("kinds") or [])),
        ("why", lambda row: row.get("reason")),
    ),
}


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


def shape(row: Mapping[str, Any]) -> str:
    """Which kind of row this is, by the fields it has."""
    marks = (
        ("trend", "changes"),
        ("change", "delta"),
        ("group", "median"),
        ("point", "usd_per_gpu_hour_min"),
        ("health", "check"),
        ("provider", "keyless"),
    )
    return next((name for name, mark in marks if mark in row), "offer")


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


def rendered(plan: Plan | None, results: Results, prose: str, out: Sequence[str]) -> Answer:
    """The answer over what the calls brought."""
    calls = list(results.calls.values())
    done = [call.result for call in calls if call.result is not None]
    if not done:
        return _failed(plan, calls)
    then = dict(plan.then) if plan and plan.then else None
    result = computed(then, done) if then else None
    rows = [dict(row) for row in result.rows] if result else list(calls[-1].rows if calls[-1].result else [])
    missing = _joined(done, "missing")
    status = _status(calls, rows, missing, result)
    notices = [*(plan.notices if plan else ()), *_joined(done, "notices")]
    if out:
        notices.append(f"Struck from the model's words, because no row bears it out: {len(out)} sentence(s).")
    answer = Answer(
        status=status,
        text="",
        calls=[_call(call) for call in calls],
        then=then,
        rows=rows,
        sources=_joined(done, "sources"),
        missing=missing,
        applied={key: value for one in done for key, value in one["applied"].items()},
        ignored=list(plan.ignored) if plan else [],
        notices=notices,
        exit_code=_exit(calls, done),
    )
    text = _text(answer, result, done, prose, results)
    return Answer(**{**{name: getattr(answer, name) for name in answer.__slots__}, "text": text})


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
    if any(one.get("severity") == "error" for one in missing):
        asked_nothing = not rows and not any(call.result and call.result["sources"] for call in calls)
        return "failed" if asked_nothing else "partial"
    stale = any(row.get("source") == "stale" for row in rows)
    cut = result is not None and not result.whole
    return "partial" if stale or cut or any(call.error for call in calls) else "answered"


def _exit(calls: Sequence[Called], done: Sequence[Mapping[str, Any]]) -> int:
    nothing = not any(one["rows"] or one["sources"] for one in done)
    return 1 if nothing and any(_errors(call.result) for call in calls) else 0


def _text(
    answer: Answer,
    result: Computed | None,
    done: Sequence[Mapping[str, Any]],
    prose: str,
    results: Results,
) -> str:
    """The whole answer in Markdown."""
    total = done[-1].get("total")
    table_rows = list(result.lines) if result and result.lines else answer.rows
    parts = [first_sentence(answer, result, done)]
    if prose:
        parts.append(prose)
    if len(table_rows) > 1 or (
        table_rows and shape(table_rows[0]) in ("health", "provider", "group", "trend")
    ):
        parts.append(_table(table_rows, len(table_rows) if result else (total or len(table_rows))))
    small = [f"Sources: {'; '.join(_sources(answer.sources))}."] if answer.sources else []
    small += [f"Not included: {line}" for line in troubles.told(answer.missing)]
    small += [f"Note: {notice}" for notice in answer.notices]
    if answer.ignored:
        small.append("Ignored: " + ", ".join(f"“{word}”" for word in answer.ignored) + ".")
    small += [call.error for call in results.calls.values() if call.error]
    if program := results.program:
        again = (figures.command(program, call["tool"], call["arguments"]) for call in answer.calls)
        small += [f"Again: `{one}`" for one in again]
    return "\n\n".join([*parts, "\n".join(f"- {line}" for line in dict.fromkeys(small))])


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
    """Each source with how and when it was read; many of one kind and minute together."""
    alike: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in sources:
        alike.setdefault((one["source"], figures.moment(one["fetched_at"])), []).append(one)
    told: list[str] = []
    for (kind, moment), group in alike.items():
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


def _table(rows: Sequence[Mapping[str, Any]], total: int) -> str:
    """A Markdown table of the first rows; columns that say nothing are left out."""
    columns = COLUMNS[shape(rows[0])]
    shown = rows[: SHOWN.get(shape(rows[0]), USUALLY_SHOWN)]
    cells = [
        [clean(str(value)) if (value := read(row)) is not None else "" for _, read in columns]
        for row in shown
    ]
    used = [i for i in range(len(columns)) if any(line[i] for line in cells)]
    lines = [
        "| " + " | ".join(columns[i][0] for i in used) + " |",
        "|" + "|".join(" --- " for _ in used) + "|",
        *("| " + " | ".join(line[i].replace("|", "/") for i in used) + " |" for line in cells),
    ]
    if total > len(shown):
        lines.append(f"\n{len(shown)} of {total:,} rows.")
    return "\n".join(lines)
