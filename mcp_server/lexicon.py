"""What a planner must know and only the server can tell: words of its tools, its providers, live names."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloudtop.sellers import Seller
    from cloudtop.store.open import Store
    from connectors.base import Facts
    from mcp_server.specs import ToolSpec

_ADVERTISED = ("type", "description", "items", "enum", "default", "kind", "aliases", "elicit", "required")
NAMES = 5_000
"""So many names of resources a planner is told, those read last first; the same number of tags."""

KEPT = 60
"""Characters of a live word: a longer one is nothing that a person types."""


def lexicon(
    specs: Mapping[str, ToolSpec],
    sellers: Mapping[str, Seller],
    standing: Sequence[Mapping[str, Any]],
    facts: Mapping[str, Facts] | None = None,
    live: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The words of tools and providers as one JSON object. `standing`: the rows of list_providers.

    `live`: what `live_words` says of a store; without it no name is known. `revision` is a hash of all the
    rest: equal revisions mean equal words.
    """
    stands = {str(row["provider"]): row for row in standing}
    # A question that leads to a user's own copy leads to its tool as well: the planner fills in what is said.
    spoken = {name: spec for name, spec in specs.items() if not spec.narrows}
    words: dict[str, Any] = {
        "tools": {name: _tool(spec) for name, spec in spoken.items()},
        "providers": [
            _provider(seller, stands.get(name, {}), (facts or {}).get(name))
            for name, seller in sellers.items()
        ],
        "accounts": sorted({account for row in standing for account in row.get("accounts", [])}),
        **(live or {"names": [], "tags": {}, "instance_types": []}),
    }
    packed = json.dumps(words, sort_keys=True, separators=(",", ":"))
    return {"revision": f"{zlib.crc32(packed.encode()):08x}", **words}


def _tool(spec: ToolSpec) -> dict[str, Any]:
    parameters = {
        name: {key: schema[key] for key in _ADVERTISED if key in schema}
        for name, schema in spec.parameters.items()
    }
    return {
        "title": spec.title,
        "parameters": parameters,
        "later": spec.later,
        "fields": spec.fields(),
        "nl": spec.nl,
    }


def live_words(store: Store) -> dict[str, Any]:
    """Names, tags and types of what the store holds. They come from clouds: data, whatever they say."""
    from cloudtop.store.resources import ResourceFilter

    roster = store.roster
    names = dict.fromkeys(name for name, _, _ in roster.names(NAMES) if len(name) <= KEPT)
    tags = {
        key: short
        for key, values in roster.tag_words(NAMES)
        if len(key) <= KEPT and (short := [value for value in values if len(value) <= KEPT])
    }
    types = [row["group"] for row in roster.groups(ResourceFilter(), ["instance_type"]) if row["group"]]
    return {"names": list(names), "tags": tags, "instance_types": types}


def _provider(seller: Seller, stands: Mapping[str, Any], facts: Facts | None) -> dict[str, Any]:
    services = facts.services.values() if facts is not None else ()
    return {
        "id": seller.id,
        "title": seller.title,
        "aliases": list(seller.aliases),
        "connector": bool(stands.get("kinds")),
        "configured": bool(stands.get("configured")),
        "services": [
            {
                "id": one.id,
                "name": one.name,
                "words": list(one.words),
                "types": list(dict.fromkeys(kind for held in one.lists.values() for kind in held)),
            }
            for one in services
        ],
    }


class LiveLexicon:
    """The lexicon of a running server, made anew only when the store or the tools have changed."""

    def __init__(
        self,
        specs: Mapping[str, ToolSpec],
        sellers: Mapping[str, Seller],
        standing: Callable[[], Sequence[Mapping[str, Any]]],
        store: Store,
        facts: Mapping[str, Facts] | None = None,
    ) -> None:
        self._specs, self._sellers, self._standing, self._store = specs, sellers, standing, store
        self._facts = facts
        self._made: tuple[int, list[ToolSpec], dict[str, Any]] | None = None

    def words(self) -> dict[str, Any]:
        """The lexicon as of now; shared, so read it only."""
        revision, tools = self._store.revision(), list(self._specs.values())
        if self._made is None or self._made[0] != revision or self._made[1] != tools:
            live = live_words(self._store)
            words = lexicon(self._specs, self._sellers, self._standing(), self._facts, live)
            self._made = (revision, tools, words)
        return self._made[2]
