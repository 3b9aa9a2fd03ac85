"""How figures, places and times are written in an answer: one spelling everywhere."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from agent.compute import price
from cloudtop import metrics

Row = Mapping[str, Any]


def usd(value: float | None) -> str:
    """`$1.50`, `$0.1053`, `$0.00015`: cents, or as many places as the figure needs to be true."""
    if value is None:
        return "unpriced"
    if 0 < abs(value) < 0.01:
        return f"${float(f'{value:.3g}'):.8f}".rstrip("0")
    cents = f"{value:,.2f}"
    if abs(round(value, 2) - value) < 5e-7:
        return f"${cents}"
    return f"${value:,.4f}".rstrip("0")


def total(value: float) -> str:
    """A sum of money, to the cent."""
    return f"${value:,.2f}"


def number(value: float | None) -> str:
    """A plain number without trailing noughts, `-` for unknown."""
    if value is None:
        return "-"
    if value == int(value):
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{value:,.4f}".rstrip("0") if abs(value) >= 0.0001 else f"{value:.1g}"


def side(value: Any) -> str:
    """One side of a comparison, or one group, by name."""
    match value:
        case True:
            return "spot"
        case False:
            return "on-demand"
        case None | "":
            return "not told"
        case int() | float():
            return f"{number(value)} GB"
        case list():
            return ", ".join(map(str, value))
        case _:
            return str(value)


def gpu_name(row: Row) -> str:
    """`A100 80 GB SXM`: what a row's GPU is called, with its size."""
    name = str(row.get("gpu") or row.get("gpu_raw") or "unknown GPU")
    memory, form = row.get("gpu_memory_gib"), row.get("form")
    shape = {"pcie": "PCIe"}.get(str(form), str(form).upper()) if form else ""
    shown = [name, f"{number(memory)} GB" if memory else "", shape]
    return " ".join(part for part in shown if part and not (part == "NVL" and name.endswith("NVL")))


def machine(row: Row) -> str:
    """`8x H100 80 GB SXM`, or a share of a board as such."""
    count = row.get("gpu_count")
    if count is None:
        return gpu_name(row)
    if row.get("fractional") or count < 1:
        return f"{number(count)} of a {gpu_name(row)}"
    return f"{number(count)}x {gpu_name(row)}"


def place(row: Row) -> str:
    """Where it stands: the seller's own words for the region."""
    region, country = row.get("region"), row.get("country")
    if region and country and country.upper() not in region.upper().replace(",", " ").split():
        return f"{region} ({country})"
    return str(region or country or "place not told")


def kind(row: Row) -> str:
    """`spot` or `on-demand`."""
    return "spot" if row.get("spot") else "on-demand"


def moment(text: str | None) -> str:
    """`2026-11-20 14:00 UTC`, or the day alone where only the day is known."""
    if not text:
        return "an unknown date"
    day, _, time = text.partition("T")
    return day if time in ("", "00:00:00Z") else f"{day} {time[:5]} UTC"


def age(row: Row) -> str:
    """Where a row's price is from and when it held."""
    held = row.get("as_of") or row.get("time")
    match row.get("source"):
        case "list":
            return f"price list as of {moment(held)}"
        case "stale":
            return f"as of {moment(row.get('fetched_at'))}"
        case "cache" | "live" | "sandbox":
            return f"read {moment(row.get('fetched_at'))}"
        case _:
            return f"as of {moment(held or row.get('fetched_at'))}"


def offer_line(row: Row) -> str:
    """One offer in a phrase: price, seller, machine, place, spot, age."""
    per_gpu = f"{usd(price(row))} per GPU-hour"
    whole = row.get("usd_per_hour")
    if whole is not None and row.get("gpu_count") not in (None, 1):
        per_gpu += f" ({usd(whole)} per hour for {machine(row)})"
    else:
        per_gpu += f" for {machine(row)}"
    return f"{per_gpu} on {row.get('provider')}, {kind(row)}, {place(row)}"


_BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_SIGNS = {
    "percent": " %",
    "milliseconds": " ms",
    "celsius": " °C",
    "watts": " W",
    "MHz": " MHz",
    "per second": "/s",
    "count": "",
}


def quantity(value: float | None, unit: str | None) -> str:
    """A measured value for people: `35 %`, `1.2 GiB`, `3 MiB/s`, `12 ms`, `1.5 s`, three figures at most."""
    if value is None:
        return "not told"
    if unit in ("bytes", "bytes per second"):
        step = 0
        while abs(value) >= 1024 and step < len(_BYTES) - 1:
            value, step = value / 1024, step + 1
        return f"{_short(value)} {_BYTES[step]}{'/s' if unit != 'bytes' else ''}"
    if unit == "milliseconds" and abs(value) >= 1000:
        return f"{_short(value / 1000)} s"
    return f"{_short(value)}{_SIGNS.get(str(unit), f' {unit}' if unit else '')}"


def _short(value: float) -> str:
    """As many places as three figures need; a whole number whole."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return (
        f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) < 10 else f"{value:.1f}".rstrip("0").rstrip(".")
    )


def metric_title(name: str) -> str:
    """`CPU` for `cpu`."""
    known = metrics.metrics().get(name)
    return known.title if known is not None else name


def account(row: Row) -> str | None:
    """The account, where it has a name of its own."""
    name = row.get("account")
    return None if name in (None, "default", "public") else str(name)


def day(text: str | None) -> str | None:
    """The day of a moment."""
    return text.partition("T")[0] if text else None


def priced(row: Row) -> str | None:
    """USD per hour, where it is known."""
    return usd(float(row["usd_per_hour"])) if row.get("usd_per_hour") is not None else None


def resource_size(row: Row) -> str | None:
    """What says how large a resource is: its type, cores, memory, storage."""
    told = [str(row["instance_type"])] if row.get("instance_type") else []
    told += [f"{number(row['vcpus'])} vCPU"] if row.get("vcpus") is not None else []
    told += [f"{number(row['ram_gib'])} GiB"] if row.get("ram_gib") is not None else []
    told += [f"{number(one['count'])}x {one['gpu']}" for one in row.get("gpus") or [] if one.get("gpu")]
    told += [str(row["engine"])] if row.get("engine") else []
    told += [f"{number(row['size_gb'])} GB"] if row.get("size_gb") is not None else []
    told += [quantity(row["size_bytes"], "bytes")] if row.get("size_bytes") is not None else []
    told += [str(row["runtime"])] if row.get("runtime") else []
    return ", ".join(told) or None


def command(program: str, tool: str, arguments: Mapping[str, Any]) -> str:
    """The command that repeats a call."""
    words = []
    for name, value in arguments.items():
        if isinstance(value, list):
            value = ",".join(str(one) for one in value)
        elif isinstance(value, bool):
            value = str(value).lower()
        words.append(shlex.quote(f"{name}={value}"))
    return " ".join([program, "call", tool, *words])
