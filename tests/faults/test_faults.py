"""Every provider × method × fault, in process against one sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudtop.sandbox.cloud import clouds
from cloudtop.sandbox.serve import Sandbox, running
from connectors import discovery

from .cases import CELLS, NOT_APPLICABLE, PAGED, ROWS
from .harness import Inapplicable, problems

pytestmark = pytest.mark.faults


SAMPLED = (
    "401",
    "403",
    "429-s-once",
    "503",
    "200-error",
    "silent",
    "truncated",
    "lost-page",
    "region-denied",
)
"""Columns in which the methods of an inventory that go one way are looked at every time."""


LATE = ("took ", "too_slow", "did not accept a connection", "did not arrive")
"""What is said of a cell when nobody had time to answer."""


COLUMNS = {column for _, _, column in CELLS} - {"missing-field"}


def cell(one: tuple[str, str, str]) -> Any:
    """A cell of the table. Some stand for others, but nightly.

    All health checks go one way: one provider's are looked at. So do metrics and permissions: in some
    columns. Of an inventory's listings the first is looked at, but not without each of its fields; of
    Amazon's in every column, of others' in those. Some of Amazon's list names alone, not records: an answer
    without them is looked at for each.
    """
    provider, method, column = one
    first = next(iter(discovery.found()[provider].lists), None)
    often = {
        "gpu_offers": True,
        "health": provider == "vast",
        "metrics": column in SAMPLED,
        "permissions": column in SAMPLED,
    }.get(method, method == first and column in (SAMPLED if provider != "aws" else COLUMNS))
    often = often or (provider, column) == ("aws", "200-error")
    return pytest.param(*one, marks=() if often else pytest.mark.slow)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running(moving=False) as started:
        yield started


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.mark.parametrize(("provider", "method", "column"), [cell(one) for one in CELLS])
async def test_a_fault_costs_its_own_scope_and_nothing_else(
    sandbox: Sandbox, tmp_path: Path, provider: str, method: str, column: str
) -> None:
    if reason := NOT_APPLICABLE.get((provider, method, column)):
        pytest.skip(reason)
    try:
        told = await problems(sandbox, _made(tmp_path / "first"), provider, method, column)
        if any(late in one for one in told for late in LATE):
            # A machine that is busy for a moment makes late; what is late twice is slow.
            told = await problems(sandbox, _made(tmp_path / "second"), provider, method, column)
        assert told == []
    except Inapplicable as reason:
        pytest.skip(str(reason))


def test_every_provider_with_a_connector_is_in_the_table() -> None:
    asked = {name for name, facts in discovery.found().items() if facts.hosts}
    assert {provider for provider, _ in ROWS} == asked


def test_only_faults_of_pages_and_regions_may_not_apply_without_a_word_of_the_sandbox() -> None:
    usual = {*PAGED, "region-denied", "missing-field"}
    for (provider, _, column), reason in NOT_APPLICABLE.items():
        assert column in usual or reason == clouds()[provider].cannot.get(column)
