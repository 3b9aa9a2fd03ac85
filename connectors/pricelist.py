"""Price lists: CSV files, ours and a person's own, read as if each were a cloud.

A row may hold two prices, on demand and spot: two offers. A cell that makes no sense costs its row, never the
file, and what was left out is said. Nothing here knows whether an offer is to be had right now.
Imported late: csv, json, zlib.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from cloudtop import __version__, gpus, regions, sellers
from cloudtop.compiled import DATA
from cloudtop.errors import Invalid, NotFound
from cloudtop.models import SHIPPED, GpuOffer, PriceQuery, Scope
from cloudtop.text import clean, plural
from cloudtop.units import usd
from connectors.base import Connector

SHIPPED_FILE = DATA / "list_prices.csv"
PAGE = 2000
COLUMNS = (
    "provider",
    "instance_type",
    "region",
    "gpu",
    "gpu_count",
    "gpu_memory_gib",
    "price_per_hour_usd",
    "spot_price_per_hour_usd",
    "as_of",
    "source",
    "min_hours",
)
MARKETPLACES = frozenset({"vast"})
SHOWN_LINES = 3
FIRST_YEAR = 2000
"""A price with an earlier date is a slip: nobody rented GPUs by the hour then."""


class PriceList(Connector):
    """Offers out of the shipped list and the configured files."""

    def price_scopes(self, wanted: PriceQuery) -> list[Scope]:
        """One for the shipped list unless it is switched off, one for each file."""
        import json

        shipped = [] if self.settings.options.get("shipped") is False else [Scope(self.id, SHIPPED)]
        files = [str(name) for name in self.settings.options.get("files", ())]
        return shipped + [
            Scope(self.id, "own", query=json.dumps({"file": name}, separators=(",", ":"))) for name in files
        ]

    def stamp(self, scope: Scope) -> str | None:
        """Changes with the file, the columns configured for it, and what cloudtop knows."""
        import json
        import zlib

        path = _path(scope)
        if not path.is_file():
            return None
        found = path.stat()
        columns = zlib.crc32(json.dumps(self._columns(scope), sort_keys=True).encode())
        return f"{found.st_size}-{found.st_mtime_ns}-{columns:08x}-{__version__}"

    async def gpu_offers(self, scope: Scope) -> AsyncIterator[list[GpuOffer]]:
        """The offers of one file, in pages."""
        import asyncio

        path = _path(scope)
        if not path.is_file():
            message = f"The price list {path.name} (providers.pricelist.options.files) is not there."
            raise NotFound(message, "Correct the path in the configuration, or take it out.")
        reading = Reading(path, self._columns(scope), self.now())
        offers = reading.offers()
        while page := list(islice(offers, PAGE)):
            yield page
            # Reading a file never waits; the other clouds get their turn here.
            await asyncio.sleep(0)
        for message, step in reading.left_out():
            self.note(scope, message, step)

    def _columns(self, scope: Scope) -> dict[str, str]:
        """Our column names to the file's, in whichever direction they were configured."""
        configured: Mapping[str, Any] = self.settings.options.get("columns") or {}
        if scope.account == SHIPPED:
            return {}
        ours = {key: str(value) for key, value in configured.items() if key in COLUMNS}
        theirs = {str(value): key for key, value in configured.items() if key not in COLUMNS}
        return {**theirs, **ours}


