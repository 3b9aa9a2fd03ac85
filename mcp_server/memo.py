"""Finished answers, given again as long as nothing that they rest on has changed."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime

from mcp_server.result import Outcome

KEPT = 256
"""How many answers one process keeps."""

Key = tuple[str, str, str]
"""Tool, arguments as JSON with sorted keys, and the question's clock when it was set."""


class Memo:
    """Outcomes by question, each good for one revision of the store and until its moment comes."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, tuple[int, datetime, Outcome]] = OrderedDict()

    def outcome(self, key: Key, revision: int, now: datetime) -> Outcome | None:
        """The kept outcome, while the store is at the revision it was made from and its time has not come."""
        kept = self._kept.get(key)
        if kept is None or kept[0] != revision or now >= kept[1]:
            return None
        self._kept.move_to_end(key)
        return kept[2]

    def keep(self, key: Key, revision: int, until: datetime, outcome: Outcome) -> None:
        """Keep one outcome; the one that was not asked for longest makes room."""
        self._kept[key] = (revision, until, outcome)
        self._kept.move_to_end(key)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
