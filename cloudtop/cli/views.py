"""What a person sees: Rich tables on a terminal, plain text in a pipe, a progress line on standard error.

Imported late: rich (on a terminal only).
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from cloudtop import troubles

if TYPE_CHECKING:
    from cloudtop.settings import Settings


class Progress(Protocol):
    """Told how far a question is; shaped as the runtime and the MCP client call it."""

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None:
        """`progress` of `total` is done."""
        ...


# Columns of a table by kind of row; the first kind whose mark the rows carry. `wide` shows every field.
COLUMNS: dict[str, tuple[str, tuple[str, ...]]] = {
    "trend": (
        "changes",
        (
            "group",
            "first",
            "last",
            "delta_percent",
            "change",
            "min",
            "median",
            "cheaper_than_30d",
            "days_covered_30d",
            "cheaper_than_90d",
            "days_covered_90d",
            "source",
            "last_at",
        ),
    ),
    "group": ("median", ("group", "count", "min", "median", "offer_id")),
    "point": (
        "usd_per_gpu_hour_min",
        (
            "provider",
            "gpu",
            "gpu_memory_gib",
            "region",
            "tier",
            "spot",
            "time",
            "usd_per_gpu_hour_min",
            "usd_per_gpu_hour_median",
            "offers",
        ),
    ),
    "gpu": (
        "offer_id",
        (
            "provider",
            "instance_type",
            "gpu",
            "gpu_memory_gib",
            "gpu_count",
            "usd_per_gpu_hour",
            "usd_per_hour",
            "usd_total",
            "spot",
            "region",
            "tier",
            "suspect",
            "source",
            "as_of",
        ),
    ),
    "resource": (
        "status_raw",
        (
            "name",
            "id",
            "type",
            "status",
            "provider",
            "account",
            "region",
            "instance_type",
            "gpus",
            "vcpus",
            "ram_gib",
            "engine",
            "version",
            "runtime",
            "size_gb",
            "size_bytes",
            "node_count",
            "public_ip",
            "private_ip",
            "usd_per_hour",
            "tags",
            "created_at",
        ),
    ),
    "measured": (
        "samples",
        (
            "name",
            "uid",
            "group",
            "metric",
            "device",
            "agg",
            "value",
            "unit",
            "samples",
            "count",
            "region",
            "to",
        ),
    ),
    "measure": ("value", ("name", "uid", "metric", "device", "time", "value", "unit", "region", "source")),
    "count": ("count", ("group", "count", "usd_per_hour")),
    "health": (
        "check",
        ("provider", "account", "name", "check", "status", "message", "latency_ms", "checked_at"),
    ),
    "provider": ("keyless", ("provider", "title", "enabled", "configured", "kinds", "keyless", "reason")),
}
SEEDS = {
    "name": "offer_id",
    "gpu_type": "gpu",
    "price": "usd_per_gpu_hour",
    "memory": "gpu_memory_gib",
    "price_per_hour": "usd_per_hour",
}
"""Column names of older configuration files, and the fields they mean."""
OLDER_KINDS = {"resource": "compute"}
"""Kinds of row by the name that configuration files have for their columns."""

TIMES = ("as_of", "fetched_at", "checked_at", "time", "last_at")


def dumps(value: Any) -> str:
    """JSON as results are printed."""
    return json.dumps(value, ensure_ascii=False)


def cell(value: Any) -> str:
    """One value in a table or a command."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if 0 < abs(value) < 0.01:
            return f"{float(f'{value:.3g}'):.8f}".rstrip("0")
        case float():
            return f"{value:.4f}".rstrip("0").rstrip(".")
        case list():
            return ",".join(cell(one) for one in value)
        case {"gpu": gpu, "count": count, "memory_gib": memory}:
            return f"{cell(count)}x {gpu}" + (f" {cell(memory)} GiB" if memory else "")
        case dict():
            return " ".join(f"{name}={cell(one)}" for name, one in value.items())
        case _:
            return str(value)


def notices(said: Sequence[str]) -> None:
    """Sentences about the house itself, on standard error."""
    for one in said:
        sys.stderr.write(f"note: {one}\n")


def result(tool: str, whole: Mapping[str, Any], settings: Settings) -> None:
    """A tool's result as a table, and below it where it is from and what is missing."""
    rows = whole["rows"]
    if rows:
        columns = _columns(rows, settings)
        table(columns, [[cell(row.get(name)) for name in columns] for row in rows], settings)
    else:
        unasked = whole["missing"] and not whole["sources"]
        sys.stdout.write("Nothing could be asked.\n" if unasked else "Nothing matches.\n")
    shown, total = len(rows), whole.get("total")
    if total is not None and total > shown:
        sys.stdout.write(f"{shown} of {total} rows\n")
    for one in whole["sources"]:
        sys.stdout.write(
            f"source: {one['provider']} {one['source']} {one['fetched_at']} {one['rows']} rows\n"
        )
    for line in troubles.told(whole["missing"]):
        sys.stdout.write(f"missing: {line}\n")
    for one in whole["notices"]:
        sys.stdout.write(f"note: {one}\n")


def _columns(rows: Sequence[Mapping[str, Any]], settings: Settings) -> list[str]:
    kind, names = next(
        ((kind, names) for kind, (mark, names) in COLUMNS.items() if mark in rows[0]), ("", tuple(rows[0]))
    )
    if own := settings.output.columns.get(OLDER_KINDS.get(kind, kind)):
        names = tuple(name for one in own if (name := SEEDS.get(one, one)) in rows[0])
    elif settings.defaults.output_format == "wide":
        names = tuple(rows[0])
    if not settings.output.timestamps:
        names = tuple(name for name in names if name not in TIMES)
    told = [name for name in names if any(row.get(name) is not None for row in rows)]
    return told or list(rows[0])


def table(columns: Sequence[str], lines: Sequence[Sequence[str]], settings: Settings) -> None:
    """Columns and lines: Rich on a terminal, aligned text elsewhere."""
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        drawn = Table(*columns)
        for line in lines:
            drawn.add_row(*(Text(one) for one in line))
        Console(no_color=not settings.output.color_enabled).print(drawn)
        return
    width = [max(len(line[i]) for line in [columns, *lines]) for i in range(len(columns))]
    for line in [columns, *lines]:
        sys.stdout.write("  ".join(one.ljust(width[i]) for i, one in enumerate(line)).rstrip() + "\n")


def markdown(text: str, settings: Settings) -> None:
    """An answer: drawn on a terminal, as it is elsewhere."""
    if not sys.stdout.isatty():
        sys.stdout.write(text + "\n")
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console(no_color=not settings.output.color_enabled).print(Markdown(text))


@contextlib.contextmanager
def progress() -> Iterator[Progress]:
    """One line on standard error while clouds answer; nothing where nobody looks."""
    seen = sys.stderr.isatty()

    async def said(progress: float, total: float | None, message: str | None) -> None:
        if seen:
            of = f"/{total:.0f}" if total else ""
            sys.stderr.write(f"\r\x1b[2K{progress:.0f}{of} {message or ''}"[:120])
            sys.stderr.flush()

    try:
        yield said
    finally:
        if seen:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
