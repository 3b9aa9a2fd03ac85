"""The long run of many clients, in short: our server holds, and one that leaks and errs is found out."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.http import OURS
from bench.soak import soaked

BROKEN = """
from mcp_server.runtime import Runtime
kept, call = [], Runtime.call

async def broken(self, tool, arguments, **more):
    kept.append(b"x" * 2_000_000)
    if tool == "list_providers":
        tool, arguments = "compare_gpu_prices", {"gpu": "Z9"}
    return await call(self, tool, arguments, **more)

Runtime.call = broken
from cloudtop.cli.main import main
main()
"""


def verdicts(folder: Path, command: list[str]) -> list[bool | None]:
    return [row.met for row in soaked(folder, 3, over_http=6, over_stdio=2, command=command)]


def test_a_few_clients_for_seconds_are_answered_without_an_error(tmp_path: Path) -> None:
    assert verdicts(tmp_path, OURS)[0]


@pytest.mark.slow
def test_a_server_that_leaks_and_errs_is_found_out(tmp_path: Path) -> None:
    assert verdicts(tmp_path, [sys.executable, "-c", BROKEN]) == [False, False, False]
