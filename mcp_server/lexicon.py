"""What a planner must know and only the server can tell: words of its tools, its providers, live names."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloudtop.sellers import Seller
    from cloudtop.store.open import Store
    from mcp_server.specs import ToolSpec

_ADVERTISED = ("type", "items", "enum", "default", "kind", "aliases", "elicit", "required")


def lexicon(
    specs: Mapping[str, ToolSpec], sellers: Mapping[str, Seller], standing: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The words of tools and providers as one JSON object. `standing`: the rows of list_providers.

    `revision` is a hash of all the rest: equal revisions mean equal words.
    """
    stands = {str(row["provider"]): row for row in standing}
    # A question that leads to a user's own copy leads to its tool as well: the planner fills in what is said.
    spoken = {name: spec for name, spec in specs.items() if not spec.narrows}
    words: dict[str, Any] = {
        "tools": {name: _tool(spec) for name, spec in spoken.items()},
        "providers": [_provider(seller, stands.get(name, {})) for name, seller in sellers.items()],
        "names": [],
        "tags": [],
        "accounts": sorted({account for row in standing for account in row.get("accounts", [])}),
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


def _provider(seller: Seller, stands: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": seller.id,
        "title": seller.title,
        "aliases": list(seller.aliases),
        "connector": bool(stands.get("kinds")),
        "configured": bool(stands.get("configured")),
    }


class LiveLexicon:
    """The lexicon of a running server, made anew only when the store or the tools have changed."""

    def __init__(
        self,
        specs: Mapping[str, ToolSpec],
        sellers: Mapping[str, Seller],
        standing: Callable[[], Sequence[Mapping[str, Any]]],
        store: Store,
    ) -> None:
        self._specs, self._sellers, self._standing, self._store = specs, sellers, standing, store
        self._made: tuple[int, list[ToolSpec], dict[str, Any]] | None = None

    def words(self) -> dict[str, Any]:
        """The lexicon as of now; shared, so read it only."""
        revision, tools = self._store.revision(), list(self._specs.values())
        if self._made is None or self._made[0] != revision or self._made[1] != tools:
            self._made = (revision, tools, lexicon(self._specs, self._sellers, self._standing()))
        return self._made[2]
