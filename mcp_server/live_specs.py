"""The specs of a running server: a file that changed is noticed, and a broken edit keeps what was there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from cloudtop.errors import CloudtopError
from mcp_server.runtime import Runtime
from mcp_server.specs import LeftOut, ToolSpec, listing

log = logging.getLogger("cloudtop.specs")

LOOK_S = 1.0
"""How often the folders are looked at. A change counts when it looks the same twice: an editor is done."""

Load = Callable[[list[LeftOut]], Mapping[str, ToolSpec]]
"""Loads all specs; files of the user's that cannot be used are put down in the list."""


class LiveSpecs:
    """Keeps a runtime's tools at what the files say."""

    def __init__(self, runtime: Runtime, load: Load, folders: Sequence[Path], look_s: float = LOOK_S) -> None:
        self._runtime, self._load, self._folders, self._look_s = runtime, load, folders, look_s
        self._loaded = self._looked = self._listing()

    async def watch(self, tell: Callable[[], Awaitable[None]]) -> None:
        """Look at the folders for ever; `tell` is awaited whenever the tools are others than before."""
        while True:
            await asyncio.sleep(self._look_s)
            try:
                if await self.look():
                    await tell()
            except OSError as error:
                log.warning("the spec files cannot be looked at: %s", error)

    async def look(self) -> bool:
        """Take over what changed and has come to rest; whether the tools are others now."""
        seen = await asyncio.to_thread(self._listing)
        settled, self._looked = seen == self._looked, seen
        if not settled or seen == self._loaded:
            return False
        self._loaded = seen
        left_out: list[LeftOut] = []
        try:
            found = await asyncio.to_thread(self._load, left_out)
            found = self._with_earlier(found, left_out)
            if found == self._runtime.specs:
                return False
            self._runtime.adopt(found)
        except CloudtopError as error:
            log.warning("the tools stay as they were: %s", error)
            return False
        return True

    def _with_earlier(
        self, found: Mapping[str, ToolSpec], left_out: Sequence[LeftOut]
    ) -> Mapping[str, ToolSpec]:
        """For each file that is broken now, the tool that was made of it before."""
        kept: dict[str, ToolSpec] = {}
        for one in left_out:
            earlier = [spec for spec in self._runtime.specs.values() if spec.file == one.file]
            kept |= {spec.name: spec for spec in earlier}
            log.warning("%s%s", one.message, " It stays as it was before." if earlier else "")
        return dict(sorted({**found, **kept}.items()))

    def _listing(self) -> list[list[tuple[str, int, int]]]:
        return [listing(folder) for folder in self._folders]