class Reading:
    """One pass over one file: rows out, and a count of what made no sense."""

    def __init__(self, path: Path, columns: Mapping[str, str], now: datetime) -> None:
        self._path, self._columns = path, columns
        self._bad: dict[str, tuple[int, list[int]]] = {}
        self._unread: list[str] = []
        self._ids: dict[int, int] = {}
        self._one_gpu = False
        self._pooled = 0
        self._misdated = 0
        # The same few words come back in thousands of rows.
        self._gpu = cache(_gpu)
        self._text = cache(lambda cell: clean(cell).strip())
        self._seller = cache(sellers.seller_id)
        self._place = cache(regions.place)
        self._money = cache(_money)
        self._moment = cache(lambda cell: _moment(cell, now))

    def offers(self) -> Iterator[GpuOffer]:
        """Every offer of the file in its order."""
        import csv

        with self._path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            first = file.readline()
            file.seek(0)
            rows = csv.reader(file, delimiter=max(",;\t", key=first.count))
            try:
                at = self._places(next(rows, []))
                for row in rows:
                    yield from self._row([row[i] if -1 < i < len(row) else "" for i in at], rows.line_num)
            except csv.Error as error:
                message = f"The price list {self._path.name} is damaged at line {rows.line_num}: {error}."
                raise Invalid(message, "Look for a quotation mark that is not closed.") from error

    def left_out(self) -> Iterator[tuple[str, str]]:
        """What was not read, as sentences."""
        if self._unread:
            names = ", ".join(self._unread[:8])
            yield (
                f"{self._path.name}: {plural(len(self._unread), 'column')} not read: {names}.",
                "Name them in providers.pricelist.options.columns if they mean one of ours.",
            )
        if self._pooled:
            rows = plural(self._pooled, "row")
            yield (
                f"{self._path.name}: in {rows} the memory fits all GPUs together and was read so.",
                "gpu_memory_gib is the memory of one GPU.",
            )
        if self._misdated:
            rows = plural(self._misdated, "row")
            yield (
                f"{self._path.name}: in {rows} as_of is before {FIRST_YEAR} or in the future: unknown.",
                "Correct the dates; the file is read again when it changes.",
            )
        for reason, (count, lines) in self._bad.items():
            where = ", ".join(map(str, lines)) + (", …" if count > len(lines) else "")
            yield (
                f"{self._path.name}: {plural(count, 'row')} left out: {reason} (line {where}).",
                "Correct the file; it is read again when it changes.",
            )

    def _places(self, header: list[str]) -> list[int]:
        """Where each of our columns stands in the file, -1 for nowhere."""
        names = [name.strip().lower() for name in header]
        wanted = [self._columns.get(ours, ours).strip().lower() for ours in COLUMNS]
        at = [names.index(name) if name in names else -1 for name in wanted]
        found = dict(zip(COLUMNS, at, strict=True))
        if found["provider"] < 0 or max(found["gpu"], found["instance_type"]) < 0:
            message = f"The price list {self._path.name} has no column for the provider, or none for the GPU."
            raise Invalid(message, f"Columns wanted: {', '.join(COLUMNS)}; see options.columns.")
        if max(found["price_per_hour_usd"], found["spot_price_per_hour_usd"]) < 0:
            message = f"The price list {self._path.name} has no column for a price."
            raise Invalid(message, f"Columns wanted: {', '.join(COLUMNS)}; see options.columns.")
        self._unread = [clean(name) for i, name in enumerate(header) if i not in at and name.strip()]
        self._one_gpu = found["gpu_count"] < 0
        return at

    def _row(self, cells: list[str], line: int) -> Iterator[GpuOffer]:
        provider, instance_type, region, name, count, memory, price, spot, as_of, source, least = map(
            self._text, cells
        )
        if not any(cells):
            return
        seller = self._seller(provider)
        gpu = _half(seller, name, instance_type) or self._gpu(
            seller, name, instance_type, memory, count, self._one_gpu
        )
        paid, bid = self._money(price), self._money(spot)
        if not seller or isinstance(gpu, str) or isinstance(paid, str) or isinstance(bid, str):
            reasons = (one for one in (gpu, paid, bid) if isinstance(one, str))
            self._leave(next(reasons, "no provider"), line)
            return
        self._pooled += gpu.pooled
        dated, misdated = self._moment(as_of)
        self._misdated += misdated
        place = self._place(seller, region)
        offer_id = self._id(seller, instance_type, region, gpu.raw, count)
        for text, value, is_spot in ((price, paid, False), (spot, bid, True)):
            if not text and (is_spot or spot):
                continue
            yield GpuOffer(
                seller=seller,
                offer_id=offer_id,
                gpu_raw=gpu.raw,
                gpu_count=gpu.number,
                usd_per_hour=value,
                price_raw=text,
                spot=is_spot,
                gpu=gpu.name,
                gpu_memory_gib=gpu.memory_gib,
                instance_type=instance_type or None,
                region=place.region,
                country=place.country,
                form=gpu.form,
                tier="marketplace" if seller in MARKETPLACES else None,
                fractional=gpu.share,
                modified=gpu.modified,
                source_url=source or None,
                as_of=dated,
                min_hours=_figure(least) or None,
            )

    def _id(self, *parts: str) -> str:
        """The same in every reading of the file; a repeated row gets a number."""
        text = ":".join(parts)
        key = hash(text)
        again = self._ids[key] = self._ids.get(key, 0) + 1
        return text if again == 1 else f"{text}#{again}"

    def _leave(self, reason: str, line: int) -> None:
        count, lines = self._bad.get(reason, (0, []))
        self._bad[reason] = (count + 1, lines if len(lines) >= SHOWN_LINES else [*lines, line])


