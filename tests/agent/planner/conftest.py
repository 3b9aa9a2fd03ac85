"""The lexicon that a server with the shipped specs and connectors gives, built once."""

from __future__ import annotations

from typing import Any

import pytest

from agent.planner.lexicon import Lexicon
from cloudtop import sellers
from connectors import discovery
from mcp_server import lexicon as served
from mcp_server import specs


@pytest.fixture(scope="session")
def resource() -> dict[str, Any]:
    known = discovery.found()
    return served.lexicon(specs.load(), sellers.known(known), (), known)


@pytest.fixture(scope="session")
def words(resource: dict[str, Any]) -> Lexicon:
    return Lexicon.of(resource)
