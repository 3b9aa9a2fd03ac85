"""The search language of Vast.ai's POST /api/v0/bundles/: which conditions are allowed and what they match.

Fields, operators, defaults and types are those of its documentation; a field that is not there is refused.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


DEFAULT_LIMIT = 64
DEFAULT_DISK_GB = 8.0
TYPES = ("on-demand", "ondemand", "bid", "reserved")
DEFAULT_FILTERS: Mapping[str, Any] = {
    "verified": {"eq": True},
    "rentable": {"eq": True},
    "rented": {"eq": False},
}
NUMBERS = _names(
    """
    id machine_id host_id num_gpus gpu_frac gpu_ram gpu_total_ram dph_total min_bid storage_cost
    reliability duration inet_up inet_down inet_up_cost inet_down_cost cpu_cores cpu_cores_effective
    cpu_ram cpu_ghz disk_space disk_bw bw_nvlink dlperf dlperf_per_dphtotal flops_per_dphtotal
    total_flops gpu_mem_bw gpu_max_power gpu_max_temp compute_cap cuda_max_good pci_gen pcie_bw
    direct_port_count has_avx
    """
)
SWITCHES = _names(
    """
    verified rentable rented datacenter external static_ip vms_enabled gpu_display_active
    """
)
TEXTS = _names(
    """
    gpu_name geolocation verification gpu_arch cpu_arch driver_version mobo_name os_version
    ubuntu_version
    """
)
SORTABLE = NUMBERS | SWITCHES | TEXTS | {"dph_base", "score"}
COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "in": lambda value, wanted: value in wanted,
    "notin": lambda value, wanted: value not in wanted,
}


class BadQuery(Exception):
    """A search that Vast.ai refuses, with its sentence."""


@dataclass(frozen=True)
class Search:
    """A checked request body."""

    filters: Mapping[str, Mapping[str, Any]]
    order: Sequence[tuple[str, str]]
    limit: int
    bid: bool
    disk_gb: float


def matches(row: Mapping[str, Any], filters: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether `row` passes every condition. A null or missing field passes only neq, notin and eq null."""
    return all(
        compare(name, row.get(name), how, wanted)
        for name, conditions in filters.items()
        for how, wanted in conditions.items()
    )


def compare(name: str, value: Any, how: str, wanted: Any) -> bool:
    """One condition on one value."""
    if name == "rented" and how == "eq" and wanted is True:
        return True  # documented as "include what the caller rents", not as "nothing else"
    if name == "external":
        value = bool(value)
    if name == "geolocation" and value is not None:
        value = country_or_all(value, wanted)
    if value is None:
        return how in ("neq", "notin") or (how == "eq" and wanted is None)
    if wanted is None:
        return how == "neq"
    if name == "driver_version" and how not in ("in", "notin"):
        value, wanted = version(value), version(wanted)
    return bool(COMPARISONS[how](value, wanted))


def country_or_all(place: str, wanted: Any) -> str:
    """The two-letter country of `place` when that is what is asked for, else the whole text."""
    asked = wanted if isinstance(wanted, list) else [wanted]
    if all(isinstance(item, str) and len(item) == 2 for item in asked):
        return place.rpartition(",")[2].strip()
    return place


def version(text: str) -> tuple[int, ...]:
    """`550.127.05` as numbers."""
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def sort_key(value: Any) -> tuple[bool, Any]:
    """Nulls below everything else."""
    return (value is not None, value if value is not None else 0)


def checked(body: Any) -> Search:
    """The request body as a search, or BadQuery for anything that the documentation does not name."""
    if not isinstance(body, dict):
        raise BadQuery("Invalid query: must be dict of conditions")
    rest = dict(body)
    limit, kind = rest.pop("limit", DEFAULT_LIMIT), rest.pop("type", "on-demand")
    disk_gb, order = rest.pop("allocated_storage", DEFAULT_DISK_GB), rest.pop("order", [])
    if not is_number(limit) or limit != int(limit) or limit < 1:
        raise BadQuery(f"limit: {limit!r} is not a positive integer")
    if kind not in TYPES:
        raise BadQuery(f"type: {kind!r} is not one of {', '.join(TYPES)}")
    if not is_number(disk_gb) or disk_gb < 0:
        raise BadQuery(f"allocated_storage: {disk_gb!r} is not a size in GB")
    for name, conditions in rest.items():
        check_filter(name, conditions)
    return Search(
        {**DEFAULT_FILTERS, **rest}, checked_order(order), int(limit), kind == "bid", float(disk_gb)
    )


def checked_order(order: Any) -> list[tuple[str, str]]:
    """[[field, asc or desc], …]."""
    if not isinstance(order, list):
        raise BadQuery("order: must be a list of [field, direction]")
    for entry in order:
        if not isinstance(entry, list) or len(entry) != 2 or entry[1] not in ("asc", "desc"):
            raise BadQuery(f"order: {entry!r} is not [field, asc or desc]")
        if entry[0] not in SORTABLE:
            raise BadQuery(f"order: unknown field {entry[0]!r}")
    return [(name, direction) for name, direction in order]


def check_filter(name: str, conditions: Any) -> None:
    """Refuse an unknown field, an unknown operator, or a value of the wrong type."""
    if name not in NUMBERS | SWITCHES | TEXTS:
        raise BadQuery(f"unknown field: {name}")
    if not isinstance(conditions, dict):
        raise BadQuery(f"{name}: must be an object of operator and value")
    for how, wanted in conditions.items():
        if how not in COMPARISONS:
            raise BadQuery(f"{name}: unknown operator {how!r}")
        if how in ("in", "notin") and not isinstance(wanted, list):
            raise BadQuery(f"{name}: {how} takes a list")
        for value in wanted if isinstance(wanted, list) else [wanted]:
            if not fits(name, value) and not (value is None and how in ("eq", "neq")):
                raise BadQuery(f"{name}: {value!r} has the wrong type")


def fits(name: str, value: Any) -> bool:
    """Whether `value` has the type of the field."""
    if name in SWITCHES:
        return isinstance(value, bool)
    return is_number(value) if name in NUMBERS else isinstance(value, str)


def is_number(value: Any) -> bool:
    """An int or a float; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)
