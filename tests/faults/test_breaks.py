"""The fault suite tests itself: each known mistake, put into the real code, turns a cell red."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudtop.sandbox.serve import Sandbox, running

from .breaks import BREAKS, TOGETHER
from .harness import problems

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running(moving=False) as started:
        yield started


@pytest.mark.parametrize("mistake", BREAKS)
async def test_a_mistake_turns_the_suite_red(
    sandbox: Sandbox, tmp_path: Path, mistake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = BREAKS[mistake]
    if mistake in TOGETHER:
        where, name = TOGETHER[mistake]
        monkeypatch.setattr(where, name, broken.wrong(getattr(where, name)))
    with broken.applied():
        for column in broken.shows_in:
            home = tmp_path / column
            home.mkdir()
            found = await problems(sandbox, home, *broken.row, column)
            assert any(broken.shows_as in text for text in found), found
