"""What every test of this room leaves behind is closed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.mcp_server import yard as made_up


@pytest.fixture(autouse=True)
def _closed_stores() -> Iterator[None]:
    yield
    made_up.close_all()
