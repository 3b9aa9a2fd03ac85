"""What may be asked of the stored resources, and what comes back: values only, `roster.py` asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloudtop.models import Scope
    from cloudtop.regions import Wanted
    from cloudtop.store.offers import Reading

Tag = tuple[str, str]
"""(key, value) as a person wrote them; the case of either is no matter."""


@dataclass(frozen=True, slots=True)
class ResourceFilter:
    """Which resources, in which order, which stretch of them.

    `scopes`: None for all, () for none. Alternatives within one field, all fields at once; of `tags` each
    must be there. `name_contains` is a part of the name, or a pattern with * and ?. `search` is looked for in
    names, ids, tags, types and addresses, each of its words. `gpus` are readings as for offers; `with_gpus`
    any GPU at all. `at`: as things were at that moment; `within`: as they last were at any moment of [start,
    end), what has gone by then included. `sort`: a field of a row, None for provider, account, type, region
    and name.
    """

    scopes: tuple[Scope, ...] | None = None
    types: tuple[str, ...] = ()
    exclude_types: tuple[str, ...] = ()
    places_any: tuple[Wanted, ...] = ()
    statuses: tuple[str, ...] = ()
    exclude_statuses: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    name_contains: tuple[str, ...] = ()
    search: str | None = None
    tags: tuple[Tag, ...] = ()
    exclude_tags: tuple[Tag, ...] = ()
    missing_tags: tuple[str, ...] = ()
    instance_types: tuple[str, ...] = ()
    gpus: tuple[Reading, ...] = ()
    with_gpus: bool = False
    spot: bool | None = None
    engines: tuple[str, ...] = ()
    runtimes: tuple[str, ...] = ()
    encrypted: bool | None = None
    ip: str | None = None
    namespace: str | None = None
    min_vcpu: float | None = None
    min_ram: float | None = None
    min_memory: float | None = None
    min_size_gb: float | None = None
    max_price: float | None = None
    created_since: datetime | None = None
    created_before: datetime | None = None
    at: datetime | None = None
    within: tuple[datetime, datetime] | None = None
    sort: str | None = None
    descending: bool = False
    limit: int | None = 20
    offset: int = 0


@dataclass(frozen=True, slots=True)
class ResourcePage:
    """One stretch of the matching resources; `total` counts all that match.

    A row has every field of a resource, `_scope` and `_read_at` for its source, and whether its cloud
    itself told its price, `_priced`. `untold` counts rows
    that a filter left out since the cloud does not tell what was asked (tags, prices, creation times).
    """

    rows: list[dict[str, Any]]
    total: int
    generation: int
    untold: dict[str, int] = field(default_factory=dict)
