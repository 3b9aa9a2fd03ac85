"""A tool asked about one cloud's part of the company, all its pages joined."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cloudtop.cli.build import build
from cloudtop.sandbox.serve import Sandbox, running

PATIENT_S = 60.0

Call = Callable[..., dict[str, Any]]


@contextmanager
def asking(provider: str, home: Path, prepare: Callable[[Sandbox], None] = lambda _: None) -> Iterator[Call]:
    """Calls a tool about one provider alone, whose sandbox is prepared first; its inventory is read once."""
    with running((provider,)) as sandbox:
        prepare(sandbox)
        config = sandbox.config()
        config["providers"][provider]["rate_limit"] = {"requests_per_second": 1000, "burst": 1000}
        file = home / "config.json"
        file.write_text(json.dumps(config))

        async def asked(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
            house = build(file, home)
            runtime = house.runtime()
            wanted = {"providers": [provider], "limit": 500, "max_age": "1h", **arguments}
            page = told = (await runtime.call(tool, wanted, deadline_s=PATIENT_S)).structured
            while cursor := page["next_cursor"]:
                page = (
                    await runtime.call(tool, {**wanted, "cursor": cursor}, deadline_s=PATIENT_S)
                ).structured
                told["rows"] += page["rows"]
            await house.aclose()
            return told

        yield lambda tool, **arguments: asyncio.run(asked(tool, arguments))


def measured(call: Call, **arguments: Any) -> list[dict[str, Any]]:
    """What get_metrics says, of which nothing failed."""
    told = call("get_metrics", **arguments)
    assert [one["message"] for one in told["missing"] if one["severity"] == "error"] == []
    rows: list[dict[str, Any]] = told["rows"]
    return rows
