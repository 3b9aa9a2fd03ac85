"""Every provider × method × fault, in process against one sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudtop.sandbox.serve import Sandbox, running

from .cases import CASES, CELLS, NOT_APPLICABLE, ROWS
from .harness import problems

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running(moving=False) as started:
        yield started


@pytest.mark.parametrize(("provider", "method", "column"), CELLS)
async def test_a_fault_costs_its_own_scope_and_nothing_else(
    sandbox: Sandbox, tmp_path: Path, provider: str, method: str, column: str
) -> None:
    if reason := NOT_APPLICABLE.get((provider, method, column)):
        pytest.skip(reason)
    assert await problems(sandbox, tmp_path, provider, method, column) == []


def test_every_cell_that_does_not_apply_has_a_reason_and_exists() -> None:
    assert set(NOT_APPLICABLE) <= set(CELLS)
    assert all(NOT_APPLICABLE.values())
    assert len(CELLS) == len(ROWS) * len(CASES)
