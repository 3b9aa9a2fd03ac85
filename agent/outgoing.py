"""What leaves the machine for a model: the columns that may, cut to a budget, names as pseudonyms if wished.

The whole rows stay here; the person's table is made of them. A column that nobody listed stays here too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from agent.graph import Called
from agent.planner.guard import injected
from agent.planner.tokens import words_of
from agent.rows import sums, total
from cloudtop.agent_settings import Agent
from cloudtop.text import clean

_COLUMNS = """
provider region country zone name type kind status instance_type vcpus ram_gib size_gb size_bytes
object_count node_count engine version runtime spot gpu gpus gpu_count gpu_memory_gib form tier
interconnect created_at usd_per_hour usd_per_gpu_hour usd_total usd_per_gpu_hour_min
usd_per_gpu_hour_median available suspect reliability offers group count metric device unit agg
value samples time from to until avg min max newest median first last delta delta_percent change
changes percentile_30d cheaper_than_30d days_covered_30d percentile_90d cheaper_than_90d
days_covered_90d check healthy latency_ms checked_at title enabled configured keyless kinds
capabilities metrics source as_of fetched_at
"""
COLUMNS = frozenset(_COLUMNS.split())
"""What a model is shown where `agent.columns` says nothing: no accounts, ids, addresses, tags, free texts."""

EVERY = "*"
NAMING = ("name", "account", "id", "group", "zone")
"""Columns whose texts are names that people gave."""

LONGEST = 160
"""Letters of one cell that a model is shown."""

WITHHELD = "(withheld: reads like an instruction)"
PSEUDONYM = re.compile(rf"\b(?:{'|'.join(NAMING)})-\d+\b")


class Outgoing:
    """What one question shows a model. `names`: those known beforehand, for the question itself."""

    def __init__(self, terms: Agent, names: Iterable[str] = ()) -> None:
        self.columns = COLUMNS if terms.columns is None else frozenset(terms.columns)
        self.letters = terms.result_letters
        self.pseudonyms = terms.pseudonyms
        self._by_name: dict[str, str] = {}
        self._by_pseudonym: dict[str, str] = {}
        for name in names if terms.pseudonyms else ():
            self._pseudonym("name", name)

    def text(self, said: str) -> str:
        """A text as it may leave: known names as pseudonyms, whole words only, the longest first."""
        if not self._by_name:
            return said
        names = "|".join(re.escape(one) for one in sorted(self._by_name, key=len, reverse=True))
        known = re.compile(rf"(?<![\w-])(?:{names})(?![\w-])", re.IGNORECASE)
        return known.sub(lambda found: self._by_name[found[0].lower()], said)

    def back(self, said: str) -> str:
        """A text of the model with the names that its pseudonyms stand for."""
        return PSEUDONYM.sub(lambda found: self._by_pseudonym.get(found[0], found[0]), said)

    def given(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments of a call with the names that pseudonyms stand for."""
        return {name: self._meant(value) for name, value in arguments.items()}

    def _meant(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._meant(one) for one in value]
        return self.back(value) if isinstance(value, str) else value

    def seen(self, call: Called) -> str:
        """A finished call as JSON: the rows that fit, how many there are, sums over all, what is missing."""
        if call.result is None:
            return _json({"call": call.id, "error": self._cell(None, call.error or "")})
        result = call.result
        told = {
            "call": call.id,
            "total": total(result),
            "sums": sums(result),
            "missing": [[one["provider"], one["code"]] for one in result["missing"]],
            "notices": [self._cell(None, one) for one in result["notices"]],
        }
        head = {name: value for name, value in told.items() if value not in ([], {}, None)}
        columns, rows = self._rows(call, self.letters - len(_json(head)))
        return _json({**head, "shown": len(rows), "columns": columns, "rows": rows})

    def _rows(self, call: Called, letters: int) -> tuple[list[str], list[list[Any]]]:
        """The columns that may leave and say something, and the first rows that fit into so many letters."""
        there = dict.fromkeys(name for row in call.rows for name, value in row.items() if value is not None)
        may = [name for name in there if self._may(name, call.arguments)]
        kept: list[list[Any]] = []
        left = letters - len(_json(may))
        for row in call.rows:
            line = [self._cell(name, row.get(name)) for name in may]
            left -= len(_json(line)) + 1
            if left < 0:
                break
            kept.append(line)
        return may, kept

    def _may(self, column: str, arguments: Mapping[str, Any]) -> bool:
        """Whether a column may leave. A group is named by the column it was made of."""
        if EVERY in self.columns:
            return True
        if column != "group":
            return column in self.columns
        by = arguments.get("group_by") or ()
        parts = [str(one).partition(":")[0] for one in ([by] if isinstance(by, str) else by)]
        renamed = {"tag": "tags", "resource": "name", "series": "provider"}
        return all(renamed.get(one, one) in self.columns for one in ",".join(parts).split(",") if one)

    def _cell(self, column: str | None, value: Any) -> Any:
        if isinstance(value, str):
            return self._words(column, clean(value)[:LONGEST])
        if isinstance(value, Mapping):
            return {str(self._words(None, str(name))): self._cell(None, one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._cell(column, one) for one in value]
        return value

    def _words(self, column: str | None, text: str) -> str:
        if injected(words_of(text.replace("-", " ").replace("_", " "))):
            return WITHHELD
        if self.pseudonyms and column in NAMING:
            return self._pseudonym(column, text)
        return self.text(text)

    def _pseudonym(self, column: str, name: str) -> str:
        known = self._by_name.get(name.lower())
        if known is None:
            known = f"{column}-{len(self._by_name) + 1}"
            self._by_name[name.lower()] = known
            self._by_pseudonym[known] = name
        return known


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
