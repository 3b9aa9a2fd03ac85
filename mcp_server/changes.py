"""Telling clients that the tools are others now: those of the new era listen, those of the older are called.

A client of the older era is told on its connection's own channel; a connection that went is forgotten.
"""

from __future__ import annotations

import logging
from typing import Any
from weakref import WeakSet

from mcp.server import ServerRequestContext
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ListenHandler,
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ToolsListChanged,
)
from mcp.types.version import MODERN_PROTOCOL_VERSIONS

log = logging.getLogger("cloudtop.mcp")

LEXICON = "cloudtop://lexicon"


class Changes:
    """Who is to be told. `listen` serves subscriptions/listen."""

    def __init__(self) -> None:
        self._bus = InMemorySubscriptionBus()
        self._open: WeakSet[Any] = WeakSet()
        self.listen = ListenHandler(self._bus)

    def heard(self, ctx: ServerRequestContext[Any]) -> None:
        """Remember a client of the older era that has asked for a list."""
        if ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS:
            # The session object lives as long as one request; the connection behind it has no public name.
            connection = getattr(ctx.session, "_connection", None)
            if connection is not None and connection.has_standalone_channel:
                self._open.add(connection)

    async def tools_changed(self) -> None:
        """Tell everybody that tools, and what depends on them, are to be listed anew."""
        for event in (
            ToolsListChanged(),
            PromptsListChanged(),
            ResourcesListChanged(),
            ResourceUpdated(uri=LEXICON),
        ):
            await self._bus.publish(event)
        for connection in list(self._open):
            try:
                await connection.send_tool_list_changed()
                await connection.send_prompt_list_changed()
                await connection.send_resource_list_changed()
            except Exception as error:  # noqa: BLE001 - one client that went must not keep others from hearing
                log.debug("a client could not be told: %s", error)
                self._open.discard(connection)
