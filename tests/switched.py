"""Configurations in which only these clouds are asked, whichever others there are by now."""

from __future__ import annotations

from typing import Any

from connectors import discovery


def only(*names: str) -> dict[str, Any]:
    """The `providers` of a configuration: these switched on, all others off."""
    return {name: {"enabled": name in names} for name in discovery.found()}
