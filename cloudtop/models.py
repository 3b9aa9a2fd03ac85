"""The nouns everybody shares. Frozen, units in names, UTC, `None` for unknown (never 0 or "")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

SHIPPED = "shipped"
"""`Scope.account` of the price list that comes with cloudtop; it speaks only where nothing fresher does."""


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC with a Z, to the second: how every time leaves the house."""
    if moment is None:
        return None
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    # isoformat pads the year to four digits; strftime does not on every system.
    return moment.isoformat(timespec="seconds").removesuffix("+00:00") + "Z"


@dataclass(frozen=True, slots=True)
class Scope:
    """The unit of asking, caching and failing. `query` is canonical JSON, empty for a full listing."""

    provider: str
    account: str = "public"
    region: str = "global"
    kind: str = "gpu_offers"
    query: str = ""

    @property
    def key(self) -> str:
        """One line that names the scope in the store."""
        return "|".join((self.provider, self.account, self.region, self.kind, self.query))


@dataclass(frozen=True, slots=True)
class Trouble:
    """One scope's failure as data: what could not be asked, why, and what to do next.

    `code` is one of not_configured unauthorized forbidden rate_limited too_slow unreachable
    not_found invalid changed unavailable not_covered.
    """

    provider: str
    code: str
    message: str
    next_step: str
    account: str | None = None
    region: str | None = None
    kind: str | None = None
    severity: str = "error"
    retryable: bool = False
    retry_after_s: float | None = None
    reference: str | None = None

    def row(self) -> dict[str, object]:
        """The fields as `missing` in a result lists them."""
        return {name: getattr(self, name) for name in TROUBLE_FIELDS}


TROUBLE_FIELDS = (
    "provider",
    "account",
    "region",
    "kind",
    "code",
    "severity",
    "retryable",
    "message",
    "next_step",
    "retry_after_s",
    "reference",
)


@dataclass(frozen=True, slots=True)
class Source:
    """Where rows of a result are from: `live cache stale list sandbox`, and when they were read."""

    provider: str
    account: str
    source: str
    fetched_at: datetime
    rows: int

    def row(self) -> dict[str, object]:
        """The fields as `sources` in a result lists them."""
        return {
            "provider": self.provider,
            "account": self.account,
            "source": self.source,
            "fetched_at": iso(self.fetched_at),
            "rows": self.rows,
        }


@dataclass(frozen=True, slots=True)
class PriceQuery:
    """What a price question wants from a seller. Connectors may answer with more; the tool filters again.

    `gpus`: compact canonical names (`A100`, `H100NVL`), empty for all. `spot`: None for both.
    """

    gpus: tuple[str, ...] = ()
    spot: bool | None = None


@dataclass(frozen=True, slots=True)
class GpuOffer:
    """One thing a seller rents, as the connector read it. Prices are per hour of the whole instance.

    `min_hours`: the smallest time that is billed, 720 for a seller by the month; None for unknown.
    """

    seller: str
    offer_id: str
    gpu_raw: str
    gpu_count: float
    usd_per_hour: float | None
    price_raw: str
    spot: bool
    gpu: str | None = None
    gpu_memory_gib: float | None = None
    instance_type: str | None = None
    region: str | None = None
    country: str | None = None
    form: str | None = None
    vcpus: float | None = None
    ram_gib: float | None = None
    tier: str | None = None
    available: bool | None = None
    interconnect: str | None = None
    fractional: bool = False
    reliability: float | None = None
    disk_usd_per_gb_month: float | None = None
    egress_usd_per_gb: float | None = None
    suspect: str | None = None
    source_url: str | None = None
    as_of: datetime | None = None
    raw: Mapping[str, object] | None = None
    modified: bool = False
    min_hours: float | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """One check of one connection: `check` is credentials permissions api quota freshness or resources."""

    provider: str
    account: str
    name: str
    check: str
    healthy: bool | None
    status: str
    message: str
    latency_ms: float | None
    checked_at: datetime
    region: str | None = None
    uid: str | None = None


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One request that left the house. No header, body, query string or secret is kept."""

    at: datetime
    actor: str
    provider: str
    account: str
    operation: str
    method: str
    host: str
    status: int | None
    error: str | None
    attempt: int
    duration_ms: float
    bytes: int | None = None
    details: Mapping[str, object] = field(default_factory=dict)
