"""What can be measured, in which unit, and how values combine: `data/metrics.yaml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from cloudtop import compiled
from cloudtop.errors import ArgumentError

PERCENTILES = ("p50", "p90", "p95", "p99")
AGGREGATES = ("avg", "max", "min", "sum", "last", "count", *PERCENTILES)


class Metric(NamedTuple):
    """One metric. `over`: how samples of a resource combine over time; `made`: how it comes out of others."""

    name: str
    unit: str
    over: str
    title: str
    of: tuple[str, ...]
    per_device: bool = False
    made: tuple[str, tuple[str, ...]] | None = None


@cache
def metrics() -> Mapping[str, Metric]:
    """Every metric by its name."""
    return {name: _metric(name, about) for name, about in facts()["metrics"].items()}


def facts() -> Any:
    """The facts as the YAML has them."""
    return compiled.load(compiled.DATA / "metrics.yaml")


def meant(texts: Iterable[str], argument: str = "metric") -> tuple[str, ...]:
    """The metrics that these names stand for; ArgumentError for a name that is none."""
    found: dict[str, None] = {}
    for text in texts:
        name = text.strip().lower().replace(" ", "_").replace("-", "_")
        if name not in _names():
            from cloudtop.text import nearest

            close = nearest(name, list(_names()), 1)
            hint = _names()[close[0]] if close else None
            raise ArgumentError(argument, f"{text[:60]!r} is no metric.", ", ".join(metrics()), hint)
        found[_names()[name]] = None
    return tuple(found)


def usual(kind: str) -> tuple[str, ...]:
    """What is asked of a type of resource when no metric is named."""
    return tuple(facts()["usual"].get(kind, ()))


def base(name: str, told: Iterable[str]) -> tuple[str, ...]:
    """The metrics to ask a cloud for that tells `told`, so that `name` can be given; () when it cannot."""
    told = frozenset(told)
    if name in told:
        return (name,)
    made = metrics()[name].made
    if made and told.issuperset(made[1]):
        return made[1]
    return ()


def made(name: str, parts: Sequence[float | None]) -> float | None:
    """The value of a made metric out of the values of its parts; None where one that it needs is missing."""
    how = metrics()[name].made
    if how is None or any(part is None for part in parts):
        return None
    known = [part for part in parts if part is not None]
    if how[0] == "sum":
        return sum(known)
    return 100.0 * known[0] / known[1] if known[1] else None


def in_unit(value: float, unit: str | None, wanted: str, argument: str = "unit") -> float:
    """A value in `unit` as one in the metric's unit; ArgumentError for a unit that does not measure it."""
    if unit is None:
        return value
    known = _scales(wanted)
    scale = known.get(unit.strip().lower().replace(" ", ""))
    if scale is None:
        raise ArgumentError(argument, f"{unit[:60]!r} does not measure {wanted}.", ", ".join(known) or wanted)
    return value * scale


@cache
def _scales(wanted: str) -> Mapping[str, float]:
    """How many of the wanted unit one of each accepted unit is. GB means GiB, as everywhere here."""
    steps = {"": 1.0, "k": 1024.0, "m": 1024.0**2, "g": 1024.0**3, "t": 1024.0**4}
    sizes = {
        f"{step}{end}": size for step, size in steps.items() for end in (("b", "ib") if step else ("b",))
    }
    sizes |= {"bytes": 1.0, "byte": 1.0}
    bits = {
        f"{step}{end}": 1000.0**at / 8
        for at, step in enumerate(("", "k", "m", "g"))
        for end in ("bit", "bps")
    }
    scales: dict[str, dict[str, float]] = {
        "percent": {"%": 1.0, "percent": 1.0, "pct": 1.0},
        "bytes": sizes,
        "bytes per second": {f"{name}/s": size for name, size in sizes.items()}
        | {f"{name}ps": size for name, size in sizes.items() if name.endswith("ib")}
        | {name if name.endswith("bps") else f"{name}/s": size for name, size in bits.items()},
        "milliseconds": {
            "ms": 1.0,
            "s": 1000.0,
            "seconds": 1000.0,
            "us": 0.001,
            "m": 60_000.0,
            "min": 60_000.0,
        },
        "seconds": {"s": 1.0, "seconds": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "hours": 3600.0},
        "celsius": {"c": 1.0, "°c": 1.0, "celsius": 1.0},
        "watts": {"w": 1.0, "watts": 1.0, "kw": 1000.0},
        "MHz": {"mhz": 1.0, "ghz": 1000.0},
        "per second": {"/s": 1.0, "persecond": 1.0, "iops": 1.0, "/min": 1 / 60},
        "count": {"count": 1.0},
    }
    return scales.get(wanted, {})


def _metric(name: str, about: Mapping[str, Any]) -> Metric:
    how = next(iter(about["made"].items())) if "made" in about else None
    return Metric(
        name,
        about["unit"],
        about["over"],
        about["title"],
        tuple(about["of"]),
        about.get("per") == "device",
        (how[0], tuple(how[1])) if how else None,
    )


@cache
def _names() -> Mapping[str, str]:
    """Every accepted spelling to the metric it means."""
    found = {name: name for name in facts()["metrics"]}
    for name, about in facts()["metrics"].items():
        for word in (*about.get("aliases", ()), *about.get("words", ()), about["title"]):
            found.setdefault(word.lower().replace(" ", "_"), name)
    return found
