"""`python -m tests.faults`: the table of provider × method × fault. Exit 1 when a cell fails."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from cloudtop.sandbox.serve import running

from .cases import CASES, CELLS, NOT_APPLICABLE, ROWS
from .harness import Inapplicable, problems

Cell = tuple[str, str, str]


async def outcomes(only: list[str], providers: list[str]) -> dict[Cell, list[str]]:
    """What is wrong with each cell that applies."""
    found = {}
    with running(moving=False) as sandbox:
        for cell in CELLS:
            if cell in NOT_APPLICABLE or (only and cell[2] not in only):
                continue
            if providers and cell[0] not in providers:
                continue
            with tempfile.TemporaryDirectory() as home:
                try:
                    found[cell] = await problems(sandbox, Path(home), *cell)
                except Inapplicable as reason:
                    NOT_APPLICABLE[cell] = str(reason)
                except Exception as error:  # noqa: BLE001 - one broken cell must not hide the others
                    found[cell] = [f"raised {type(error).__name__}: {error}"]
    return found


def table(found: dict[Cell, list[str]], rows: list[tuple[str, str]]) -> list[str]:
    """One line per fault, one column per method of a provider."""
    names = [named(*row) for row in rows]
    width = max(map(len, CASES)) + 2
    lines = [" " * width + "".join(f"{name:<{len(name) + 2}}" for name in names) + "what happens"]
    for column, case in CASES.items():
        marks = [mark((*row, column), found) for row in rows]
        cells = (f"{text:<{len(name) + 2}}" for text, name in zip(marks, names, strict=True))
        lines.append(f"{column:<{width}}" + "".join(cells) + case.what)
    return lines


def named(provider: str, method: str) -> str:
    """A row of the table in short: prices and health by a letter, as they are everywhere."""
    return f"{provider[:7]}.{ {'gpu_offers': 'p', 'health': 'h'}.get(method, method) }"


def mark(cell: Cell, found: dict[Cell, list[str]]) -> str:
    """`ok`, `n/a`, `FAIL`, or `-` for a cell that was not run."""
    if cell in NOT_APPLICABLE:
        return "n/a"
    if cell not in found:
        return "-"
    return "FAIL" if found[cell] else "ok"


def main() -> int:
    """Run the cells, print the table, the reasons and the failures."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help="only these columns")
    parser.add_argument("--provider", action="append", metavar="ID", help="only this one")
    chosen = parser.parse_args()
    started = time.monotonic()
    found = asyncio.run(outcomes(chosen.faults, chosen.provider or []))
    rows = [row for row in ROWS if not chosen.provider or row[0] in chosen.provider]
    print("\n".join(table(found, rows)))
    print("\nok: right trouble, other scopes complete, nothing wrong cached or deleted, no secret, in time,")
    print("    nothing left running, one audit record per attempt. n/a: cannot happen there, because")
    reasons: dict[str, list[str]] = {}
    asked = {cell: reason for cell, reason in NOT_APPLICABLE.items() if cell[:2] in rows}
    for (provider, method, column), reason in asked.items():
        reasons.setdefault(reason, []).append(f"{named(provider, method)} {column}")
    for reason, cells in reasons.items():
        print(f"    {reason}: {', '.join(cells)}")
    bad = {cell: texts for cell, texts in found.items() if texts}
    for cell, texts in bad.items():
        print(f"\nFAIL {'.'.join(cell[:2])} {cell[2]}")
        for text in texts:
            print(f"  {text}")
    took = time.monotonic() - started
    print(f"\n{len(found) - len(bad)} ok, {len(bad)} FAIL, {len(asked)} n/a in {took:.1f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