class _Gpus(NamedTuple):
    """The GPUs of one instance."""

    raw: str
    name: str | None
    memory_gib: float | None
    form: str | None
    number: float
    share: bool
    modified: bool
    pooled: bool


def _path(scope: Scope) -> Path:
    import json

    return SHIPPED_FILE if scope.account == SHIPPED else Path(json.loads(scope.query)["file"]).expanduser()


def _half(seller: str, name: str, kind: str) -> str | None:
    """Why a row may be a part of a machine: its seller prices machine and GPUs apart, and it names one only.

    A row that names both has the price of both, and so has a chip that the seller makes himself.
    """
    if bool(name) == bool(kind) or seller not in sellers.host_apart():
        return None
    if name:
        if (found := gpus.catalogue().gpus.get(gpus.identify(seller, name).name or "")) and (
            found.vendor == "google"
        ):
            return None
        return f"{seller} prices machine and GPU apart, and without instance_type this may be the GPU alone"
    return f"{seller} prices machine and GPU apart, and without gpu this may be the machine alone"


def _gpu(seller: str, name: str, kind: str, memory: str, count: str, one: bool) -> _Gpus | str:
    """What the cells about GPUs mean, or why they mean nothing."""
    carried = gpus.instance_gpu(seller, kind) if kind else None
    if not name and carried is None:
        return "no GPU"
    gib, number = _figure(memory), _figure(count)
    if gib is None or number is None:
        return "a GPU count or memory that is no number"
    if not number:
        number = carried[1] if carried else 1.0 if one and not count else 0.0
    if not number:
        return "no GPU count"
    if not name and carried:
        name = carried[0]
    if not gib and carried and carried[0] == gpus.identify(seller, name).name:
        gib = carried[2]
    found, pooled = _identified(seller, name, gib, number)
    share = number % 1 != 0 or found.fractional
    return _Gpus(name, found.name, found.memory_gib, found.form, number, share, found.modified, pooled)


def _identified(seller: str, name: str, gib: float, number: float) -> tuple[gpus.Identified, bool]:
    """The GPU by its name and memory, and whether that was the memory of all GPUs of the row together.

    Some lists tell it so, one even that twice over. A size in which no such board is known, but the share of
    each GPU in it is, is read as that share.
    """
    told = gpus.identify(seller, name, gib or None)
    found = told
    for parts in (number, number**2) if gib else ():
        if not found.modified or _known_to_be_altered(found):
            break
        found = gpus.identify(seller, name, gib / parts)
    if found.modified and not _known_to_be_altered(found):
        found = told
    return found, found is not told


def _known_to_be_altered(found: gpus.Identified) -> bool:
    gpu = gpus.catalogue().gpus.get(found.name or "")
    return gpu is not None and found.memory_gib in gpu.altered_gib


def _figure(text: str) -> float | None:
    """A number that is not negative; 0 for an empty cell, None for nonsense."""
    if not text:
        return 0.0
    value = usd(text)
    return value if value is not None and value >= 0 else None


def _money(text: str) -> float | str | None:
    """Dollars; None for an empty cell or a zero, which nobody charges; a sentence for nonsense."""
    value = _figure(text)
    return "a price that is none" if value is None else value or None


def _moment(text: str, now: datetime) -> tuple[datetime | None, bool]:
    """The time a price is from, and whether it was one that no price can be from; unreadable is unknown."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None, False
    try:
        moment = (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        return None, True
    possible = moment.year >= FIRST_YEAR and moment <= now
    return (moment if possible else None), not possible
