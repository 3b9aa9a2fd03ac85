"""From a `ResourceFilter` to SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudtop.errors import ArgumentError
from cloudtop.models import iso
from cloudtop.store.offer_sql import Terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudtop.regions import Wanted
    from cloudtop.store.resources import ResourceFilter, Tag

PRICE = "coalesce(resource.usd_per_hour, price.usd_per_hour)"
"""What the cloud says of this one, else what its type costs there on demand while it is paid for."""

PRICED_AS = "coalesce(json_extract(resource.details, '$.priced_as'), resource.instance_type)"
"""What its price is kept under: where a type does not make the price alone, its parts are named too."""

PRICED_BY_TYPE = (
    "resource.instance_type IS NOT NULL"
    " AND (coalesce(resource.spot, 0)=0 OR json_extract(resource.details, '$.priced_as') IS NOT NULL)"
    " AND (resource.status NOT IN ('stopped', 'terminated')"
    " OR json_extract(resource.details, '$.paid_while_stopped'))"
    " AND json_extract(resource.details, '$.priced_apart') IS NULL"
)
"""Which rows cost what their type does."""
JOINED = (
    f" LEFT JOIN instance_price AS price ON {PRICED_BY_TYPE}"
    " AND price.provider=resource.provider AND price.region=resource.region"
    f" AND price.instance_type={PRICED_AS}"
)
EVERY_TAG = "*"
"""As a missing tag: there is none at all."""

SIZE_GB = "coalesce(resource.size_gb, resource.size_bytes / 1e9)"

USUAL = (
    "resource.provider, resource.account, resource.type, resource.region, resource.name, resource.native_id"
)
"""The order without `sort`, in which an index holds them; what ties otherwise follows it too."""

_OWN = (
    "name type provider account region zone status created_at updated_at instance_type "
    "vcpus ram_gib runtime memory_mb timeout_s last_modified size_bytes object_count "
    "engine version connections node_count public_ip private_ip namespace "
)
SORTS = {name: f"resource.{name}" for name in _OWN.split()} | {
    "usd_per_hour": PRICE,
    "id": "resource.native_id",
    "size_gb": SIZE_GB,
    "created": "resource.created_at",
}

GROUPS = {
    name: f"resource.{name}"
    for name in (
        "provider",
        "account",
        "region",
        "type",
        "status",
        "instance_type",
        "engine",
        "runtime",
        "zone",
        "namespace",
        "version",
    )
}


def terms(query: ResourceFilter, scope_ids: Sequence[int] | None) -> Terms:
    """The conditions that `query` sets."""
    made = Terms()
    if scope_ids is not None:
        made.among("resource.scope_id", scope_ids)
    _about(made, query)
    _named(made, query)
    _tagged(made, query)
    _sized(made, query)
    if query.places_any:
        _places(made, query.places_any)
    return made


def ordered(query: ResourceFilter) -> str:
    """The expression to order by; unknown values come last whichever way."""
    if query.sort is None:
        return USUAL
    if query.sort not in SORTS:
        raise ArgumentError("sort", f"{query.sort} is not a field of resources", ", ".join(SORTS))
    by, way = SORTS[query.sort], " DESC" if query.descending else ""
    text = " COLLATE NOCASE" if query.sort == "name" else ""
    return f"{by} IS NULL, {by}{text}{way}, {USUAL}"


def grouped(by: str) -> tuple[str, list[str]]:
    """The expression of one grouping, and its values: a field, the GPU, the service, or `tag:<key>`."""
    if by.startswith("tag:") and by[4:].strip():
        found = "SELECT value FROM json_each(resource.tags) WHERE lower(key)=?"
        return f"({found})", [by[4:].strip().lower()]
    if by == "gpu":
        return "json_extract(resource.gpus, '$[0].gpu')", []
    if by not in GROUPS:
        raise ArgumentError(
            "group_by", f"{by} is not known for resources", ", ".join([*GROUPS, "gpu", "tag:<key>"])
        )
    return GROUPS[by], []


def _about(made: Terms, query: ResourceFilter) -> None:
    for column, choices in (
        ("type", query.types),
        ("status", query.statuses),
        ("native_id", query.ids),
    ):
        if choices:
            made.among(f"resource.{column}", choices)
    for column, choices in (("type", query.exclude_types), ("status", query.exclude_statuses)):
        if choices:
            made.among(f"resource.{column}", choices, absent=True)
    _engines(made, [one.lower() for one in query.engines])
    _either(made, "resource.runtime", " LIKE ? ESCAPE '\\'", [f"{_escaped(one)}%" for one in query.runtimes])
    _families(made, query.instance_types)
    for column, flag in (("spot", query.spot), ("encrypted", query.encrypted)):
        if flag is not None:
            made.add(f"coalesce(resource.{column}, 0)=?", int(flag))
    if query.namespace is not None:
        made.add("resource.namespace=? COLLATE NOCASE", query.namespace)
    for sign, moment in ((">=", query.created_since), ("<", query.created_before)):
        if moment is not None:
            made.add(f"resource.created_at{sign}?", iso(moment))


def _named(made: Terms, query: ResourceFilter) -> None:
    _either(made, "resource.name", "=? COLLATE NOCASE", query.names)
    _either(made, "resource.name", " LIKE ? ESCAPE '\\'", [_pattern(one) for one in query.name_contains])
    for word in (query.search or "").lower().split():
        made.add(
            "instr(lower(coalesce(resource.name, '') || char(10) || resource.native_id || char(10)"
            " || resource.type || char(10) || coalesce(resource.instance_type, '') || char(10)"
            " || coalesce(resource.public_ip, '') || char(10) || coalesce(resource.private_ip, ''))"
            " || coalesce(resource.tag_index, ''), ?)",
            word,
        )
    if query.ip is not None:
        made.add("? IN (resource.public_ip, resource.private_ip)", query.ip)


def _tagged(made: Terms, query: ResourceFilter) -> None:
    for tag in query.tags:
        made.add("instr(resource.tag_index, ?)", _line(tag))
    for tag in query.exclude_tags:
        made.add("NOT instr(resource.tag_index, ?)", _line(tag))
    for key in query.missing_tags:
        lacks = "NOT instr(resource.tag_index, ?)"
        if key == EVERY_TAG:
            made.add("resource.tag_index=char(10)")
        elif key.lower() == "name":
            # A name that is kept elsewhere than in a tag is a name too.
            made.add(f"(resource.name IS NULL AND ({lacks} OR resource.tag_index IS NULL))", "\nname=")
        else:
            made.add(lacks, f"\n{key.lower()}=")


def _sized(made: Terms, query: ResourceFilter) -> None:
    for column, least in (
        ("resource.vcpus", query.min_vcpu),
        ("resource.ram_gib", query.min_ram),
        ("resource.gpu_gib", query.min_memory),
        (SIZE_GB, query.min_size_gb),
    ):
        if least is not None:
            made.add(f"{column}>=?", least)
    if query.max_price is not None:
        made.add(f"{PRICE}<=?", query.max_price)
    if query.with_gpus:
        made.add("resource.gpu_index IS NOT NULL")
    if query.gpus:
        needles = [f"|{name}|" if size is None else f"|{name}:{size:g}|" for name, size, _ in query.gpus]
        made.add(f"({' OR '.join(['instr(resource.gpu_index, ?)'] * len(needles))})", *needles)


def _places(made: Terms, wanted: Sequence[Wanted]) -> None:
    needles = [needle for one in wanted for needle in one.needles]
    match = " OR ".join(["instr(places, ?)"] * len(needles))
    made.add(f"resource.place_id IN (SELECT id FROM place WHERE {match})", *needles)


def _either(made: Terms, column: str, test: str, values: Sequence[str]) -> None:
    """`column` passes the test with any of these values."""
    if values:
        made.add(f"({' OR '.join([column + test] * len(values))})", *values)


def _engines(made: Terms, engines: Sequence[str]) -> None:
    """Engines by the name everybody has for them, or by their cloud's own (`aurora` of `aurora-mysql`)."""
    own = "lower(coalesce(json_extract(resource.details, '$.engine_raw'), ''))"
    test = f"(lower(resource.engine)=? OR {own} LIKE ? ESCAPE '\\')"
    if engines:
        values = [text for one in engines for text in (one, f"{_escaped(one)}%")]
        made.add(f"({' OR '.join([test] * len(engines))})", *values)


def _families(made: Terms, types: Sequence[str]) -> None:
    """Instance types: the whole name, or the family before a point or hyphen (`p4d`, `n2-standard`)."""
    likes = [text for one in types for text in (_escaped(one), f"{_escaped(one)}.%", f"{_escaped(one)}-%")]
    _either(made, "resource.instance_type", " LIKE ? ESCAPE '\\'", likes)


def _line(tag: Tag) -> str:
    key, value = tag
    return f"\n{key}={value}\n".lower()


def _pattern(text: str) -> str:
    """A part of a name, or a whole one with * and ?, as LIKE takes it."""
    escaped = _escaped(text)
    if "*" in text or "?" in text:
        return escaped.replace("*", "%").replace("?", "_")
    return f"%{escaped}%"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
